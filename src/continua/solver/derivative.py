r"""The exact derivative of the recorded steps: one linear map, swept forward, or backward as its transpose.

$$ \delta y_{j+1} = \partial_y \Phi_j\, \delta y_j + \partial_p \Phi_j\, \delta p $$

Step sizes are constants in it, so it is the derivative of the computed numbers on the recorded grid. Pages but the
last are stepped again from their starts.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState, LinearMap
from continua.methods import Method
from continua.solver.events import Watch
from continua.solver.field import Field, Parameters
from continua.solver.loop import Loop, Problem, while_loop
from continua.solver.record import Layout, Record, Row, layout_of
from continua.solver.step_control import StepControl

Pulling = tuple[Count, FlatState, Parameters]  # the number of the row, λ, and what the parameters have so far
Passed = Callable[[Row, FlatState, Parameters], FlatState]


class Grid(NamedTuple):
    """The residuals: the record of a trace, and what is needed to step its pages again."""

    starts: Array
    page: Array
    numbers: Array
    begin: Array
    end: Array
    stops: Array
    attempts: Count
    control: StepControl
    parameters: Parameters


class Moved(NamedTuple):
    """How the states move: at the end, where outputs were drawn and, with `history`, in the whole record."""

    end: FlatState
    drawn: Array
    starts: Array | None = None
    page: Array | None = None


def grid_of(record: Record, problem: Problem) -> Grid:
    """What the sweep needs of a record, with its derivatives."""
    return Grid(
        record.starts,
        record.page,
        record.numbers,
        problem.start,
        problem.end,
        problem.stops,
        record.attempts,
        problem.control,
        problem.parameters,
    )


class Sweep(NamedTuple):
    """The linear map of one equation and method; `moving` are the parameters with a tangent.

    `history`: whether the states of the record are wanted too, for a derivative of the derivative. `lifted` parameters
    are shared by the lanes, but their derivative is wanted lane by lane.
    """

    field: Field
    method: Method
    watch: Watch | None
    moving: tuple[int, ...]
    history: bool
    lifted: tuple[int, ...] = ()

    def linear_map(self, layout: Any) -> LinearMap:
        """Over flat lists: residuals are the leaves of a Grid, inputs [δy₀, *δp], outputs the leaves of Moved."""

        def unpack(residuals: Sequence[Array]) -> Grid:
            return self._lanes_last(jax.tree.unflatten(layout, residuals))

        def apply(residuals: Sequence[Array], inputs: Sequence[Array]) -> list[Array]:
            moved = self.forward(unpack(residuals), self._last(inputs[0]), list(inputs[1:]))
            return [self._first(x) for x in moved if x is not None]

        def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
            y, p = self.backward(unpack(residuals), Moved(*(self._last(x) for x in cotangents)))
            return [self._first(y), *p]

        def batch(_: int, residuals: Sequence[bool], inputs: Sequence[bool]) -> tuple[LinearMap, list[bool]] | None:
            return self._batched(layout, residuals, inputs)

        def batch_transpose(
            _: int, residuals: Sequence[bool], inputs: Sequence[bool]
        ) -> tuple[LinearMap, list[bool]] | None:
            own = self._batched(layout, residuals, [True] * (1 + len(self.moving)))
            return None if own is None else (own[0].transposed(), [True] * len(inputs))

        return LinearMap(apply, transpose, batch, batch_transpose)

    def forward(self, grid: Grid, dy: FlatState, dp: Parameters) -> Moved:
        """Every page, every row: push (δy, δp) through the step."""
        slope, chosen = self.field.of(self.moving, grid.parameters), [grid.parameters[i] for i in self.moving]
        layout, passed = self.layout(grid), self._passed(slope, grid.parameters)

        def turn(number: Count, carry: Moved) -> Moved:
            page, filled = self._page(grid, number, grid.page)

            def push(j: Count, carry: tuple[FlatState, Array]) -> tuple[FlatState, Array]:
                dy, along = carry
                row = layout.unpack(page[j])
                method = self.method.recalling(row.memory)
                step = lambda y, p: passed(row, method.advance(slope, row.t, row.h, y, p), p)  # noqa: E731
                y = row.y
                return jax.jvp(step, (y, chosen), (dy, dp))[1], lax.dynamic_update_index_in_dim(along, dy, j, 0)

            dy, along = lax.fori_loop(0, filled, push, (carry.end, jnp.zeros_like(grid.page[:, layout.head :])))
            place, here = self._places(grid, number)
            drawn = jnp.where(here, jnp.take_along_axis(along, place, 0), carry.drawn)
            if carry.starts is None:
                return Moved(dy, drawn)
            return Moved(dy, drawn, lax.dynamic_update_index_in_dim(carry.starts, carry.end, number, 0), along)

        drawn = jnp.broadcast_to(dy[None], (len(grid.numbers), *dy.shape))  # outputs at the start move as y₀ does
        history = [jnp.zeros_like(rows[:, layout.head :]) for rows in (grid.starts, grid.page)] if self.history else []
        pages = -(-grid.attempts // len(grid.page))
        return lax.fori_loop(0, pages, turn, Moved(dy, drawn, *history))

    def backward(self, grid: Grid, cotangent: Moved) -> tuple[FlatState, Parameters]:
        """λ ← Φ'ᵀ λ + (what was asked of the state before the step), from the last row to the first."""
        slope, chosen = self.field.of(self.moving, grid.parameters), [grid.parameters[i] for i in self.moving]
        passed, layout = self._passed(slope, grid.parameters), self.layout(grid)
        last = (grid.attempts - 1) // len(grid.page)

        def turn(carry: tuple[Count, Array, FlatState, Parameters]) -> tuple[Count, Array, FlatState, Parameters]:
            number, page, adjoint, sums = carry
            page, filled = self._page(grid, number, page)
            asked = self._asked(grid, cotangent, number)

            def pull(method: Method, carry: Pulling) -> Pulling:
                j, adjoint, sums = carry
                row = layout.unpack(page[j])
                method = method.recalling(row.memory)
                adjoint, extra = self._pulled(method, slope, passed, row, chosen, adjoint)
                if cotangent.page is not None:
                    adjoint = adjoint + cotangent.page[j] * (number == last).astype(adjoint.dtype)
                return j - 1, adjoint if asked is None else adjoint + asked[j], jax.tree.map(jnp.add, sums, extra)

            def phase(carry: Pulling) -> Array:
                return cast(Array, layout.unpack(page[jnp.maximum(carry[0], 0)]).memory)[0]

            lanes, begin = self.field.mapped is not None, (filled - 1, adjoint, sums)
            _, adjoint, sums = while_loop(self.method, lanes, lambda c: c[0] >= 0, pull, phase, begin)
            return number - 1, page, adjoint if cotangent.starts is None else adjoint + cotangent.starts[number], sums

        zero = jax.tree.map(jnp.zeros_like, chosen)
        _, _, adjoint, sums = lax.while_loop(lambda c: c[0] >= 0, turn, (last, grid.page, cotangent.end, zero))
        return adjoint, sums

    def in_lanes(self, mapped: Sequence[bool]) -> "Sweep":
        """The same over lanes; `mapped` tells which parameters have one value a lane."""
        watch = None if self.watch is None else self.watch.in_lanes(mapped)
        return self._replace(field=self.field.in_lanes(mapped), watch=watch)

    def layout(self, grid: Grid) -> Layout:
        """Of the packed rows."""
        return layout_of(self.watch, self.method, grid.page.dtype)

    def _passed(self, slope: Any, parameters: Parameters) -> Passed:
        """What happens to the state at the end of a row: nothing, or its events."""
        if self.watch is None:
            return lambda row, y, p: y
        watch, lanes = self.watch.of(self.moving, parameters), self.field.mapped is not None

        def passed(row: Row, y: FlatState, p: Parameters) -> FlatState:
            mark = cast(Array, row.mark)

            def behind(y: FlatState, p: Parameters) -> FlatState:
                return watch.passed(slope, row.t + row.h, y, p, mark)

            return behind(y, p) if lanes else lax.cond(mark[0] > 0, behind, lambda y, p: y, y, p)

        return passed

    def _pulled(
        self, method: Method, slope: Any, passed: Passed, row: Row, p: Parameters, adjoint: FlatState
    ) -> tuple[FlatState, Parameters]:
        """The transpose of a row: of its events, then of its step."""
        t, h, y, *_, mark = row
        if mark is None:
            return method.pullback(slope, t, h, y, p, adjoint)
        end = method.advance(slope, t, h, y, p)
        adjoint, here = jax.vjp(lambda y, p: passed(row, y, p), end, p)[1](adjoint)
        adjoint, there = method.pullback(slope, t, h, y, p, adjoint)
        return adjoint, jax.tree.map(jnp.add, here, there)

    def _page(self, grid: Grid, number: Count, page: Array) -> tuple[Array, Count]:
        """The rows of a page, and how many: the last is kept, the others are stepped again, over those of `page`."""
        if len(grid.starts) == 1:
            return grid.page, grid.attempts
        rows, start = len(page), self.layout(grid).unpack(grid.starts[number])
        outputs = jnp.zeros((0, *grid.end.shape[1:]), grid.end.dtype)
        problem = Problem(grid.begin, grid.end, start.y, grid.parameters, grid.control, outputs, grid.stops, rows)
        loop = Loop(self.field, self.method, self.watch, problem, rows)
        left = grid.attempts - number * rows
        last = left <= rows
        _, again, _, _, filled = loop.fill(loop.resume(start), page, None, None, jnp.where(last, 0, rows))
        return cast(Array, again), jnp.where(last, left, filled)

    def _places(self, grid: Grid, number: Count) -> tuple[Array, Array]:
        """For each output, its row in this page, and whether it lies in this page."""
        rows = len(grid.page)
        place = jnp.expand_dims(grid.numbers, 1) - number * rows
        return jnp.clip(place, 0, rows - 1), (place >= 0) & (place < rows)

    def _asked(self, grid: Grid, cotangent: Moved, number: Count) -> Array | None:
        """The cotangents of the drawn states, added up row by row of a page."""
        if not len(grid.numbers):
            return None
        place, here = self._places(grid, number)
        drawn, none = jnp.where(here, cotangent.drawn, 0), jnp.zeros_like(grid.page[:, self.layout(grid).head :])
        if self.field.mapped is not None:
            return jax.vmap(lambda rows, place, drawn: rows.at[place].add(drawn), -1, -1)(none, place[:, 0], drawn)

        def add(i: Array, rows: Array) -> Array:  # one by one: XLA's scatter is slower on a CPU
            j = place[i, 0]
            return lax.dynamic_update_index_in_dim(rows, rows[j] + drawn[i], j, 0)

        return lax.fori_loop(0, len(grid.numbers), add, none)

    def _batched(
        self, layout: Any, residuals: Sequence[bool], inputs: Sequence[bool]
    ) -> tuple[LinearMap, list[bool]] | None:
        """A batch of recorded solves becomes lanes; any other batch is left to `jax.vmap`."""
        flags = jax.tree.unflatten(layout, residuals)
        recorded = (flags.starts, flags.page, flags.numbers, flags.begin, flags.end, flags.stops)
        if (
            self.field.mapped is not None
            or not self.method.in_lanes
            or not all(recorded)
            or flags.attempts
            or any(jax.tree.leaves(flags.control))
        ):
            return None
        wanted = list(flags.parameters)
        for i, mapped in zip(self.moving, inputs[1:], strict=True):
            wanted[i] |= mapped
        lifted = tuple(
            i for i, (want, has) in enumerate(zip(wanted, flags.parameters, strict=True)) if want and not has
        )
        lanes = self.in_lanes(wanted)._replace(lifted=lifted)
        return lanes.linear_map(layout), [True] + [wanted[i] for i in self.moving]

    def _last(self, x: Array) -> Array:
        return x if self.field.mapped is None else jnp.moveaxis(x, 0, -1)

    def _first(self, x: Array) -> Array:
        return x if self.field.mapped is None else jnp.moveaxis(x, -1, 0)

    def _lanes_last(self, grid: Grid) -> Grid:
        if self.field.mapped is None:
            return grid
        size = len(grid.end)
        parameters = [
            jnp.broadcast_to(x, (size, *x.shape)) if i in self.lifted else x for i, x in enumerate(grid.parameters)
        ]
        names = ("starts", "page", "numbers", "begin", "end", "stops")
        recorded = {name: self._last(getattr(grid, name)) for name in names}
        control = jax.tree.map(lambda x: jnp.expand_dims(x, -1), grid.control)
        return grid._replace(**recorded, control=control, parameters=parameters)
