"""Sweeps over a grid whose rows are updated at once, and the derivative of what they find.

A point reads a few places in the row before it, which lies one step back along one of the axes, and all that it reads
is earlier than it is. So sweeps along every axis, forward and backward, settle everything after finitely many turns.
A row is read and written where it stands in the field: that takes a third of the time of rows handed from one to the
next. Around every field lies a border that no sweep changes, so that what a point reads is always there.

What is late depends on what is earlier, and so does its change: the derivative is solved by the same sweeps, its
transpose by the same in the reverse order, from late to early.
"""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import LinearMap, linear_map

Slot = tuple[int, ...]  # a place in the row before: how far from straight before, along each axis across the sweep
Row = dict[Slot, Array]  # what stands there for all points of a row, or of a field
Sweep = Callable[[Array], tuple[Array, Array]]  # the times after it, and whether it moved any

NEVER = 1e16  # an arrival that has not been found, in units of the largest spacing over the largest speed
BORDER = 2  # cells around a field: as far as a point reads beside it


def bordered(field: Array, fill: float) -> Array:
    """With a border of cells that hold a number."""
    return jnp.pad(field, BORDER, constant_values=fill)


def inside(field: Array, offset: Slot) -> Array:
    """What a bordered field holds at an offset from each of the points inside."""
    return field[tuple(slice(BORDER + o, n - BORDER + o) for o, n in zip(offset, field.shape, strict=True))]


def before(field: Array, axis: int, sign: int, places: Sequence[Slot]) -> Row:
    """What a bordered field holds in the row before each point, which is that of the smaller index if the sign is 1."""
    return {p: inside(field, (*p[:axis], -sign, *p[axis:])) for p in places}


