"""The loop over time: attempt, judge, record. One body for a trajectory and for lanes."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState, Instant, Verdict
from continua.methods import Method
from continua.solver.events import Watch
from continua.solver.field import Field, Parameters
from continua.solver.progress import Shown, tell
from continua.solver.record import Drawn, Layout, Paging, Record, Row, blank, layout_of, noted, paging
from continua.solver.step_control import Memory, StepControl

Carry = TypeVar("Carry")


class Problem(NamedTuple):
    """What is traced: `y` [state] or [state, lane], times [1] or [1, lane], outputs [output] or [output, lane].

    At `stops`, like outputs and in order of time, steps end and begin anew; at most `budget` steps are attempted.
    """

    start: Instant
    end: Instant
    y: FlatState
    parameters: Parameters
    control: StepControl
    outputs: Array
    stops: Array
    budget: Count | int
    shown: Shown | None = None

    def in_lanes(self, mapped: "Problem", size: int) -> "Problem":
        """A batch with a leading axis, where `mapped` says so, as lanes; parameters stay as they are."""

        def lane(x: Array, has: bool) -> Array:
            return jnp.moveaxis(x, 0, -1) if has else jnp.broadcast_to(x[..., None], (*x.shape, size))

        names = ("start", "end", "y", "outputs", "stops")
        control = jax.tree.map(
            lambda x, has: jnp.moveaxis(x, 0, -1) if has else x[..., None], self.control, mapped.control
        )
        return self._replace(control=control, **{k: lane(getattr(self, k), getattr(mapped, k)) for k in names})

    def left(self, state: "Stepper | Row") -> Verdict:
        """Whether there is time left to go."""
        left = state.t != self.end
        return left if state.lost is None else left | (state.lost != 0)


class Stepper(NamedTuple):
    """Where the loop stands; `counts` are the attempts, those accepted and, where watched, events: [2] … [3, lane].

    `memory` is the method's. `control`, what the step control keeps, starts anew with each page, as it does when the
    page is stepped again.
    """

    t: Instant
    h: Instant
    y: FlatState
    cache: Any
    counts: Array
    lost: Instant | None
    memory: Array | None
    mark: Array | None
    control: Memory

    def row(self) -> Row:
        """The row with which a page begins here."""
        return Row(self.t, self.h, self.y, self.lost, self.memory, self.mark)


class Trace(NamedTuple):
    """What a loop leaves behind: where it stands, the drawn rows, and the record where it is kept."""

    last: Stepper
    drawn: Array
    record: Record | None


Turn = tuple[Array, Array, Drawn | None, Drawn | None, Record]  # row, counts, rows of outputs and of events, record


Filling = tuple[Stepper, Array | None, Drawn | None, Drawn | None, Count]  # of a page, with the number of its rows


def _added(t: Instant, h: Instant, lost: Instant | None) -> tuple[Instant, Instant | None]:
    """The next time, and what rounding took from it: handed on, it is not lost after millions of steps."""
    if lost is None:
        return t + h, None
    exact = h - lost
    rounded = t + exact
    return rounded, (rounded - t) - exact


def while_loop(
    method: Method,
    lanes: bool,
    going: Callable[[Carry], Array],
    body: Callable[[Method, Carry], Carry],
    phase: Callable[[Carry], Array],
    carry: Carry,
) -> Carry:
    """`body(method, carry)` while `going(carry)`, by the method itself or, of one trajectory, by that of its phase.

    A phase is a loop of its own: a condition inside of every step makes a small one up to a sixth longer.
    """
    phases = () if lanes else method.phases()
    if not phases:
        return lax.while_loop(going, lambda carry: body(method, carry), carry)

    def stay(number: int) -> Callable[[Carry], Carry]:
        def here(carry: Carry) -> Array:
            return going(carry) & (phase(carry) == number)

        return lambda carry: lax.while_loop(here, lambda carry: body(phases[number], carry), carry)

    turns = [stay(number) for number in range(len(phases))]
    return lax.while_loop(going, lambda carry: lax.switch(phase(carry).astype(jnp.int32), turns, carry), carry)


class Loop(NamedTuple):
    """One problem's loop: `attempt` a step, `fill` a page, `run` to the end."""

    field: Field
    method: Method
    watch: Watch | None
    problem: Problem
    max_steps: int

    @property
    def layout(self) -> Layout:
        """Of its packed rows."""
        return layout_of(self.watch, self.method, self.problem.y.dtype)

    def begin(self, first: Instant | None = None) -> Stepper:
        """The state before the first attempt, which is as long as `first` where this is known."""
        t, end, y, p, control, *_ = self.problem
        if first is None:
            first = lax.stop_gradient(control.first(self.method, self.field, t, end, y, p))
        lost, _, mark = (jnp.zeros_like(t) if has else None for has in self.layout)
        return self.resume(Row(t, first, y, lost, self.method.memory(t), mark))

    def resume(self, row: Row) -> Stepper:
        """The state with which a page begins, from its row."""
        t, h, y, lost, memory, mark = row
        cache = self.method.start(self.field, t, y, self.problem.parameters)
        counts = jnp.zeros((2 if mark is None else 3, *t.shape[1:]), jnp.int32)
        return Stepper(t, h, y, cache, counts, lost, memory, mark, self.problem.control.blank(t))

    def attempt(self, state: Stepper, method: Method | None = None) -> tuple[Stepper, Array]:
        """One step, kept or not, and its packed row."""
        control, t, y = self.problem.control, state.t, state.y
        proposed = lax.stop_gradient(state.h)
        stop, short = self._next_stop(t)
        left = stop - t if state.lost is None else stop - t + state.lost
        last = jnp.abs(left) <= jnp.abs(proposed) * (1 + 1e-6)
        h = jnp.where(last, left - short, proposed)
        method = self.method.recalling(state.memory) if method is None else method
        step = method.step(self.field, t, h, y, self.problem.parameters, state.cache)
        after = step.after(y)
        accepted, factor = control.judge(self.method, step.error, y, after)
        factor, kept = control.remember(accepted, factor, state.control)

        def keep(new: Array, old: Array) -> Array:
            return jnp.where(accepted, new, old)

        there, lost = _added(t, h, state.lost)
        arrived = keep(jnp.where(last, stop, there), t)
        cache = jax.tree.map(keep, step.cache, state.cache)
        longer = h * factor
        if len(self.problem.stops):
            cache = self._anew(accepted & last, arrived, keep(after, y), cache)
            cut = accepted & last & (jnp.abs(longer) < jnp.abs(proposed))
            longer = jnp.where(cut, proposed, longer)  # a stop says nothing about the error
        cleared = lost if lost is None else keep(jnp.where(last, 0, lost), cast(Array, state.lost))
        news = [h != 0, accepted & (h != 0), *([] if self.watch is None else [jnp.zeros_like(last)])]
        counts = state.counts + jnp.concatenate(news).astype(jnp.int32)
        tried, h = h, jnp.where(accepted, h, 0)
        moved = Stepper(arrived, longer, keep(after, y), cache, counts, cleared, state.memory, state.mark, kept)
        if self.watch is not None:
            moved, h = self._up_to_events(method, state, moved, h)
        memory = self.method.remember(self.field, moved.t, tried, moved.y, self.problem.parameters, state.memory)
        mark = None if moved.mark is None else jnp.where(h != 0, moved.mark, 0)
        return moved._replace(memory=memory), Row(t, h, y, state.lost, state.memory, mark).packed()

    def _up_to_events(self, method: Method, before: Stepper, after: Stepper, h: Instant) -> tuple[Stepper, Instant]:
        """The step up to its first event, and its length."""
        watch, t, y, p = cast(Watch, self.watch), before.t, before.y, self.problem.parameters

        def state_at(theta: Array) -> FlatState:
            return y + method.step(self.field, t, theta * h, y, p, before.cache).increment

        halfway = method.interpolate(self.field, t, h, y, p, jnp.full_like(h, 0.5))
        values = [
            watch.at_start(self.field, t, h, y, p, cast(Array, before.mark)),
            watch.conditions(t + h / 2, halfway, p),
            watch.conditions(t + h, after.y, p),
        ]
        theta, fired = watch.locate(state_at, t, h, p, values)
        broken = (h != 0) & ~jnp.all(jnp.isfinite(values[2]), 0, keepdims=True)
        mark = jnp.where(broken, -1, watch.mark(fired, t.dtype))
        happened = mark > 0
        count = after.counts.at[2].add(happened[0].astype(jnp.int32))
        dead = watch.ends(mark) | (count[2:] > watch.most)

        def behind() -> tuple[Stepper, Instant]:
            short, lost = jnp.where(happened, theta * h, h), after.lost
            there = jnp.where(happened, t + short, after.t)
            y = jnp.where(happened, watch.reset(there, state_at(theta), p, mark), after.y)
            cache = self._anew(happened, there, y, after.cache)
            lost = None if lost is None else jnp.where(happened, jnp.zeros_like(lost), lost)
            return after._replace(t=there, y=y, cache=cache, lost=lost), short

        moved, h = lax.cond(jnp.any(happened), behind, lambda: (after, h))
        mark = jnp.where(h != 0, mark, cast(Array, before.mark))  # a rejected attempt forgets nothing
        return moved._replace(h=jnp.where(dead, 0, moved.h), counts=count, mark=mark), h

    def _next_stop(self, t: Instant) -> tuple[Instant, Array | float]:
        """Where the next step must end at the latest, and how much earlier it ends in order not to see beyond."""
        end, stops = self.problem.end, self.problem.stops
        if not len(stops):
            return end, 0.0
        sign, grain = jnp.sign(end - self.problem.start), 8 * jnp.finfo(t.dtype).eps
        ahead = (sign * (stops - t) > grain * jnp.abs(stops)) & (sign * (end - stops) > 0)
        nearest = jnp.min(jnp.where(ahead, sign * stops, jnp.inf), 0, keepdims=True)
        found = jnp.isfinite(nearest)
        return jnp.where(found, sign * nearest, end), jnp.where(found, sign * grain / 2 * jnp.abs(nearest), 0)

    def _anew(self, at_stop: Verdict, t: Instant, y: FlatState, cache: Any) -> Any:
        """The cache as it is behind a stop, where the equation may have jumped."""
        if cache is None:
            return None

        def behind() -> Any:
            fresh = self.method.start(self.field, t, y, self.problem.parameters)
            return jax.tree.map(lambda new, old: jnp.where(at_stop, new, old), fresh, cache)

        return lax.cond(jnp.any(at_stop), behind, lambda: cache)

    def alive(self, state: Stepper | Row) -> Verdict:
        """Lanes with time left to go and a step that round-off does not swallow."""
        tiny = jnp.finfo(state.y.dtype)
        length = jnp.abs(state.h)
        grain = tiny.eps * (4 if tiny.bits == 64 else 1e-3)  # compensated time moves by less than its last digit
        return self.problem.left(state) & (length > grain * jnp.abs(state.t)) & (length > tiny.tiny)

    def fill(
        self,
        state: Stepper,
        page: Array | None,
        drawn: Drawn | None,
        log: Drawn | None,
        limit: Any,
        offset: Array | int = 0,
    ) -> "Filling":
        """Attempt until done, or until `limit` attempts.

        Their rows are written over those of `page`, as far as these go; those that contain outputs are added to
        `drawn`, and those that end with an event to `log`, where these are given; `offset` is the number of the first.
        """

        def body(method: Method, carry: Filling) -> Filling:
            state, page, drawn, log, n = carry
            state, row = self.attempt(state, method.recalling(state.memory))
            page = None if page is None else lax.dynamic_update_index_in_dim(page, row[: page.shape[1]], n, 0)
            drawn = None if drawn is None else self._draw(drawn, row, n + offset, state.t)
            log = None if log is None else noted(log, row, row[self.layout.head - 1], n + offset)
            return state, page, drawn, log, n + 1

        def going(carry: Filling) -> Array:
            return (carry[4] < limit) & jnp.any(self.alive(carry[0]))

        carry = (state, page, drawn, log, jnp.zeros((), jnp.int32))
        phase = lambda carry: cast(Array, carry[0].memory)[0]  # noqa: E731
        return while_loop(self.method, state.t.ndim > 1, going, body, phase, carry)

    def record(self, over: Record | None = None) -> Record:
        """The record of all steps."""
        record = self.run(True, over).record
        assert record is not None
        return record

    def run(self, keep: bool, over: Record | None = None, first: Instant | None = None) -> Trace:
        """To the end; page by page to keep the record, to look up the outputs of lanes in it, or to show progress.

        It is written over the arrays of `over` where this is given: zeros cost time too. `first` as in `begin`.
        """
        state, outputs = self.begin(first), self.problem.outputs
        row = lax.optimization_barrier(state.row().packed())
        still = self.layout.unpack(row)._replace(h=jnp.zeros_like(state.h)).packed()
        lanes, zero = row.shape[1:], jnp.zeros((), jnp.int32)

        def nothing(size: int, found: Array) -> Drawn:
            rows = jnp.broadcast_to(still, (size, *still.shape))
            return Drawn(rows, jnp.zeros((size, *lanes), jnp.int32), found)

        drawn = nothing(len(outputs), zero) if len(outputs) else None
        log = None if self.watch is None else nothing(self.watch.most, jnp.zeros(lanes, jnp.int32))
        record = None
        in_one_go = drawn is None or outputs.ndim == 1
        if not keep and in_one_go and self.problem.shown is None:
            state, _, drawn, log, _ = self.fill(state, None, drawn, log, self.problem.budget)
        else:
            state, drawn, log, record = self._run_pages(row, state.counts, drawn, log, over)
        kept = [one for one in (drawn, log) if one is not None] or [nothing(0, zero)]
        rows, numbers = (jnp.concatenate(parts) for parts in zip(*(one[:2] for one in kept), strict=True))
        return Trace(state, rows, None if record is None else record._replace(numbers=numbers))

    def _run_pages(
        self, row: Array, counts: Array, drawn: Drawn | None, log: Drawn | None, over: Record | None
    ) -> tuple[Stepper, Drawn | None, Drawn | None, Record]:
        """Only packed rows go from page to page: every page begins as it will when it is stepped again."""
        lanes = row.ndim > 1
        if over is None:
            over = blank(row, len(self.problem.outputs), paging(self.problem.y, self.max_steps))
        pages, record = Paging(len(over.starts), len(over.page)), over._replace(attempts=jnp.zeros((), jnp.int32))

        def going(carry: Turn) -> Array:
            return (carry[4].attempts < self.problem.budget) & jnp.any(self.alive(self.layout.unpack(carry[0])))

        def turn(carry: Turn) -> Turn:
            row, counts, drawn, log, record = carry
            offset = record.attempts
            starts = lax.dynamic_update_index_in_dim(record.starts, row, offset // pages.rows, 0)
            limit = jnp.minimum(pages.rows, self.problem.budget - offset)
            now = None if lanes else drawn
            state = self.resume(self.layout.unpack(row))._replace(counts=counts)
            state, page, now, log, filled = self.fill(state, record.page, now, log, limit, offset)
            drawn = (
                self._draw_lanes(drawn, cast(Array, page), filled, state.t, offset)
                if lanes and drawn is not None
                else now
            )
            if self.problem.shown is not None:
                tell((state.t - self.problem.start) / (self.problem.end - self.problem.start))
            record = Record(record.numbers, starts, cast(Array, page), offset + filled)
            return state.row().packed(), state.counts, drawn, log, record

        begin = (row, counts, drawn, log, record)
        row, counts, drawn, log, record = lax.while_loop(going, turn, begin)
        t, h, y, lost, memory, mark = self.layout.unpack(row)
        return Stepper(t, h, y, None, counts, lost, memory, mark, ()), drawn, log, record

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
