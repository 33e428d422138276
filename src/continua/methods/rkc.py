"""Runge–Kutta–Chebyshev: explicit steps for diffusion, whose reach grows with the square of the number of stages."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import Args, ArgumentError, Instant, State
from continua.methods.method import Method, Slope, Step
from continua.methods.power_iteration import spectral_radius

# Each is at most a quarter more than the one before it: a ladder keeps the table of coefficients small.
STAGES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40, 49, 60, 73, 89, 109, 133, 163, 200)
DAMPING = 2 / 13
MARGIN = 1.2  # on the estimate of the spectral radius, which is from below
BLOCK = 14  # about the root of the longest ladder: to pass by a stage costs as much as one of a hundred points

Pair = tuple[State, State]  # the last two of Y_j − y_n


def _chebyshev(stages: int) -> tuple[np.ndarray, float, float]:
    """Rows (T, T', T'') of the polynomials of degrees 0 … s at w₀ = 1 + ε/s², then w₀ and w₁."""
    w0 = 1 + DAMPING / stages**2
    rows = np.zeros((stages + 1, 3))
    rows[0, 0], rows[1] = 1, (w0, 1, 0)
    for j in range(2, stages + 1):
        rows[j] = 2 * w0 * rows[j - 1] - rows[j - 2]
        rows[j, 1:] += 2 * rows[j - 1, 0], 4 * rows[j - 1, 1]
    return rows, w0, rows[-1, 1] / rows[-1, 2]


@functools.cache
def coefficients(stages: int) -> np.ndarray:
    r"""Rows $(c_{j-1}, \mu_j, \nu_j, \tilde\mu_j, \tilde\gamma_j)$ of the stages 1 … s, by the source's formulas."""
    rows, w0, w1 = _chebyshev(stages)
    value, slope, bend = rows.T
    b = np.empty(stages + 1)
    b[2:] = bend[2:] / slope[2:] ** 2
    b[:2] = b[2]
    found = np.zeros((stages, 5))
    found[0, 3] = b[1] * w1
    node = [0.0, found[0, 3]]
    for j in range(2, stages + 1):
        mu, nu, own = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2 * b[j] * w1 / b[j - 1]
        first = -(1 - b[j - 1] * value[j - 1]) * own
        found[j - 1] = node[-1], mu, nu, own, first
        node.append(mu * node[-1] + nu * node[-2] + own + first)
    return found


def reach(stages: int) -> float:
    r"""The length β of the stability interval: steps with $h \rho \le \beta$ are stable."""
    _, w0, w1 = _chebyshev(stages)
    return float((w0 + 1) / w1)


class RKC(Method):
    r"""Second-order Runge–Kutta–Chebyshev method with an embedded estimate.

    $$ Y_0 = y_n, \quad Y_1 = Y_0 + \tilde\mu_1 h F_0, \quad
       Y_j = (1 - \mu_j - \nu_j) Y_0 + \mu_j Y_{j-1} + \nu_j Y_{j-2} + \tilde\mu_j h F_{j-1} + \tilde\gamma_j h F_0,
       \quad y_{n+1} = Y_s $$

    s stages are stable for eigenvalues along the negative real axis up to $h |\lambda| \approx 0.65\, s^2$, where other
    explicit methods with as many evaluations reach 2 s or so. Every step takes as few stages as are stable for its
    length, which follows from the tolerance alone; at least two, and the numbers of stages form a ladder. The error
    estimate is $\tfrac45 (y_n - y_{n+1}) + \tfrac25 h (F_n + F_{n+1})$.

    Good for: diffusion and other problems with real negative eigenvalues, of many states, at rtol 1e-2 … 1e-5, where
    factoring a Jacobian is too much. Not for advection or oscillation that is fast.

    Args:
        spectral_radius: an upper bound of the largest eigenvalue of ∂f/∂y during the whole solve, such as 4 D/Δx² for
            diffusion on a line; estimated in every step by twelve Jacobian-vector products unless given.
        most_stages: beyond it, stability and not accuracy limits the step. Reverse derivatives keep one state for every
            fourteen.

    Example:
        >>> import continua
        >>> def heat(t, u, args):
        ...     padded = jnp.pad(u, 1)
        ...     return 201**2 * (padded[2:] - 2 * u + padded[:-2])
        >>> start = jnp.sin(jnp.pi * jnp.arange(1.0, 201.0) / 201)
        >>> solution = continua.solve(heat, start, [0.0, 0.1], method=RKC(), rtol=1e-3)
        >>> print(f"{solution.ys[-1].max():.2f} = {jnp.exp(-0.1 * jnp.pi**2):.2f}", solution.stats.steps < 50)
        0.37 = 0.37 True

    Source: Sommeijer, Shampine & Verwer, RKC: an explicit solver for parabolic PDEs, J. Comput. Appl. Math. 88 (1998)
    315–326.
    """

    spectral_radius: float | None = eqx.field(static=True, default=None)
    most_stages: int = eqx.field(static=True, default=STAGES[-1])

    order = 2
    error_order = 3
    adaptive = True
    evaluations: ClassVar[int | None] = None

    def __check_init__(self) -> None:
        radius = self.spectral_radius
        if radius is not None and not (isinstance(radius, int | float) and 0 <= radius < float("inf")):
            raise ArgumentError(
                f"`spectral_radius` of `RKC` must be a number, zero or positive. Got {radius}. "
                "Leave it out to have it estimated."
            )
        if not STAGES[0] <= self.most_stages <= STAGES[-1]:
            raise ArgumentError(
                f"`most_stages` of `RKC` must be from {STAGES[0]} to {STAGES[-1]}. Got {self.most_stages}. Use 200."
            )

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> State:
        """The first slope: the last one of a step is the first of the next."""
        return equation(t, y, args)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of as many stages as are stable."""
        increment = self._increment(equation, t, h, y, args, cache)
        last = equation(t + h, jax.tree.map(jnp.add, y, increment), args)
        error = jax.tree.map(lambda d, f0, f1: 0.4 * h * (f0 + f1) - 0.8 * d, increment, cache, last)
        return Step(increment, error, last)

    def _increment(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, first: State) -> State:
        """Y_s − y_n by the three-term recurrence, of which the term (1 − μ − ν) Y₀ is no part.

        Scans over all stages that there may be, in blocks, pass by those that nobody needs: unlike a loop of unknown
        length they can be differentiated in both directions.
        """
        table, sizes = self._ladder()
        level = self._level(equation, t, h, y, args)
        rows = jnp.moveaxis(jnp.asarray(table, h.dtype)[level], (-2, -1), (0, 1))
        needed = jnp.max(jnp.asarray(sizes)[level])

        def stage(d: Pair, numbered: tuple[Array, Array]) -> Pair:
            c, mu, nu, own, whole = numbered[1]
            slope = equation(t + c * h, lax.optimization_barrier(jax.tree.map(jnp.add, y, d[1])), args)
            moved = jax.tree.map(
                lambda before, now, f, f0: mu * now + nu * before + h * (own * f + whole * f0), *d, slope, first
            )
            return d[1], moved

        def block(d: Pair, numbered: tuple[Array, Array]) -> Pair:
            return lax.scan(_where_needed(stage, needed), d, numbered)[0]

        start = jax.tree.map(jnp.zeros_like, y), jax.tree.map(lambda f0: h * (rows[0, 3] * f0), first)
        numbers = jnp.arange(1, len(rows)).reshape(-1, BLOCK)
        blocks = numbers, rows[1:].reshape(-1, BLOCK, *rows.shape[1:])
        (_, increment), _ = lax.scan(_where_needed(jax.checkpoint(block), needed), start, blocks)
        return increment

    def _level(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args) -> Array:
        """The rung of the ladder, like `h`."""
        radius = self.spectral_radius
        if radius is None:
            radius = MARGIN * spectral_radius(equation, t, y, args)
        asked = lax.stop_gradient(jnp.abs(h)) * radius
        reaches = [reach(s) for s in STAGES if s <= self.most_stages]
        return sum(((asked > one).astype(jnp.int32) for one in reaches[:-1]), jnp.zeros(jnp.shape(h), jnp.int32))

    def _ladder(self) -> tuple[np.ndarray, np.ndarray]:
        """[rung, stage, coefficient], filled up with stages that change nothing, and how many stages a rung has."""
        sizes = [s for s in STAGES if s <= self.most_stages]
        table = np.zeros((len(sizes), 1 - (1 - sizes[-1]) // BLOCK * BLOCK, 5))
        table[:, :, 1] = 1
        for rows, size in zip(table, sizes, strict=True):
            rows[:size] = coefficients(size)
        return table, np.array(sizes)


def _where_needed(work: Callable[[Pair, Any], Pair], needed: Array) -> Callable[[Pair, Any], tuple[Pair, None]]:
    """The body of a scan that leaves out the work of stages from the number `needed` on."""

    def turn(d: Pair, numbered: tuple[Array, Array]) -> tuple[Pair, None]:
        return lax.cond(jnp.min(numbered[0]) < needed, work, lambda d, _: d, d, numbered), None

    return turn
