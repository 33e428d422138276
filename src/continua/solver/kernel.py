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
from continua.solver.field import Field
from continua.solver.loop import Loop, Problem, Trace
from continua.solver.post_mortem import Ending, examine

Kernel = Callable[[Problem], tuple[Ending, Trace | None]]


def kernel(field: Field, method: Method, max_steps: int, record: bool) -> Kernel:
    """The loop with its derivative: forward, reverse and mixed, by `Sweep`. `record`: whether the trace is returned."""
    run = jax.custom_jvp(_batching(field, method, max_steps, record))

    def rule(primals: tuple[Problem], tangents: tuple[Problem]) -> Any:
        (problem,), (dot,) = primals, tangents
        ending, trace = kernel(field, method, max_steps, record=True)(problem)
        assert trace is not None
        moving = tuple(i for i, d in enumerate(dot.parameters) if not isinstance(d, SymbolicZero))
        dy = _dense(dot.y)
        if not isinstance(dot.start, SymbolicZero):
            dy = dy - field(problem.start, problem.y, problem.parameters) * dot.start
        residuals, layout = jax.tree.flatten(grid_of(trace, problem))
        sweep = Sweep(field, method, moving).linear_map(layout)
        end, *along = linear_map(sweep, residuals, [dy, *(dot.parameters[i] for i in moving)])
        if not isinstance(dot.end, SymbolicZero):
            end = end + field(problem.end, ending.y, problem.parameters) * dot.end
        return (ending, trace if record else None), _tangents(ending, trace, end, along, record)

    run.defjvp(rule, symbolic_zeros=True)
    return run


def _batching(field: Field, method: Method, max_steps: int, record: bool) -> Kernel:
    """The loop, which under vmap moves the batch to trailing lanes that step each at its own pace."""

    def one(field: Field, problem: Problem) -> tuple[Ending, Trace | None]:
        loop = Loop(field, method, problem, max_steps)
        trace = loop.run() if record else None
        last = loop.run_bare() if trace is None else trace.last
        return examine(field, problem, last, max_steps), trace and trace._replace(last=None)

    run = custom_vmap(lambda problem: one(field, problem))

    @run.def_vmap
    def lanes(size: int, mapped: list[Problem], problem: Problem) -> Any:
        (flags,) = mapped

        def lane(x: Array, has: bool) -> Array:
            return jnp.moveaxis(x, 0, -1) if has else jnp.broadcast_to(x[..., None], (*x.shape, size))

        start, end, y, outputs = (
            lane(getattr(problem, k), getattr(flags, k)) for k in ("start", "end", "y", "outputs")
        )
        control = jax.tree.map(
            lambda x, has: jnp.moveaxis(x, 0, -1) if has else x[..., None], problem.control, flags.control
        )
        inside = Problem(start, end, y, problem.parameters, control, outputs)
        ending, trace = one(field.in_lanes([bool(flag) for flag in flags.parameters]), inside)
        shared = {} if trace is None else {"pages": trace.pages, "filled": trace.filled}
        bare = trace and trace._replace(pages=None, filled=None)
        ending, bare = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), (ending, bare))
        batched = jax.tree.map(lambda _: True, (ending, bare))
        flags = (batched[0], bare and batched[1]._replace(**dict.fromkeys(shared, False)))
        return (ending, bare and bare._replace(**shared)), flags

    return run


def _tangents(ending: Ending, trace: Trace, end: Array, along: list[Array], record: bool) -> Any:
    """Only states move; times, steps and counts are constants of the recorded grid."""
    still, still_trace = jax.tree.map(_no_tangent, (ending, trace))
    moved = {
        k: jnp.concatenate([getattr(still_trace, k)[:, :2], dy], 1)
        for k, dy in zip(Moved._fields[1:], along, strict=True)
    }
    return still._replace(y=end), still_trace._replace(**moved) if record else None


def _dense(x: Any) -> Array:
    return jnp.zeros(x.shape, x.dtype) if isinstance(x, SymbolicZero) else x


def _no_tangent(x: Array) -> Any:
    nothing = cast(Any, jax.dtypes.float0)
    return jnp.zeros_like(x) if jnp.issubdtype(x.dtype, jnp.inexact) else np.zeros(x.shape, nothing)