def upwind(field: Array, axis: int, signs: Array, places: Sequence[Slot]) -> Row:
    """What it holds in the row before each point, which is that of the smaller index where its sign is positive."""

    def apply(residuals: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        below, above = (before(tangents[0], axis, sign, places) for sign in (1, -1))
        return [jnp.where(residuals[0] > 0, below[p], above[p]) for p in places]

    def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        below = residuals[0] > 0
        goes = {
            (*(-o for o in p[:axis]), sign, *(-o for o in p[axis:])): jnp.where(reads, cotangent, 0.0)
            for p, cotangent in zip(places, cotangents, strict=True)
            for sign, reads in ((1, below), (-1, ~below))
        }
        wide = {to: bordered(bordered(part, 0.0), 0.0) for to, part in goes.items()}
        return [sum(inside(part, to) for to, part in lax.optimization_barrier(wide).items())]  # as in `apply`: slices

    return dict(zip(places, linear_map(LinearMap(apply, transpose), [signs], [field]), strict=True))


def along(axis: int, tree: Any) -> Any:
    """Fields as a sweep along the axis sees them: their rows first."""
    return jax.tree.map(lambda field: jnp.moveaxis(field, axis, 0), tree)


def back(axis: int, tree: Any) -> Any:
    """As the fields were before `along`."""
    return jax.tree.map(lambda field: jnp.moveaxis(field, 0, axis), tree)


def _own(tree: Any, row: Any) -> Any:
    """A row of fields without a border."""
    return jax.tree.map(lambda field: lax.dynamic_slice_in_dim(field, row, 1), tree)


def _at(tree: Any, row: Any, place: Slot) -> Any:
    """For each point of a row, what bordered fields hold at a place from it."""

    def one(field: Array) -> Array:
        corner = (row + BORDER, *(BORDER + o for o in place))
        return lax.dynamic_slice(field, corner, (1, *(n - 2 * BORDER for n in field.shape[1:])))

    return jax.tree.map(one, tree)


def _put(field: Array, row: Any, points: Array) -> Array:
    """A bordered field with another row."""
    return lax.dynamic_update_slice(field, points, (row + BORDER, *(BORDER,) * (field.ndim - 1)))


# -- to what is late --------------------------------------------------------------------------------------------------


def sweeps(
    update: Callable[[int, int, Row, Array, Any, Any], Array],
    places: Sequence[Slot],
    tolerance: Array,
    here: Sequence[Any],
    there: Sequence[Any],
) -> list[Sweep]:
    """For each axis, forward and backward over the times, which are bordered.

    Args:
        update: axis, sign, times in the row before, the points' own, what stands still here, and in the row before.
        places: that an update reads in the row before.
        tolerance: [*shape], by how much a time may change and count as unmoved.
        here: for each axis, fields [*shape].
        there: for each axis, bordered fields, of which the same places are read.
    """

    def sweep(axis: int, tolerance: Array, here: Any, there: Any, times: Array) -> tuple[Array, Array]:
        times, moved = along(axis, times), []
        for sign in (1, -1):
            times, some = _pulled(partial(update, axis, sign), places, tolerance, here, there, times, sign)
            moved.append(some)
        return back(axis, times), jnp.any(moved[0] | moved[1])

    return [
        partial(sweep, m, *along(m, (tolerance, *still))) for m, still in enumerate(zip(here, there, strict=True))
    ]


def _pulled(
    update: Callable[[Row, Array, Any, Any], Array],
    places: Sequence[Slot],
    tolerance: Array,
    here: Any,
    there: Any,
    times: Array,
    sign: int,
) -> tuple[Array, Array]:
    """From row to row: the times, and for each place in a row whether any moved there."""
    count, flat = len(tolerance), (0,) * (times.ndim - 1)

    def step(number: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        times, moved = state
        row = number if sign > 0 else count - 1 - number
        own, (read, still) = _at(times, row, flat), ({p: _at(x, row - sign, p) for p in places} for x in (times, there))
        found = lax.optimization_barrier(update(read, own, _own(here, row), still))
        moves = moved | (jnp.abs(found - own) > _own(tolerance, row))
        found, moved = lax.optimization_barrier((found, moves))  # else XLA copies the field to read the old row again
        return _put(times, row, found), moved

    return lax.fori_loop(0, count, step, (times, jnp.zeros((1, *tolerance.shape[1:]), bool)))


def until_quiet(sweeps: Sequence[Sweep], times: Array) -> tuple[Array, Array]:
    """The times when no sweep moves any of them, and how many sweeps were made."""

    def turn(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        for sweep in sweeps:
            state = lax.cond(state[2] < len(sweeps), partial(once, sweep), lambda *s: s, *state)
        return state

    def once(sweep: Sweep, times: Array, count: Array, quiet: Array) -> tuple[Array, Array, Array]:
        times, moved = sweep(times)
        return times, count + 1, jnp.where(moved, 0, quiet + 1)

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        return (state[2] < len(sweeps)) & (state[1] < times.size)  # no way is longer than there are points

    times, count, _ = lax.while_loop(unfinished, turn, (times, jnp.asarray(0), jnp.asarray(0)))
    return times, count


# -- how the times move -----------------------------------------------------------------------------------------------


def implicit(
    times: Array,
    start: Array,
    signs: Sequence[Array],
    places: Sequence[Slot],
    update: Callable[[int, Row, Any], Array],
    given: Any,
) -> Array:
    """The times, with their derivative in `start` and `given`: that of the equations that they settled.

    Args:
        times: bordered, settled.
        start: [*shape], the times of points that read no others.
        signs: for each axis, [*shape], 1 for points that read the row of the smaller index, -1 for those that read
            that of the larger one, 0 for others.
        places: that an update reads.
        update: axis, the row before every point, what is given: the times of points that read along the axis.
        given: what they depend on besides.

    Returns:
        [*shape].
    """
    times, signs, held = lax.stop_gradient((times, list(signs), given))
    found, weights = start, []
    for m, sign in enumerate(signs):
        row = upwind(times, m, sign, places)
        found = jnp.where(sign != 0, update(m, row, given), found)
        _, pull = jax.vjp(lambda row, m=m: update(m, row, held), row)
        weights.append(pull(jnp.abs(sign))[0])
    weights = lax.optimization_barrier(weights)
    return _settled(found, inside(times, (0,) * times.ndim), signs, weights)


@jax.custom_jvp
def _settled(found: Array, times: Array, signs: Sequence[Array], weights: Sequence[Row]) -> Array:
    """The times; if what each point finds moves while those that it reads stand still, all that are later move too."""
    del found, signs, weights
    return times


@_settled.defjvp
def _moved(primals: Any, tangents: Any) -> tuple[Array, Array]:
    _, times, signs, weights = primals
    residuals, layout = jax.tree.flatten([along(m, one) for m, one in enumerate(_either(signs, weights))])
    residuals = lax.optimization_barrier(residuals)
    (change,) = linear_map(_solved(layout), residuals, [tangents[0]], [times])
    return times, change


def _either(signs: Sequence[Array], weights: Sequence[Row]) -> list[tuple[Array, Row]]:
    """For each axis, who may read along it, and how their times move with what they read.

    What reads only the place diagonally before it can do so along each axis that parts them. It spares turns: between
    points that read along one axis and those that read along another, diagonal rays pass to and fro.
    """
    axes, reads, shares = range(len(signs)), list(signs), [dict(one) for one in weights]
    for m, sign in itertools.product(axes, (1, -1)):
        for place, weight in weights[m].items():
            offset = (*place[:m], -sign, *place[m:])
            alone = (signs[m] == sign) & (weight == 1)
            for other in axes:
                if other != m and abs(offset[other]) == 1:
                    seen = offset[:other] + offset[other + 1 :]
                    reads[other] = jnp.where(alone, float(-offset[other]), reads[other])
                    shares[other][seen] = jnp.where(alone, 1.0, shares[other][seen])
    return [*zip(reads, shares, strict=True)]


def _solved(layout: Any) -> LinearMap:
    """Solves x = b + A x, where A reads what is earlier: until all has come through."""

    def apply(residuals: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        ways = [back(m, one) for m, one in enumerate(jax.tree.unflatten(layout, list(residuals)))]
        (source,) = tangents

        def update(_: int, sign: int, row: Row, own: Array, here: Any, __: Any) -> Array:
            reads, shares, source = here
            late = sum((share * row[place] for place, share in shares.items()), source)
            return jnp.where(reads * sign > 0, late, own)

        still, none = [(*way, source) for way in ways], [()] * len(ways)
        each = sweeps(update, [*ways[0][1]], jnp.zeros_like(source), still, none)
        return [inside(until_quiet(each, bordered(source, 0.0))[0], (0,) * source.ndim)]

    def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        ways = [
            (signs, jax.tree.map(partial(bordered, fill=0.0), shares))
            for signs, shares in jax.tree.unflatten(layout, list(residuals))
        ]
        nowhere = jnp.zeros_like(cotangents[0])
        reads, none = nowhere != 0, (0,) * nowhere.ndim
        for m, (signs, _) in enumerate(ways):
            reads = reads | (back(m, signs) != 0)

        def turn(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            count, *fields = state
            for m, (signs, shares) in reversed([*enumerate(ways)]):
                rows = along(m, fields)
                for sign in (-1, 1):
                    rows = _pushed(*rows, signs, shares, sign)
                fields = back(m, rows)
            return count + 1, *fields

        def unfinished(state: tuple[Array, Array, Array]) -> Array:
            waits = jnp.abs(inside(state[1], none)) > 0  # NaN does not
            return (state[0] < reads.size) & jnp.any(reads & waits)

        start = jnp.asarray(0), bordered(cotangents[0], 0.0), nowhere
        _, waiting, arrived = lax.while_loop(unfinished, turn, start)
        return [inside(waiting, none) + arrived]

    return LinearMap(apply, transpose)


def _pushed(waiting: Array, arrived: Array, signs: Array, shares: Row, sign: int) -> tuple[Array, Array]:
    """What waits at a point has arrived, and is handed on to those that it reads, in the shares in which it does."""
    count, flat = len(arrived), (0,) * (arrived.ndim - 1)

    def step(number: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        waiting, arrived, handed = state
        row = count - 1 - number if sign > 0 else number
        own = _at(waiting, row, flat)
        for place, share in shares.items():
            there = tuple(-o for o in place)
            own = own + _at(share, row + sign, there) * _at(handed, 0, there)
        goes = jnp.where(_own(signs, row) * sign > 0, own, 0.0)
        left, total, goes = lax.optimization_barrier((own - goes, _own(arrived, row) + goes, goes))
        return _put(waiting, row, left), lax.dynamic_update_slice_in_dim(arrived, total, row, 0), _put(handed, 0, goes)

    handed = jnp.zeros((2 * BORDER + 1, *waiting.shape[1:]), waiting.dtype)
    return lax.fori_loop(0, count, step, (waiting, arrived, handed))[:2]
