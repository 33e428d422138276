"""The loop over time: attempt, judge, record. One body for a trajectory and for lanes.

The record of the steps is two-level. Rows (t, h, y) of the page in hand are kept; of each earlier page only the state
in which it began, from which its rows can be stepped again. So neither time nor memory grows with the step budget.
"""

import math
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState, Instant, Verdict
from continua.methods import Method
from continua.solver.field import Field, Parameters
from continua.solver.step_control import StepControl

PAGE_BYTES = 2**23  # about what stays in a second- or third-level cache, and is zero-filled in under a millisecond
MOST_ROWS = 2**11


class Problem(NamedTuple):
    """What is traced: `y` [state] or [state, lane], times [1] or [1, lane], outputs [output] or [output, lane]."""

    start: Instant
    end: Instant
    y: FlatState
    parameters: Parameters
    control: StepControl
    outputs: Array

    def in_lanes(self, mapped: "Problem", size: int) -> "Problem":
        """A batch with a leading axis, where `mapped` says so, as lanes; parameters stay as they are."""

        def lane(x: Array, has: bool) -> Array:
            return jnp.moveaxis(x, 0, -1) if has else jnp.broadcast_to(x[..., None], (*x.shape, size))

        names = ("start", "end", "y", "outputs")
        control = jax.tree.map(
            lambda x, has: jnp.moveaxis(x, 0, -1) if has else x[..., None], self.control, mapped.control
        )
        return self._replace(control=control, **{k: lane(getattr(self, k), getattr(mapped, k)) for k in names})


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


class Drawn(NamedTuple):
    """The steps that contain the outputs: their packed `rows`, their `numbers`, and how many are found so far.

    An output at the start keeps the start itself, as a step with h = 0.
    """

    rows: Array
    numbers: Array
    found: Count


class Record(NamedTuple):
    """The steps of a loop; rows are packed.

    `starts` are the rows with which the pages began, `page` those of the last page; `numbers` are those of the drawn
    rows, `attempts` how many rows were written.
    """

    numbers: Array
    starts: Array
    page: Array
    attempts: Count


class Trace(NamedTuple):
    """What a loop leaves behind: where it stands, the drawn rows, and the record where it is kept."""

    last: Stepper
    drawn: Array
    record: Record | None


class Paging(NamedTuple):
    """How many pages of how many rows a record has at most."""

    pages: int
    rows: int


