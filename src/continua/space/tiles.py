r"""Many steps of a field, tile by tile: each tile takes several while it stays in cache.

A tile is read with a rim that is as wide as its steps reach, and written where nothing else is read any more: tiles go
through the room from its lower end and write a rim's width lower, then from its upper end and write higher. So a field
needs one array, and memory is read and written once for many steps.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.space.boundaries import ghosted
from continua.space.neighbours import surrounded
from continua.space.stencil import LocalOperator

CACHE = 2**19  # bytes of a tile; a step reads one and writes another
MEMORY = 2**25  # bytes of a field that no cache holds
EXCHANGE = (2, 8)  # how many steps on what is in cache take as long as to read and write it elsewhere, or in memory
MOST = 16  # steps of a tile, each of which is compiled for itself


class Plan(NamedTuple):
    """How many steps a tile takes at once, how large it is, and how wide its rim, along each axis."""

    together: int
    tile: tuple[int, ...]
    rim: tuple[int, ...]

    @property
    def wide(self) -> tuple[int, ...]:
        """A tile with its rim."""
        return tuple(size + 2 * rim for size, rim in zip(self.tile, self.rim, strict=True))

    def cost(self, exchange: int) -> float:
        """Of a step, in those of a field without rims."""
        around = math.prod(1 + rim / size for size, rim in zip(self.tile, self.rim, strict=True))
        return around + exchange / self.together


def planned(shape: tuple[int, ...], bytes_each: int, reach: tuple[int, ...], count: int) -> Plan | None:
    """The cheapest plan for `count` steps that reach so far; None where the grid is too small for any.

    Args:
        shape: of the field, along the axes of space.
        bytes_each: of a point, all its channels together.
        reach: of a step, along each axis.
        count: how many.
    """
    plans, exchange = [], EXCHANGE[bytes_each * math.prod(shape) > MEMORY]
    for together in {min(2**i, count) for i in range(MOST.bit_length())}:
        rim = tuple(together * r for r in reach)
        if all(2 * r <= size for r, size in zip(rim, shape, strict=True)):
            plans.append(Plan(together, _tile(shape, bytes_each, rim), rim))
    return min(plans, key=lambda plan: plan.cost(exchange), default=None)


def _tile(shape: tuple[int, ...], bytes_each: int, rim: tuple[int, ...]) -> tuple[int, ...]:
    """Halves of the field, quarters, … until one is in cache; along the last axis, where memory is read, seldom."""
    parts = np.ones(len(shape), int)

    def tile() -> np.ndarray:
        return -(-np.array(shape) // parts)

    while bytes_each * np.prod(tile() + 2 * np.array(rim)) > CACHE:
        sizes = tile() / np.array([1] * (len(shape) - 1) + [8])
        sizes[tile() <= rim] = 0
        if not sizes.any():
            break
        parts[sizes.argmax()] *= 2
    return tuple(tile().tolist())


def tiled(
    step: Callable[[LocalOperator, Array], Array], operator: LocalOperator, stages: int, count: int, field: Array
) -> Array | None:
    """The field [..., *shape] after `count` steps; None where they are better taken otherwise.

    Args:
        step: any step map (operator, field) -> field.
        operator: how far a slope reaches, and what stands beyond the faces. It must be one whose ghosts persist.
        stages: how many slopes a step asks for in turn.
        count: how many.
        field: where they begin.
    """
    first = field.ndim - operator.dimension
    shape, reach = field.shape[first:], tuple(stages * max(pair) for pair in operator.reach)
    plan = planned(shape, math.prod(field.shape[:first]) * field.dtype.itemsize, reach, count)
    line = None if plan is None else operator.raveled(plan.wide)
    if plan is None or line is None:
        return None
    return _Room(step, operator, line, plan, stages, shape, first).run(field, count)


class _Room(NamedTuple):
    """An array in which the field lies two rims above its lower ends, or one."""

    step: Callable[[LocalOperator, Array], Array]
    operator: LocalOperator
    line: LocalOperator  # the same operator for a raveled tile
    plan: Plan
    stages: int
    shape: tuple[int, ...]
    first: int  # axis of space

    def run(self, field: Array, count: int) -> Array:
        """All steps: whole turns, then those that are left."""
        turns, rest = divmod(count, self.plan.together)
        tiles = self._tiles()
        low = [2 * rim for rim in self.plan.rim]
        sizes = [many * size + 3 * rim for many, size, rim in zip(tiles, self.plan.tile, self.plan.rim, strict=True)]
        high = [size - below - n for size, below, n in zip(sizes, low, self.shape, strict=True)]
        room = surrounded(field, tuple(zip(low, high, strict=True)))
        room = lax.fori_loop(0, turns, lambda turn, room: self._turn(turn, room, self.plan.together), room)
        if rest:
            room = self._turn(turns, room, rest)
        begin = [0] * self.first + [rim * (1 + (turns + (rest > 0) + 1) % 2) for rim in self.plan.rim]
        return lax.slice(room, begin, [b + n for b, n in zip(begin, field.shape, strict=True)])

    def _tiles(self) -> tuple[int, ...]:
        return tuple(-(-n // size) for n, size in zip(self.shape, self.plan.tile, strict=True))

    def _turn(self, turn: Any, room: Array, together: int) -> Array:
        """Every tile, with ghosts that were looked up before."""
        upward = turn % 2 == 0
        place = [jnp.where(upward, 2 * rim, rim) for rim in self.plan.rim]
        width = tuple((rim, rim) for rim in self.plan.rim)
        sides = self.operator.boundaries
        assert sides is not None
        room = ghosted(room, place, self.shape, self.operator.faces(), sides, width, self.operator.order)
        many = math.prod(self._tiles())

        def visit(number: Any, room: Array) -> Array:
            number, corner = jnp.where(upward, number, many - 1 - number), []
            for along, size in zip(self._tiles()[::-1], self.plan.tile[::-1], strict=True):
                corner.insert(0, number % along * size)
                number = number // along
            read = [c + jnp.where(upward, rim, 0) for c, rim in zip(corner, self.plan.rim, strict=True)]
            write = [c + jnp.where(upward, rim, 2 * rim) for c, rim in zip(corner, self.plan.rim, strict=True)]
            zero = [jnp.zeros_like(number)] * self.first
            tile = lax.dynamic_slice(room, [*zero, *read], (*room.shape[: self.first], *self.plan.wide))
            return lax.dynamic_update_slice(room, self._stepped(tile, together), [*zero, *write])

        return lax.fori_loop(0, many, visit, room)

    def _stepped(self, tile: Array, together: int) -> Array:
        """A tile without its rim after some steps, which it takes as a line: one long loop without ends of rows."""
        ((low, high),) = self.line.reach
        line = lax.optimization_barrier(tile).reshape(*tile.shape[: self.first], -1)
        for _ in range(together):
            line = surrounded(
                self.step(self.line, lax.optimization_barrier(line)), ((-self.stages * low, -self.stages * high),)
            )
        rows, *others = self.plan.wide
        rim = self.plan.rim[0] * math.prod(others)
        line = surrounded(line, ((self.stages * together * low - rim, self.stages * together * high - rim),))
        inside = line.reshape(*line.shape[:-1], rows - 2 * self.plan.rim[0], *others)
        return surrounded(inside, ((0, 0), *((-rim, -rim) for rim in self.plan.rim[1:])))
