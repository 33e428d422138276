"""Integrals of functions of one and several variables, with their errors, and what is wrong where there is none."""

import enum
from collections.abc import Callable, Sequence
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from continua.calculus.domain import Domain, End
from continua.calculus.improper import summed
from continua.calculus.integrands import result_of
from continua.calculus.quasi_monte_carlo import QuasiMonteCarlo, mean_over
from continua.calculus.regions import search
from continua.calculus.rules import genz_malik, kronrod
from continua.core import ArgumentError, ArgumentTypeError, as_node, is_traced

MOST_AXES = 7  # of cubature: its boxes have 241 points there, and twice as many for each axis more
PRODUCT_AXES = 3  # of the product rule
DEFAULT_RTOL = (0.0, 0.75, 0.5, 0.5, 0.375)  # powers of the precision, by the number of axes
LEAST_RTOL = 400.0  # times the precision: what is left to ask in single precision
MOST_BOXES = 256  # on one axis; four times as many where there are several


class Outcome(enum.IntEnum):
    """What became of an integral."""

    REACHED = 0
    TOLERANCE = 1
    DIVERGES = 2
    NON_FINITE = 3


WORDS = {
    Outcome.REACHED: "the tolerance was reached",
    Outcome.TOLERANCE: "the tolerance was not reached: see `error`; name corners, or allow more boxes",
    Outcome.DIVERGES: "the integral diverges at an end",
    Outcome.NON_FINITE: "f is not finite inside: name the point in `corners`, or look for a division by 0",
}


class Integral(eqx.Module):
    """An integral and how far it may be off.

    Attributes:
        value: the shape of what f gives; ±inf or NaN where the integral diverges.
        error: a bound, estimated; the shape of `value`.
        outcome: an `Outcome`.
        evaluations: of f.
    """

    value: Float[Array, "..."]
    error: Float[Array, "..."]
    outcome: Int[Array, ""]
    evaluations: Int[Array, ""]

    @property
    def reached(self) -> Any:
        """Whether the error is below the tolerance."""
        return self.outcome == Outcome.REACHED

    @property
    def reason(self) -> str:
        """The outcome in words."""
        return WORDS[Outcome(int(self.outcome))]

    def __str__(self) -> str:
        if is_traced(self.value):
            return repr(self)
        digits = zip(np.ravel(self.value), np.ravel(self.error), strict=True)
        shown = ", ".join(f"{value:.12g} ± {error:.1g}" for value, error in digits)
        return shown if self.reached else f"{shown} ({self.reason})"

    def __mul__(self, factor: Any) -> "Integral":
        return Integral(factor * self.value, abs(factor) * self.error, self.outcome, self.evaluations)

    __rmul__ = __mul__


