"""How the derivative of a solve is computed: exact on its steps unless another way is named."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, LinearMap, linear_map
from continua.methods import Method
from continua.solver.backsolve import backsolving
from continua.solver.events import Watch
from continua.solver.field import Field
from continua.solver.kernel import Kernel, Result, kernel, once, plain
from continua.solver.loop import Loop, Problem
from continua.solver.reversing import reversing


class Adjoint(eqx.Module):
    """A way to differentiate a solve."""

    @abstractmethod
    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop with this derivative."""


class Discrete(Adjoint):
    r"""The derivative of the computed numbers on the recorded steps: exact, forward, reverse and mixed.

    $$ \lambda_n = \partial_y \Phi_n^\top \lambda_{n+1}, \qquad \bar p = \sum_n \partial_p \Phi_n^\top \lambda_{n+1} $$

    Memory is that of one page of steps and the starts of the others, which are stepped again.

    Good for: everything; the default.
    """

    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop with its sweeps."""
        return kernel(field, method, watch, max_steps, lanes=lanes)


class Forward(Adjoint):
    r"""Tangents travel along with the solution: forward mode alone, and nothing is recorded.

    $$ \delta y_{n+1} = \partial_y \Phi_n\, \delta y_n + \partial_p \Phi_n\, \delta p $$

    Good for: `jax.jvp`, `jax.jacfwd` and `jax.linearize` with few parameters over very many steps. `jax.grad` raises.
    """

    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop as JAX differentiates it, with times that stay where they are."""
        _refuse_events("Forward", watch)

        def forward(problem: Problem) -> Result:
            ending, drawn, _ = once(Loop(field, method, watch, _on_still_times(field, problem), max_steps))
            moved = ending.y + field(problem.end, ending.y, problem.parameters) * _only_moves(problem.end)
            y, drawn = linear_map(_NO_WAY_BACK, [], [moved, drawn])
            return ending._replace(y=y), drawn, None

        return forward


class Implicit(Adjoint):
    r"""The end is taken for a state of rest, and differentiated as one.

    $$ f(t_1, y, p) = 0 \quad\Rightarrow\quad \delta y = -(\partial_y f)^{-1}\, \partial_p f\; \delta p $$

    The derivative does not depend on the way there, nor on y0; only the end may be asked for. The Jacobian there must
    be regular. `continua.solver.steady_state` also finds out when the state has come to rest.

    Good for: solves that run until nothing changes any more.
    """

    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop without a derivative, and a root at its end."""
        _refuse_events("Implicit", watch)
        run = plain(field, method, watch, max_steps)

        def implicit(problem: Problem) -> Result:
            if len(problem.outputs):
                raise ArgumentError(
                    "`adjoint=Implicit()` of `solve` differentiates a state of rest alone. "
                    f"Got {len(problem.outputs)} times between the ends. Use ts = jnp.array([t0, t1])."
                )
            ending, drawn, _ = run(lax.stop_gradient(problem))
            end = lax.stop_gradient(problem.end)
            root = lax.custom_root(
                lambda y: field(end, y, problem.parameters),
                ending.y,
                lambda _, found: found,
                lambda push, right: jnp.linalg.solve(jax.jacfwd(push)(jnp.zeros_like(right)), right),
            )
            return ending._replace(y=root), drawn, None

        return implicit


class Backsolve(Adjoint):
    r"""The continuous adjoint: an equation solved backward in time, beside the state itself.

    $$ \lambda' = -(\partial_y f)^\top \lambda, \qquad \bar p\,' = -(\partial_p f)^\top \lambda $$

    The state starts anew at every output, from the value found on the way forward; between, its own equation runs
    backward, which is unstable where the equation is dissipative. The gradient is that of the equation within the
    tolerances, not that of the computed numbers. First derivatives in reverse alone; no events.

    Args:
        method: how to step backward; that of the solve unless given.

    Good for: comparisons with other libraries. `Discrete` is exact, faster, and needs little memory too.

    Source: Chen, Rubanova, Bettencourt & Duvenaud, Neural ordinary differential equations, NeurIPS 2018.
    """

    method: Method | None = None

    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop with a solve for its pullback."""
        _refuse_events("Backsolve", watch)
        return backsolving(field, method, self.method or method, max_steps)


class Reversible(Adjoint):
    r"""Two coupled solutions, from whose end every earlier state can be computed again.

    $$ y_{n+1} = c\, y_n + (1 - c)\, z_n + \Phi_h(z_n), \qquad z_{n+1} = z_n - \Phi_{-h}(y_{n+1}) $$

    Φ is the increment of the method. Of the way forward the times of the steps alone are kept, and the gradient is
    exact on them but for round-off, which grows by 1/c a step backward. First derivatives in reverse alone; no events.

    Args:
        coupling: c, in (0, 1]: the nearer to 1 the less round-off grows, and the less the two are held together.

    Good for: states so large that two of them hardly fit into memory, over some thousand steps.

    Source: McCallum & Foster, Efficient, accurate and stable gradients for neural ODEs, arXiv 2410.11648.
    """

    coupling: float = eqx.field(static=True, default=0.999)

    def __check_init__(self) -> None:
        if not 0 < self.coupling <= 1:
            raise ArgumentError(f"`coupling` of `Reversible` must lie in (0, 1]. Got {self.coupling}. Use 0.999.")

    def kernel(self, field: Field, method: Method, watch: Watch | None, max_steps: int, lanes: int | None) -> Kernel:
        """The loop of the pair, and its way back."""
        _refuse_events("Reversible", watch)
        return reversing(field, method, self.coupling, max_steps)


def _refuse_events(name: str, watch: Watch | None) -> None:
    if watch is not None:
        raise ArgumentError(
            f"`adjoint` of `solve` must be Discrete() where events are watched. Got {name}(). Use the default."
        )


def _only_moves(x: Array) -> Array:
    """Zero, with the tangent of x."""
    return x - lax.stop_gradient(x)


def _on_still_times(field: Field, problem: Problem) -> Problem:
    """Steps stay where they are: a later start is an earlier state."""
    start, end, outputs, stops = lax.stop_gradient((problem.start, problem.end, problem.outputs, problem.stops))
    y = problem.y - field(start, problem.y, problem.parameters) * _only_moves(problem.start)
    return problem._replace(start=start, end=end, outputs=outputs, stops=stops, y=y)


class _OneWay(LinearMap):
    """The identity, forward."""

    def transposed(self) -> LinearMap:
        """Whoever asks for it wants a derivative in reverse."""
        raise ArgumentError(
            "`adjoint=Forward()` of `solve` has forward mode alone. Got a gradient in reverse. "
            "Use jax.jacfwd, or the default Discrete()."
        )


def _same(_: Any, tangents: Any) -> list[Array]:
    return list(tangents)


_NO_WAY_BACK = _OneWay(_same, _same)
