"""Sweeps over a grid whose rows are updated at once, and the derivative of what they find.

A point reads a few places in the row before it, which lies one step back along one of the axes, and all that it reads
is earlier than it is. So sweeps along every axis, forward and backward, settle everything after finitely many turns.
They go over one block of the grid until it is quiet, then over that where the earliest arrival now waits: what is late
is not computed before what it depends on, and a block stays in the cache. Around every field lies a border that no
sweep changes, so that what a point reads is always there.

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
Origin = Sequence[Any]  # where a block begins, along each axis
Visit = Callable[[Origin, Sequence[Array]], tuple[Sequence[Array], Array, Array]]

NEVER = 1e16  # an arrival that has not been found, in units of the largest spacing over the largest speed
BORDER = 2  # cells around a field: as far as a point reads beside it
BLOCKS = (1024, 128, 32)  # the largest side of a block, in one to three dimensions: several fields of it fit the cache


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
        wide = [bordered(bordered(field, 0.0), 0.0) for field in (residuals[0], *cotangents)]
        below, *parts = lax.optimization_barrier(wide)  # slices, as in `apply`: a sum of pads takes much longer
        total = jnp.zeros_like(inside(below, (0,) * below.ndim))
        for place, part in zip(places, parts, strict=True):
            for sign in (1, -1):
                to = (*(-o for o in place[:axis]), sign, *(-o for o in place[axis:]))
                goes = inside(below, to) > 0
                total = total + jnp.where(goes if sign > 0 else ~goes, inside(part, to), 0.0)
        return [total]

    return dict(zip(places, linear_map(LinearMap(apply, transpose), [signs], [field]), strict=True))


def along(axis: int, tree: Any) -> Any:
    """Fields as a sweep along the axis sees them: their rows first."""
    return jax.tree.map(lambda field: jnp.moveaxis(field, axis, 0), tree)


def back(axis: int, tree: Any) -> Any:
    """As the fields were before `along`."""
    return jax.tree.map(lambda field: jnp.moveaxis(field, 0, axis), tree)


def _row(tree: Any, origin: Origin, row: Any, place: Sequence[int], lateral: Sequence[int]) -> Any:
    """[1, *lateral], from the place in a row of the block that begins there."""
    corner = (origin[0] + row, *(o + p for o, p in zip(origin[1:], place, strict=True)))
    return jax.tree.map(lambda field: lax.dynamic_slice(field, corner, (1, *lateral)), tree)


def _put(field: Array, row: Any, width: int, points: Array) -> Array:
    """With another row, in a border of this width."""
    return lax.dynamic_update_slice(field, points, (row + width, *(width,) * (field.ndim - 1)))


# -- blocks -----------------------------------------------------------------------------------------------------------


def divided(shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many blocks there are along each axis, and their shape; together they may be larger than the field."""
    count = tuple(-(-size // BLOCKS[len(shape) - 1]) for size in shape)
    return count, tuple(-(-size // number) for size, number in zip(shape, count, strict=True))


def _cut(field: Array, origin: Origin, shape: Sequence[int], border: int = 0) -> Array:
    return lax.dynamic_slice(field, origin, [size + 2 * border for size in shape])


def _in_turn(visit: Visit, fields: Sequence[Array], clock: Array) -> tuple[Sequence[Array], Array]:
    """Visits the blocks where something waits, always that first where it is the earliest.

    Args:
        visit: where a block begins, bordered fields there: fields, when it wakes its neighbours ([3, ...], inf for
            never), and how many rows of blocks it went through.
        fields: bordered.
        clock: [*shape], when points wait at first, inf for never.

    Returns:
        The fields, and how often all of them were gone through, along one axis forward and backward.
    """
    count, shape = divided(clock.shape)
    axes = range(clock.ndim)
    waits = clock.reshape([n for pair in zip(count, shape, strict=True) for n in pair]).min([2 * m + 1 for m in axes])
    center = (1,) * clock.ndim

    def unfinished(state: tuple[Any, Array, Array]) -> Array:
        return jnp.any(state[1] < jnp.inf) & (state[2] < clock.size)  # no way is longer than there are points

    def one(state: tuple[Any, Array, Array]) -> tuple[Any, Array, Array]:
        fields, waits, passes = state
        index = jnp.unravel_index(jnp.argmin(waits), count)
        origin = [i * size for i, size in zip(index, shape, strict=True)]
        block = lax.optimization_barrier(
            [_cut(field, origin, shape, BORDER) for field in fields]
        )  # else XLA copies fields
        found, wakes, more = visit(origin, block)
        fields = [lax.dynamic_update_slice(field, new, origin) for field, new in zip(fields, found, strict=True)]
        wide = jnp.pad(waits, 1, constant_values=jnp.inf)
        near = jnp.minimum(lax.dynamic_slice(wide, index, (3,) * clock.ndim), wakes).at[center].set(jnp.inf)
        waits = lax.dynamic_update_slice(wide, near, index)[tuple(slice(1, -1) for _ in axes)]
        return fields, waits, passes + more

    fields, _, passes = lax.while_loop(unfinished, one, (list(fields), waits, jnp.asarray(0)))
    return fields, passes / (2 * waits.size)


def _until_quiet(passes: Sequence[Callable], fields: Sequence[Array]) -> tuple[Sequence[Array], Array]:
    """Goes through a block along each axis, both ways, until no pass moves anything; and how many passes that took."""
    enough = 2 * len(passes) - 1  # the one that moved something the last would not do so again

    def once(run: Callable, sign: Array, fields: Any, quiet: Array, count: Array) -> tuple[Any, Array, Array]:
        fields, moved = run(sign, *fields)
        return fields, jnp.where(jnp.any(moved), 0, quiet + 1), count + 1

    def turn(state: tuple[Any, Array, Array]) -> tuple[Any, Array, Array]:
        for m, run in enumerate(passes):

            def one(number: Array, state: Any, run: Callable = run) -> Any:
                return lax.cond(state[1] < enough, partial(once, run, 1 - 2 * number), lambda *s: s, *state)

            fields, quiet, count = state
            fields, quiet, count = lax.fori_loop(
                0, 2, one, (along(m, fields), quiet, count)
            )  # one program for both ways
            state = back(m, fields), quiet, count
        return state

    start = list(fields), jnp.asarray(-1), jnp.asarray(0)
    most = 4 * fields[0].size  # more than any way is long
    fields, _, count = lax.while_loop(lambda state: (state[1] < enough) & (state[2] < most), turn, start)
    return fields, count


def _wakes(clock: Array, inward: int) -> Array:
    """[3, ...]: the least of what lies near each side of a block, and in all of it from `inward` on."""
    for m in range(clock.ndim):
        rows = along(m, clock)
        parts = rows[:BORDER], rows[inward : len(rows) - inward], rows[len(rows) - BORDER :]
        clock = back(m, jnp.stack([part.min(0) for part in parts]))
    return clock


# -- to what is late --------------------------------------------------------------------------------------------------


def settle(
    update: Callable[[int, Array, Row, Array, Any, Any], Array],
    places: Sequence[Slot],
    tolerance: Array,
    here: Sequence[Any],
    there: Sequence[Any],
    times: Array,
    clock: Array | None = None,
) -> tuple[Array, Array]:
    """Sweeps until no time moves: the times, and how many sweeps were made, each forward and backward along one axis.

    Args:
        update: axis, sign, times in the row before, the points' own, what stands still here and there: times.
        places: that an update reads in the row before.
        tolerance: [*shape], by how much a time may change and count as unmoved.
        here: for each axis, fields [*shape]. An update sees them with what stands there at the points themselves.
        there: for each axis, bordered fields, of which it sees the same places as of the times.
        times: bordered, at first.
        clock: [*shape], in which order they are expected to settle; else they tell.
    """
    axes, shape, inner = range(times.ndim), divided(tolerance.shape)[1], (0,) * times.ndim
    still = [along(m, (tolerance, *both)) for m, both in enumerate(zip(here, there, strict=True))]

    def visit(origin: Origin, cut: Sequence[Array]) -> tuple[Sequence[Array], Array, Array]:
        fields, count = _until_quiet(
            [partial(_pulled, partial(update, m), places, still[m], _first(m, origin)) for m in axes], cut
        )
        old, new = (inside(x, inner) for x in (cut[0], fields[0]))
        order = new if clock is None else _cut(clock, origin, shape)
        moved = jnp.abs(new - old) > _cut(tolerance, origin, shape)
        return fields, _wakes(jnp.where(moved, order, jnp.inf), 0), count

    start = inside(times, inner) if clock is None else clock
    (times,), count = _in_turn(visit, [times], jnp.where(start < NEVER, start, jnp.inf))
    return times, count


def _first(axis: int, origin: Origin) -> Origin:
    """As a sweep along the axis sees it."""
    return [origin[axis], *origin[:axis], *origin[axis + 1 :]]


def _pulled(
    update: Callable[[Array, Row, Array, Any, Any], Array],
    places: Sequence[Slot],
    still: tuple[Array, Any, Any],
    origin: Origin,
    sign: Array,
    times: Array,
) -> tuple[list[Array], Array]:
    """From row to row of a block: the times, and for each place in a row whether any moved there."""
    (tolerance, here, there), flat = still, (0,) * (times.ndim - 1)
    count, *lateral = (size - 2 * BORDER for size in times.shape)
    local, outer, onward = [BORDER] * times.ndim, [o + BORDER for o in origin], sign.astype(times.dtype)

    def step(number: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        times, moved = state
        row = jnp.where(sign > 0, number, count - 1 - number)
        (own, read), (beneath, beside) = (
            (_row(x, start, row, flat, lateral), {p: _row(x, start, row - sign, p, lateral) for p in places})
            for x, start in ((times, local), (there, outer))
        )
        slack, now = _row((tolerance, here), origin, row, flat, lateral)
        found = lax.optimization_barrier(update(onward, read, own, (now, beneath), beside))
        moves = moved | (jnp.abs(found - own) > slack)
        found, moved = lax.optimization_barrier((found, moves))  # else XLA copies the field to read the old row again
        return _put(times, row, BORDER, found), moved

    times, moved = lax.fori_loop(0, count, step, (times, jnp.zeros((1, *lateral), bool)))
    return [times], moved


# -- how the times move -----------------------------------------------------------------------------------------------


def implicit(
    times: Array,
    start: Array,
    signs: Sequence[Array],
    places: Sequence[Slot],
    update: Callable[[int, Row, Any], Array],
    given: Sequence[Any],
) -> Array:
    """The times, with their derivative in `start` and `given`: that of the equations that they settled.

    Args:
        times: bordered, settled.
        start: [*shape], the times of points that read no others.
        signs: for each axis, [*shape], 1 for points that read the row of the smaller index, -1 for those that read
            that of the larger one, 0 for others.
        places: that an update reads.
        update: axis, the row before every point, what is given there: the times of points that read along the axis.
        given: for each axis, fields [*shape] that they depend on besides.

    Returns:
        [*shape].
    """
    times, signs, held = lax.stop_gradient((times, list(signs), list(given)))
    reads = jnp.any(jnp.stack(signs) != 0, 0)
    moved, weights = jnp.where(reads, 0.0, start), []
    for m, sign in enumerate(signs):
        _, pull = jax.vjp(partial(update, m), upwind(times, m, sign, places), held[m])
        share, rates = lax.optimization_barrier(pull(jnp.abs(sign)))  # else each use finds them anew
        weights.append({place: part for place, part in share.items() if any(place)})  # straight goes what is left of 1
        moved = jax.tree.reduce(jnp.add, jax.tree.map(jnp.multiply, rates, given[m]), moved)
    return _settled(moved, inside(times, (0,) * times.ndim), signs, weights)


@jax.custom_jvp
def _settled(moved: Array, times: Array, signs: Sequence[Array], weights: Sequence[Row]) -> Array:
    """The times; if what a point finds is moved while those that it reads stand still, all that are later move too."""
    del moved, signs, weights
    return times


@_settled.defjvp
def _moved(primals: Any, tangents: Any) -> tuple[Array, Array]:
    _, times, signs, weights = primals
    residuals, layout = jax.tree.flatten([along(m, one) for m, one in enumerate(_either(signs, weights))])
    residuals = lax.optimization_barrier(residuals)
    (change,) = linear_map(_solved(layout), [times, *residuals], [tangents[0]], [times])
    return times, change


def _either(signs: Sequence[Array], weights: Sequence[Row]) -> list[tuple[Array, Row]]:
    """For each axis, who may read along it, and how their times move with what they read aside.

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
        times, *rest = residuals
        ways = [back(m, one) for m, one in enumerate(jax.tree.unflatten(layout, rest))]
        (source,), straight = tangents, (0,) * (times.ndim - 1)

        def update(_: int, sign: Array, row: Row, own: Array, here: Any, __: Any) -> Array:
            ((reads, shares, source), _), middle = here, row[straight]
            late = sum((share * (row[place] - middle) for place, share in shares.items()), source + middle)
            return jnp.where(reads * sign > 0, late, own)

        still, none = [(*way, source) for way in ways], [()] * len(ways)
        places, slack = [straight, *ways[0][1]], jnp.zeros_like(source)
        moved, _ = settle(update, places, slack, still, none, bordered(source, 0.0), times)
        return [inside(moved, (0,) * source.ndim)]

    def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        times, *rest = residuals
        ways = jax.tree.unflatten(layout, rest)
        reads = jnp.any(jnp.stack([back(m, signs) != 0 for m, (signs, _) in enumerate(ways)]), 0)
        clock, shape = jnp.where(reads, -times, jnp.inf), divided(times.shape)[1]
        wide = bordered(clock, jnp.inf)
        edged = [
            (bordered(signs, 0.0), jax.tree.map(lambda share: bordered(bordered(share, 0.0), 0.0), shares))
            for signs, shares in ways
        ]

        def visit(origin: Origin, cut: Sequence[Array]) -> tuple[Sequence[Array], Array, Array]:
            fields, count = _until_quiet([partial(_pushed, way, _first(m, origin)) for m, way in enumerate(edged)], cut)
            waits = jnp.where(jnp.abs(fields[0]) > 0, _cut(wide, origin, shape, BORDER), jnp.inf)
            return fields, _wakes(waits, BORDER), count

        start = bordered(cotangents[0], 0.0)
        (waiting, arrived), _ = _in_turn(visit, [start, jnp.zeros_like(start)], clock)
        return [inside(waiting + arrived, (0,) * times.ndim)]

    return LinearMap(apply, transpose)


def _pushed(
    way: tuple[Array, Row], origin: Origin, sign: Array, waiting: Array, arrived: Array
) -> tuple[list[Array], Array]:
    """What waits at a point of a block has arrived, and is handed on to those that it reads, in its shares.

    Those may lie in the border, where it waits for the next block to be visited.
    """
    (signs, shares), flat = way, (0,) * (waiting.ndim - 1)
    count, *lateral = waiting.shape[0] - 2 * BORDER, *waiting.shape[1:]
    inner = jnp.ones([size - 2 * BORDER for size in waiting.shape], bool)
    reads = jnp.pad(inner, BORDER) & (_cut(signs, origin, inner.shape, BORDER) * sign.astype(signs.dtype) > 0)

    start, nothing = [0] * waiting.ndim, jnp.zeros((1, *(size + 2 * BORDER for size in lateral)), waiting.dtype)

    def step(number: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        waiting, handed = state
        row = BORDER + jnp.where(sign > 0, count - 1 - number, number)
        middle = came = _row(handed, start, 0, [BORDER for _ in flat], lateral)

        def part(share: Array, there: Slot) -> Array:
            corner = [o + BORDER for o in there]
            shares = _row(share, [origin[0] + BORDER, *origin[1:]], row + sign, corner, lateral)
            return shares * (_row(handed, start, 0, corner, lateral) if any(there) else middle)

        for place, share in shares.items():
            came = came + part(share, tuple(-o for o in place)) - part(share, flat)
        own = _row(waiting, start, row, flat, lateral) + came
        own = lax.optimization_barrier(own)
        goes = lax.optimization_barrier(jnp.where(lax.dynamic_slice_in_dim(reads, row, 1), own, 0.0))
        return _put(waiting, row, 0, own), _put(handed, -BORDER, BORDER, goes)

    def hand(waiting: Array, arrived: Array) -> tuple[Array, Array]:
        waiting, _ = lax.fori_loop(0, count + 1, step, (waiting, nothing))
        return jnp.where(reads, 0.0, waiting), jnp.where(reads, arrived + waiting, arrived)

    some = jnp.any(lax.optimization_barrier(jnp.any(reads & (waiting != 0), 0)))  # row by row, which XLA vectorises
    return [*lax.cond(some, hand, lambda *fields: fields, waiting, arrived)], some
