r"""The eikonal equation $|\nabla T| = 1/v$: travel times from points or from a front, and distances."""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, is_traced
from continua.space.coordinates import Cartesian
from continua.space.first_arrivals import (
    EVEN,
    ROUGH,
    SLOWEST,
    SOLID,
    Between,
    Medium,
    Way,
    across,
    carried,
    far_places,
    first_turn,
    halves,
    medium,
    near_places,
    nearest,
    second_turn,
    unit,
    ways,
)
from continua.space.grid import Grid
from continua.space.sweeping import NEVER, Row, along, bordered, divided, implicit, inside, upwind

BESIDE = 2.0  # spacings: the first turn may be as wrong about the side that a ray comes from


class TravelTimes(eqx.Module):
    """When the first arrival comes.

    Attributes:
        times: [*shape], inf where none comes.
        sweeps: how many were made, each over the whole grid along one axis, forward and backward.
    """

    times: Array
    sweeps: Array


def eikonal(
    grid: Grid,
    speed: Any,
    sources: Any = None,
    *,
    starts: Any = 0.0,
    front: Any = None,
    order: int = 2,
    tolerance: float = 1e-3,
) -> TravelTimes:
    r"""First arrival times of what spreads at a given speed from points, or from a front.

    $$ |\nabla T| = \frac{1}{v}, \qquad T(x_k) = t_k \quad\text{or}\quad T = 0 \text{ where } \varphi = 0 $$

    It can be jitted, mapped, and differentiated in `speed`, `sources`, `starts` and `front`, forward and in reverse;
    the derivative is that of the discrete equations, which way the arrivals come being held.

    Args:
        grid: Cartesian, of one to three dimensions; spacings may differ.
        speed: v, a number or a field [*shape] at least 0, in units of length over time. What is slower than 1e-8 of the
            fastest is a wall.
        sources: points [dimension] or [source, dimension] anywhere in the box.
        starts: when each of them begins, a number or [source].
        front: in place of sources, a field [*shape] whose zeros are the front: a level set, or a mask. Times are
            counted from it on both sides.
        order: 2, or 1, which takes a small part of the time: then errors are a few tenths of the time to cross a cell.
            In 3-D, and at a front, 2 means smaller errors but no second order.
        tolerance: sweeps end when they move no time by more than this, in units of the time to cross a cell (of the
            largest spacing) at the largest speed.

    Returns:
        `TravelTimes`, in units of time.

    Raises:
        ArgumentError: a speed that is negative or not finite, a source outside the box or in a wall, a wrong shape.

    Example:
        >>> from continua.space import Grid, eikonal
        >>> arrival = eikonal(Grid.cells((40, 30), upper=(4.0, 3.0)), 2.0, [0.05, 0.05])
        >>> print(f"{arrival.times[39, 0]:.4f}")
        1.9500

    Good for: first arrivals of waves, shortest paths in media and around walls, distances. Source: Zhao, Math. Comp. 74
    (2005) 603–627 (sweeping); Luo & Qian, J. Comput. Phys. 230 (2011) 4540–4560 (factoring).
    """
    _check_grid(grid)
    if order not in (1, 2):
        raise ArgumentError(f"`order` of eikonal must be 1 or 2. Got {order}.")
    if not tolerance > 0:
        raise ArgumentError(f"`tolerance` of eikonal must be positive. Got {tolerance}.")
    if (sources is None) == (front is None):
        given = "none" if front is None else "both"
        raise ArgumentTypeError(f"eikonal needs `sources` or `front`, one of them. Got {given}.")
    field = _speed(grid, speed)
    if front is None:
        points, begins = _points(grid, field, sources, starts)
        return _from_points(grid, field, points, begins, order, tolerance)
    return _from_front(grid, field, _front(grid, front, field.dtype), order, tolerance)


