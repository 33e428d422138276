r"""When the first arrival comes to the points of a grid: $|\nabla T| = s$, at first and at second order.

1. A monotone scheme of first order on the simplices between a point and the row before it (`nearest`). It cannot fail,
   and it tells which way the first arrival comes to each point, and that everything depends on what is earlier.
2. Along those ways the times are carried once more, at second order and from what is upwind alone (`carried`).

At a point source T has a kink that spoils every scheme. There the second turn is corrected by its own error on the
distance from the source, so it is exact where the speed is constant: the factored equation, in its additive form.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.space.sweeping import NEVER, Row, Slot, before, bordered, inside, settle, upwind

EVEN = 2.0  # the ratio of slownesses up to which a medium is smooth
SLOWEST = 1e8  # in units of the least slowness; beyond, nothing passes
SOLID = 4 * SLOWEST  # the slowness of a wall
WALL = 1e18  # that between a wall and its neighbours: to cross it takes longer than NEVER
LACKS = 0.25  # of the time to cross a cell: on the distance the second turn never lacks more than .15
ROUGH = 1e-2  # of the time to cross a cell: the first turn needs no more to know where arrivals come from


def unit(axis: int, offset: int, lateral: int) -> Slot:
    """The place at `offset` along one lateral axis."""
    return tuple(offset if j == axis else 0 for j in range(lateral))


def across(spacing: Sequence[float], axis: int) -> list[float]:
    """The spacings within a row."""
    return [h for j, h in enumerate(spacing) if j != axis]


def diagonal(*lengths: float) -> float:
    """Of a box."""
    return float(np.sqrt(np.sum(np.square(lengths))))


# -- the first turn ---------------------------------------------------------------------------------------------------


class Between(NamedTuple):
    """Slowness between points and those in the row before them.

    Attributes:
        straight: to the point straight before.
        aside: to all of them: where one is much slower than that straight before, it must not be passed at its corner.
    """

    straight: Array
    aside: Row

    @classmethod
    def of(cls, own: Array, row: Row) -> "Between":
        """From half the slowness of the points, and of those in the row before."""
        middle = row[tuple(0 for _ in next(iter(row)))]
        slower = {place: jnp.where(half > EVEN * middle, half, middle) for place, half in row.items()}
        return cls(own + middle, {place: own + half for place, half in slower.items()})


def halves(s: Array) -> Array:
    """Half the slowness, and WALL in walls, bordered by them: two of them make that between two points."""
    return bordered(jnp.where(s < SOLID, 0.5 * s, WALL), WALL)


def nearest(row: Row, between: Between, main: float, lateral: Sequence[float]) -> Array:
    r"""The first arrival by way of the row before: the least over its simplices, T being linear on each.

    Vertices $v_0, v_1, \ldots$ that lie from each other at right angles give
    $T = T_0 + L_0 \sqrt{s^2 - \sum (T_{j-1} - T_j)^2 / L_j^2}$ if the ray meets the inside of their simplex.

    Args:
        row: times in the row before, at -1, 0 and 1 along each lateral axis.
        between: slowness.
        main: the spacing along the sweep.
        lateral: those within the row.
    """
    count, (s, aside) = len(lateral), between
    middle = row[(0,) * count]
    if not count:
        return middle + main * s

    def ends(places: Sequence[Slot]) -> list[tuple[Array, Array]]:
        return [(row[place], aside[place]) for place in places]

    sides = [[unit(j, side, count) for side in (-1, 1)] for j in range(count)]
    found = _least(*(_by_edge(middle, ends(pair), s, main, h) for pair, h in zip(sides, lateral, strict=True)))
    if count == 1:
        return found
    corners = [[(i, j) for j in (-1, 1)] for i in (-1, 1)]
    found = _least(found, _by_edge(middle, ends([*itertools.chain(*corners)]), s, main, diagonal(*lateral)))
    for j, lines in enumerate((corners, [*zip(*corners, strict=True)])):
        one, other = lateral[j], lateral[1 - j]
        for b, line in zip(sides[j], lines, strict=True):
            c = _least(*(row[place] for place in line))
            inside = _by_triangle(middle, row[b], c, s, main, one, other)
            found = _least(found, inside, _by_edge(row[b], ends(line), aside[b], diagonal(main, one), other))
    return found


def _least(*fields: Array) -> Array:
    found = fields[0]
    for field in fields[1:]:
        found = jnp.where(field < found, field, found)  # jnp.minimum looks for NaN, and that takes a third longer
    return found


def _by_edge(near: Array, ends: Sequence[tuple[Array, Array]], s: Array, length: float, along: float) -> Array:
    """The least over edges from `near`, at a distance of `length`, to ends at right angles: time, slowness to it."""
    steepest = along / diagonal(length, along)
    slope = (near - _least(*(far for far, _ in ends))) / along
    flat = jnp.where(slope > 0.0, slope, 0.0)
    through = near + length * jnp.sqrt(s * s - _least(flat, s * steepest) ** 2)
    past = _least(near + length * s, *(far + diagonal(length, along) * aside for far, aside in ends))
    return jnp.where(slope > s * steepest, past, through)


def _by_triangle(a: Array, b: Array, c: Array, s: Array, main: float, one: float, other: float) -> Array:
    """By way of the inside of the triangle a, b, c; never where the ray misses it."""
    p, q = (a - b) / one, (b - c) / other
    squared = s * s - p * p - q * q
    meets = (q >= 0.0) & (p / one >= q / other) & (squared > (main * p / one) ** 2)
    straight = jnp.sqrt(jnp.where(meets, squared, 1.0))
    return jnp.where(meets, a + main * straight, NEVER)


def first_turn(start: Array, half: Array, spacing: Sequence[float], tolerance: Array) -> tuple[Array, Array]:
    """Times of first order and the number of sweeps.

    Args:
        start: bordered, NEVER but where arrivals begin.
        half: of the slowness, bordered.
        spacing: along each axis.
        tolerance: [*shape], how much the last sweeps may still move a time.
    """

    def update(axis: int, _: Array, row: Row, own: Array, here: tuple[tuple, Array], there: Row) -> Array:
        return _least(own, nearest(row, Between.of(here[1], there), spacing[axis], across(spacing, axis)))

    places, axes = near_places(start.ndim - 1), range(start.ndim)
    return settle(update, places, tolerance, [() for _ in axes], [half for _ in axes], start)


def near_places(lateral: int) -> list[Slot]:
    """What the first turn reads."""
    return list(itertools.product((-1, 0, 1), repeat=lateral))


def far_places(lateral: int) -> list[Slot]:
    """What the second turn reads."""
    return near_places(lateral) + [unit(j, side, lateral) for j in range(lateral) for side in (-2, 2)]


class Way(NamedTuple):
    """How the points are reached that read a row before them along one axis: all [*shape].

    Attributes:
        sign: 1 where that is the row of the smaller index, -1 where that of the larger one, 0 for other points.
        earlier: for each of the far places, 1 where it is earlier than the point, else 0: no others are read.
    """

    sign: Array
    earlier: tuple[Array, ...]


def ways(times: Array, half: Array, fixed: Array, spacing: Sequence[float], tolerance: Array) -> list[Way]:
    """For each axis, who reads along it, and on which side.

    Args:
        times: bordered, of the first turn.
        half: of the slowness, bordered.
        fixed: [*shape], points that read no others.
        spacing: along each axis.
        tolerance: [*shape], differences that do not matter: they would send diagonal rays to and fro between axes.
    """
    axes, lateral, own = range(times.ndim), times.ndim - 1, inside(times, (0,) * times.ndim)
    tied = tolerance + 8 * jnp.finfo(own.dtype).eps * own
    best, chosen = jnp.full_like(own, NEVER), jnp.zeros_like(own)
    for number, (m, sign) in enumerate(itertools.product(axes, (1, -1)), 1):
        row, there = (before(field, m, sign, near_places(lateral)) for field in (times, half))
        value = nearest(row, Between.of(inside(half, (0,) * times.ndim), there), spacing[m], across(spacing, m))
        better = value < best - tied
        best, chosen = jnp.where(better, value, best), jnp.where(better, float(number), chosen)
    chosen = lax.optimization_barrier(jnp.where(fixed | (own >= NEVER), 0.0, chosen))  # else each use finds it anew

    def way(m: int) -> Way:
        sign = (chosen == 2 * m + 1).astype(own.dtype) - (chosen == 2 * m + 2).astype(own.dtype)
        row = upwind(times, m, sign, far_places(lateral))
        return Way(sign, tuple(((sign != 0) & (row[p] < own)).astype(own.dtype) for p in far_places(lateral)))

    return [way(m) for m in axes]


# -- the second turn --------------------------------------------------------------------------------------------------


class Medium(NamedTuple):
    """What lies between the points and the rows before them along one axis: all [*shape].

    Attributes:
        way: who reads what.
        slowness: the mean of that of the point and of the one straight before it.
        slopes: for each lateral axis, how that changes if the ray comes from one place below, and from one above.
        correction: added to the times.
    """

    way: Way
    slowness: Array
    slopes: tuple[tuple[Array, Array], ...]
    correction: Array


def carried(row: Row, medium: Medium, main: float, lateral: Sequence[float]) -> Array:
    r"""The times of points from those that are upwind of them in the row before.

    $$ T = Q(c) + \bar s \sqrt{h^2 + \textstyle\sum (c_j h_j)^2}, \qquad
       c_j = \frac{h}{h_j} \frac{p_j}{\sqrt{\bar s^2 - |p|^2}} $$

    where Q interpolates the row before, p is its slope there, and c says, in spacings, where the ray comes from.
    By Fermat's principle an error of c matters only squared.

    Args:
        row: the row before.
        medium: what lies between.
        main: the spacing along the sweep.
        lateral: those within the row.
    """
    found = [_from_side(row, medium, main, lateral, sides) for sides in itertools.product((-1, 1), repeat=len(lateral))]
    return _least(*found) + medium.correction


def _from_side(row: Row, medium: Medium, main: float, lateral: Sequence[float], sides: Sequence[int]) -> Array:
    """If the ray comes from these sides: whichever is the earliest has chosen them rightly."""
    count, s = len(lateral), medium.slowness
    middle = time = row[(0,) * count]
    known = dict(zip(far_places(count), medium.way.earlier, strict=True))
    lines = [_line(row, known, unit(j, side, count)) for j, side in enumerate(sides)]
    steep = [-slope / h for (slope, _), h in zip(lines, lateral, strict=True)]
    ahead = jnp.maximum(s * s - sum((p * p for p in steep), jnp.zeros_like(s)), 1e-6 * s * s)
    tangent = jnp.sqrt(ahead) / ahead  # 1/sqrt becomes an instruction that XLA does not vectorise: 5 times as long
    where = [jnp.clip((main / h) * p * tangent, 0.0, 1.0) for p, h in zip(steep, lateral, strict=True)]
    if count == 2:  # without the corner, the ray comes along one axis
        (one, other), there = where, known[tuple(sides)] > 0
        where = [jnp.where(there | (one >= other), one, 0.0), jnp.where(there | (one < other), other, 0.0)]
        near = [row[unit(j, side, count)] for j, side in enumerate(sides)]
        time = time + where[0] * where[1] * jnp.where(there, row[tuple(sides)] - near[0] - near[1] + middle, 0.0)
    squared = jnp.full_like(s, main * main)
    for c, (slope, bend), rise, side, h in zip(where, lines, medium.slopes, sides, lateral, strict=True):
        time, squared = time + c * (slope + c * bend), squared + (c * h) ** 2
        s = s + c * rise[0 if side < 0 else 1]
    return time + s * jnp.sqrt(squared)


def _line(row: Row, known: Row, near: Slot) -> tuple[Array, Array]:
    """The change on the way to a place near by is c `slope` + c² `bend`, c = 1 being that place."""
    far, middle = tuple(2 * o for o in near), row[tuple(0 for _ in near)]
    step = jnp.where(known[near] > 0, row[near] - middle, 0.0)
    if len(near) > 1:  # unstable across two axes
        return step, jnp.zeros_like(step)
    bend = jnp.where((known[near] > 0) & (known[far] > 0), 0.5 * (row[far] - middle) - step, 0.0)
    return step - bend, bend


def medium(axis: int, s: Array, way: Way, correction: Array) -> Medium:
    """From the slowness and the ways along the axis. A correction larger than any on the distance is none at all.

    It knows the slowness at the source. Where the medium is much faster than there, it would set times back.
    """
    count, places = s.ndim - 1, far_places(s.ndim - 1)
    row = upwind(bordered(s, SOLID), axis, way.sign, near_places(count))
    known = dict(zip(places, way.earlier, strict=True))
    middle = row[(0,) * count]

    def rise(place: Slot) -> Array:
        return 0.5 * jnp.where(known[place] > 0, row[place] - middle, 0.0)

    slopes = tuple((rise(unit(j, -1, count)), rise(unit(j, 1, count))) for j in range(count))
    mean = 0.5 * (s + middle)
    return Medium(way, mean, slopes, jnp.clip(correction, -LACKS * mean, LACKS * mean))


def second_turn(
    times: Array, media: Sequence[Medium], spacing: Sequence[float], tolerance: Array
) -> tuple[Array, Array]:
    """Times of second order and the number of sweeps.

    Args:
        times: bordered, of the first turn; those that read no others stay.
        media: for each axis.
        spacing: along each axis.
        tolerance: [*shape], how much the last sweeps may still move a time.
    """

    def update(axis: int, sign: Array, row: Row, own: Array, here: tuple[Medium, tuple], _: Any) -> Array:
        found = carried(row, here[0], spacing[axis], across(spacing, axis))
        return jnp.where(here[0].way.sign * sign > 0, found, own)

    places, none, clock = far_places(times.ndim - 1), [()] * len(media), inside(times, (0,) * times.ndim)
    return settle(update, places, tolerance, media, none, times, clock)
