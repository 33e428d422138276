"""What a loop writes down of its steps, in two levels.

Rows (t, h, y) of the page in hand are kept; of each earlier page only the state in which it began, from which its rows
can be stepped again. So neither time nor memory grows with the step budget.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState, Instant
from continua.methods import Method
from continua.solver.events import Watch

PAGE_BYTES = 2**18  # stays in a second-level cache, and is zero-filled in a few microseconds
MOST_ROWS = 2**11


class Row(NamedTuple):
    """One step: from (t, y) over h, which is 0 where the attempt was rejected or a lane had finished.

    `lost` is what rounding took from t so far (not in double precision). Where events are watched, `mark` tells which
    end the step; in the row with which a page begins, which came before. `memory` is what the method remembers.
    """

    t: Instant
    h: Instant
    y: FlatState
    lost: Instant | None = None
    memory: Array | None = None
    mark: Array | None = None

    def packed(self) -> Array:
        """[head + state], or [head + state, lane]: one write a step is cheaper than three."""
        return jnp.concatenate(
            [x for x in (self.t, self.h, self.lost, self.memory, self.mark, self.y) if x is not None]
        )


class Layout(NamedTuple):
    """What stands before the state in a packed row besides t and h."""

    lost: int
    memory: int
    mark: int

    @property
    def head(self) -> int:
        """How many numbers stand there."""
        return 2 + sum(self)

    def unpack(self, packed: Array, axis: int = 0) -> Row:
        """The parts of a packed row, or of many with `axis` 1."""
        sizes = [1, 1, *self]
        t, h, *others, y = jnp.split(packed, [sum(sizes[: i + 1]) for i in range(len(sizes))], axis)
        return Row(t, h, y, *(other if size else None for other, size in zip(others, self, strict=True)))


def layout_of(watch: Watch | None, method: Method, dtype: Any) -> Layout:
    """Time is compensated in less than double precision; events leave a mark."""
    memory = method.memory(jnp.zeros(1, dtype))
    return Layout(jnp.finfo(dtype).bits < 64, 0 if memory is None else len(memory), watch is not None)


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
    rows, `attempts` how many rows were written. Rows of events follow those of outputs.
    """

    numbers: Array
    starts: Array
    page: Array
    attempts: Count


class Paging(NamedTuple):
    """How many pages of how many rows a record has at most."""

    pages: int
    rows: int


def paging(y: FlatState, max_steps: int, page_bytes: int = PAGE_BYTES) -> Paging:
    """Pages within `page_bytes`, but never so short that their starts outgrow them."""
    row = (y.size + 2) * y.dtype.itemsize
    rows = min(max(page_bytes // row, math.isqrt(max_steps)), MOST_ROWS, max_steps)
    return Paging(-(-max_steps // rows), rows)


def blank(row: Array, outputs: int, pages: Paging) -> Record:
    """A record to write on: every row is `row`, packed."""
    starts, page = (jnp.broadcast_to(row, (size, *row.shape)) for size in pages)
    return Record(jnp.zeros((outputs, *row.shape[1:]), jnp.int32), starts, page, jnp.zeros((), jnp.int32))


def noted(log: Drawn, row: Array, mark: Array, number: Array) -> Drawn:
    """The row at the end of the log, where it ends with an event and there is room."""
    happened, lanes = mark > 0, tuple(jnp.arange(size, dtype=jnp.int32) for size in mark.shape)
    place = jnp.where(happened, log.found, len(log.rows))  # beyond the end nothing is written

    def note() -> Drawn:
        rows = log.rows.at[(place, slice(None), *lanes)].set(row.T, mode="drop")
        numbers = log.numbers.at[(place, *lanes)].set(number, mode="drop")
        return Drawn(rows, numbers, log.found + happened.astype(jnp.int32))

    return lax.cond(jnp.any(happened), note, lambda: log)