def signed_distance(grid: Grid, front: Any, *, order: int = 2, tolerance: float = 1e-3) -> Array:
    r"""The distance from a front, negative where φ is: $|\nabla d| = 1$, d = 0 where φ = 0.

    Args:
        grid: as for `eikonal`.
        front: φ [*shape]: a level set, or a mask, which is the inside.
        order: as for `eikonal`.
        tolerance: as for `eikonal`.

    Returns:
        d [*shape], in units of length.

    Example:
        >>> from continua.space import Grid, signed_distance
        >>> grid = Grid.cells((40, 40))
        >>> disk = grid.sample(lambda x, y: (x - 0.5) ** 2 + (y - 0.5) ** 2 - 0.09)
        >>> bool(abs(signed_distance(grid, disk)[20, 20] + 0.3) < 0.03)
        True
    """
    _check_grid(grid)
    field = _speed(grid, 1.0) if not _floating(front) else _speed(grid, jnp.ones((), jnp.asarray(front).dtype))
    phi = _front(grid, front, field.dtype)
    return jnp.sign(phi) * _from_front(grid, field, phi, order, tolerance).times


# -- from points ------------------------------------------------------------------------------------------------------


@partial(jax.jit, static_argnums=(4, 5))
def _from_points(grid: Grid, speed: Array, points: Array, begins: Array, order: int, tolerance: float) -> TravelTimes:
    units = _Units.of(grid, speed)
    s, dimension = units.slowness(speed), grid.dimension
    first = [axis.points()[0] for axis in grid.axes]
    steps = jnp.asarray([units.spacing], speed.dtype)
    places = (points - jnp.asarray([first], speed.dtype)) / jnp.asarray([grid.spacing], speed.dtype)  # in spacings
    begin = begins / units.time
    last = jnp.asarray([[max(size - 2, 0) for size in grid.shape]], speed.dtype)
    low = jnp.clip(jnp.floor(lax.stop_gradient(places)), 0.0, last)
    corners = (
        low[:, None] + jnp.asarray([*itertools.product((-1.0, 0.0, 1.0, 2.0), repeat=dimension)], speed.dtype)[None]
    )
    apart = places[:, None] - corners  # [source, point near it, axis]
    numbers = tuple(jnp.moveaxis(corners, -1, 0).astype(jnp.int32))
    inside = jnp.all((corners >= 0) & (corners < jnp.asarray([[grid.shape]], speed.dtype)), -1)
    near = jnp.where(inside, s.at[numbers].get(mode="fill", fill_value=SOLID), SOLID)
    shares = jnp.where(near < SOLID, jnp.prod(jnp.maximum(1 - jnp.abs(apart), 0.0), -1), 0.0)
    own = jnp.sum(jnp.where(shares > 0, shares * near, 0.0), 1) / jnp.maximum(jnp.sum(shares, 1), 1e-6)
    slowest, fastest = jnp.max(jnp.where(inside, near, 0.0), 1), jnp.min(near, 1)
    even = (slowest < EVEN * fastest)[:, None]  # nothing bends rays there
    counts = (shares > 0) | (inside & even)
    away = _norm(*jnp.moveaxis(apart * steps[None], -1, 0))
    reach = begin[:, None] + 0.5 * (own[:, None] + near) * away
    reach = jnp.where(counts, reach, NEVER)
    empty = jnp.full(s.shape, NEVER, s.dtype)
    least = empty.at[numbers].min(lax.stop_gradient(reach), mode="drop").at[numbers].get(mode="fill", fill_value=NEVER)
    wins = counts & (reach <= least)
    start = empty.at[tuple(jnp.where(wins, n, size) for n, size in zip(numbers, s.shape, strict=True))].set(
        reach, mode="drop"
    )
    nearby = _Nearby.of(places * steps, own, begin, s.shape, units.spacing)
    return _arrivals(units, s, start, grid.shape, order, tolerance, nearby)


