"""Where a smooth function stands still, and whether it is lowest, highest or neither there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from continua.calculus import arguments
from continua.calculus.point_sets import even_points
from continua.calculus.root_search import levenberg_marquardt
from continua.core import ArgumentError, count, in_double_precision

Points = Float[np.ndarray, "point axis"]
Point = Float[np.ndarray, " axis"]

APART = 1e-5  # two stationary points closer than this, in widths of the box, are one
BESIDE = 1e-3  # how far beside a point its sides are looked at, in widths of the box
ZERO = 1e-10  # the largest gradient that counts as zero, in units of the largest at the starts
FLAT = 1e-6  # the largest curvature that counts as zero, in units of the largest at the starts
MOST = 2**16


class Extremum(NamedTuple):
    """A point at which a function stands still, or an end of an interval.

    Args:
        x: [axis], or one number for a function of one variable.
        value: f(x).
        kind: "minimum", "maximum", "saddle" (of one variable "inflection"), or "degenerate" where curvatures are zero
            and the others do not decide; at the ends of an interval "minimum at an end" or "maximum at an end".
        curvatures: [axis], the eigenvalues of the Hessian, the smallest first; of one variable f''(x) alone.
    """

    x: Any
    value: float
    kind: str
    curvatures: Point


@in_double_precision
def stationary_points(f: Callable[[Any], Any], low: Any, high: Any, *, starts: int = 128) -> tuple[Extremum, ...]:
    r"""The points in a box at which a function of several variables stands still, with their kinds.

    $$ \nabla f(x) = 0; \qquad \text{minimum where all eigenvalues of } H \text{ are positive, maximum where all are
       negative, saddle where both occur} $$

    Damped Newton steps with exact derivatives, in double precision, from starts spread evenly over the box, the same in
    every call. No such search can promise to find all.

    Args:
        f: `f(x)` of x [axis] returns one number; twice differentiable.
        low: [axis], the lower corner of the box.
        high: [axis], the upper one.
        starts: how many searches.

    Returns:
        `Extremum` objects, the lowest value first. A curvature (with the sides of the box as units) below 1e-6 of the
        largest at the starts counts as zero, and the point as "degenerate" unless the others have both signs. Where
        points are not isolated but fill a curve, some of them are told, each degenerate.

    Raises:
        ArgumentError: the corners are no box, f returns more than one number, or is finite nowhere in the box.
        ArgumentTypeError: a corner holds integers, or f is no function.

    Example:
        >>> import jax.numpy as jnp
        >>> valleys = lambda x: x[0] ** 3 - 3 * x[0] + x[1] ** 2
        >>> for found in stationary_points(valleys, jnp.array([-2.0, -1.0]), jnp.array([2.0, 1.0])):
        ...     print(found.x.round(6) + 0.0, found.kind)
        [1. 0.] minimum
        [-1.  0.] saddle
    """
    verb = "stationary_points"
    arguments.known(verb, (low, high))
    lower, upper = (np.asarray(arguments.vector(verb, x, name=name)) for x, name in ((low, "low"), (high, "high")))
    landscape = _landscape(verb, f, lower, upper, count(verb, "starts", starts, MOST, least=2))
    found = [landscape.described(z, landscape.kind(z)) for z in landscape.rests()]
    return tuple(sorted(found, key=lambda each: each.value))


@in_double_precision
def extrema(f: Callable[[Any], Any], low: Any, high: Any, *, starts: int = 128) -> tuple[Extremum, ...]:
    r"""The extrema of a function of one variable on an interval, its ends among them.

    $$ f'(x) = 0; \qquad \text{minimum where } f' \text{ turns from − to +, maximum from + to −, inflection where its
       sign stays} $$

    Args:
        f: `f(x)` of one number returns one number; twice differentiable.
        low: the lower end.
        high: the upper end.
        starts: how many searches by damped Newton steps, spread evenly. Extrema closer together than the interval over
            this number can be missed.

    Returns:
        `Extremum` objects in the order of x. What f' does beside a point decides, so x⁴ has a minimum though f'' = 0.

    Raises:
        ArgumentError: the ends are in the wrong order, f returns more than one number, or is finite nowhere between.
        ArgumentTypeError: an end is an integer, or f is no function.

    Example:
        >>> for found in extrema(lambda x: x**3 - 3 * x, -3.0, 2.5):
        ...     print(f"{found.x:.4f} {found.value:.4f} {found.kind}")
        -3.0000 -18.0000 minimum at an end
        -1.0000 2.0000 maximum
        1.0000 -2.0000 minimum
        2.5000 8.1250 maximum at an end
    """
    verb = "extrema"
    arguments.function(verb, f)
    arguments.known(verb, (low, high))
    lower, upper = (np.asarray(arguments.number(verb, x, name))[None] for x, name in ((low, "low"), (high, "high")))
    landscape = _landscape(verb, lambda x: f(x[0]), lower, upper, count(verb, "starts", starts, MOST, least=2))
    places = sorted(float(z[0]) for z in landscape.rests())
    found = [landscape.described(np.array([z]), kind) for z, kind in zip(places, landscape.sides(places), strict=True)]
    for z, inwards, taken in ((0.0, 1, places[:1]), (1.0, -1, places[-1:])):
        rises = landscape.slope(z) * inwards
        if not any(abs(z - place) < APART for place in taken) and rises:
            found.append(landscape.described(np.array([z]), ("minimum" if rises > 0 else "maximum") + " at an end"))
    return tuple(sorted((each._replace(x=float(each.x[0])) for each in found), key=lambda each: each.x))


@dataclass(frozen=True, eq=False)
class _Landscape:
    """A function on a box whose sides are 1, with its value, gradient and Hessian at many points at once."""

    at: Callable[[Points], Any]
    low: Point
    width: Point
    starts: Points
    steepest: float
    most_curved: float

    def rests(self) -> Points:
        """The points at which the gradient vanishes, each once."""
        ends = levenberg_marquardt(self._field, self.starts)
        found = ((ends.points >= -APART) & (ends.points <= 1 + APART)).all(1) & (ends.residuals <= ZERO)
        found &= ends.steps <= 1e-6  # else the gradient only fades out
        chosen: list[Point] = []
        for i in np.argsort(ends.residuals, kind="stable"):
            z = ends.points[i]
            if found[i] and all(np.abs(z - other).max() > APART for other in chosen):
                chosen.append(z)
        return np.array(chosen).reshape(-1, len(self.low))

    def _field(self, z: Points) -> tuple[Points, np.ndarray]:
        _, gradients, hessians = self.at(z)
        return gradients / self.steepest, hessians / self.steepest

    def kind(self, z: Point) -> str:
        """By the signs of the curvatures."""
        curvatures = np.linalg.eigvalsh(self._one(z)[2]) / self.most_curved
        rising, falling = (curvatures > FLAT).any(), (curvatures < -FLAT).any()
        if rising and falling:
            return "saddle"
        if (np.abs(curvatures) <= FLAT).any():
            return "degenerate"
        return "minimum" if rising else "maximum"

    def sides(self, places: list[float]) -> list[str]:
        """Of one variable: by the signs of the slope on both sides."""
        kinds = []
        for place in places:
            step = min([BESIDE, *(abs(place - other) / 2 for other in places if other != place)])
            before, after = (int(np.sign(self.slope(place + side * step))) for side in (-1, 1))
            turned = {(-1, 1): "minimum", (1, -1): "maximum"}
            kinds.append(turned.get((before, after), "inflection" if before and after else "degenerate"))
        return kinds

    def slope(self, place: float) -> float:
        """Of one variable: the slope, 0 where it is as good as that."""
        slope = float(self._one(np.array([place]))[1][0]) / self.steepest
        return slope if abs(slope) > 1e-14 else 0.0

    def described(self, z: Point, kind: str) -> Extremum:
        """In the user's units."""
        value, _, hessian = self._one(z)
        curvatures = np.linalg.eigvalsh(hessian / np.outer(self.width, self.width))
        return Extremum(self.low + z * self.width, float(value), kind, curvatures)

    def _one(self, z: Point) -> tuple[Any, Any, Any]:
        """At one point, by the program of many."""
        return tuple(each[0] for each in self.at(np.broadcast_to(z, self.starts.shape)))


