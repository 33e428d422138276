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
        places: that an update may read.
        update: of all points of a row.
    """

    signs: Sequence[Array]
    places: Sequence[Slot]
    update: Update

    def row(self, before: Array) -> Row:
        """All places of the row before."""
        return shifts(before, self.places)

    def read(self, axis: int, times: Array) -> Row:
        """What all points of the grid read, in the order of the sweeps."""
        return upwind(along(axis, times), self.signs[axis], self.places)

    def sweeps(self, between: Sequence[Any]) -> list[Callable[[Array], Array]]:
        """For each axis, forward and backward over the times."""

        def sweep(axis: int, sign: int, times: Array) -> Array:
            def step(before: Array, here: tuple[Array, Array, Any]) -> tuple[Array, Array]:
                own, signs, medium = here
                found = jnp.where(signs * sign > 0, self.update(axis, self.row(before), medium), own)
                return found, found

            return back(axis, swept(axis, step, times, self.signs[axis], between[axis], sign=sign))

        return [lambda times, m=m: sweep(m, -1, sweep(m, 1, times)) for m in range(len(self.signs))]

    def weights(self, axis: int, times: Array, medium: Any) -> Array:
        """How a time moves with each of those that it may read: [place, *layout]."""
        value, pull = jax.vjp(lambda row: self.update(axis, row, medium), self.read(axis, times))
        (found,) = pull(jnp.ones_like(value))
        return jnp.where((self.signs[axis] != 0)[None], jnp.stack([found[p] for p in self.places]), 0.0)


def implicit(causal: Causal, times: Array, count: Array, start: Array, between: Sequence[Any]) -> Array:
    """The times, with their derivative in `start` and `between`: that of the equations that they settled.

    Args:
        causal: who reads what.
        times: [*shape], settled.
        count: sweeps that it took.
        start: [*shape]; the time of a point that reads no others.
        between: for each axis, what its updates need.
    """
    axes = range(times.ndim)

    @jax.custom_jvp
    def settled(start: Array, between: Sequence[Any], times: Array, count: Array, signs: Sequence[Array]) -> Array:
        del start, between, count, signs
        return times

    @settled.defjvp
    def rule(primals: Any, tangents: Any) -> tuple[Array, Array]:
        (_, between, times, count, signs), (change, moved, *_) = primals, tangents
        own = causal._replace(signs=signs)
        for m in axes:
            row = own.read(m, times)
            _, late = jax.jvp(lambda x, m=m, row=row: own.update(m, row, x), (between[m],), (moved[m],))
            change = jnp.where(back(m, signs[m]) != 0, back(m, late), change)
        weights = [own.weights(m, times, between[m]) for m in axes]
        residuals, layout = jax.tree.flatten((list(signs), weights, count))
        (change,) = linear_map(_solved(layout, causal.places), residuals, [change], [change])
        return times, change

    return settled(start, between, *lax.stop_gradient((times, count, causal.signs)))


def _solved(layout: Any, places: Sequence[Slot]) -> LinearMap:
    """Solves x = b + A x, where A reads what is earlier: by as many sweeps as the times themselves took."""

    def turns(residuals: Sequence[Array], order: int, one: Callable, state: Any) -> Any:
        signs, weights, count = jax.tree.unflatten(layout, list(residuals))
        directions = [*itertools.product(range(len(signs)), (1, -1))][::order]

        def turn(_: Any, state: Any) -> Any:
            for m, sign in directions:
                state = one(m, sign, signs[m], jnp.moveaxis(weights[m], 0, 1), places, state)
            return state

        return lax.fori_loop(0, -(-count // len(signs)), turn, state)

    def apply(residuals: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        return [turns(residuals, 1, _later, (tangents[0], tangents[0]))[0]]

    def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        waiting, arrived = turns(residuals, -1, _earlier, (cotangents[0], jnp.zeros_like(cotangents[0])))
        return [waiting + arrived]

    return LinearMap(apply, transpose)


def _later(m: int, sign: int, signs: Array, weights: Array, places: Sequence[Slot], state: Any) -> Any:
    """Points take up how what they read has moved, beside what is put in there."""

    def step(before: Array, here: tuple[Array, ...]) -> tuple[Array, Array]:
        own, signs, put, shares = here
        for share, place in zip(shares, places, strict=True):
            put = put + share * shifted(before, place, 0.0)
        found = jnp.where(signs * sign > 0, put, own)
        return found, found

    moved, source = state
    rows = along(m, moved)
    here = (rows, signs, along(m, source), weights)
    return back(m, lax.scan(step, jnp.zeros_like(rows[0]), here, reverse=sign < 0)[1]), source


def _earlier(m: int, sign: int, signs: Array, weights: Array, places: Sequence[Slot], state: Any) -> Any:
    """What waits at a point has arrived, and is handed on to those that it reads, in the shares in which it does."""

    def step(handed: Array, here: tuple[Array, ...]) -> tuple[Array, tuple[Array, Array]]:
        own, signs, total, shares = here
        own = own + handed
        goes = jnp.where(signs * sign > 0, own, 0.0)
        handed = jnp.zeros_like(own)
        for share, place in zip(shares, places, strict=True):
            handed = handed + shifted(share * goes, tuple(-o for o in place), 0.0)
        return handed, (own - goes, total + goes)

    waiting, arrived = (along(m, field) for field in state)
    here = (waiting, signs, arrived, weights)
    left, total = lax.scan(step, jnp.zeros_like(waiting[0]), here, reverse=sign > 0)[1]
    return back(m, left), back(m, total)
