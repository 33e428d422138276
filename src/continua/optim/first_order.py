"""The optimisers that people know, written as flows: the same names, arguments and numbers as optax's."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from jax.typing import DTypeLike
from jaxtyping import Array
from optax.contrib import MuonDimensionNumbers

from continua.optim.flows import Drift, Rate, Subflow, flow
from continua.optim.forces import WeightDecay
from continua.optim.inertia import Blend, Relaxation, Velocity
from continua.optim.metrics import (
    QUINTIC,
    MeanSquare,
    RootMeanSquare,
    Sign,
    Spectral,
    SumOfSquares,
    over_dimensions,
)

Number = float | Array
Optimiser = optax.GradientTransformationExtraArgs


def sgd(
    learning_rate: Rate,
    momentum: Number | None = None,
    nesterov: bool = False,
    accumulator_dtype: DTypeLike | None = None,
) -> Optimiser:
    r"""Gradient descent, plain, with momentum, or with Nesterov's look ahead.

    $$ x' = -\nabla f \qquad \text{or} \qquad x'' + \gamma x' = -\nabla f $$

    by explicit or conformal symplectic Euler with h = learning rate and momentum $e^{-\gamma h}$.

    Args:
        learning_rate: the step length, or a schedule.
        momentum: the share of the velocity that a step keeps; None for no velocity.
        nesterov: whether the kick is looked at one step ahead.
        accumulator_dtype: the precision in which the velocity is kept.

    Source: Robbins & Monro (1951); Polyak (1964); Nesterov (1983).
    """
    inertia = [] if momentum is None else [Velocity(momentum, nesterov, accumulator_dtype)]
    return flow(*inertia, Drift(learning_rate))


def adagrad(learning_rate: Rate, initial_accumulator_value: Number = 0.1, eps: Number = 1e-7) -> Optimiser:
    r"""Descent in the metric of all squares of gradients so far.

    $$ v' = g^2, \qquad x' = -\frac{g}{\sqrt{v + \epsilon}} $$

    Source: Duchi, Hazan & Singer, JMLR 12 (2011) 2121–2159.
    """
    return flow(SumOfSquares(initial_accumulator_value, eps), Drift(learning_rate))


def rmsprop(
    learning_rate: Rate,
    decay: Number = 0.9,
    eps: Number = 1e-8,
    initial_scale: Number = 0.0,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: Number | None = None,
    nesterov: bool = False,
    bias_correction: bool = False,
) -> Optimiser:
    r"""Descent in the metric of the mean square of recent gradients.

    $$ v' = \frac{g^2 - v}{\tau}, \qquad x' = -\frac{g}{\sqrt{v + \epsilon}} $$

    Momentum is of the increments. torch's form is `eps_in_sqrt=False`.

    Source: Hinton, Neural Networks for Machine Learning, lecture 6e (2012); Graves, arXiv 1308.0850 (centred).
    """
    metric = MeanSquare(decay, eps, initial_scale, eps_in_sqrt, centered, bias_correction)
    inertia = [] if momentum is None else [Velocity(momentum, nesterov)]
    return flow(metric, Drift(learning_rate), *inertia)


def adam(
    learning_rate: Rate,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: DTypeLike | None = None,
    *,
    nesterov: bool = False,
) -> Optimiser:
    r"""Descent along a delayed gradient, in the metric of the mean square of recent ones.

    $$ m' = \frac{g - m}{\tau_1}, \qquad v' = \frac{g^2 - v}{\tau_2}, \qquad
       x' = -\frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

    m and v relax exactly ($b_i = e^{-h/\tau_i}$), x takes a step of Euler. It is stable at a minimum while
    $h\,\lambda_{\max}(P^{-1} H) < (2 + 2 b_1) / (1 - b_1)$, P the metric.

    Source: Kingma & Ba, arXiv 1412.6980; stability: Cohen et al., arXiv 2207.14484.
    """
    return flow(Relaxation(b1, nesterov, mu_dtype), RootMeanSquare(b2, eps, eps_root), Drift(learning_rate))


def nadam(
    learning_rate: Rate,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: DTypeLike | None = None,
) -> Optimiser:
    """Adam with Nesterov's look ahead. Source: Dozat, Incorporating Nesterov momentum into Adam (2016)."""
    return adam(learning_rate, b1, b2, eps, eps_root, mu_dtype, nesterov=True)


