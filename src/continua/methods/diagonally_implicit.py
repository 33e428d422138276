"""Diagonally implicit Runge–Kutta methods: one nonlinear system a stage, all with the same matrix."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Count, FlatState, Instant, State
from continua.methods.flat_state import Flattened, flattened
from continua.methods.jacobians import Dense, Inverse, Jacobian
from continua.methods.method import Method, Slope, Step
from continua.methods.newton import implicit_root
from continua.methods.stages import square, vector, weighted, with_stage


class ImplicitTableau(NamedTuple):
    r"""The coefficients of a diagonally implicit Runge–Kutta method.

    Rows of `a` end with the diagonal, which is γ in all but an explicit first stage, where it is 0. Rows of `predictor`
    give the slope with which the iteration of a stage starts, from those before it. `dense` holds the polynomials
    $b_i(\theta) = \sum_k \text{dense}_{ik}\, \theta^{k+1}$.
    """

    c: Sequence[float]
    a: Sequence[Sequence[float]]
    b: Sequence[float]
    b_error: Sequence[float] | None
    predictor: Sequence[Sequence[float]]
    dense: Sequence[Sequence[float]]

    @property
    def gamma(self) -> float:
        """The diagonal."""
        return self.a[-1][-1]

    @property
    def explicit_stages(self) -> int:
        """1 where the first stage is the slope at the start, else 0."""
        return int(self.a[0][0] == 0)


class Stages(NamedTuple):
    """What the stages of a step leave behind, [stage, …]: z = hk, their states, and I − γhJ inverted."""

    z: Array
    inside: Array
    inverse: Inverse


class DiagonallyImplicitRungeKutta(Method):
    r"""The step that every tableau shares.

    $$ z_i = h f(t_n + c_i h,\; Y_i), \qquad Y_i = y_n + \sum_{j \le i} a_{ij} z_j, \qquad
       y_{n+1} = y_n + \sum_i b_i z_i $$

    Each stage is found by Newton's iteration with I − γh ∂f/∂y at the start of the step, factored once for all of
    them, until it moves no component by more than `newton_tolerance`, relatively, or only by round-off. Where it does
    not get there the step is NaN: rejected where steps adapt, the end where they are fixed. Derivatives are those of
    the implicit functions, never of the iteration.

    Args:
        jacobian: what is known of the structure of ∂f/∂y.
        newton_tolerance: relative, for every component; well below the tolerance of the solve.

    Source: Hairer & Wanner, Solving Ordinary Differential Equations II, IV.6 and IV.8.
    """

    jacobian: Jacobian = Dense()
    newton_tolerance: float = 1e-12

    tableau: ClassVar[ImplicitTableau]
    adaptive = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if tableau := cls.__dict__.get("tableau"):
            cls.evaluations = 4 * len(tableau.a)  # an iteration takes about four turns

    def prepared(self, equation: Slope) -> Slope:
        """With the derivative that `jacobian` brings."""
        return self.jacobian.prepared(equation)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the tableau."""
        flat, slope, _, unravel = self._flattened(equation, t, y)
        stages = self._stages(slope, t, h, flat, args)
        increment = weighted(vector(self.tableau.b, flat), stages.z)
        return Step(unravel(increment), unravel(self._error(slope, t, h, flat, args, stages)), None)

    def _flattened(self, equation: Slope, t: Instant, y: State) -> Flattened:
        """The problem on a flat state."""
        return flattened(equation, t, y, self.jacobian)

    def _error(self, slope: Slope, t: Instant, h: Instant, y: FlatState, args: Args, stages: Stages) -> FlatState:
        """What the embedded method adds."""
        assert self.tableau.b_error is not None, "a method without an embedded one estimates its error by itself"
        return weighted(vector(self.tableau.b_error, y), stages.z)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The method's own dense output."""
        flat, slope, _, unravel = self._flattened(equation, t, y)
        z = self._stages(slope, t, h, flat, args).z
        increment = jnp.zeros_like(flat)
        for column in reversed(list(zip(*self.tableau.dense, strict=True))):
            increment = (increment + weighted(vector(column, flat), z)) * theta
        return unravel(flat + increment)

    def pullback(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cotangent: State
    ) -> tuple[State, Args]:
        r"""The transposed step, stage by stage in one rolled loop.

        $$ (I - a_{ii} h J_i)^\top m_i = b_i \lambda + \sum_{j>i} a_{ji} \bar Y_j, \qquad \bar Y_i = h J_i^\top m_i,
           \qquad \bar y = \lambda + \sum_i \bar Y_i $$
        """
        flat, slope, ravel, unravel = self._flattened(equation, t, y)
        adjoint = ravel(cotangent)
        a, b, c = square(self.tableau.a, flat), vector(self.tableau.b, flat), vector(self.tableau.c, flat)
        inside, last = self._stages(slope, t, h, flat, args).inside, len(c) - 1

        def reverse(turn: Count, carry: tuple[Array, Args]) -> tuple[Array, Args]:
            states, sums = carry
            i = last - turn
            at = lambda y, args: slope(t + c[i] * h, y, args)  # noqa: E731
            _, push = jax.linearize(lambda y: at(y, args), inside[i])
            _, pull = jax.vjp(at, inside[i], args)
            solve = self.jacobian.inverse(lambda v: v - a[i, i] * h * push(v), flat).transposed()
            state, extra = pull(h * solve(b[i] * adjoint + weighted(a[:, i], states)))
            return with_stage(states, state, i), jax.tree.map(jnp.add, sums, extra)

        carry = (jnp.zeros_like(inside), jax.tree.map(jnp.zeros_like, args))
        states, sums = lax.fori_loop(0, last + 1, reverse, carry)
        return unravel(adjoint + states.sum(0)), sums

    def _stages(self, slope: Slope, t: Instant, h: Instant, y: FlatState, args: Args) -> Stages:
        """All stages; the implicit ones rolled, so that f is compiled once."""
        a, predictor, c = square(self.tableau.a, y), square(self.tableau.predictor, y), vector(self.tableau.c, y)
        reach, first = self.tableau.gamma * h, self.tableau.explicit_stages
        _, push = jax.linearize(lambda y: slope(t, y, args), y)
        inverse = self.jacobian.inverse(lambda v: v - reach * push(v), y)

        def stage(i: Count, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            zs, states = carry
            base = y + weighted(a[i], zs)  # without the stage itself, which is 0 still

            def residual(u: FlatState) -> FlatState:
                return u - reach * slope(t + c[i] * h, base + u, args)

            guess = self.tableau.gamma * weighted(predictor[i], zs)
            u = implicit_root(residual, guess, base, inverse.solve, self.jacobian, self.newton_tolerance)
            return with_stage(zs, u / self.tableau.gamma, i), with_stage(states, base + u, i)

        zs, states = (jnp.zeros((len(c), *y.shape), y.dtype) for _ in range(2))
        if first:
            zs, states = zs.at[0].set(h * slope(t, y, args)), states.at[0].set(y)
        z, inside = lax.fori_loop(first, len(c), stage, (zs, states))
        return Stages(z, inside, inverse)
