"""The loop with its derivative and its batching: JAX's transformations end here.

`jax.vmap` moves the batch to trailing lanes; a derivative is a sweep over the recorded steps.
"""

from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array

from continua.core import linear_map
from continua.methods import Method
from continua.solver.derivative import Moved, Sweep, grid_of
from continua.solver.events import Watch
from continua.solver.field import Field
from continua.solver.loop import Loop, Problem, Record, layout_of
from continua.solver.post_mortem import Ending, examine

Result = tuple[Ending, Array, Record | None]  # how it ended, the packed rows of the steps with outputs, the record
Kernel = Callable[[Problem], Result]


def kernel(field: Field, method: Method, watch: Watch | None, max_steps: int, keep: bool = False) -> Kernel:
    """The loop with its derivative: forward, reverse and mixed, by `Sweep`. `keep`: whether the record is returned."""
    run = jax.custom_jvp(_batching(field, method, watch, max_steps, keep))

    def rule(primals: tuple[Problem], tangents: tuple[Problem]) -> tuple[Result, Any]:
        (problem,), (dot,) = primals, tangents
        ending, drawn, record = kernel(field, method, watch, max_steps, keep=True)(problem)
        assert record is not None
        moving = tuple(i for i, d in enumerate(dot.parameters) if not isinstance(d, SymbolicZero))
        dy = _dense(dot.y)
        if not isinstance(dot.start, SymbolicZero):
            dy = dy - field(problem.start, problem.y, problem.parameters) * dot.start
        residuals, layout = jax.tree.flatten(grid_of(record, problem))
        sweep = Sweep(field, method, watch, moving, history=keep).linear_map(layout)
        moved = Moved(*linear_map(sweep, residuals, [dy, *(dot.parameters[i] for i in moving)]))
        if not isinstance(dot.end, SymbolicZero):
            later = jnp.where(ending.t == problem.end, dot.end, 0)  # a solve that ended before does not see it
            moved = moved._replace(end=moved.end + field(problem.end, ending.y, problem.parameters) * later)
        return (ending, drawn, record if keep else None), _tangent(
            ending, drawn, record, moved, layout_of(watch, drawn.dtype).head
        )

    run.defjvp(rule, symbolic_zeros=True)
    return run


def _batching(field: Field, method: Method, watch: Watch | None, max_steps: int, keep: bool) -> Kernel:
    """The loop, which under vmap moves the batch to trailing lanes that step each at its own pace."""

    def one(field: Field, watch: Watch | None, problem: Problem) -> Result:
        trace = Loop(field, method, watch, problem, max_steps).run(keep)
        return examine(field, watch, problem, trace.last, max_steps), trace.drawn, trace.record if keep else None

    run = custom_vmap(lambda problem: one(field, watch, problem))

    @run.def_vmap
    def lanes(size: int, mapped: list[Problem], problem: Problem) -> tuple[Result, Any]:
        (flags,) = mapped

        def lane(x: Array, has: bool) -> Array:
            return jnp.moveaxis(x, 0, -1) if has else jnp.broadcast_to(x[..., None], (*x.shape, size))

        start, end, y, outputs, stops = (
            lane(getattr(problem, k), getattr(flags, k)) for k in ("start", "end", "y", "outputs", "stops")
        )
        control = jax.tree.map(
            lambda x, has: jnp.moveaxis(x, 0, -1) if has else x[..., None], problem.control, flags.control
        )
        inside = Problem(start, end, y, problem.parameters, control, outputs, stops)
        wanted = [bool(flag) for flag in flags.parameters]
        watched = None if watch is None else watch.in_lanes(wanted)
        ending, drawn, record = one(field.in_lanes(wanted), watched, inside)
        ending, drawn = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), (ending, drawn))
        every = jax.tree.map(lambda _: True, (ending, drawn))
        if record is None:
            return (ending, drawn, None), (*every, None)
        own = {k: jnp.moveaxis(getattr(record, k), -1, 0) for k in ("numbers", "starts", "page")}
        flags = jax.tree.map(lambda _: True, record)._replace(attempts=False)  # lanes share their count
        return (ending, drawn, record._replace(**own)), (*every, flags)

    return run


def _tangent(ending: Ending, drawn: Array, record: Record, moved: Moved, head: int) -> Result:
    """Only states move; times, steps and counts are constants of the recorded grid."""

    def beside(rows: Array, dy: Array) -> Array:
        return jnp.concatenate([jnp.zeros_like(rows[:, :head]), dy], 1)

    still, constants = jax.tree.map(_no_tangent, (ending, record))
    ends = still._replace(y=moved.end), beside(drawn, moved.drawn)
    if moved.starts is None or moved.page is None:
        return *ends, None
    return *ends, constants._replace(starts=beside(record.starts, moved.starts), page=beside(record.page, moved.page))


def _dense(x: Any) -> Array:
    return x if isinstance(x, jax.Array) else jnp.zeros(x.shape, x.dtype)


def _no_tangent(x: Array) -> Any:
    nothing = cast(Any, jax.dtypes.float0)
    return jnp.zeros_like(x) if jnp.issubdtype(x.dtype, jnp.inexact) else np.zeros(x.shape, nothing)
