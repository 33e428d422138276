"""What `solve` returns."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from continua.core import ArgumentError, FailedSolve, State, Times, is_traced
from continua.solver import arguments
from continua.solver.events import Happened
from continua.solver.integration import Question, attempted, integrate
from continua.solver.post_mortem import Ending, Status, component_name, explain

FINE = (Status.SUCCESS, Status.EVENT)


class Stats(eqx.Module):
    """Counts of one solve: attempted steps, those accepted and rejected, and evaluations of the equation.

    `nfe` is -1 where a method takes as many as each step needs (`RKC`, `Switching`).
    """

    steps: Array
    accepted: Array
    rejected: Array
    nfe: Array


class Solution(eqx.Module):
    """The solution at the asked times, how the solve ended, and what it cost.

    Attributes:
        ts: [time], the asked times.
        ys: the structure of y0, each leaf [time, …]; NaN past a failure.
        ending: where and why the solve stopped.
        question: what was solved.
        events: what happened, a `Happened`, where `events` were asked for.

    Calling it, `solution(t)`, gives the values at any times between the ends from the method's dense output, by
    stepping the same steps again; it can be jitted, mapped and differentiated like `solve`.

    Example:
        >>> import jax.numpy as jnp
        >>> from continua.solver import solve
        >>> solution = solve(lambda t, y, args: -y, jnp.array([1.0]), jnp.array([0.0, 2.0]))
        >>> print(f"{solution(1.0)[0]:.3f}", solution.stats.rejected)
        0.368 0
    """

    ts: Times
    ys: PyTree[Any]
    ending: Ending
    question: Question
    events: Happened | None = None

    @property
    def status(self) -> Any:
        """A `Status`; an array of its numbers where the solve was mapped or is being traced."""
        code = self.ending.status[..., 0]
        return Status(int(code)) if not is_traced(code) and code.ndim == 0 else code

    @property
    def stats(self) -> Stats:
        """Steps attempted, accepted and rejected, and evaluations of the equation."""
        steps, accepted = self.ending.attempts[..., 0], self.ending.accepted[..., 0]
        each = self.question.method.evaluations
        nfe = jnp.full_like(steps, -1) if each is None else each * steps + 3
        return Stats(steps, accepted, steps - accepted, nfe)

    def __call__(self, t: Any) -> State:
        """The state at `t`, a time or an array of times: the structure of y0 behind the shape of `t`."""
        t = arguments.inside(t, self.ts)
        flat = t.reshape(-1)
        padding = (1 << max(flat.size - 1, 0).bit_length()) - flat.size  # few lengths, few compilations
        order = jnp.argsort(flat * jnp.sign(self.ts[-1] - self.ts[0]))
        start = jnp.broadcast_to(self.ts[0], (padding + 1,))
        ys, *_ = integrate(self.question, jnp.concatenate([start, flat[order], self.ts[-1:]]))
        rank = jnp.argsort(order)
        return jax.tree.map(lambda y: y[padding + 1 : -1][rank].reshape(*t.shape, *y.shape[1:]), ys)

    def steps(self) -> Times:
        """The times at which the accepted steps begin and the last one ends, [step + 1], by stepping once more.

        `solution(solution.steps())` are the states there, and differentiates. For one solve, outside of `jit`, whose
        arrays have a fixed length.
        """
        if is_traced(self.ending.status) or self.ending.status.ndim > 1:
            raise ArgumentError(
                "`steps` of a Solution is for one solve, outside of `jit` and `vmap`. Got a traced or mapped one. "
                "Use `ts` with the times that you need."
            )
        begun, lengths = (np.asarray(x) for x in attempted(self.question, self.ts))
        return jnp.append(begun[lengths != 0], self.ending.t)

    def check(self) -> "Solution":
        """Raise `FailedSolve` for the first failed trajectory, else return the solution itself.

        `solve` does so; after `jax.vmap` or `jax.jit`, where nothing can be raised, call it on the result.
        """
        codes = self.ending.status
        if is_traced(codes) or np.isin(np.asarray(codes), FINE).all():
            return self
        at = tuple(int(i) for i in np.argwhere(~np.isin(np.asarray(codes)[..., 0], FINE))[0])
        ending = jax.tree.map(lambda x: np.asarray(x)[at], self.ending)
        y0 = jax.tree.map(lambda x: np.asarray(x)[at], self.question.y0)
        name = component_name(self.question.equation, y0, int(ending.component[0]))
        end = float(np.asarray(self.ts)[at][-1])
        limits = self.question.max_steps, self.question.max_events
        raise FailedSolve(explain(ending, end, *limits, name, at), self)