def _landscape(verb: str, f: Callable[[Any], Any], low: Point, high: Point, starts: int) -> _Landscape:
    """The function in units of the box, looked at once."""
    arguments.function(verb, f)
    if low.shape != high.shape or not (low < high).all():
        raise ArgumentError(
            f"`low` of `{verb}` must be below `high`. Got {low.tolist()} and {high.tolist()}. Use low=-1.0, high=1.0."
        )
    f, width = arguments.checked(verb, f, scalar=True), high - low

    @jax.jit
    def compiled(z: jax.Array) -> Any:
        def one(z: jax.Array) -> Any:
            def own(z: jax.Array) -> jax.Array:
                return f(low + z * width)

            (value, gradient), hessian = (own(z), jax.grad(own)(z)), jax.hessian(own)(z)
            return value, gradient, hessian

        return jax.vmap(one)(z)

    def at(z: Points) -> Any:
        return tuple(map(np.asarray, compiled(jax.device_put(z))))

    points = np.concatenate([even_points(starts - 1, len(low)), np.full((1, len(low)), 0.5)])
    _, gradients, hessians = at(points)
    usable = np.isfinite(gradients).all(1) & np.isfinite(hessians).all((1, 2))
    if not usable.any():
        raise ArgumentError(
            f"`f` of `{verb}` must be finite somewhere in the box. Got NaN or infinity. Use another box."
        )
    steepest, curved = np.abs(gradients[usable]).max(), np.abs(hessians[usable]).max()
    scale = max(steepest, curved) or 1.0
    return _Landscape(at, low, width, points, steepest or scale, curved or scale)
