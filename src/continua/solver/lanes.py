"""A large batch through few lanes: what is stepped at once stays in the cache, and no lane waits for the slowest.

Where the ends alone are asked for, a lane that has finished gives its problem back and borrows the next one. Where
outputs lie inside, events are watched, or a derivative is wanted, the batch is cut into blocks of lanes that step
together: problems of similar numbers of steps, as a first run counted them.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int

from continua.core import Count
from continua.methods import Method
from continua.solver.events import Watch
from continua.solver.field import Field
from continua.solver.loop import Loop, Problem, Stepper, Trace
from continua.solver.record import Record, blank, layout_of, paging

Index = Int[Array, " lane"]

LANE_BYTES = 3 * 2**10  # of a state in all lanes: with the slopes of a step they stay in the first-level cache
FEWEST_LANES = 16  # or vector instructions have nothing to do
SCRATCH_BYTES = 2**20  # a page of steps that stays in a second-level cache
IDLE = 8  # one lane in so many may wait before finished problems are given back
UNLIKE = 16  # how many times longer than the shortest a problem may look before the longest go first
UNEVEN = 1.5  # most attempts of a block over their mean, beyond which the attempts of all are counted first


def lanes_for(state_bytes: int) -> int:
    """How many lanes step at once, a power of two."""
    return max(FEWEST_LANES, 1 << (max(LANE_BYTES // state_bytes, 1).bit_length() - 1))


class Batch(NamedTuple):
    """Problems of one field: leaves of `problem` have a leading axis where `own` says so, the others serve all."""

    field: Field
    method: Method
    watch: Watch | None
    max_steps: int
    problem: Problem
    own: Problem
    size: int

    def whole(self) -> Loop:
        """The loop of all problems at once."""
        return self._loop(self.problem.in_lanes(self.own, self.size))

    def at(self, index: Index) -> Loop:
        """The loop of the problems at `index`; for those at `size`, which do not exist, of one that has ended."""
        rows = jnp.minimum(index, self.size - 1)
        taken = jax.tree.map(lambda x, has: x[rows] if has else x, self.problem, self.own)
        problem = taken.in_lanes(self.own, len(index))
        return self._loop(problem._replace(end=jnp.where(index < self.size, problem.end, problem.start)))

    def blocks(self, order: Array, lanes: int) -> Array:
        """`order` as [block, lane], filled up with problems that do not exist."""
        return jnp.append(order, jnp.full(-len(order) % lanes, self.size, order.dtype)).reshape(-1, lanes)

    def scratch(self, lanes: int) -> Record:
        """A record for blocks of `lanes`, to be written again and again."""
        y = jnp.zeros((self.problem.y.shape[-1], lanes), self.problem.y.dtype)
        row = jnp.zeros((layout_of(self.watch, self.method, y.dtype).head + len(y), lanes), y.dtype)
        drawn = self.problem.outputs.shape[-1] + (0 if self.watch is None else self.watch.most)
        return blank(row, drawn, paging(y, self.max_steps, SCRATCH_BYTES))

    def _loop(self, problem: Problem) -> Loop:
        mapped = [bool(has) for has in self.own.parameters]
        watch = None if self.watch is None else self.watch.in_lanes(mapped)
        return Loop(self.field.in_lanes(mapped), self.method, watch, problem, self.max_steps)


def through(batch: Batch, lanes: int) -> Trace:
    """Where every problem ends, and the rows with its outputs and events, as lanes of the whole batch."""
    inside, begun = batch.problem.outputs.shape[-1], batch.whole().begin()
    if not inside and batch.watch is None:
        last = refilled(batch, lanes, begun)[0]
        return Trace(
            last,
            jnp.zeros((0, layout_of(None, batch.method, last.y.dtype).head + len(last.y), batch.size), last.y.dtype),
            None,
        )
    order = _by_attempts(batch, lanes, begun)

    def turn(scratch: Record | None, index: Index) -> tuple[Record | None, tuple[Stepper, Array]]:
        trace = batch.at(index).run(False, scratch, begun.h[:, jnp.minimum(index, batch.size - 1)])
        found = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), (trace.last, trace.drawn))
        return trace.record, found

    _, found = lax.scan(turn, batch.scratch(lanes) if inside else None, batch.blocks(order, lanes))
    last, drawn = jax.tree.map(lambda x: jnp.moveaxis(sorted_back(x, order), 0, -1), found)
    return Trace(last, drawn, None)


def sorted_back(blocks: Array, order: Array) -> Array:
    """[block, lane, …] as [problem, …], where the blocks went through the problems in this `order`."""
    place = jnp.zeros_like(order).at[order].set(jnp.arange(len(order), dtype=order.dtype))
    return lax.collapse(blocks, 0, 2)[place]


def _by_attempts(batch: Batch, lanes: int, begun: Stepper) -> Array:
    """An order in which neighbours need similar numbers of attempts: as they are, where a sample shows little spread.

    A first run through all problems is dear where the blocks would have been even.
    """
    last, served = refilled(batch, lanes, begun, True)
    numbers = jnp.arange(batch.size, dtype=jnp.int32)
    return lax.cond(served > lanes, lambda: jnp.argsort(-last.counts[0]).astype(numbers.dtype), lambda: numbers)


def refilled(batch: Batch, lanes: int, begun: Stepper, sampled: bool = False) -> tuple[Stepper, Count]:
    """Where every problem ends, as lanes of the whole batch, and how many were served; no outputs are looked up.

    The shelf holds where every problem stands. A lane borrows one, and gives it back when it has ended. Where `sampled`
    is set, a sample goes first, and nobody follows where its problems are alike.
    """
    shelf, unpack = _shelf(begun)
    queue = jnp.append(_sample_first(batch.size, lanes) if sampled else _queue(batch, begun), batch.size)

    def going(carry: tuple[list[Array], Index, Count]) -> Array:
        return jnp.any(carry[1] < batch.size)

    def serve(carry: tuple[list[Array], Index, Count]) -> tuple[list[Array], Index, Count]:
        shelf, index, served = carry
        loop = batch.at(index)
        state = unpack([rows[index] for rows in shelf])
        first = sampled & (served == lanes)
        state = _until_idle(loop, state, jnp.where(first | (served == batch.size), lanes, max(lanes // IDLE, 1)))
        attempts = state.counts[0].astype(jnp.float32)
        enough = first & (jnp.max(attempts) <= UNEVEN * jnp.mean(attempts))
        shelf = [rows.at[index].set(new) for rows, new in zip(shelf, _shelf(state)[0], strict=True)]
        ended = ~_going(loop, state)[0]
        place = served + jnp.cumsum(ended, dtype=jnp.int32) - 1
        following = queue[jnp.minimum(place, batch.size)]
        following = jnp.where(enough, batch.size, jnp.where(ended, following, index))
        more = jnp.where(enough, 0, jnp.sum(ended, dtype=jnp.int32))
        return shelf, following, jnp.minimum(served + more, batch.size)

    nobody = [jnp.concatenate([rows, rows[-1:]]) for rows in shelf]
    first = (nobody, queue[:lanes], jnp.asarray(lanes, jnp.int32))
    shelf, _, served = lax.while_loop(going, serve, first)
    return unpack([rows[:-1] for rows in shelf]), served


def _shelf(state: Stepper) -> tuple[list[Array], Callable[[list[Array]], Stepper]]:
    """[lane, number] of every dtype, and the way back: one row is moved at once, not one array after another."""
    leaves, tree = jax.tree.flatten(state)
    kinds = sorted({x.dtype for x in leaves}, key=str)
    members = [[i for i, x in enumerate(leaves) if x.dtype == kind] for kind in kinds]
    rows = [jnp.concatenate([leaves[i].reshape(-1, leaves[i].shape[-1]) for i in group]).T for group in members]
    sizes = [[leaves[i].size // leaves[i].shape[-1] for i in group] for group in members]

    def unpack(rows: list[Array]) -> Stepper:
        found = {}
        for group, parts, row in zip(members, sizes, rows, strict=True):
            ends = [sum(parts[: k + 1]) for k in range(len(parts) - 1)]
            for i, part in zip(group, jnp.split(row.T, ends), strict=True):
                found[i] = part.reshape(*leaves[i].shape[:-1], len(row))
        return jax.tree.unflatten(tree, [found[i] for i in range(len(leaves))])

    return rows, unpack


def _sample_first(size: int, lanes: int) -> Index:
    """All numbers, the first of them evenly spaced."""
    sample = np.arange(lanes) * (size // lanes)
    return jnp.asarray(np.append(sample, np.setdiff1d(np.arange(size), sample)), jnp.int32)


def _queue(batch: Batch, begun: Stepper) -> Array:
    """The order in which problems are served: the longest first, so that none is left over at the end.

    Their lengths are guessed from their first steps; to sort takes time, so this is for problems that look unlike.
    """
    problem = batch.problem
    span = jnp.broadcast_to(jnp.abs(problem.end - problem.start), (batch.size, 1))[:, 0]
    guess = span / jnp.maximum(jnp.abs(begun.h[0]), jnp.finfo(span.dtype).tiny)
    unlike = jnp.max(guess) > UNLIKE * jnp.min(guess)
    return lax.cond(unlike, lambda x: jnp.argsort(-x), lambda x: jnp.arange(len(x)), guess).astype(jnp.int32)


def _going(loop: Loop, state: Stepper) -> Array:
    """[1, lane]: whether there is time and budget left; lanes of different problems count their own attempts."""
    return loop.alive(state) & (state.counts[:1] < loop.problem.budget)


def _until_idle(loop: Loop, state: Stepper, idle: Array) -> Stepper:
    """Attempt until so many lanes have ended; an ended lane stays as it is."""

    def attempt(state: Stepper) -> Stepper:
        going = _going(loop, state)
        moved, _ = loop.attempt(state._replace(h=jnp.where(going, state.h, jnp.zeros_like(state.h))))
        return moved._replace(h=jnp.where(going, moved.h, state.h))

    def crowded(state: Stepper) -> Array:
        return jnp.sum(~_going(loop, state), dtype=jnp.int32) < idle

    return lax.while_loop(crowded, attempt, state)