def adamw(
    learning_rate: Rate,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: DTypeLike | None = None,
    weight_decay: Rate = 1e-4,
    mask: Any | Callable[[Any], Any] | None = None,
    *,
    nesterov: bool = False,
) -> Optimiser:
    r"""Adam with a pull of the parameters towards zero that its metric does not see.

    $$ x' = -\frac{\hat m}{\sqrt{\hat v} + \epsilon} - w x $$

    Source: Loshchilov & Hutter, arXiv 1711.05101.
    """
    moments = Relaxation(b1, nesterov, mu_dtype), RootMeanSquare(b2, eps, eps_root)
    return flow(*moments, WeightDecay(weight_decay, mask), Drift(learning_rate))


def lion(
    learning_rate: Rate,
    b1: Number = 0.9,
    b2: Number = 0.99,
    mu_dtype: DTypeLike | None = None,
    weight_decay: Rate = 1e-3,
    mask: Any | Callable[[Any], Any] | None = None,
) -> Optimiser:
    r"""Descent along the sign of a blend of the gradient and its delayed mean.

    $$ x' = -\operatorname{sign}\big((1 - b_1) g + b_1 m\big) - w x, \qquad m' = \frac{g - m}{\tau} $$

    Source: Chen et al., arXiv 2302.06675.
    """
    return flow(Blend(b1, b2, mu_dtype), Sign(), WeightDecay(weight_decay, mask), Drift(learning_rate))


def sign_sgd(learning_rate: Rate) -> Optimiser:
    r"""Descent along the sign of the gradient: $x' = -\operatorname{sign} g$. Source: Bernstein et al., 1802.04434."""
    return flow(Sign(), Drift(learning_rate))


def muon(
    learning_rate: Rate,
    ns_coeffs: Any = QUINTIC,
    ns_steps: int = 5,
    beta: Number = 0.95,
    eps: Number = 1e-8,
    weight_decay: Rate = 0.0,
    weight_decay_mask: Any | Callable[[Any], Any] | None = None,
    mu_dtype: DTypeLike | None = None,
    *,
    nesterov: bool = True,
    adaptive: bool = False,
    preconditioning: str = "frobenius",
    adam_b1: Number = 0.9,
    adam_b2: Number = 0.999,
    adam_eps_root: Number = 0.0,
    adam_weight_decay: Rate = 0.0,
    adam_learning_rate: Rate | None = None,
    muon_weight_dimension_numbers: Any = None,
    consistent_rms: Number | None = None,
) -> Optimiser:
    r"""Descent of matrices in the spectral norm; other parameters are left to Adam.

    $$ x' = -U V^\top \sqrt{\max(1, n/m)} - w x, \qquad U \Sigma V^\top = \hat m, \qquad m' = \frac{g - m}{\tau} $$

    Matrices are the parameters of rank two, or those that have `MuonDimensionNumbers` in the tree, or the function of
    the parameters, `muon_weight_dimension_numbers`, where others have None. What the rest of the arguments does,
    `Spectral` tells.

    Raises:
        ArgumentError: where `ns_coeffs` are not rows of three, for a `preconditioning` that is none, and for axes that
            make no matrix.

    Source: Jordan et al., Muon (2024).
    """
    given = muon_weight_dimension_numbers
    dimensions = MuonDimensionNumbers() if given is None else given
    spectral = Spectral(ns_coeffs, ns_steps, eps, adaptive, consistent_rms, preconditioning, dimensions)
    matrices: list[Subflow] = [Relaxation(beta, nesterov, mu_dtype), spectral]
    matrices += [WeightDecay(weight_decay, weight_decay_mask), Drift(learning_rate)]
    rate = learning_rate if adam_learning_rate is None else adam_learning_rate
    others = adamw(rate, adam_b1, adam_b2, eps, adam_eps_root, mu_dtype, adam_weight_decay, nesterov=nesterov)

    def kind(dimensions: Any, part: Any) -> Any:
        listed = lambda p: p.ndim == 2 if given is None else dimensions is not None  # noqa: E731
        return jax.tree.map(lambda p: "matrix" if listed(p) else "other", part)

    def kinds(params: Any) -> Any:
        return over_dimensions(kind, dimensions, params)

    return optax.with_extra_args_support(optax.partition({"matrix": flow(*matrices), "other": others}, kinds))
