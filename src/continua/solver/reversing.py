"""Two coupled solutions whose steps can be taken back: of the way forward the times alone are kept."""

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Count, FlatState, Instant
from continua.methods import Method, Slope, Step
from continua.solver.backsolve import cotangent_of
from continua.solver.field import Field, Parameters
from continua.solver.kernel import Kernel, Result
from continua.solver.loop import Loop, Problem
from continua.solver.post_mortem import examine
from continua.solver.record import Drawn, layout_of


class Coupled(Method):
    """One step of the pair (y, z), joined in one vector; `slope` is the equation of each."""

    method: Method
    slope: Any = eqx.field(static=True)
    coupling: float = eqx.field(static=True)

    @property
    def order(self) -> int | float:  # type: ignore[override]
        """That of the method of each."""
        return self.method.order

    @property
    def error_order(self) -> int | float | None:  # type: ignore[override]
        """That of the method of each."""
        return self.method.error_order

    def memory(self, t: Instant) -> Array | None:
        """That of the method of each."""
        return self.method.memory(t)

    def recalling(self, memory: Array | None) -> "Coupled":
        """With the method of each recalling it."""
        return replace(self, method=self.method.recalling(memory))

    def remember(
        self, equation: Slope, t: Instant, h: Instant, y: FlatState, args: Args, memory: Array | None
    ) -> Array | None:
        """What the method of each learns from the first of the pair."""
        return self.method.remember(self.slope, t, h, jnp.split(y, 2)[0], args, memory)

    def step(self, equation: Slope, t: Instant, h: Instant, y: FlatState, args: Args, cache: Any) -> Step:
        """The pair after h, where h is not 0."""
        y, z = jnp.split(y, 2)
        ahead = self._increment(t, h, z, args)
        y_new = self.coupling * y + (1 - self.coupling) * z + ahead.increment
        z_new = z - self._increment(t + h, -h, y_new, args).increment
        error = None if ahead.error is None else jnp.tile(ahead.error, 2)
        return Step(jnp.where(h != 0, jnp.concatenate([y_new - y, z_new - z]), 0), error, None)

    def taken_back(self, t: Instant, h: Instant, pair: FlatState, args: Args) -> FlatState:
        """The pair before the step that ends at this one."""
        y, z = jnp.split(pair, 2)
        z_old = z + self._increment(t + h, -h, y, args).increment
        y_old = (y - (1 - self.coupling) * z_old - self._increment(t, h, z_old, args).increment) / self.coupling
        return jnp.where(h != 0, jnp.concatenate([y_old, z_old]), pair)

    def _increment(self, t: Instant, h: Instant, y: FlatState, args: Args) -> Step:
        return self.method.step(self.slope, t, h, y, args, self.method.start(self.slope, t, y, args))


def reversing(field: Field, method: Method, coupling: float, max_steps: int) -> Kernel:
    """The loop of the pair, whose pullback takes its steps back."""
    coupled = Coupled(method, field, coupling)

    def both(t: Array, pair: FlatState, parameters: Parameters) -> FlatState:
        return jnp.concatenate([field.single(t, y, parameters) for y in jnp.split(pair, 2)])

    def run(problem: Problem) -> tuple[Result, Any]:
        size = len(problem.y)
        control = jax.tree.map(lambda x: x if len(x) == 1 else jnp.tile(x, 2), problem.control)
        pair = problem._replace(y=jnp.tile(problem.y, 2), control=control)
        loop = Loop(Field(both), coupled, None, pair, max_steps)
        state, layout = loop.begin(), loop.layout
        still = state.row()._replace(h=jnp.zeros_like(state.h)).packed()
        count, zero = len(problem.outputs), jnp.zeros((), jnp.int32)
        rows = jnp.broadcast_to(still, (count, len(still)))
        drawn = Drawn(rows, jnp.zeros(count, jnp.int32), zero) if count else None
        times = jnp.zeros((max_steps, layout.head), problem.y.dtype)
        last, times, drawn, _, attempts = loop.fill(state, times, drawn, None, problem.budget)
        ending = examine(field, None, problem, last._replace(y=last.y[:size]))
        rows, numbers = (rows, jnp.zeros(0, jnp.int32)) if drawn is None else drawn[:2]
        return (ending, rows[:, : layout.head + size], None), (problem, last.y, times, numbers, attempts)

    @jax.custom_vjp
    def solved(problem: Problem) -> Result:
        return run(problem)[0]

    def pullback(kept: Any, cotangents: Result) -> tuple[Problem]:
        problem, end, times, numbers, attempts = kept
        size, at_end = len(problem.y), cotangents[0].y
        asked = cotangents[1][:, cotangents[1].shape[1] - size :]
        moving = [i for i, p in enumerate(problem.parameters) if jnp.issubdtype(p.dtype, jnp.inexact)]
        chosen = [problem.parameters[i] for i in moving]

        def step(of: Coupled, t: Array, h: Array, pair: FlatState, given: Parameters) -> FlatState:
            merged = dict(enumerate(problem.parameters)) | dict(zip(moving, given, strict=True))
            return pair + of.step(field, t, h, pair, list(merged.values()), None).increment

        def back(carry: tuple[Count, Count, FlatState, FlatState, Parameters]) -> Any:
            j, k, pair, adjoint, sums = carry
            t, h, _, _, memory, _ = layout_of(None, method, times.dtype).unpack(times[j])
            of = coupled.recalling(memory)
            pair = of.taken_back(t, h, pair, problem.parameters)
            adjoint, more = jax.vjp(lambda *at: step(of, t, h, *at), pair, chosen)[1](adjoint)

            def add(carry: tuple[Count, FlatState]) -> tuple[Count, FlatState]:
                return carry[0] - 1, carry[1].at[:size].add(asked[carry[0]])

            k, adjoint = lax.while_loop(lambda c: (c[0] >= 0) & (numbers[c[0]] == j), add, (k, adjoint))
            return j - 1, k, pair, adjoint, jax.tree.map(jnp.add, sums, more)

        count = jnp.asarray(len(numbers) - 1, jnp.int32)
        adjoint = jnp.append(at_end, jnp.zeros_like(at_end))
        carry = (attempts - 1, count, end, adjoint, jax.tree.map(jnp.zeros_like, chosen))
        *_, adjoint, sums = lax.while_loop(lambda c: c[0] >= 0, back, carry)
        y = adjoint[:size] + adjoint[size:]
        return (cotangent_of(field, problem, end[:size], at_end, y, sums),)

    solved.defvjp(run, pullback)
    return solved