class _Nearby(NamedTuple):
    """For each point, how far it is along each axis from the source that reaches it first on a straight line.

    Attributes:
        apart: for each axis, [*shape].
        slowness: [*shape], at that source.
    """

    apart: tuple[Array, ...]
    slowness: Array

    @classmethod
    def of(cls, places: Array, own: Array, begin: Array, shape: tuple[int, ...], spacing: Sequence[float]) -> "_Nearby":
        """From where the sources are, [source, axis], in units of the largest spacing."""
        axes = [
            jnp.asarray(h * np.arange(n).reshape([-1 if i == k else 1 for k in range(len(shape))]), own.dtype)
            for i, (n, h) in enumerate(zip(shape, spacing, strict=True))
        ]

        def closer(best: tuple[Array, Array], source: Any) -> tuple[Any, None]:
            number, place, slowness, begin = source
            apart = jnp.sqrt(sum(((x - p) ** 2 for x, p in zip(axes, place, strict=True)), jnp.zeros(shape, own.dtype)))
            time = begin + slowness * apart
            return (jnp.minimum(time, best[0]), jnp.where(time < best[0], number, best[1])), None

        if len(own) == 1:
            apart = tuple(jnp.broadcast_to(x - p, shape) for x, p in zip(axes, places[0], strict=True))
            return cls(apart, jnp.broadcast_to(own[0], shape))
        still = lax.stop_gradient((jnp.arange(len(own)), places, own, begin))
        worst = jnp.full(shape, jnp.inf, own.dtype), jnp.zeros(shape, int)
        (_, label), _ = lax.scan(closer, worst, still)
        return cls(tuple(x - places[label, k] for k, x in enumerate(axes)), own[label])

    def correction(self, m: int, way: Way, spacing: Sequence[float]) -> Array:
        """What the scheme lacks on the distance from the source, at the slowness there."""
        sign, (width, widths) = way.sign, (spacing[m], across(spacing, m))
        ahead, aside = self.apart[m], [*self.apart[:m], *self.apart[m + 1 :]]

        def distance(back: Any, *offset: int) -> Array:
            return _norm(ahead - back * width, *(x + o * h for x, o, h in zip(aside, offset, widths, strict=True)))

        places = far_places(len(aside))
        row: Row = {place: distance(sign, *place) for place in places}
        zero, one = jnp.zeros_like(sign), jnp.ones_like(sign)
        found = carried(row, Medium(way, one, ((zero, zero),) * len(aside), zero), width, widths)
        known = dict(zip(places, way.earlier, strict=True))
        straight = sign != 0  # whether the ray may come straight from the source; next to it there is no doubt
        for k, (x, h) in enumerate(zip(aside, widths, strict=True)):
            low, high = (known[unit(k, side, len(aside))] for side in (-1, 1))
            side = (jnp.where(x > 0, low, high) > 0) | (jnp.abs(x / h) <= BESIDE)
            straight = straight & side & (jnp.abs(x / h) <= ahead / width * sign + BESIDE)
        lacks = distance(0, *(0,) * len(aside)) - found
        return jnp.where(straight, self.slowness * lacks, 0.0)


def _norm(*parts: Array) -> Array:
    """The length of a vector; its derivative at 0 is 0."""
    squared = sum((x * x for x in parts[1:]), parts[0] * parts[0])
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1.0)), 0.0)


# -- from a front -----------------------------------------------------------------------------------------------------


@partial(jax.jit, static_argnums=(3, 4))
def _from_front(grid: Grid, speed: Array, front: Array, order: int, tolerance: float) -> TravelTimes:
    units = _Units.of(grid, speed)
    s = units.slowness(speed)
    inverse = jnp.zeros_like(front)  # 1 over the squared distance: the sum of those along the axes
    for m, h in enumerate(units.spacing):
        rows = along(m, front)
        nearest_zero = jnp.full_like(rows, NEVER)
        for other in (jnp.concatenate([rows[1:], rows[-1:]]), jnp.concatenate([rows[:1], rows[:-1]])):
            crosses = (jnp.sign(other) != jnp.sign(rows)) & (rows != 0)
            part = jnp.where(crosses, rows / jnp.where(crosses, rows - other, 1.0), NEVER)
            nearest_zero = jnp.minimum(nearest_zero, part)
        inverse = inverse + jnp.moveaxis(1 / (h * nearest_zero) ** 2, 0, m)
    close = inverse > 1e-6
    away = 1 / jnp.sqrt(jnp.where(close, inverse, 1.0))
    start = jnp.where(close & (s < SOLID), s * away, NEVER)
    start = jnp.where(front == 0, jnp.where(s < SOLID, 0.0, NEVER), start)
    return _arrivals(units, s, start, grid.shape, order, tolerance, None)


