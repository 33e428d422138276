"""Least squares: Levenberg and Marquardt's method, and `least_squares`, which says how sure the parameters are."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from continua.core import ArgumentError
from continua.equations import GradientFlow
from continua.optim.definite import MOST
from continua.optim.minimisation import MAX_STEPS, Minimum, descended, started
from continua.optim.objective import HalfSquare, Minimiser, Objective, Point, Stand, Value, Vector

BEND = 0.375  # of the move: a geodesic that leaves it further is not trusted


class Linearised(NamedTuple):
    """The residual around a point: r + J Δ with J = Q R, and what outlives it."""

    damping: Value
    triangle: Float[Array, "n n"]  # R
    turned: Vector  # Qᵀ r
    known: Bool[Array, ""]  # whether these are of the point where it stands
    widths: Vector  # of the columns of J, the largest so far
    scale: Value  # |r| at the first point


class LevenbergMarquardt(Minimiser):
    r"""Levenberg and Marquardt's method for half a sum of squares.

    $$ (J^\top J + \tfrac1h D^2)\, \Delta = -J^\top r, \qquad f = \tfrac12 |r(x)|^2 $$

    It is linearly implicit Euler on the gradient flow, with Gauss and Newton's part of the Hessian, in units D of each
    parameter, the largest column of J so far. h grows where the linear model of r holds: the last steps are Gauss and
    Newton's. A step follows the geodesic that begins like Δ, to second order, where that stays near: it goes round the
    bends of narrow valleys. The systems are solved by QR, so that no digits are lost to JᵀJ.

    Good for: fitting a formula to data.

    Args:
        damping: the first 1/h.

    Source: Moré, The Levenberg–Marquardt algorithm, Lecture Notes in Mathematics 630 (1978) 105–116;
    Transtrum & Sethna, arXiv 1201.5885 (geodesics).
    """

    damping: float = 1e-3

    def start(self, x: Vector) -> Linearised:
        """Nothing known yet."""
        n, zero = x.size, jnp.zeros((), x.dtype)
        blank = jnp.zeros((n, n), x.dtype), jnp.zeros(n, x.dtype)
        return Linearised(zero + self.damping, *blank, jnp.asarray(False), jnp.zeros(n, x.dtype), zero)

    def slope(self, stand: Stand) -> Value:
        """The largest cosine between the residual and a column of J; zero where the residual vanishes too."""
        own = stand.own
        length = jnp.sqrt(2 * stand.here.value)
        known = own.widths > 0
        nothing = jnp.sqrt(jnp.finfo(length.dtype).eps) * own.scale  # its round-off has a direction of its own
        size = jnp.where(known, own.widths * (length + nothing), 1)
        cosines = jnp.where(known, jnp.abs(stand.here.gradient) / size, jnp.abs(stand.here.gradient))
        return cosines.max()

    def unit(self, first: Value, value: Value) -> Value:
        """One: a cosine has no unit."""
        return jnp.ones_like(value)

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step, and J before it unless the last step was thrown away."""
        here, own = stand.here, stand.own
        own = lax.cond(own.known, lambda: own, lambda: _linearised(objective, here.x, own))
        widths = jnp.where(own.widths > 0, own.widths, 1)
        straight, triangle = _damped(own, widths)
        bent = own.triangle @ straight
        predicted = bent @ bent / 2 + own.damping * jnp.sum((widths * straight) ** 2)
        aside = _bend(objective, here.x, straight, triangle)
        near = jnp.linalg.norm(widths * aside) <= BEND * jnp.linalg.norm(widths * straight)
        move = straight + jnp.where(near, aside, 0)
        there = objective.at(here.x + move)
        kept, ratio = judged(here, there, predicted)
        reached = Point(*(jnp.where(kept, new, old) for new, old in zip(there, here, strict=True)))
        stuck = ~kept & ((own.damping >= MOST) | (jnp.abs(move) <= jnp.finfo(move.dtype).eps * jnp.abs(here.x)).all())
        damping = jnp.clip(damping_after(own.damping, ratio), 1e-15, MOST)
        cost = stand.evaluations + 1 + jnp.where(stand.own.known, 0, here.x.size)
        return Stand(reached, own._replace(damping=damping, known=~kept), cost, stuck)


