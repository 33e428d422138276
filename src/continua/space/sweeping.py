"""Sweeps over a grid whose rows are updated at once, and the derivative of what they find.

A point reads a few places in the row before it, which lies one step back along one of the axes, and all that it reads
is earlier than it is. So sweeps along every axis, forward and backward, settle everything after finitely many turns.

What is late depends on what is earlier, and so does its change: the derivative is solved by the same sweeps, its
transpose by the same in the reverse order, from late to early.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import LinearMap, linear_map

Slot = tuple[int, ...]  # a place in the row before: how far from straight before, along each axis across the sweep
Row = dict[Slot, Array]  # what stands there for all points of a row
Update = Callable[[int, Row, Any], Array]  # axis, the row before, what lies between: the times

NEVER = 1e16  # an arrival that has not been found, in units of the largest spacing over the largest speed


def shifted(field: Array, offset: Slot, fill: float = NEVER) -> Array:
    """`field[i + offset]` along its last axes, and `fill` beyond them."""
    lead = ((0, 0, 0),) * (field.ndim - len(offset))
    return lax.pad(field, jnp.asarray(fill, field.dtype), (*lead, *((-o, o, 0) for o in offset)))


def shifts(before: Array, places: Sequence[Slot], fill: float = NEVER) -> Row:
    """All places of a row, each made once: XLA would shift it again wherever one is used."""
    return lax.optimization_barrier({place: shifted(before, place, fill) for place in places})


def along(axis: int, tree: Any) -> Any:
    """Fields as a sweep along the axis sees them: their rows first."""
    return jax.tree.map(lambda field: jnp.moveaxis(field, axis, 0), tree)


def upwind(rows: Array, sign: Array, places: Sequence[Slot]) -> Row:
    """What stands in the row before each point, which is that of the smaller index where the sign is positive."""
    lower, upper = ({p: (side, *p) for p in places} for side in (-1, 1))
    below, above = (shifts(rows, [*one.values()]) for one in (lower, upper))
    return {p: jnp.where(sign > 0, below[lower[p]], above[upper[p]]) for p in places}


def back(axis: int, rows: Array) -> Array:
    """As the field was before `along`."""
    return jnp.moveaxis(rows, 0, axis)


def swept(axis: int, step: Callable, field: Array, *beside: Any, sign: int) -> Any:
    """`step(row before, (row, *rows beside))` from row to row, upward or downward; its second outputs, rows first."""
    rows = along(axis, field)
    return lax.scan(step, jnp.full_like(rows[0], NEVER), (rows, *beside), reverse=sign < 0)[1]


def until_quiet(sweeps: Sequence[Callable[[Array], Array]], times: Array, tolerance: Array) -> tuple[Array, Array]:
    """The times when no sweep moves any of them by more than the tolerance, and how many sweeps were made."""

    def turn(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        for sweep in sweeps:
            state = lax.cond(state[2] < len(sweeps), lambda s, sweep=sweep: once(sweep, *s), lambda s: s, state)
        return state

    def once(sweep: Callable[[Array], Array], times: Array, count: Array, quiet: Array) -> tuple[Array, Array, Array]:
        after = sweep(times)
        return after, count + 1, jnp.where(jnp.any(jnp.abs(after - times) > tolerance), 0, quiet + 1)

    times, count, _ = lax.while_loop(lambda s: s[2] < len(sweeps), turn, (times, jnp.asarray(0), jnp.asarray(0)))
    return times, count


class Causal(NamedTuple):
    """Which way every point is reached, and from where.

    Attributes:
        signs: for each axis, [*shape] in the order of its sweeps: 1 for points that read the row of the smaller
            index, -1 for those that read that of the larger one, 0 for others.
        held: for each axis, what else `between` needs, in the same order.
        places: that an update may read.
        between: what lies between the points and the row before, from the slowness there, their own, and what is held.
        update: of all points of a row.
    """

    signs: Sequence[Array]
    held: Sequence[Any]
    places: Sequence[Slot]
    between: Callable[[Row, Array, Any], Any]
    update: Update

    def sweeps(self, between: Sequence[Any]) -> list[Callable[[Array], Array]]:
        """For each axis, forward and backward over the times."""

        def sweep(axis: int, sign: int, times: Array) -> Array:
            def step(before: Array, here: tuple[Array, Array, Any]) -> tuple[Array, Array]:
                own, signs, medium = here
                found = jnp.where(signs * sign > 0, self.update(axis, shifts(before, self.places), medium), own)
                return found, found

            return back(axis, swept(axis, step, times, self.signs[axis], between[axis], sign=sign))

        return [lambda times, m=m: sweep(m, -1, sweep(m, 1, times)) for m in range(len(self.signs))]

    def shares(self, axis: int, times: Array, slowness: Array) -> "Shares":
        """Row by row: all that a row needs is at hand in the cache, where whole fields are not."""

        def step(_: None, here: Any) -> tuple[None, Shares]:
            signs, held, own, *beside = here
            below, above = ([shifts(x, self.places) for x in pair] for pair in zip(*beside, strict=True))
            rows = [
                {p: jnp.where(signs > 0, one[p], other[p]) for p in self.places}
                for one, other in zip(below, above, strict=True)
            ]

            def late(times: Row, slowness: Row, own: Array) -> Array:
                return self.update(axis, times, self.between(slowness, own, held))

            value, pull = jax.vjp(late, *rows, own)
            first, second, mine = pull(jnp.where(signs != 0, jnp.ones_like(value), 0.0))
            in_times, in_slowness = (jnp.stack([share[p] for p in self.places]) for share in (first, second))
            return None, Shares(in_times, in_slowness, mine)

        rows = along(axis, (times, slowness))
        flat = (0,) * (times.ndim - 1)
        beside = [(shifted(x, (-1, *flat)), shifted(x, (1, *flat))) for x in rows]
        return lax.scan(step, None, (self.signs[axis], self.held[axis], rows[1], *beside))[1]


class Shares(NamedTuple):
    """How the times of points that read along one axis move with what they read; its rows first.

    Attributes:
        times: [row, place, *lateral], with those in the row before.
        slowness: the same, with the slowness there.
        own: [row, *lateral], with their own slowness.
    """

    times: Array
    slowness: Array
    own: Array


def implicit(causal: Causal, times: Array, put: Array, slowness: Array) -> Array:
    """The times, with their derivative in `put` and `slowness`: that of the equations that they settled.

    Args:
        causal: who reads what.
        times: [*shape], settled.
        put: [*shape]; the time of a point that reads no others, and what is added to that of others.
        slowness: [*shape].
    """

    @jax.custom_jvp
    def settled(put: Array, slowness: Array, times: Array, signs: Any, held: Any) -> Array:
        del put, slowness, signs, held
        return times

    @settled.defjvp
    def rule(primals: Any, tangents: Any) -> tuple[Array, Array]:
        (_, slowness, times, signs, held), moved = primals, tangents[:2]
        own = causal._replace(signs=signs, held=held)
        shares = [own.shares(m, times, slowness) for m in range(times.ndim)]
        residuals, layout = jax.tree.flatten((list(signs), shares, _either(signs, shares, causal.places)))
        (change,) = linear_map(_solved(layout, causal.places), residuals, [*moved], [moved[0]])
        return times, change

    return settled(put, slowness, *lax.stop_gradient((times, causal.signs, causal.held)))


def _either(signs: Sequence[Array], shares: Sequence[Shares], places: Sequence[Slot]) -> list[tuple[Array, Array]]:
    """For each axis, who may read along it, and their shares in times.

    What reads only the place diagonally before it can do so along each axis that parts them. It spares turns: between
    points that read along one axis and those that read along another, diagonal rays pass to and fro.
    """
    axes = range(len(signs))
    own = [back(m, sign) for m, sign in enumerate(signs)]
    reads, weights = list(own), [{p: back(m, shares[m].times[:, k]) for k, p in enumerate(places)} for m in axes]
    given = [dict(one) for one in weights]
    for m, place, sign in itertools.product(axes, places, (1, -1)):
        offset = (*place[:m], -sign, *place[m:])
        alone = (own[m] == sign) & (given[m][place] == 1)
        for other in axes:
            if other != m and abs(offset[other]) == 1:
                seen = offset[:other] + offset[other + 1 :]
                reads[other] = jnp.where(alone, float(-offset[other]), reads[other])
                weights[other][seen] = jnp.where(alone, 1.0, weights[other][seen])
    return [(along(m, reads[m]), jnp.stack([along(m, weights[m][p]) for p in places], 1)) for m in axes]


def _solved(layout: Any, places: Sequence[Slot]) -> LinearMap:
    """Solves x = b + B s + A x, where A and B read the row before, A what is earlier: until all has come through."""

    def turn(layers: Sequence[tuple[Array, Any]], order: int, one: Callable, state: Any) -> Any:
        for m, sign in [*itertools.product(range(len(layers)), (1, -1))][::order]:
            state = one(m, sign, *layers[m], places, state)
        return state

    def apply(residuals: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        (signs, shares, either), (source, slowness) = jax.tree.unflatten(layout, list(residuals)), tangents
        for m, here in enumerate(shares):
            rows = along(m, slowness)
            row = upwind(rows, signs[m], places)
            late = here.own * rows
            for k, place in enumerate(places):
                late = late + here.slowness[:, k] * row[place]
            source = source + back(m, late)

        def one(moved: Array) -> Array:
            return turn(either, 1, _later, (moved, source))[0]

        return [
            _while(
                lambda old, new: jnp.abs(new - old) > 0, lambda pair: (pair[1], one(pair[1])), (source, one(source))
            )[1]
        ]

    def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        signs, shares, either = jax.tree.unflatten(layout, list(residuals))
        reads = jnp.zeros(cotangents[0].shape, bool)
        for m, sign in enumerate(signs):
            reads = reads | (back(m, sign) != 0)

        def one(state: Any) -> Any:
            return turn(either, -1, _earlier, state)

        start = cotangents[0], jnp.zeros_like(cotangents[0])
        waiting, arrived = _while(lambda waiting, _: reads & (jnp.abs(waiting) > 0), one, start)
        _, slowness = turn([*zip(signs, shares, strict=True)], -1, _slower, (arrived, jnp.zeros_like(arrived)))
        return [waiting + arrived, slowness]

    return LinearMap(apply, transpose)


def _while(unfinished: Callable[..., Array], turn: Callable, fields: tuple[Array, Array]) -> tuple[Array, Array]:
    """Turns as long as a point is unfinished (NaN is not): at most as many as there are points on the longest way."""
    most = fields[0].size
    state = lax.while_loop(
        lambda s: (s[0] < most) & jnp.any(unfinished(*s[1])), lambda s: (s[0] + 1, turn(s[1])), (0, fields)
    )
    return state[1]


def _later(m: int, sign: int, signs: Array, shares: Array, places: Sequence[Slot], state: Any) -> Any:
    """Points take up how what they read has moved, beside what is put in there."""

    def step(before: Array, here: tuple[Array, ...]) -> tuple[Array, Array]:
        own, signs, put, shares = here
        for share, place in zip(shares, places, strict=True):
            put = put + share * shifted(before, place, 0.0)
        found = jnp.where(signs * sign > 0, put, own)
        return found, found

    moved, source = state
    rows = along(m, moved)
    here = (rows, signs, along(m, source), shares)
    return back(m, lax.scan(step, jnp.zeros_like(rows[0]), here, reverse=sign < 0)[1]), source


def _earlier(m: int, sign: int, signs: Array, shares: Array, places: Sequence[Slot], state: Any) -> Any:
    """What waits at a point has arrived, and is handed on to those that it reads, in the shares in which it does."""

    def step(handed: Array, here: tuple[Array, ...]) -> tuple[Array, tuple[Array, Array]]:
        own, signs, total, shares = here
        own = own + handed
        goes = jnp.where(signs * sign > 0, own, 0.0)
        return _handed(goes, shares, places), (own - goes, total + goes)

    waiting, arrived = (along(m, field) for field in state)
    here = (waiting, signs, arrived, shares)
    left, total = lax.scan(step, jnp.zeros_like(waiting[0]), here, reverse=sign > 0)[1]
    return back(m, left), back(m, total)


def _slower(m: int, sign: int, signs: Array, shares: Shares, places: Sequence[Slot], state: Any) -> Any:
    """What has arrived at a point goes to its slowness, and to that of those that it reads."""

    def step(handed: Array, here: tuple[Array, ...]) -> tuple[Array, Array]:
        arrived, signs, total, shares, own = here
        goes = jnp.where(signs * sign > 0, arrived, 0.0)
        return _handed(goes, shares, places), total + handed + own * goes

    arrived, total = (along(m, field) for field in state)
    here = (arrived, signs, total, shares.slowness, shares.own)
    return state[0], back(m, lax.scan(step, jnp.zeros_like(arrived[0]), here, reverse=sign > 0)[1])


def _handed(goes: Array, shares: Array, places: Sequence[Slot]) -> Array:
    """To the row before."""
    found = jnp.zeros_like(goes)
    for share, place in zip(shares, places, strict=True):
        found = found + shifted(share * goes, tuple(-o for o in place), 0.0)
    return found