# -- both -------------------------------------------------------------------------------------------------------------


class _Units(NamedTuple):
    """In units of the largest spacing and speed all numbers are of a size that single precision can hold."""

    spacing: tuple[float, ...]
    speed: Array
    time: Array

    @classmethod
    def of(cls, grid: Grid, speed: Array) -> "_Units":
        most = max(grid.spacing)
        fastest = lax.stop_gradient(jnp.max(speed))
        return cls(tuple(h / most for h in grid.spacing), fastest, most / fastest)

    def slowness(self, speed: Array) -> Array:
        """1/v, and that of a wall."""
        solid = speed * SLOWEST <= self.speed
        return jnp.where(solid, SOLID, self.speed / jnp.where(solid, self.speed, speed))


def _arrivals(
    units: _Units, s: Array, start: Array, shape: tuple[int, ...], order: int, tolerance: float, nearby: _Nearby | None
) -> TravelTimes:
    """Both turns, with the derivative of the last one."""
    room = [(0, n * size - whole) for n, size, whole in zip(*divided(shape), shape, strict=True)]
    s, start = jnp.pad(s, room, constant_values=SOLID), jnp.pad(start, room, constant_values=NEVER)
    spacing, axes, lateral, here = units.spacing, range(len(shape)), len(shape) - 1, (0,) * len(shape)
    still, begun = lax.stop_gradient((s, start))
    half = halves(still)
    times, count = first_turn(
        bordered(begun, NEVER), half, spacing, (tolerance if order == 1 else max(ROUGH, tolerance)) * still
    )
    found = ways(times, half, inside(times, here) >= begun, spacing, tolerance * still)
    signs = [way.sign for way in found]
    if order == 1:
        places, moving = near_places(lateral), halves(s)
        given = [(inside(moving, here), upwind(moving, m, signs[m], places)) for m in axes]

        def update(m: int, row: Row, there: Any) -> Array:
            return nearest(row, Between.of(*there), spacing[m], across(spacing, m))

    else:
        corrections = [jnp.zeros_like(sign) for sign in signs]
        if nearby is not None:
            wider = jax.tree.map(lambda x: jnp.pad(x, room, mode="edge"), nearby)
            corrections = [wider.correction(m, found[m], spacing) for m in axes]

        def update(m: int, row: Row, there: Any) -> Array:
            return carried(row, there, spacing[m], across(spacing, m))

        places, given = far_places(lateral), [medium(m, s, found[m], corrections[m]) for m in axes]
        times, sweeps = second_turn(times, lax.stop_gradient(given), spacing, tolerance * still)
        count = count + sweeps
    times = implicit(times, start, signs, places, update, given)
    times = times[tuple(slice(size) for size in shape)]
    return TravelTimes(jnp.where(times < NEVER / 2, times * units.time, jnp.inf), count)


# -- arguments --------------------------------------------------------------------------------------------------------


def _check_grid(grid: Any) -> None:
    if not isinstance(grid, Grid):
        raise ArgumentTypeError(f"`grid` of eikonal must be a Grid. Got {type(grid).__name__}. Use Grid.cells(shape).")
    if not isinstance(grid.coordinates, Cartesian) or grid.dimension > 3:
        raise ArgumentError(
            "`grid` of eikonal must be Cartesian, of one to three dimensions. "
            f"Got {grid.coordinates} of {grid.dimension} axes."
        )


