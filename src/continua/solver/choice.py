"""Which method, where none is named: by the structure of the equation; else explicit, until its steps say stiff."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from continua.core import Args, Scalar, State, is_traced
from continua.equations import Diagonal, Equation, Interpretation, Linear, LinearTerm, Partitioned, SplitODE, Stochastic
from continua.methods import (
    ETD1,
    ETDRK4,
    SRA1,
    Coloured,
    Dense,
    EulerMaruyama,
    KenCarp4,
    Method,
    Milstein,
    Rodas5P,
    StochasticHeun,
    Switching,
    Tsit5,
    Verlet,
)
from continua.solver.post_mortem import Status

Result = TypeVar("Result")

MOST_STIFF_STATES = 512  # Rodas5P factors a dense Jacobian every step
MOST_EXACT_STATES = 16  # the exponential of a matrix for every step and output is cheap up to there
MOST_DENSE_STATES = 32  # beyond, it pays to look for zeros of the Jacobian
GLANCE = 2**11  # steps after which it is asked for the first time whether stability holds them


def by_structure(equation: Equation, size: int, fixed: bool) -> Method:
    """The method for an equation of `size` states of which nothing but its type is known.

    Where steps are `fixed`, it is one that gains by it: symplectic for mechanics, exponential for linear parts.
    """
    if isinstance(equation, Linear | LinearTerm) and size <= MOST_EXACT_STATES:
        return ETD1()
    if isinstance(equation, Diagonal):
        return ETD1()
    if isinstance(equation, Partitioned) and fixed:
        return Verlet()
    if not isinstance(equation, SplitODE):
        return Tsit5()
    if isinstance(equation.stiff, Diagonal) or (isinstance(equation.stiff, LinearTerm) and fixed):
        return ETDRK4()
    return KenCarp4(Dense() if size <= MOST_DENSE_STATES else Coloured())


def once_for_all(first: Method, size: int) -> Method:
    """The method where nothing can be looked at on the way, as under `jit`: in place of Tsit5 one that looks itself.

    For small states: it compiles a Jacobian, stiff or not.
    """
    return Switching() if isinstance(first, Tsit5) and size <= MOST_DENSE_STATES else first


def by_its_steps(
    run: Callable[..., tuple[Result, Any]],
    size: int,
    first: Method = Tsit5(),  # noqa: B008
    then: Method = Rodas5P(),  # noqa: B008
    most: int | None = None,
) -> Result:
    """What `run` gives with the `first` method; with that for stiff equations where it ended with `Status.STIFF`.

    Args:
        run: from a method to a result and its statuses, of any shape; of traced ones nothing is known.
        size: how many states.
        first: what to begin with.
        then: the one for stiff equations.
        most: how many steps may be attempted, if `run` also takes a smaller number of them, as its second argument: a
            stiff equation then is found out early.
    """
    if most is not None and most > GLANCE and size <= MOST_STIFF_STATES and isinstance(first, Tsit5):
        result, status = run(first, GLANCE)
        if proven_stiff(status, size).any():
            return run(then)[0]
        if not is_traced(status) and (np.asarray(status) != Status.STEP_BUDGET).all():
            return result
    result, status = run(first)
    return run(then)[0] if proven_stiff(status, size).any() else result


def proven_stiff(status: Any, size: int) -> np.ndarray:
    """Where `Tsit5` ended with `Status.STIFF`, and a method for stiff equations would do better."""
    if size > MOST_STIFF_STATES or is_traced(status):
        return np.zeros(np.shape(status), bool)
    return np.asarray(status) == Status.STIFF


def by_its_noise(equation: Stochastic, t: Scalar, y0: State, args: Args) -> Method:
    """The method of the highest strong order for such noise."""
    if equation.is_additive(t, y0, args):
        return SRA1()
    if equation.interpretation is Interpretation.STRATONOVICH:
        return StochasticHeun()
    return Milstein() if equation.is_commutative(t, y0, args) else EulerMaruyama()
