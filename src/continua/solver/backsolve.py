"""The continuous adjoint, solved backward from output to output."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import ArgumentError, FlatState, Instant, Scalar, Verdict
from continua.methods import Method
from continua.solver.field import Field, Parameters
from continua.solver.kernel import Kernel, Result, no_tangent, plain
from continua.solver.loop import Problem
from continua.solver.post_mortem import Status
from continua.solver.record import layout_of


def backsolving(field: Field, method: Method, backward: Method, max_steps: int) -> Kernel:
    """The loop, whose pullback is a solve by the method `backward`."""
    if field.flat_parts and backward is method:
        raise ArgumentError(
            f"`adjoint=Backsolve()` of `solve` cannot step {type(method).__name__}() backward. "
            "Use Backsolve(method=Tsit5())."
        )
    run = plain(field, method, None, max_steps)

    @jax.custom_vjp
    def solved(problem: Problem) -> Result:
        return run(problem)

    def forward(problem: Problem) -> tuple[Result, Any]:
        result = run(problem)
        return result, (problem, *result[:2])

    def pullback(kept: Any, cotangents: Result) -> tuple[Problem]:
        problem, ending, drawn = kept
        layout = layout_of(None, method, problem.y.dtype)
        at_end, asked = cotangents[0].y, cotangents[1][:, layout.head :]
        unit = jnp.maximum(jnp.max(jnp.abs(at_end)), jnp.max(jnp.abs(asked), initial=0))
        unit = jnp.where(unit > 0, unit, 1)  # the adjoint is linear: tolerances are those of a size of one
        beside = Beside(field, problem, backward, max_steps)

        def turn(carry: Backward, output: tuple[Array, Array]) -> tuple[Backward, None]:
            row, jump = output
            t, _, y, *_ = layout.unpack(row)
            at = beside.back(carry, t)
            return at._replace(y=y, adjoint=at.adjoint + jump), None

        sums = jax.tree.map(jnp.zeros_like, beside.chosen(problem.parameters))
        carry = Backward(ending.t, ending.y, at_end / unit, sums, ending.status == Status.SUCCESS)
        carry, _ = lax.scan(turn, carry, (drawn, asked / unit), reverse=True)
        last = beside.back(carry, problem.start)
        y, sums = jax.tree.map(lambda x: jnp.where(last.fine[0], x * unit, jnp.nan), (last.adjoint, last.sums))
        return (cotangent_of(field, problem, ending.y, at_end, y, sums),)

    solved.defvjp(forward, pullback)
    return solved


def cotangent_of(
    field: Field, problem: Problem, end: FlatState, at_end: FlatState, y: FlatState, sums: Parameters
) -> Problem:
    """That of a problem, from those of its end, its start and its parameters that are floating; steps stay."""
    given, nothing = iter(sums), jax.tree.map(no_tangent, problem)
    parameters = [next(given) if _moves(p) else no_tangent(p) for p in problem.parameters]
    first, last = ((at, z) for at, z in ((problem.start, problem.y), (problem.end, end)))
    earlier = -(y @ field(*first, problem.parameters))[None]
    later = (at_end @ field(*last, problem.parameters))[None]
    return nothing._replace(start=earlier, end=later, y=y, parameters=parameters)


class Backward(NamedTuple):
    """Where the way back stands: the state, its adjoint, the parameters' cotangents, and whether all went well."""

    t: Instant
    y: FlatState
    adjoint: FlatState
    sums: Parameters
    fine: Verdict


class Beside:
    """The equation with its adjoint and its sums beside it, as one flat state."""

    def __init__(self, field: Field, problem: Problem, method: Method, max_steps: int) -> None:
        self.field, self.problem = field, problem
        self.run = plain(Field(self._slope), method, None, max_steps)

    def back(self, at: Backward, t: Instant) -> Backward:
        """From where it stands back to `t`."""
        state, unravel = ravel_pytree((at.y, at.adjoint, at.sums))
        control = jax.tree.map(lambda x: self._widened(x, len(state)), self.problem.control)
        outputs = self.problem.outputs[:0]
        problem = self.problem._replace(start=at.t, end=t, y=state, control=control, outputs=outputs)
        ending, *_ = self.run(problem)
        y, adjoint, sums = unravel(ending.y)
        return Backward(t, y, adjoint, sums, at.fine & (ending.status == Status.SUCCESS))

    def chosen(self, parameters: Parameters) -> Parameters:
        """The parameters that have a derivative."""
        return [p for p in parameters if _moves(p)]

    def _slope(self, t: Scalar, state: FlatState, parameters: Parameters) -> FlatState:
        size = len(self.problem.y)
        y, adjoint = state[:size], state[size : 2 * size]

        def slope(y: FlatState, chosen: Parameters) -> FlatState:
            given = iter(chosen)
            return self.field.single(t, y, [next(given) if _moves(p) else p for p in parameters])

        value, pull = jax.vjp(slope, y, self.chosen(parameters))
        pulled, sums = pull(-adjoint)
        return jnp.concatenate([value, pulled, ravel_pytree(sums)[0].astype(y.dtype)])

    def _widened(self, tolerance: Array, size: int) -> Array:
        """One number a component: the adjoint and the sums have the smallest."""
        if len(tolerance) == 1:
            return tolerance
        return jnp.append(tolerance, jnp.full(size - len(tolerance), jnp.min(tolerance), tolerance.dtype))


def _moves(parameter: Array) -> bool:
    return jnp.issubdtype(parameter.dtype, jnp.inexact)