def integrate(
    f: Callable[[Any], Any],
    a: Any,
    b: Any,
    *,
    rtol: Any = None,
    atol: Any = 0.0,
    corners: Any = (),
    method: QuasiMonteCarlo | None = None,
    max_boxes: int | None = None,
) -> Integral:
    r"""The integral of a function over an interval, a box, or a region between curves.

    $$ \int_a^b f(x)\,dx, \qquad \int_{a_1}^{b_1} \int_{a_2(x_1)}^{b_2(x_1)} \dots f(x)\,dx_d \dots dx_1 $$

    The region is cut where the error is largest until the error is below max(atol, rtol ∫|f|): by Kronrod's rule on one
    to three axes, Genz and Malik's on up to seven. On one axis the ends may be infinite or singular: what is left near
    such an end is extrapolated from the pieces before it, and where these do not shrink the integral diverges.

    The result can be jitted, mapped and differentiated any number of times, in whatever f depends on and in the ends.
    Its derivatives are those of the sum that it is, over the same pieces, which move with the ends.

    Args:
        f: a function of a number where `a` and `b` are numbers, else of an array x [dim]; it gives real numbers of any
            shape.
        a: the lower end, a number or ±inf, or one for each axis; there also a function of the coordinates before,
            x [axis].
        b: the upper end, likewise; below `a` the integral changes its sign.
        rtol: relative to ∫|f|. Unless given, in double precision 2e-12 on one axis, 2e-8 on two and three, 1e-6 beyond.
        atol: absolute, in units of the integral.
        corners: points of a single axis between the ends, in their order, where f jumps, has a corner or is infinite.
        method: `QuasiMonteCarlo(seed)` where there are many axes; its error is statistical.
        max_boxes: how many pieces there may be; 256 on one axis and 1,024 on several, unless given.

    Returns:
        An `Integral`: `value`, `error`, `outcome`, `evaluations`; `reached` and `reason` say what the outcome means.
        Nothing is raised where the tolerance is not reached or the integral diverges.

    Raises:
        ArgumentError: the ends do not fit each other, are NaN or not real, f gives something else than real numbers,
            corners are not in order, a tolerance is negative, or there are more than seven axes and no method.
        ArgumentTypeError: f is no function that JAX can trace.

    Good for: everything that is smooth between its corners. On infinite axes f should fall off without turning for
    ever: ∫ sin x / x up to infinity does not reach its tolerance, and says so.

    Source: Piessens et al., QUADPACK (Springer 1983); Genz & Malik, J. Comput. Appl. Math. 6 (1980) 295–302.

    Example:
        >>> print(integrate(jnp.sin, 0.0, jnp.pi))  # doctest: +ELLIPSIS
        2 ± ...
        >>> triangle = integrate(lambda x: x[0] * x[1], (0.0, 0.0), (1.0, lambda x: x[0]))
        >>> print(f"{triangle.value:.6f}")
        0.125000
        >>> print(integrate(lambda x: 1 / x, 0.0, 1.0))
        inf ± inf (the integral diverges at an end)
    """
    if method is not None and not isinstance(method, QuasiMonteCarlo):
        raise ArgumentTypeError(f"`method` of `integrate` must be a QuasiMonteCarlo. Got {method!r:.40}.")
    several, lower, upper = _ends(a, b)
    dtype = _dtype(lower, upper)
    domain = Domain(_as_nodes(lower, dtype), _as_nodes(upper, dtype), _corners(corners, lower, upper, dtype))
    like = jax.ShapeDtypeStruct((domain.dimension,) if several else (), dtype)
    shape = result_of(f, like, name="f", of="integrate", most_axes=None).shape
    if domain.dimension > MOST_AXES and method is None:
        raise ArgumentError(
            f"`method` of `integrate` must be given beyond {MOST_AXES} axes. Got {domain.dimension} axes. "
            "Use QuasiMonteCarlo(seed=0)."
        )
    asked = rtol is not None or not (is_traced(atol) or atol == 0)
    if rtol is None:
        precision = float(jnp.finfo(dtype).eps)
        rtol = max(precision ** DEFAULT_RTOL[min(domain.dimension, PRODUCT_AXES + 1)], LEAST_RTOL * precision)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not is_traced(value) and not value >= 0:
            raise ArgumentError(f"`{name}` of `integrate` must not be negative. Got {value}. Use 1e-8.")
    if max_boxes is not None and max_boxes < 1:
        raise ArgumentError(f"`max_boxes` of `integrate` must be positive. Got {max_boxes}. Use 1000.")
    tolerances = jnp.asarray(rtol, dtype), jnp.asarray(atol, dtype)
    points = None if method is None else method.scrambled(domain.dimension, dtype)
    most = max(max_boxes or MOST_BOXES * (1 if domain.dimension == 1 else 4), 2 * domain.sides)
    found = _integrated(as_node(f), domain, tolerances, points, several, most, asked)
    return Integral(found.value.reshape(shape), found.error.reshape(shape), found.outcome, found.evaluations)