def _floating(value: Any) -> bool:
    return hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)


def _speed(grid: Grid, speed: Any) -> Array:
    array = jnp.asarray(speed, speed.dtype if _floating(speed) else jnp.result_type(float))
    if array.ndim and array.shape != grid.shape:
        raise ArgumentError(
            f"`speed` of eikonal must be a number or a field of the grid's shape {grid.shape}. Got {array.shape}."
        )
    if not is_traced(array):
        known = np.asarray(array)
        bad = ~np.isfinite(known) | (known < 0)
        if bad.any():
            raise ArgumentError(f"`speed` of eikonal must be finite and at least 0 (a wall). Got {known[bad][0]}.")
        if not known.any():
            raise ArgumentError("`speed` of eikonal must be positive somewhere. Got 0 everywhere.")
    return jnp.broadcast_to(array, grid.shape)


def _points(grid: Grid, speed: Array, sources: Any, starts: Any) -> tuple[Array, Array]:
    points, begins = jnp.asarray(sources, speed.dtype), jnp.asarray(starts, speed.dtype)
    points = points[None] if points.ndim == 1 else points
    if points.ndim != 2 or points.shape[1] != grid.dimension or not len(points):
        raise ArgumentError(
            f"`sources` of eikonal must be points [{grid.dimension}] or [source, {grid.dimension}]. "
            f"Got the shape {np.shape(sources)}. Use `front` for a level set or a mask."
        )
    if begins.shape not in ((), points.shape[:1]):
        raise ArgumentError(
            f"`starts` of eikonal must be a number or one for each source. Got the shape {begins.shape}."
        )
    if not is_traced(points):
        known = np.asarray(points)
        lower, upper = (np.array([getattr(axis, end) for axis in grid.axes]) for end in ("lower", "upper"))
        slack = 4 * float(jnp.finfo(speed.dtype).eps) * np.maximum(abs(lower), abs(upper))
        outside = ~((known >= lower - slack) & (known <= upper + slack)).all(1)
        if outside.any():
            raise ArgumentError(
                f"`sources` of eikonal must lie in the grid's box, {lower.tolist()} to {upper.tolist()}. "
                f"Got {known[outside][0].tolist()}."
            )
        if not is_traced(speed):
            _not_in_walls(grid, np.asarray(speed), known)
    if not is_traced(begins) and not np.isfinite(np.asarray(begins)).all():
        raise ArgumentError(f"`starts` of eikonal must be finite. Got {np.asarray(begins).tolist()}.")
    return points, jnp.broadcast_to(begins, points.shape[:1])


def _not_in_walls(grid: Grid, speed: np.ndarray, points: np.ndarray) -> None:
    for point in points:
        numbers = [(x - axis.points()[0]) / axis.spacing for x, axis in zip(point, grid.axes, strict=True)]
        places = [
            {*np.clip([np.floor(q), np.ceil(q)], 0, axis.size - 1).astype(int).tolist()}
            for q, axis in zip(numbers, grid.axes, strict=True)
        ]
        if not any(speed[place] * SLOWEST > speed.max() for place in itertools.product(*places)):
            raise ArgumentError(
                f"`sources` of eikonal must not stand in a wall. Got {point.tolist()}, where the speed is 0."
            )


def _front(grid: Grid, front: Any, dtype: Any) -> Array:
    array = jnp.asarray(front)
    if array.shape != grid.shape:
        raise ArgumentError(f"`front` of eikonal must have the grid's shape {grid.shape}. Got {array.shape}.")
    if array.dtype == bool:
        array = jnp.where(array, -1.0, 1.0)
    if not is_traced(array):
        known = np.asarray(array)
        if not np.isfinite(known).all():
            raise ArgumentError("`front` of eikonal must be finite. Got a value that is not.")
        if (known > 0).all() or (known < 0).all():
            raise ArgumentError(
                f"`front` of eikonal must change its sign or be 0 somewhere. Got {known.min()} to {known.max()}."
            )
    return array.astype(dtype)
