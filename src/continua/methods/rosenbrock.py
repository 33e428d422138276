"""Rosenbrock methods: implicit for the linear part alone, so a step solves linear systems with one matrix."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Count, FlatState, Instant, State
from continua.methods.flat_state import flattened
from continua.methods.jacobians import Dense, Inverse, Jacobian
from continua.methods.method import Method, Slope, Step
from continua.methods.stages import square, vector, weighted, with_stage


class RosenbrockTableau(NamedTuple):
    r"""The coefficients of a Rosenbrock method in the form that multiplies no matrix with a vector.

    Rows of `a` and `coupling` are given up to the diagonal; `d` multiplies the derivative in time; `b` and `b_error`
    weigh the stages to the increment and to its error. `dense` holds rows $d_m$ of

    $$ y(\theta) = (1 - \theta) y_n + \theta \Big( y_{n+1} + (1 - \theta) \sum_m \theta^m \sum_j d_{mj} u_j \Big) $$
    """

    gamma: float
    c: Sequence[float]
    d: Sequence[float]
    a: Sequence[Sequence[float]]
    coupling: Sequence[Sequence[float]]
    b: Sequence[float]
    b_error: Sequence[float]
    dense: Sequence[Sequence[float]]


class Stages(NamedTuple):
    """What the stages of a step leave behind, [stage, …]: u, where f was evaluated, and I − γhJ inverted."""

    u: Array
    inside: Array
    inverse: Inverse


class Rosenbrock(Method):
    r"""The step that every tableau shares.

    $$ (I - \gamma h J)\, u_i = \gamma \Big( h f\Big( t_n + c_i h,\; y_n + \sum_{j<i} a_{ij} u_j \Big)
       + \sum_{j<i} C_{ij} u_j + d_i h^2\, \partial_t f \Big), \qquad y_{n+1} = y_n + \sum_i b_i u_i $$

    J and the derivative in time are those of f at the start of the step, exact by forward differentiation.

    Args:
        jacobian: what is known of the structure of J.

    Source: Hairer & Wanner, Solving Ordinary Differential Equations II, IV.7.
    """

    jacobian: Jacobian = Dense()

    tableau: ClassVar[RosenbrockTableau]
    adaptive = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if tableau := cls.__dict__.get("tableau"):
            cls.evaluations = len(tableau.a)

    def prepared(self, equation: Slope) -> Slope:
        """With the derivative that `jacobian` brings."""
        return self.jacobian.prepared(equation)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the tableau."""
        flat, slope, _, unravel = flattened(equation, t, y, self.jacobian)
        u = self._stages(slope, t, h, flat, args).u
        increment, error = (weighted(vector(w, flat), u) for w in (self.tableau.b, self.tableau.b_error))
        return Step(unravel(increment), unravel(error), None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The method's own dense output."""
        flat, slope, _, unravel = flattened(equation, t, y, self.jacobian)
        u = self._stages(slope, t, h, flat, args).u
        bend = jnp.zeros_like(flat)
        for row in reversed(self.tableau.dense):
            bend = bend * theta + weighted(vector(row, flat), u)
        increment = weighted(vector(self.tableau.b, flat), u)
        return unravel(flat + theta * (increment + (1 - theta) * bend))

    def pullback(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cotangent: State
    ) -> tuple[State, Args]:
        r"""The transposed step, stage by stage in one rolled loop.

        $$ (I - \gamma h J)^\top w_i = \gamma \Big( b_i \lambda + \sum_{j>i} a_{ji} \bar Y_j + C_{ji} w_j \Big), \qquad
           \bar Y_i = h J_i^\top w_i, \qquad \bar y = \lambda + \sum_i \bar Y_i + h\, w_i^\top \partial_y (J u_i) $$
        """
        flat, slope, ravel, unravel = flattened(equation, t, y, self.jacobian)
        adjoint = ravel(cotangent)
        a, coupling = square(self.tableau.a, flat), square(self.tableau.coupling, flat)
        b, c, d = (vector(x, flat) for x in (self.tableau.b, self.tableau.c, self.tableau.d))
        stages = self._stages(slope, t, h, flat, args)
        solve, last = stages.inverse.transposed(), len(c) - 1

        def through(i: Count, point: FlatState, start: FlatState, args: Args) -> tuple[FlatState, FlatState]:
            """The two places where y enters a stage: f at its point, and J and ∂f/∂t at the start of the step."""
            at_start = lambda t, y: slope(t, y, args)  # noqa: E731
            _, pushed = jax.jvp(at_start, (t, start), (d[i] * h, stages.u[i]))
            return slope(t + c[i] * h, point, args), pushed

        def reverse(turn: Count, carry: tuple[Array, Array, FlatState, Args]) -> tuple[Array, Array, FlatState, Args]:
            points, ws, start, sums = carry
            i = last - turn
            w = self.tableau.gamma * solve(b[i] * adjoint + weighted(a[:, i], points) + weighted(coupling[:, i], ws))
            _, pull = jax.vjp(lambda *at: through(i, *at), stages.inside[i], flat, args)
            point, extra, more = pull((h * w, h * w))
            points, ws = with_stage(points, point, i), with_stage(ws, w, i)
            return points, ws, start + extra, jax.tree.map(jnp.add, sums, more)

        zeros = jnp.zeros_like(stages.u)
        carry = (zeros, zeros, adjoint, jax.tree.map(jnp.zeros_like, args))
        points, _, start, sums = lax.fori_loop(0, last + 1, reverse, carry)
        return unravel(start + points.sum(0)), sums

    def _stages(self, slope: Slope, t: Instant, h: Instant, y: FlatState, args: Args) -> Stages:
        """All stages times γh, so that a step of no length is no fault; rolled, so that f is compiled once."""
        a, coupling = square(self.tableau.a, y), square(self.tableau.coupling, y)
        c, d = vector(self.tableau.c, y), vector(self.tableau.d, y)
        _, push = jax.linearize(lambda t, y: slope(t, y, args), t, y)
        drift = push(jnp.ones_like(t), jnp.zeros_like(y))
        reach, still = self.tableau.gamma * h, jnp.zeros_like(t)
        inverse = self.jacobian.inverse(lambda v: v - reach * push(still, v), y)

        def stage(i: Count, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            us, points = carry
            point = y + weighted(a[i], us)
            force = h * slope(t + c[i] * h, point, args) + (d[i] * h * h) * drift + weighted(coupling[i], us)
            u = inverse.solve(self.tableau.gamma * force)
            return with_stage(us, u, i), with_stage(points, point, i)

        zeros = jnp.zeros((len(c), *y.shape), y.dtype)
        u, inside = lax.fori_loop(0, len(c), stage, (zeros, zeros))
        return Stages(u, inside, inverse)