@cast(Any, eqx.filter_jit)(inline=True)
def _integrated(
    f: Any, domain: Domain, tolerances: Any, points: Any, several: bool, most: int, asked: bool
) -> Integral:
    """Value and error [out] and their outcome."""
    rtol, atol = tolerances

    def integrand(side: Array, s: Array) -> Array:
        x, volume = domain.place(side, s)
        return volume * jnp.ravel(f(x if several else x[0]))

    if points is not None:
        value, error = mean_over(integrand, *points)
        missed = asked & jnp.any(error > jnp.maximum(atol, rtol * jnp.abs(value)))
        return _ended(value, error, missed, jnp.zeros_like(value), jnp.asarray(points[0].size))
    rule = kronrod(domain.dimension) if domain.dimension <= PRODUCT_AXES else genz_malik(domain.dimension)
    like = jnp.zeros(domain.dimension, rtol.dtype)
    boxes = search(integrand, like, rule, domain.sides, rtol, atol, most)
    value, error, infinite = summed(boxes, domain.sides)
    bound = jnp.maximum(atol, rtol * boxes.total(boxes.size, boxes.used()))
    count = len(rule.weights) * (2 * boxes.number - domain.sides)
    return _ended(value, error, jnp.any(error > bound), infinite, count)


def _ended(value: Array, error: Array, missed: Array, infinite: Array, evaluations: Array) -> Integral:
    """The result with its outcome; `infinite` is where it diverges, and NaN where it does in both directions."""
    diverges = infinite != 0
    value = jnp.where(diverges, infinite, value)
    error = jnp.where(diverges, jnp.inf, lax.stop_gradient(error))
    cases = [jnp.any(diverges), ~jnp.all(jnp.isfinite(value)), missed]
    outcomes = [Outcome.DIVERGES, Outcome.NON_FINITE, Outcome.TOLERANCE]
    outcome = jnp.select(cases, [jnp.asarray(int(o)) for o in outcomes], jnp.asarray(int(Outcome.REACHED)))
    return Integral(value, error, outcome, evaluations)


def _ends(a: Any, b: Any) -> tuple[bool, Sequence[Any], Sequence[Any]]:
    """Whether there are several axes, and their ends."""
    single = [
        not callable(end) and jnp.ndim(end) == 0 if not isinstance(end, tuple | list) else False for end in (a, b)
    ]
    if all(single):
        return False, (a,), (b,)
    if any(single) or callable(a) or callable(b) or len(a) != len(b) or not len(a):
        raise ArgumentError(
            f"`a` and `b` of `integrate` must be two numbers, or one end for each axis. Got {a!r} and {b!r}. "
            "Use (0.0, 0.0) and (1.0, lambda x: x[0])."
        )
    return True, tuple(a), tuple(b)


def _dtype(*ends: Sequence[Any]) -> Any:
    """Of the arrays among the ends, else JAX's own."""
    given = [end for side in ends for end in side if not callable(end)]
    for end in given:
        kind = np.asarray(0.0 if is_traced(end) else end)
        if kind.dtype.kind not in "fiu" or np.any(np.isnan(kind)):
            raise ArgumentError(
                f"`a` and `b` of `integrate` must be real numbers. Got {end!r:.40}. Use ±jnp.inf for no end."
            )
    found = [end.dtype for end in given if hasattr(end, "dtype") and jnp.issubdtype(end.dtype, jnp.floating)]
    return jnp.result_type(*found) if found else jnp.result_type(float)


def _as_nodes(ends: Sequence[Any], dtype: Any) -> tuple[End, ...]:
    return tuple(as_node(end) if callable(end) else jnp.asarray(end, dtype) for end in ends)


def _corners(corners: Any, lower: Sequence[Any], upper: Sequence[Any], dtype: Any) -> Array:
    """Where a single axis is cut, between its ends."""
    cuts = jnp.asarray(corners, dtype)
    if cuts.ndim != 1 or (cuts.size and len(lower) > 1):
        raise ArgumentError(
            f"`corners` of `integrate` must be points of a single axis. Got {corners!r}. Integrate piecewise."
        )
    line = [lower[0], *cuts, upper[0]]
    if cuts.size and not any(map(is_traced, line)):
        steps = np.diff(np.asarray(line, float))
        if not (np.all(steps >= 0) or np.all(steps <= 0)):
            raise ArgumentError(
                f"`corners` of `integrate` must lie between the ends, in their order. Got {corners!r}. Sort them."
            )
    return cuts
