"""The derivative of a large batch: its steps are made again, block by block, and swept while they lie in the cache.

Nothing is kept of the first run but the number of attempts, by which problems of similar length come to lie together.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import LinearMap
from continua.solver.derivative import Grid, Moved, Sweep, grid_of
from continua.solver.field import Parameters
from continua.solver.lanes import Batch, Index, sorted_back
from continua.solver.loop import Loop, Problem

Visit = Callable[[Grid, Index, Parameters], tuple[Any, Parameters]]


class Replay(NamedTuple):
    """The linear map of `Sweep` with the problem for residuals; a batch of them goes through `lanes` lanes.

    `own` tells which leaves of the problem have a leading axis, `size` how many problems there are.
    """

    sweep: Sweep
    max_steps: int
    lanes: int
    own: Problem | None = None
    size: int = 0

    def linear_map(self, layout: Any) -> LinearMap:
        """Over flat lists: residuals are the leaves of (Problem, attempts), inputs [δy₀, *δp], outputs [end, drawn]."""
        if self.own is not None:
            return self._over_blocks(layout)

        def grid(residuals: Sequence[Array]) -> Grid:
            problem, _ = jax.tree.unflatten(layout, residuals)
            problem = _on_the_grid(problem)
            loop = Loop(self.sweep.field, self.sweep.method, self.sweep.watch, problem, self.max_steps)
            return grid_of(loop.record(), problem)

        def apply(residuals: Sequence[Array], inputs: Sequence[Array]) -> list[Array]:
            return list(self.sweep.forward(grid(residuals), inputs[0], list(inputs[1:]))[:2])

        def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
            y, p = self.sweep.backward(grid(residuals), Moved(*cotangents))
            return [y, *p]

        def batch(size: int, residuals: Sequence[bool], inputs: Sequence[bool]) -> tuple[LinearMap, list[bool]] | None:
            own, counted = jax.tree.unflatten(layout, residuals)
            if not counted:  # many tangents of one problem
                return None
            wanted = list(own.parameters)
            for i, mapped in zip(self.sweep.moving, inputs[1:], strict=True):
                wanted[i] |= mapped
            lifted = tuple(
                i for i, (want, has) in enumerate(zip(wanted, own.parameters, strict=True)) if want and not has
            )
            sweep = self.sweep.in_lanes(wanted)._replace(lifted=lifted)
            lanes = self._replace(sweep=sweep, own=own, size=size)
            return lanes.linear_map(layout), [True] + [wanted[i] for i in self.sweep.moving]

        def batch_transpose(
            size: int, residuals: Sequence[bool], inputs: Sequence[bool]
        ) -> tuple[LinearMap, list[bool]] | None:
            found = batch(size, residuals, [True] * (1 + len(self.sweep.moving)))
            return None if found is None else (found[0].transposed(), [True] * len(inputs))

        return LinearMap(apply, transpose, batch, batch_transpose)

    def _over_blocks(self, layout: Any) -> LinearMap:
        """The same of a batch: every array has a leading axis, but for shared parameters and their cotangents."""
        lanes = self.sweep.field.mapped
        assert lanes is not None
        mapped = [bool(lanes[i]) for i in self.sweep.moving]

        def apply(residuals: Sequence[Array], inputs: Sequence[Array]) -> list[Array]:
            def visit(grid: Grid, index: Index, nothing: Parameters) -> tuple[Any, Parameters]:
                dp = [_taken(x, index) if has else x for x, has in zip(inputs[1:], mapped, strict=True)]
                moved = self.sweep.forward(grid, _lanes(inputs[0], index), dp)
                return [jnp.moveaxis(x, -1, 0) for x in moved[:2]], nothing

            return self._visit(jax.tree.unflatten(layout, residuals), visit, [])[0]

        def transpose(residuals: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
            problem, attempts = jax.tree.unflatten(layout, residuals)
            chosen = [problem.parameters[i] for i in self.sweep.moving]

            def visit(grid: Grid, index: Index, sums: Parameters) -> tuple[Any, Parameters]:
                y, p = self.sweep.backward(grid, Moved(*(_lanes(x, index) for x in cotangents)))
                own = [x for x, has in zip(p, mapped, strict=True) if has]
                shared = [x for x, has in zip(p, mapped, strict=True) if not has]
                return [jnp.moveaxis(y, -1, 0), *own], [a + b for a, b in zip(sums, shared, strict=True)]

            zeros = [jnp.zeros_like(x) for x, has in zip(chosen, mapped, strict=True) if not has]
            (y, *own), shared = self._visit((problem, attempts), visit, zeros)
            return [y, *((own if has else shared).pop(0) for has in mapped)]

        return LinearMap(apply, transpose)

    def _visit(
        self, residuals: tuple[Problem, Array], visit: Visit, sums: Parameters
    ) -> tuple[list[Array], Parameters]:
        """`visit` of every block's steps: what it gives for each problem, in their order, and what it sums up."""
        problem, attempts = residuals
        batch, order = self._batch(_on_the_grid(problem)), jnp.argsort(-attempts[:, 0]).astype(jnp.int32)

        def turn(carry: Any, index: Index) -> tuple[Any, list[Array]]:
            scratch, sums = carry
            loop = batch.at(index)
            record = loop.record(scratch)
            found, sums = visit(grid_of(record, loop.problem), index, sums)
            return (record, sums), found

        blocks = batch.blocks(order, self.lanes)
        (_, sums), found = lax.scan(turn, (batch.scratch(self.lanes), sums), blocks)
        return [sorted_back(x, order) for x in found], sums

    def _batch(self, problem: Problem) -> Batch:
        """Parameters that all share, but whose derivative is wanted of each, are there for each."""
        assert self.own is not None
        assert self.sweep.field.mapped is not None
        parameters = [
            jnp.broadcast_to(x, (self.size, *x.shape)) if i in self.sweep.lifted else x
            for i, x in enumerate(problem.parameters)
        ]
        own = self.own._replace(parameters=list(self.sweep.field.mapped))
        field, method = self.sweep.field, self.sweep.method
        return Batch(
            field, method, self.sweep.watch, self.max_steps, problem._replace(parameters=parameters), own, self.size
        )


def _on_the_grid(problem: Problem) -> Problem:
    """Times are those of the recorded steps: constants of the derivative."""
    names = ("start", "end", "outputs", "stops")
    return problem._replace(**{name: lax.stop_gradient(getattr(problem, name)) for name in names})


def _taken(x: Array, index: Index) -> Array:
    """Rows of x, and zeros where `index` is beyond its end: a NaN there would spoil the sums."""
    there = (index < len(x)).reshape(-1, *[1] * (x.ndim - 1))
    return jnp.where(there, x[jnp.minimum(index, len(x) - 1)], jnp.zeros((), x.dtype))


def _lanes(x: Array, index: Index) -> Array:
    return jnp.moveaxis(_taken(x, index), 0, -1)
