"""Additive (implicit–explicit) Runge–Kutta methods: systems are solved in the stiff part of a sum alone."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Count, FlatState, Instant, State
from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, Stages
from continua.methods.flat_state import Flattened, flattened
from continua.methods.jacobians import Dense
from continua.methods.method import Part, Slope, part_of
from continua.methods.newton import implicit_root
from continua.methods.splitting import split_of
from continua.methods.stages import square, vector, weighted, with_stage


def extrapolated(c: Sequence[float]) -> list[list[float]]:
    """Rows that predict the slope of a stage: the polynomial through those of the (at most three) stages before it."""

    def weight(i: int, j: int, near: range) -> float:
        return math.prod((c[i] - c[k]) / (c[j] - c[k]) for k in near if k != j)

    rows = []
    for i in range(len(c)):
        near = range(max(0, i - 3), i)
        rows.append([weight(i, j, near) if j in near else 0.0 for j in range(i)])
    return rows


class Sum(NamedTuple):
    """A slope on flat states that is the sum of two."""

    stiff: Slope
    rest: Slope

    def __call__(self, t: Instant, y: FlatState, args: Args) -> FlatState:
        """Both together."""
        return self.stiff(t, y, args) + self.rest(t, y, args)


class AdditiveRungeKutta(DiagonallyImplicitRungeKutta):
    r"""The step that every pair of tableaux shares.

    $$ Y_i = y_n + h \sum_{j \le i} a_{ij}\, \text{stiff}(t_n + c_j h, Y_j)
                 + h \sum_{j < i} \hat a_{ij}\, \text{rest}(t_n + c_j h, Y_j), \qquad
       y_{n+1} = y_n + h \sum_i b_i\, (\text{stiff} + \text{rest})(t_n + c_i h, Y_i) $$

    Both parts share nodes and weights. Each stage is found as in `DiagonallyImplicitRungeKutta`, with the Jacobian of
    the stiff part alone.

    Args:
        jacobian: what is known of the structure of ∂stiff/∂y.
        newton_tolerance: relative, for every component; well below the tolerance of the solve.

    Source: Kennedy & Carpenter, Additive Runge–Kutta schemes for convection–diffusion–reaction equations, Appl. Numer.
    Math. 44 (2003) 139–181.
    """

    explicit: ClassVar[Sequence[Sequence[float]]]

    def prepared(self, equation: Slope) -> Slope:
        """As it is: a given derivative is one of the stiff part."""
        return equation

    def parts(self, equation: Slope) -> dict[str, Part]:
        """Both parts, the stiff one with the derivative that `jacobian` brings."""
        split = split_of(self, equation)
        return {"stiff": Part(self.jacobian.prepared(split.stiff)), "rest": Part(split.rest)}

    def pullback(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cotangent: State
    ) -> tuple[State, Args]:
        r"""The transposed step, stage by stage in one rolled loop; K are Jacobians of the rest, J of the stiff part.

        $$ e_i = b_i \lambda + \sum_{j>i} \hat a_{ji} \bar Y_j, \qquad
           (I - a_{ii} h J_i)^\top m_i = b_i \lambda + \sum_{j>i} a_{ji} \bar Y_j + a_{ii} h K_i^\top e_i, \qquad
           \bar Y_i = h J_i^\top m_i + h K_i^\top e_i $$
        """
        flat, slope, ravel, unravel = self._flattened(equation, t, y)
        adjoint, parts = ravel(cotangent), cast(Sum, slope)
        a, b, c = square(self.tableau.a, flat), vector(self.tableau.b, flat), vector(self.tableau.c, flat)
        hat = square(self.explicit, flat)
        inside, last = self._stages(slope, t, h, flat, args).inside, len(c) - 1

        def reverse(turn: Count, carry: tuple[Array, Args]) -> tuple[Array, Args]:
            states, sums = carry
            i = last - turn
            at = lambda y, args: parts.stiff(t + c[i] * h, y, args)  # noqa: E731
            _, pull_rest = jax.vjp(lambda y, args: parts.rest(t + c[i] * h, y, args), inside[i], args)
            _, push = jax.linearize(lambda y: at(y, args), inside[i])
            _, pull = jax.vjp(at, inside[i], args)
            solve = self.jacobian.inverse(lambda v: v - a[i, i] * h * push(v), flat).transposed()
            around, more = pull_rest(h * (b[i] * adjoint + weighted(hat[:, i], states)))
            state, extra = pull(h * solve(b[i] * adjoint + weighted(a[:, i], states) + a[i, i] * around))
            sums = jax.tree.map(lambda *terms: sum(terms[1:], terms[0]), sums, extra, more)
            return with_stage(states, state + around, i), sums

        carry = (jnp.zeros_like(inside), jax.tree.map(jnp.zeros_like, args))
        states, sums = lax.fori_loop(0, last + 1, reverse, carry)
        return unravel(adjoint + states.sum(0)), sums

    def _flattened(self, equation: Slope, t: Instant, y: State) -> Flattened:
        stiff, rest = part_of(equation, "stiff"), part_of(equation, "rest")
        flat = flattened(stiff, t, y, self.jacobian)
        return flat._replace(slope=Sum(flat.slope, flattened(rest, t, y, Dense()).slope))

    def _stages(self, slope: Any, t: Instant, h: Instant, y: FlatState, args: Args) -> Stages:
        """All stages; z are those of both parts together, which share their weights."""
        a, predictor, c = square(self.tableau.a, y), square(self.tableau.predictor, y), vector(self.tableau.c, y)
        hat, reach = square(self.explicit, y), self.tableau.gamma * h
        _, push = jax.linearize(lambda y: slope.stiff(t, y, args), y)
        inverse = self.jacobian.inverse(lambda v: v - reach * push(v), y)

        def stage(i: Count, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            implicit, explicit, states = carry
            base = y + weighted(a[i], implicit) + weighted(hat[i], explicit)

            def residual(u: FlatState) -> FlatState:
                return u - reach * slope.stiff(t + c[i] * h, base + u, args)

            guess = self.tableau.gamma * weighted(predictor[i], implicit)
            u = implicit_root(residual, guess, base, inverse.solve, self.jacobian, self.newton_tolerance)
            inside = base + u
            return (
                with_stage(implicit, u / self.tableau.gamma, i),
                with_stage(explicit, h * slope.rest(t + c[i] * h, inside, args), i),
                with_stage(states, inside, i),
            )

        zeros = jnp.zeros((len(c), *y.shape), y.dtype)
        first = (h * slope.stiff(t, y, args), h * slope.rest(t, y, args), y)
        carry = tuple(zeros.at[0].set(x) for x in first)
        implicit, explicit, inside = lax.fori_loop(1, len(c), stage, carry)
        return Stages(implicit + explicit, inside, inverse)
