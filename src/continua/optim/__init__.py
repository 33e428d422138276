"""Optimisers as what they are: flows of the parameters, the methods that step them, and their step lengths.

Every optimiser is a transformation as optax means it, with optax's name and arguments where optax has it. What flows
add nothing to is optax's own and handed on: schedules, combinators, and the other optimisers.
"""

import importlib
from typing import Any

from continua.optim.augmented_lagrangian import AugmentedLagrangian
from continua.optim.averaging import (
    Average,
    Increment,
    ScheduleFree,
    averaged,
    averaged_params,
    evaluated_params,
    schedule_free,
    schedule_free_adamw,
    schedule_free_eval_params,
    schedule_free_sgd,
)
from continua.optim.bounds import ProjectedLBFGS, ProjectedNewton
from continua.optim.constraints import Box, Equality, Inequality, Multipliers
from continua.optim.first_order import adagrad, adam, adamw, lion, muon, nadam, rmsprop, sgd, sign_sgd
from continua.optim.flows import Drift, FlowState, Now, Subflow, flow
from continua.optim.forces import Saturation, WeightDecay
from continua.optim.games import Game, Optimism, extragradient, optimistic_gradient_descent, rk4
from continua.optim.inertia import Blend, Relaxation, Velocity
from continua.optim.losses import (
    absolute_error,
    hinge,
    huber,
    logistic,
    softmax_cross_entropy,
    squared_error,
    squared_hinge,
)
from continua.optim.metrics import MeanSquare, RootMeanSquare, Sign, Spectral, SumOfSquares
from continua.optim.mini_batch_noise import StochasticGradientFlow
from continua.optim.mini_batches import FanIn, untuned
from continua.optim.minimisation import FailedMinimisation, Minimum, Outcome, minimise
from continua.optim.newton import Newton, TruncatedNewton
from continua.optim.objective import Minimiser, Objective, Point, Stand
from continua.optim.output_metric import Composite, GaussNewton, gauss_newton, natural_gradient
from continua.optim.quasi_newton import LBFGS, ConjugateGradient, fletcher_reeves, hager_zhang, polak_ribiere
from continua.optim.sqp import SQP
from continua.optim.stiff_descent import Proximal, chebyshev, proximal_point
from continua.optim.sums_of_squares import LeastSquares, LevenbergMarquardt, least_squares

__all__ = [
    "LBFGS",
    "SQP",
    "AugmentedLagrangian",
    "Average",
    "Blend",
    "Box",
    "Composite",
    "ConjugateGradient",
    "Drift",
    "Equality",
    "FailedMinimisation",
    "FanIn",
    "FlowState",
    "Game",
    "GaussNewton",
    "Increment",
    "Inequality",
    "LeastSquares",
    "LevenbergMarquardt",
    "MeanSquare",
    "Minimiser",
    "Minimum",
    "Multipliers",
    "Newton",
    "Now",
    "Objective",
    "Optimism",
    "Outcome",
    "Point",
    "ProjectedLBFGS",
    "ProjectedNewton",
    "Proximal",
    "Relaxation",
    "RootMeanSquare",
    "Saturation",
    "ScheduleFree",
    "Sign",
    "Spectral",
    "Stand",
    "StochasticGradientFlow",
    "Subflow",
    "SumOfSquares",
    "TruncatedNewton",
    "Velocity",
    "WeightDecay",
    "absolute_error",
    "adagrad",
    "adam",
    "adamw",
    "averaged",
    "averaged_params",
    "chebyshev",
    "evaluated_params",
    "extragradient",
    "fletcher_reeves",
    "flow",
    "gauss_newton",
    "hager_zhang",
    "hinge",
    "huber",
    "least_squares",
    "lion",
    "logistic",
    "minimise",
    "muon",
    "nadam",
    "natural_gradient",
    "optimistic_gradient_descent",
    "polak_ribiere",
    "proximal_point",
    "rk4",
    "rmsprop",
    "schedule_free",
    "schedule_free_adamw",
    "schedule_free_eval_params",
    "schedule_free_sgd",
    "sgd",
    "sign_sgd",
    "softmax_cross_entropy",
    "squared_error",
    "squared_hinge",
    "untuned",
]

HANDED_ON = (
    # Optimisers to which a flow would add nothing.
    *("adabelief", "adadelta", "adafactor", "adamax", "adan", "amsgrad", "lamb", "lars", "noisy_sgd", "novograd"),
    *("optimistic_adam_v2", "polyak_sgd", "radam", "rprop", "sm3", "yogi"),
    # Schedules: the number of steps done ↦ the step length.
    *("constant_schedule", "cosine_decay_schedule", "cosine_onecycle_schedule", "exponential_decay", "join_schedules"),
    *("linear_onecycle_schedule", "linear_schedule", "piecewise_constant_schedule", "polynomial_schedule"),
    *("sgdr_schedule", "warmup_constant_schedule", "warmup_cosine_decay_schedule"),
    # What is put around optimisers.
    *("MultiSteps", "adaptive_grad_clip", "apply_if_finite", "apply_updates", "chain", "clip", "clip_by_global_norm"),
    *("inject_hyperparams", "masked", "partition", "lookahead"),
)


def __getattr__(name: str) -> Any:
    """What is optax's own."""
    if name not in HANDED_ON:
        raise AttributeError(f"module 'continua.optim' has no attribute {name!r}")
    return getattr(importlib.import_module("optax"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *HANDED_ON])
