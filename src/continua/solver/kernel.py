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
from continua.solver.lanes import Batch, through
from continua.solver.loop import Loop, Problem, Trace
from continua.solver.post_mortem import Ending, examine
from continua.solver.record import Record, layout_of
from continua.solver.replay import Replay

Result = tuple[Ending, Array, Record | None]  # how it ended, the packed rows of the steps with outputs, the record
Kernel = Callable[[Problem], Result]

FEW_BLOCKS = 4  # of lanes: forward, so few go at once, because to hand problems out takes longer than it saves


def kernel(
    field: Field,
    method: Method,
    watch: Watch | None,
    max_steps: int,
    keep: bool = False,
    lanes: int | None = None,
) -> Kernel:
    """The loop with its derivative: forward, reverse and mixed, by `Sweep`.

    Args:
        field: the equation.
        method: how to step.
        watch: the events.
        max_steps: the budget.
        keep: whether the record is returned.
        lanes: through how many lanes a large batch goes; all at once unless given. No record is kept
            then.
    """
    run = jax.custom_jvp(_batching(field, method, watch, max_steps, keep, lanes))

    def rule(primals: tuple[Problem], tangents: tuple[Problem]) -> tuple[Result, Any]:
        (problem,), (dot,) = primals, tangents
        ending, drawn, record = kernel(field, method, watch, max_steps, lanes is None, lanes)(problem)
        moving = tuple(i for i, d in enumerate(dot.parameters) if not isinstance(d, SymbolicZero))
        dy = _dense(dot.y)
        if not isinstance(dot.start, SymbolicZero):
            dy = dy - field(problem.start, problem.y, problem.parameters) * dot.start
        sweep = Sweep(field, method, watch, moving, history=keep)
        if record is None:
            residuals, layout = jax.tree.flatten((problem, ending.attempts))
            linear = Replay(sweep, max_steps, cast(int, lanes)).linear_map(layout)
        else:
            residuals, layout = jax.tree.flatten(grid_of(record, problem))
            linear = sweep.linear_map(layout)
        head = layout_of(watch, method, drawn.dtype).head
        rows = [drawn, record.starts, record.page] if keep and record is not None else [drawn]
        like = [ending.y, *(jax.ShapeDtypeStruct((len(x), x.shape[1] - head), x.dtype) for x in rows)]
        moved = Moved(*linear_map(linear, residuals, [dy, *(dot.parameters[i] for i in moving)], like))
        if not isinstance(dot.end, SymbolicZero):
            later = jnp.where(ending.t == problem.end, dot.end, 0)  # a solve that ended before does not see it
            moved = moved._replace(end=moved.end + field(problem.end, ending.y, problem.parameters) * later)
        return (ending, drawn, record if keep else None), _tangent(ending, drawn, record, moved, head)

    run.defjvp(rule, symbolic_zeros=True)
    return run


def once(loop: Loop, keep: bool = False) -> Result:
    """The loop as it is, which JAX may push tangents through."""
    return _explained(loop, loop.run(keep), keep)


def _explained(loop: Loop, trace: Trace, keep: bool) -> Result:
    ending = examine(loop.field, loop.watch, loop.problem, trace.last)
    return ending, trace.drawn, trace.record if keep else None


def plain(field: Field, method: Method, watch: Watch | None, max_steps: int) -> Kernel:
    """The loop and its batching without a record, for who brings a derivative of his own."""
    return _batching(field, method, watch, max_steps, False, None)


def _batching(field: Field, method: Method, watch: Watch | None, max_steps: int, keep: bool, few: int | None) -> Kernel:
    """The loop, which under vmap moves the batch to trailing lanes that step each at its own pace."""

    def alone(problem: Problem) -> Result:
        return once(Loop(field, method, watch, problem, max_steps), keep)

    if not method.in_lanes:
        return alone
    run = custom_vmap(alone)

    @run.def_vmap
    def lanes(size: int, mapped: list[Problem], problem: Problem) -> tuple[Result, Any]:
        (flags,) = mapped
        batch = Batch(field, method, watch, max_steps, problem, flags, size)
        loop = batch.whole()
        trace = loop.run(keep) if few is None or size <= FEW_BLOCKS * few else through(batch, few)
        ending, drawn, record = _explained(loop, trace, keep)
        ending, drawn = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), (ending, drawn))
        every = jax.tree.map(lambda _: True, (ending, drawn))
        if record is None:
            return (ending, drawn, None), (*every, None)
        own = {k: jnp.moveaxis(getattr(record, k), -1, 0) for k in ("numbers", "starts", "page")}
        flags = jax.tree.map(lambda _: True, record)._replace(attempts=False)  # lanes share their count
        return (ending, drawn, record._replace(**own)), (*every, flags)

    return run


def _tangent(ending: Ending, drawn: Array, record: Record | None, moved: Moved, head: int) -> Result:
    """Only states move; times, steps and counts are constants of the recorded grid."""

    def beside(rows: Array, dy: Array) -> Array:
        return jnp.concatenate([jnp.zeros_like(rows[:, :head]), dy], 1)

    still, constants = jax.tree.map(no_tangent, (ending, record))
    ends = still._replace(y=moved.end), beside(drawn, moved.drawn)
    if record is None or moved.starts is None or moved.page is None:
        return *ends, None
    return *ends, constants._replace(starts=beside(record.starts, moved.starts), page=beside(record.page, moved.page))


def _dense(x: Any) -> Array:
    return x if isinstance(x, jax.Array) else jnp.zeros(x.shape, x.dtype)


def no_tangent(x: Array) -> Any:
    """A tangent or cotangent that is zero, as JAX wants it for the dtype of x."""
    nothing = cast(Any, jax.dtypes.float0)
    return jnp.zeros_like(x) if jnp.issubdtype(x.dtype, jnp.inexact) else np.zeros(x.shape, nothing)
