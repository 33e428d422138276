"""The loop over time: attempt, judge, record. One body for a trajectory and for lanes.

The record of the steps is two-level. Rows (t, h, y) of the page in hand are kept; of each earlier page only the state
in which it began, from which its rows can be stepped again. So neither time nor memory grows with the step budget.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState, Instant, Verdict
from continua.methods import Method
from continua.solver.field import Field, Parameters
from continua.solver.step_control import StepControl

PAGE_BYTES = 2**23  # about what stays in a second- or third-level cache, and is zero-filled in under a millisecond
MOST_ROWS = 2**10


class Problem(NamedTuple):
    """What is traced: `y` [state] or [state, lane], times [1] or [1, lane], outputs [output] or [output, lane]."""

    start: Instant
    end: Instant
    y: FlatState
    parameters: Parameters
    control: StepControl
    outputs: Array


class Row(NamedTuple):
    """One step: from (t, y) over h, which is 0 where the attempt was rejected or a lane had finished."""

    t: Instant
    h: Instant
    y: FlatState

    def packed(self) -> Array:
        """[2 + state], or [2 + state, lane]: one write a step is cheaper than three."""
        return jnp.concatenate(self)


def unpack(packed: Array, axis: int = 0) -> Row:
    """The parts of a packed row, or of many with `axis` 1."""
    return Row(*jnp.split(packed, [1, 2], axis))


class Stepper(NamedTuple):
    """Where the loop stands; `counts` are the attempts and those accepted, [2] or [2, lane]."""

    t: Instant
    h: Instant
    y: FlatState
    cache: Any
    counts: Array


class Trace(NamedTuple):
    """What a loop leaves behind; rows are packed.

    `drawn` are the rows of the steps that contain the outputs, and `numbers` say which steps these are; `starts` are
    the rows with which the `pages` began, `page` those of the last page, of which `filled` are used.
    """

    last: Stepper
    drawn: Array
    numbers: Array
    starts: Array
    page: Array
    pages: Count
    filled: Count


class Paging(NamedTuple):
    """How many pages of how many rows a record has at most."""

    pages: int
    rows: int


def paging(y: FlatState, max_steps: int) -> Paging:
    """Pages within PAGE_BYTES, but never so short that their starts outgrow them."""
    row = (y.size + 2) * y.dtype.itemsize
    rows = min(max(PAGE_BYTES // row, math.isqrt(max_steps)), MOST_ROWS, max_steps)
    return Paging(-(-max_steps // rows), rows)


class Loop(NamedTuple):
    """One problem's loop: `attempt` a step, `fill` a page, `run` to the end."""

    field: Field
    method: Method
    problem: Problem
    max_steps: int

    def begin(self) -> Stepper:
        """The state before the first attempt."""
        t, end, y, p, control, _ = self.problem
        return self.resume(Row(t, lax.stop_gradient(control.first(self.method, self.field, t, end, y, p)), y))

    def resume(self, row: Row) -> Stepper:
        """The state with which a page begins, from its row."""
        t, h, y = row
        cache = self.method.start(self.field, t, y, self.problem.parameters)
        return Stepper(t, h, y, cache, jnp.zeros((2, *t.shape[1:]), jnp.int32))

    def attempt(self, state: Stepper) -> tuple[Stepper, Array]:
        """One step, kept or not, and its packed row."""
        end, control = self.problem.end, self.problem.control
        t, y = state.t, state.y
        proposed = lax.stop_gradient(state.h)
        last = jnp.abs(end - t) <= jnp.abs(proposed) * (1 + 1e-6)
        h = jnp.where(last, end - t, proposed)
        step = self.method.step(self.field, t, h, y, self.problem.parameters, state.cache)
        after = y + step.increment
        accepted, factor = control.judge(self.method, step.error, y, after)

        def keep(new: Array, old: Array) -> Array:
            return jnp.where(accepted, new, old)

        moved = Stepper(
            t=keep(jnp.where(last, end, t + h), t),
            h=h * factor,
            y=keep(after, y),
            cache=jax.tree.map(keep, step.cache, state.cache),
            counts=state.counts + jnp.concatenate([h != 0, accepted & (h != 0)]).astype(jnp.int32),
        )
        return moved, Row(t, jnp.where(accepted, h, jnp.zeros_like(h)), y).packed()

    def alive(self, state: Stepper) -> Verdict:
        """Lanes with time left to go and a step that round-off does not swallow."""
        tiny = jnp.finfo(state.y.dtype)
        length = jnp.abs(state.h)
        return (state.t != self.problem.end) & (length > 4 * tiny.eps * jnp.abs(state.t)) & (length > tiny.tiny)

    def fill(self, state: Stepper, page: Array, limit: Array | int) -> tuple[Stepper, Array, Count]:
        """Attempt until done, or until `limit` attempts, and write their rows over those of `page`."""

        def body(carry: tuple[Stepper, Array, Count]) -> tuple[Stepper, Array, Count]:
            state, page, n = carry
            state, row = self.attempt(state)
            return state, lax.dynamic_update_index_in_dim(page, row, n, 0), n + 1

        def going(carry: tuple[Stepper, Array, Count]) -> Array:
            return (carry[2] < limit) & jnp.any(self.alive(carry[0]))

        return lax.while_loop(going, body, (state, page, jnp.zeros((), jnp.int32)))

    def run_bare(self) -> Stepper:
        """To the end, with no record."""
        zero = jnp.zeros((), jnp.int32)

        def going(carry: tuple[Stepper, Count]) -> Array:
            return (carry[1] < self.max_steps) & jnp.any(self.alive(carry[0]))

        return lax.while_loop(going, lambda c: (self.attempt(c[0])[0], c[1] + 1), (self.begin(), zero))[0]

    def run(self) -> Trace:
        """To the end, page by page."""
        layout = paging(self.problem.y, self.max_steps)
        state, outputs = self.begin(), self.problem.outputs
        row = Row(state.t, jnp.zeros_like(state.h), state.y).packed()
        trace = Trace(
            last=state,
            drawn=jnp.broadcast_to(row, (len(outputs), *row.shape)),
            numbers=jnp.zeros(outputs.shape, jnp.int32),
            starts=jnp.zeros((layout.pages, *row.shape), row.dtype),
            page=jnp.zeros((layout.rows, *row.shape), row.dtype),
            pages=jnp.zeros((), jnp.int32),
            filled=jnp.zeros((), jnp.int32),
        )

        def going(trace: Trace) -> Array:
            return (trace.pages < layout.pages) & jnp.any(self.alive(trace.last))

        def turn(trace: Trace) -> Trace:
            number, state = trace.pages, trace.last
            row = Row(state.t, state.h, state.y).packed()
            starts = lax.dynamic_update_index_in_dim(trace.starts, row, number, 0)
            limit = jnp.minimum(layout.rows, self.max_steps - number * layout.rows)
            after, page, filled = self.fill(state, trace.page, limit)
            drawn, numbers = self._draw(trace, page, filled, after.t, number * layout.rows)
            return Trace(after, drawn, numbers, starts, page, number + 1, filled)

        return lax.while_loop(going, turn, trace)

    def _draw(self, trace: Trace, page: Array, filled: Count, end: Instant, offset: Array) -> tuple[Array, Array]:
        """For each output inside this page, the row of the step that contains it: never a rejected one."""
        outputs, times = self.problem.outputs, page[:, 0]
        if not len(outputs):
            return trace.drawn, trace.numbers
        sign = jnp.sign(self.problem.end - self.problem.start)
        inside = (sign * (outputs - times[:1]) > 0) & (sign * (outputs - end) <= 0)
        number = jnp.arange(len(page), dtype=jnp.int32).reshape(-1, *[1] * (times.ndim - 1))
        ends = jnp.where(number >= filled - 1, end, jnp.roll(times, -1, 0))
        j = jnp.clip(_first_not_before(sign * ends, sign * outputs, filled), 0, filled - 1)
        rows = jnp.take_along_axis(page, jnp.expand_dims(j, 1), 0)
        drawn = jnp.where(jnp.expand_dims(inside, 1), rows, trace.drawn)
        return drawn, jnp.where(inside, j + offset, trace.numbers)


def _first_not_before(ends: Array, outputs: Array, filled: Count) -> Array:
    """For each of the rising outputs, the first of the rising ends that is not before it.

    One trajectory is merged in one pass, which beats bisection where gathers are slow; lanes are bisected.
    """
    if outputs.ndim > 1:
        return jax.vmap(jnp.searchsorted, -1, -1)(ends, outputs).astype(jnp.int32)

    def advance(carry: tuple[Count, Count, Array]) -> tuple[Count, Count, Array]:
        i, j, found = carry
        reached = ends[i] >= outputs[j]
        found = lax.dynamic_update_index_in_dim(found, i, j, 0)
        return jnp.where(reached, i, i + 1), jnp.where(reached, j + 1, j), found

    zero = jnp.zeros((), jnp.int32)
    start = (zero, zero, jnp.zeros(outputs.shape, jnp.int32))
    return lax.while_loop(lambda c: (c[0] < filled) & (c[1] < len(outputs)), advance, start)[2]
