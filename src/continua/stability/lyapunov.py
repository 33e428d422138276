"""Lyapunov exponents: how fast neighbouring trajectories separate, and whether that is chaos."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from continua.core import Args, ArgumentError, FailedSolve, Scalar, count, in_double_precision, kept
from continua.equations import Equation
from continua.methods import Method
from continua.solver import Status, by_its_steps
from continua.stability import arguments
from continua.stability.arguments import StateVector
from continua.stability.linearisation import slopes_and_jacobians
from continua.stability.region import in_units, region_of
from continua.stability.trajectory import POINTS, trajectory
from continua.stability.variational import Frame, carry

# Without a span: so many of the fastest time scales on the trajectory.
FAST_TIMES = 4096
# The frame is made orthonormal again after so many fast time scales: before it bends by more than e^3 or so.
BETWEEN = 3.0
MOST_BLOCKS = 2**20
BATCHES = 16
# How far (a factor e^5) differences must have grown in the second half of the span to count as exponential growth;
# beside a cycle or torus they grow linearly, by a factor 2 there; e^2.5 stands between the two.
GROWN, NOT_GROWN = 5.0, 2.5


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """The largest Lyapunov exponents of one trajectory.

    Args:
        values: [exponent], per unit of time, the largest first.
        errors: [exponent], standard errors, from the spread of the means of 16 consecutive parts of the span.
        span: the time over which they were averaged.
        growth: by what factor a small difference grew in the second half of the span, as its logarithm.
        recurrent: whether the trajectory stayed in the same region, moving: not at rest, not running away.
        states: how many states the equation has.
    """

    values: Float[np.ndarray, " exponent"]
    errors: Float[np.ndarray, " exponent"]
    span: float
    growth: float
    recurrent: bool
    states: int

    @property
    def largest(self) -> float:
        """The largest exponent."""
        return float(self.values[0])

    @property
    def chaotic(self) -> bool | None:
        """Whether the trajectory is chaotic as far as this span tells; None where it does not tell.

        True: it recurs, the largest exponent is more than three standard errors above zero, and differences grew more
        than 150-fold in the second half of the span. False: they grew less than 12-fold (beside a cycle, twofold), or
        it does not recur. Exponents far below 5/span cannot be seen.
        """
        if not self.recurrent or self.growth < NOT_GROWN:
            return False
        return True if self.growth > GROWN and self.largest > 3 * float(self.errors[0]) else None

    @property
    def verdict(self) -> str:
        """The judgement in words, with the numbers behind it."""
        number = f"largest exponent {self.largest:.3g} ± {float(self.errors[0]):.1g} over a time of {self.span:.4g}"
        if not self.recurrent:
            return f"not recurrent: the trajectory comes to rest or runs away ({number})"
        if self.chaotic is None:
            return f"undecided: a longer span is needed ({number})"
        return f"chaotic ({number})" if self.chaotic else f"regular ({number})"

    @property
    def lyapunov_time(self) -> float:
        """The time in which small differences grow e-fold, 1/λ.

        Infinite where the motion is regular, and where the exponent is not three standard errors above zero.
        """
        regular = self.recurrent and self.chaotic is False
        return math.inf if regular or self.largest <= 3 * float(self.errors[0]) else 1 / self.largest

    def horizon(self, error: float, tolerable: float) -> float:
        r"""The time until a small error has grown to a tolerable one; infinite where `lyapunov_time` is.

        $$ T = \frac{1}{\lambda} \ln \frac{\text{tolerable}}{\text{error}} $$

        Args:
            error: of the state at the start, in any unit.
            tolerable: the error at which a forecast is worth nothing, such as the spread of the data, in that unit.
        """
        error = arguments.number("horizon", "error", error)
        tolerable = arguments.number("horizon", "tolerable", tolerable)
        return max(0.0, self.lyapunov_time * math.log(tolerable / error)) if tolerable > error else 0.0

    @property
    def dimension(self) -> float | None:
        """The Kaplan–Yorke dimension of the attractor; None unless the trajectory recurs and all exponents are known.

        Exponents within three standard errors of zero count as zero.
        """
        if len(self.values) < self.states or not self.recurrent:
            return None
        values = np.where(np.abs(self.values) > 3 * self.errors, self.values, 0.0)
        sums = np.cumsum(values)
        held = int(np.count_nonzero(np.cumprod(sums >= 0)))
        if held == len(sums):
            return float(held)
        return float(held + (sums[held - 1] / abs(values[held]) if held else 0.0))


@in_double_precision
def lyapunov_exponents(
    equation: Equation | Callable[[Any, Any, Any], Any],
    y0: Any,
    span: float | None = None,
    k: int | None = None,
    *,
    args: Args = None,
    transient: float | None = None,
    t0: float = 0.0,
    rtol: float = 1e-8,
    max_steps: int = 2**14,
) -> LyapunovExponents:
    r"""The k largest Lyapunov exponents of the trajectory through a state.

    $$ \lambda_i = \lim_{T \to \infty} \frac{1}{T} \sum_{\text{blocks}} \ln R_{ii}, \qquad V(t + \delta) = Q R $$

    An orthonormal frame of k small differences is carried along by the variational equation and made orthonormal
    again before it collapses (Benettin's method). The drive of an equation may depend on time.

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt.
        y0: [state], where the trajectory starts.
        span: the time over which is averaged; 4096 of the fastest time scales on the trajectory unless given.
        k: how many exponents; all unless given.
        args: handed to the equation.
        transient: the time before, in which the trajectory finds its attractor; a tenth of the span unless given.
        t0: the time of y0.
        rtol: relative tolerance of the trajectory and the frame.
        max_steps: between two orthonormalisations.

    Returns:
        `LyapunovExponents` with `values`, `errors`, `largest`, `chaotic`, `verdict`, `lyapunov_time`, `horizon`.

    Raises:
        ArgumentError: a shape or value cannot be used.
        ArgumentTypeError: a type cannot be used.
        FailedSolve: the trajectory blows up, or cannot be followed.

    Example:
        >>> from continua.equations import Linear
        >>> found = lyapunov_exponents(Linear([[-1.0, 0.0], [0.0, -2.0]], [0.0, 0.0]), [1.0, 1.0], span=50.0)
        >>> print(found.values.round(2), found.chaotic)
        [-1. -2.] False

    Source: Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15 (1980) 9–30.
    """
    verb = "lyapunov_exponents"
    start = arguments.one_state(verb, y0, "y0")
    equation, args = arguments.system(verb, equation, len(start), args)
    k = count(verb, "k", len(start) if k is None else k, len(start))
    rtol, t0 = arguments.number(verb, "rtol", rtol), float(t0)
    span = None if span is None else arguments.number(verb, "span", span)
    transient = None if transient is None else arguments.number(verb, "transient", transient, zero=True)
    pilot = _pilot(equation, args, start, t0, span)
    span = FAST_TIMES / pilot.rate if span is None else span
    transient = span / 10 if transient is None else transient
    plan = _plan(transient, span, pilot.rate)
    frame = jnp.asarray(np.linalg.qr(np.random.default_rng(0).standard_normal((len(start), k)))[0])
    own = in_units(equation, pilot.width)
    z = jnp.asarray(start / pilot.width)
    tolerance, budget = jnp.asarray(rtol), count(verb, "max_steps", max_steps, 2**31 - 1)
    when = jnp.asarray(t0), jnp.asarray(plan.length)

    def run(method: Method) -> tuple[tuple[Array, Array, Array], Array]:
        found = _follow(own, z, frame, *when, args, tolerance, method, budget, plan.blocks)
        return found, found[2]

    rates, path, status = by_its_steps(run, z.size + frame.size)
    _check(np.asarray(status), t0, plan.length)
    return _result(np.asarray(rates)[plan.skipped :], np.asarray(path)[plan.skipped :], plan.length)


def largest_lyapunov_exponent(
    equation: Equation | Callable[[Any, Any, Any], Any], y0: Any, span: float | None = None, **options: Any
) -> LyapunovExponents:
    """The largest Lyapunov exponent alone: `lyapunov_exponents` with k = 1, which is cheaper.

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt.
        y0: [state], where the trajectory starts.
        span: the time over which is averaged.
        options: of `lyapunov_exponents`.

    Returns:
        `LyapunovExponents` with one value: `.largest`, `.chaotic`, `.verdict`, `.lyapunov_time`.

    Raises:
        ArgumentError, ArgumentTypeError, FailedSolve: as `lyapunov_exponents`.

    Example:
        >>> from continua.equations import ExponentialDecay
        >>> print(f"{largest_lyapunov_exponent(ExponentialDecay(k=0.5), [1.0], span=10.0).largest:.3f}")
        -0.500
    """
    return lyapunov_exponents(equation, y0, span, 1, **options)


class _Pilot(NamedTuple):
    """What a first look at the trajectory tells: the units of the states, and the fastest rate along it."""

    width: StateVector
    rate: float


def _pilot(equation: Equation, args: Args, start: StateVector, t0: float, span: float | None) -> _Pilot:
    width = region_of(start[None]).width
    own, z = in_units(equation, width), start / width
    rate = _spectral_radius(own, args, z[None], t0)
    duration = 100 / (rate or 1.0) if span is None else span / 10
    found = trajectory(own, z, t0, duration, args, 1e-6, 2**16)
    if found.status != Status.SUCCESS and found.reached > t0:  # too far for a first look
        found = trajectory(own, z, t0, 0.9 * (found.reached - t0), args, 1e-6, 2**16)
    path = found.states[np.isfinite(found.states).all(1)]
    return _Pilot(region_of(path * width).width, _spectral_radius(own, args, path, t0) or 1 / duration)


def _spectral_radius(equation: Equation, args: Args, path: np.ndarray, t: float) -> float:
    """The largest |eigenvalue| of the Jacobian at some states."""
    filled = np.concatenate([path, np.repeat(path[-1:], POINTS - len(path), 0)])  # one shape, one compilation
    matrices = slopes_and_jacobians(equation, filled, args, t)[1]
    matrices = matrices[np.isfinite(matrices).all((1, 2))]
    return float(np.abs(np.linalg.eigvals(matrices)).max(initial=0.0))


class _Plan(NamedTuple):
    """How many blocks of what length, and how many of them are the transient."""

    blocks: int
    length: float
    skipped: int


def _plan(transient: float, span: float, rate: float) -> _Plan:
    """A power of two of blocks, so that few numbers of them are ever compiled."""
    least = max((transient + span) * rate / BETWEEN, 8.0 * BATCHES)
    blocks = 2 ** math.ceil(math.log2(least))
    if blocks > MOST_BLOCKS:
        raise ArgumentError(
            f"`span` of `lyapunov_exponents` must be at most {MOST_BLOCKS * BETWEEN / rate:.3g} for an equation with "
            f"rates up to {rate:.3g}. Got {span:.6g}. Use a shorter span."
        )
    length = (transient + span) / blocks
    return _Plan(blocks, length, min(math.ceil(transient / length - 1e-9), blocks - BATCHES))


@kept(7, 8, 9)
def _follow(
    equation: Equation,
    y: Array,
    frame: Frame,
    t0: Scalar,
    length: Scalar,
    args: Args,
    rtol: Scalar,
    method: Method,
    max_steps: int,
    blocks: int,
) -> tuple[Float[Array, "block exponent"], Float[Array, "block state"], Array]:
    """Block by block: how much each direction of the frame grew, as logarithms; the states and statuses after it."""

    def block(carried: tuple[Array, Frame], number: Array) -> tuple[tuple[Array, Frame], Any]:
        t = t0 + length * number
        y, moved, status = carry(equation, *carried, jnp.stack([t, t + length]), args, rtol, method, max_steps)
        frame, triangle = jnp.linalg.qr(moved)
        return (y, frame), (jnp.log(jnp.abs(jnp.diagonal(triangle))), y, status)

    return lax.scan(block, (y, frame), jnp.arange(blocks, dtype=y.dtype))[1]


def _check(status: np.ndarray, t0: float, length: float) -> None:
    failed = np.flatnonzero(status != Status.SUCCESS)
    if not failed.size:
        return
    match Status(int(status[failed[0]])):
        case Status.BLOW_UP:
            words = "blows up: it grows without bound. Start elsewhere, or use a span that ends before"
        case Status.STEP_BUDGET | Status.STIFF:
            words = "needs more than `max_steps` steps between two orthonormalisations. Raise `max_steps`"
        case _:
            words = "cannot be followed further: the equation is singular or not finite there. Use a shorter span"
    raise FailedSolve(f"The trajectory of `lyapunov_exponents` {words}. Got to t={t0 + failed[0] * length:.6g}.")


def _result(rates: np.ndarray, path: np.ndarray, length: float) -> LyapunovExponents:
    """Averages over the blocks, and the spread of the averages of their parts."""
    span = len(rates) * length
    parts = np.stack([part.mean(0) for part in np.array_split(rates, BATCHES)]) / length
    errors = parts.std(0, ddof=1) / math.sqrt(BATCHES)
    values = rates.sum(0) / span
    order = np.argsort(-values, kind="stable")
    growth = float(rates[len(rates) // 2 :, 0].sum())
    return LyapunovExponents(values[order], errors[order], span, growth, _recurs(path), path.shape[1])


def _recurs(path: np.ndarray) -> bool:
    """Whether the second half of a path moves, and over the same region as the first."""
    first, second = np.array_split(path, 2)
    size, moved = np.ptp(first, axis=0), np.ptp(second, axis=0)
    resting = moved.max() <= 1e-6 * max(float(np.abs(path).max()), 1e-300)
    running = (second.max(0) > first.max(0) + size) | (second.min(0) < first.min(0) - size)
    return not (resting or bool((running & (size > 1e-9 * np.abs(first).max(0))).any()))