def judged(before: Point, after: Point, predicted: Value) -> tuple[Bool[Array, ""], Value]:
    """Whether a step is kept, and how much of the predicted descent it brought; −1 where it led to no number.

    At the end, where values differ by round-off alone, the gradient decides.
    """
    fine = jnp.isfinite(after.value) & jnp.isfinite(after.gradient).all() & (predicted > 0)
    ratio = jnp.where(fine, (before.value - after.value) / jnp.where(predicted > 0, predicted, 1), -1)
    noise = 8 * jnp.finfo(before.value.dtype).eps * jnp.abs(before.value)
    closer = jnp.abs(after.gradient).max() < jnp.abs(before.gradient).max()
    level = fine & (jnp.abs(before.value - after.value) <= noise) & closer
    return fine & (ratio > 1e-4) | level, jnp.where(level, 1.0, ratio)


def damping_after(damping: Value, ratio: Value) -> Value:
    """1/h of the next step: longer where the quadratic model was right, shorter where it was not."""
    factor = jnp.select([ratio > 0.9, ratio > 0.5, ratio > 0.25, ratio > 0], [0.1, 0.3, 1.0, 3.0], 10.0)
    return damping * factor.astype(damping.dtype)


def _linearised(objective: Objective, x: Vector, before: Linearised) -> Linearised:
    """J = Q R at x."""
    if objective.residual is None:
        raise ArgumentError("`method` of `minimise` must do without residuals. Use `least_squares(residual, x0)`.")
    residual = objective.residual(x)
    jacobian = jax.jacfwd(objective.residual)(x)
    short = x.size - residual.size
    if short > 0:  # fewer equations than parameters: empty ones change nothing
        residual = jnp.concatenate([residual, jnp.zeros(short, x.dtype)])
        jacobian = jnp.concatenate([jacobian, jnp.zeros((short, x.size), x.dtype)])
    basis, triangle = jnp.linalg.qr(jacobian)
    widths = jnp.maximum(before.widths, jnp.linalg.norm(jacobian, axis=0))
    scale = jnp.where(before.scale > 0, before.scale, jnp.linalg.norm(residual))
    return Linearised(before.damping, triangle, basis.T @ residual, jnp.asarray(True), widths, scale)


def _damped(own: Linearised, widths: Vector) -> tuple[Vector, Float[Array, "n n"]]:
    """Δ, the least squares solution of [R; √(1/h) D] Δ = [−Qᵀr; 0], and T with TᵀT = JᵀJ + D²/h."""
    rows = jnp.concatenate([own.triangle, jnp.diag(jnp.sqrt(own.damping) * widths)])
    basis, triangle = jnp.linalg.qr(rows)
    return -solve_triangular(triangle, basis[: len(widths)].T @ own.turned), triangle


def _bend(objective: Objective, x: Vector, move: Vector, triangle: Float[Array, "n n"]) -> Vector:
    """How far the geodesic that begins like the move has left it at its end: −½ (JᵀJ + D²/h)⁻¹ Jᵀ ∂²r(Δ, Δ)."""

    def along(function: Callable[[Vector], Array]) -> Callable[[Vector], Array]:
        return lambda x: jax.jvp(function, (x,), (move,))[1]

    residual = cast(Callable[[Vector], Array], objective.residual)
    _, transpose = jax.vjp(residual, x)
    (force,) = transpose(along(along(residual))(x))
    return -solve_triangular(triangle, solve_triangular(triangle, force, trans="T")) / 2