def paging(y: FlatState, max_steps: int, page_bytes: int = PAGE_BYTES) -> Paging:
    """Pages within `page_bytes`, but never so short that their starts outgrow them."""
    row = (y.size + 2) * y.dtype.itemsize
    rows = min(max(page_bytes // row, math.isqrt(max_steps)), MOST_ROWS, max_steps)
    return Paging(-(-max_steps // rows), rows)


def blank(row: Array, outputs: int, layout: Paging) -> Record:
    """A record to write on: every row is `row`, packed."""
    starts, page = (jnp.broadcast_to(row, (size, *row.shape)) for size in layout)
    return Record(jnp.zeros((outputs, *row.shape[1:]), jnp.int32), starts, page, jnp.zeros((), jnp.int32))


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

    def alive(self, state: Stepper | Row) -> Verdict:
        """Lanes with time left to go and a step that round-off does not swallow."""
        tiny = jnp.finfo(state.y.dtype)
        length = jnp.abs(state.h)
        return (state.t != self.problem.end) & (length > 4 * tiny.eps * jnp.abs(state.t)) & (length > tiny.tiny)

    def fill(
        self, state: Stepper, page: Array | None, drawn: Drawn | None, limit: Array | int, offset: Array | int = 0
    ) -> tuple[Stepper, Array | None, Drawn | None, Count]:
        """Attempt until done, or until `limit` attempts.

        Their rows are written over those of `page`, and those that contain outputs are added to `drawn`, where these
        are given; `offset` is the number of the first attempt.
        """

        def body(carry: tuple[Stepper, Array | None, Drawn | None, Count]) -> Any:
            state, page, drawn, n = carry
            state, row = self.attempt(state)
            page = None if page is None else lax.dynamic_update_index_in_dim(page, row, n, 0)
            drawn = None if drawn is None else self._draw(drawn, row, n + offset, state.t)
            return state, page, drawn, n + 1

        def going(carry: tuple[Stepper, Array | None, Drawn | None, Count]) -> Array:
            return (carry[3] < limit) & jnp.any(self.alive(carry[0]))

        return lax.while_loop(going, body, (state, page, drawn, jnp.zeros((), jnp.int32)))

    def run(self, keep: bool, over: Record | None = None) -> Trace:
        """To the end; page by page where the record is to be kept, or where lanes have outputs to look up in it.

        It is written over the arrays of `over` where this is given: zeros cost time too.
        """
        state, outputs = self.begin(), self.problem.outputs
        row = lax.optimization_barrier(Row(state.t, state.h, state.y).packed())
        zero = jnp.zeros((), jnp.int32)
        still = unpack(row)._replace(h=jnp.zeros_like(state.h)).packed()
        rows = jnp.broadcast_to(still, (len(outputs), *row.shape))
        drawn = Drawn(rows, jnp.zeros(outputs.shape, jnp.int32), zero) if len(outputs) else None
        if not keep and (drawn is None or outputs.ndim == 1):
            state, _, drawn, _ = self.fill(state, None, drawn, self.max_steps)
            return Trace(state, rows if drawn is None else drawn.rows, None)
        state, drawn, record = self._run_pages(row, state.counts, drawn, over)
        return Trace(state, rows if drawn is None else drawn.rows, record)

    def record(self, over: Record | None = None) -> Record:
        """The record of all steps."""
        record = self.run(True, over).record
        assert record is not None
        return record

    def _run_pages(
        self, row: Array, counts: Array, drawn: Drawn | None, over: Record | None
    ) -> tuple[Stepper, Drawn | None, Record]:
        """Only packed rows go from page to page: every page begins as it will when it is stepped again."""
        lanes = row.ndim > 1
        if over is None:
            over = blank(row, len(self.problem.outputs), paging(self.problem.y, self.max_steps))
        layout, record = Paging(len(over.starts), len(over.page)), over._replace(attempts=jnp.zeros((), jnp.int32))

        def going(carry: tuple[Array, Array, Drawn | None, Record]) -> Array:
            return (carry[3].attempts < self.max_steps) & jnp.any(self.alive(unpack(carry[0])))

        def turn(carry: tuple[Array, Array, Drawn | None, Record]) -> tuple[Array, Array, Drawn | None, Record]:
            row, counts, drawn, record = carry
            offset = record.attempts
            starts = lax.dynamic_update_index_in_dim(record.starts, row, offset // layout.rows, 0)
            limit = jnp.minimum(layout.rows, self.max_steps - offset)
            now = None if lanes else drawn
            state = self.resume(unpack(row))._replace(counts=counts)
            state, page, now, filled = self.fill(state, record.page, now, limit, offset)
            drawn = (
                self._draw_lanes(drawn, cast(Array, page), filled, state.t, offset)
                if lanes and drawn is not None
                else now
            )
            row = Row(state.t, state.h, state.y).packed()
            return row, state.counts, drawn, Record(record.numbers, starts, cast(Array, page), offset + filled)

        row, counts, drawn, record = lax.while_loop(going, turn, (row, counts, drawn, record))
        last = Stepper(*unpack(row), None, counts)
        return last, drawn, record if drawn is None else record._replace(numbers=drawn.numbers)

    def _draw(self, drawn: Drawn, row: Array, number: Array, t: Instant) -> Drawn:
        """Give the row to every output up to t that has none yet."""
        outputs, sign = self.problem.outputs, jnp.sign(self.problem.end - self.problem.start)[0]
        beyond = jnp.append(sign * outputs, jnp.inf)  # a sentinel, so that the last output needs no check of its own

        def add(drawn: Drawn) -> Drawn:
            rows = lax.dynamic_update_index_in_dim(drawn.rows, row, drawn.found, 0)
            numbers = lax.dynamic_update_index_in_dim(drawn.numbers, number.astype(jnp.int32), drawn.found, 0)
            return Drawn(rows, numbers, drawn.found + 1)

        return lax.while_loop(lambda drawn: beyond[drawn.found] <= sign * t[0], add, drawn)

    def _draw_lanes(self, drawn: Drawn, page: Array, filled: Count, end: Instant, offset: Array) -> Drawn:
        """The same for all lanes at once, from a page: lanes pass their outputs at different attempts."""
        outputs, times = self.problem.outputs, page[:, 0]
        sign = jnp.sign(self.problem.end - self.problem.start)
        inside = (sign * (outputs - times[:1]) > 0) & (sign * (outputs - end) <= 0)
        number = jnp.arange(len(page), dtype=jnp.int32)[:, None]
        ends = jnp.where(number >= filled - 1, end, jnp.roll(times, -1, 0))
        j = jax.vmap(jnp.searchsorted, -1, -1)(sign * ends, sign * outputs).astype(jnp.int32)
        j = jnp.clip(j, 0, filled - 1)  # the first step that ends there: never a rejected one
        rows = jnp.take_along_axis(page, j[:, None], 0)
        return Drawn(
            jnp.where(inside[:, None], rows, drawn.rows), jnp.where(inside, j + offset, drawn.numbers), drawn.found
        )