class LeastSquares(eqx.Module):
    r"""What `least_squares` returns.

    Attributes:
        minimum: where it ended, a `Minimum`: value is half the sum of squares.
        residual: there, as a vector.
        covariance: of the parameters as one vector, [n, n], for errors of one size that the residual itself tells:
            $(J^\top J)^{-1} |r|^2 / (m - n)$; infinite where there are no more equations than parameters.
    """

    minimum: Minimum
    residual: Array
    covariance: Float[Array, "n n"]

    @property
    def x(self) -> Any:
        """The parameters, with the structure of x0."""
        return self.minimum.x

    @property
    def deviations(self) -> Any:
        """The standard deviation of each parameter, with the structure of x0."""
        _, unravel = ravel_pytree(self.minimum.x)
        return unravel(jnp.sqrt(jnp.diagonal(self.covariance)))

    @property
    def status(self) -> Any:
        """An `Outcome`."""
        return self.minimum.status


def least_squares(
    residual: Callable[..., Any],
    x0: Any,
    args: Any = None,
    *,
    method: Minimiser | None = None,
    gtol: float | None = None,
    max_steps: int = MAX_STEPS,
    throw: bool = True,
) -> LeastSquares:
    r"""The parameters of a formula that come closest to data.

    $$ \min_x \tfrac12 |r(x, \text{args})|^2 $$

    Args:
        residual: `r(x)` or `r(x, args)`, an array or any PyTree of arrays: what the formula says minus what was
            measured.
        x0: where to start: an array, or any PyTree of arrays, of floats.
        args: handed to the residual, such as the data.
        method: a `Minimiser`; LevenbergMarquardt() unless given.
        gtol: the largest cosine between the residual and a column of its Jacobian that counts as zero; 1e-12 in
            double precision and 1e-5 in single, unless given.
        max_steps: at most so many.
        throw: whether to raise where no minimum is found; else the status tells.

    Raises:
        ArgumentError, ArgumentTypeError: for an x0 without floats or with numbers that are not finite.
        FailedMinimisation: unless `throw=False`, where no minimum was found; it says what to try.

    Example:
        >>> import jax.numpy as jnp
        >>> from continua.optim import least_squares
        >>> points = jnp.array([1.0, 2.0, 3.0, 4.0]), jnp.array([1.5, 2.5, 3.5, 4.5])
        >>> line = lambda x, points: x[0] + x[1] * points[0] - points[1]
        >>> print(least_squares(line, jnp.array([0.0, 0.0]), points).x.round(6))
        [0.5 1. ]
    """
    loss, x0 = HalfSquare(residual), started("least_squares", x0)
    if gtol is None:
        gtol = 1e-12 if ravel_pytree(x0)[0].dtype == jnp.float64 else 1e-5
    minimum = descended(GradientFlow(loss), x0, args, method or LevenbergMarquardt(), gtol, max_steps)
    left, covariance = _uncertainty(loss, minimum.x, args)
    found = LeastSquares(minimum, left, covariance)
    if throw:
        minimum.check()
    return found


@eqx.filter_jit
def _uncertainty(loss: HalfSquare, x: Any, args: Any) -> tuple[Array, Array]:
    """The residual, and the covariance of the parameters that it tells."""
    flat, unravel = ravel_pytree(x)
    left = loss.residual(x, args)
    jacobian = jax.jacfwd(lambda x: loss.residual(unravel(x), args))(flat)
    freedom = left.size - flat.size
    if freedom <= 0:
        return left, jnp.full((flat.size, flat.size), jnp.inf, flat.dtype)
    widths = jnp.linalg.norm(jacobian, axis=0)
    widths = jnp.where(widths > 0, widths, 1)
    triangle = jnp.linalg.qr(jacobian / widths[None], mode="r")
    inverse = solve_triangular(triangle, jnp.eye(flat.size, dtype=flat.dtype)) / widths[:, None]
    return left, inverse @ inverse.T * (left @ left / freedom)
