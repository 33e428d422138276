"""Rosenbrock methods: implicit for the linear part alone, so a step solves linear systems with one matrix."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Array

from continua.core import Args, FlatState, Instant, State
from continua.methods.method import Method, Slope, Step

Flow = Callable[[Any, Any], Any]  # (t, y) to dy/dt, on flat states


class RosenbrockTableau(NamedTuple):
    r"""The coefficients of a Rosenbrock method in the form that multiplies no matrix with a vector.

    Rows of `a` and `coupling` are given up to the diagonal; `d` multiplies the derivative in time. The last stage is
    the error estimate, and is added to its own argument to give the new state. `dense` holds rows $d_m$ of

    $$ y(\theta) = (1 - \theta) y_n + \theta \Big( y_{n+1} + (1 - \theta) \sum_m \theta^m \sum_j d_{mj} u_j \Big) $$
    """

    gamma: float
    c: Sequence[float]
    d: Sequence[float]
    a: Sequence[Sequence[float]]
    coupling: Sequence[Sequence[float]]
    dense: Sequence[Sequence[float]]


class Rosenbrock(Method):
    r"""The step that every tableau shares.

    $$ \Big( \frac{1}{\gamma h} I - J \Big) u_i = f\Big( t_n + c_i h,\; y_n + \sum_{j<i} a_{ij} u_j \Big)
       + \sum_{j<i} \frac{C_{ij}}{h} u_j + d_i h\, \partial_t f $$

    J and the derivative in time are those of f at the start of the step, dense and exact by forward differentiation:
    meant for up to some hundred states.

    Source: Hairer & Wanner, Solving Ordinary Differential Equations II, IV.7.
    """

    tableau: ClassVar[RosenbrockTableau]
    adaptive = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if tableau := cls.__dict__.get("tableau"):
            cls.evaluations = len(tableau.a)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the tableau."""
        flat, flow, back = _flat(equation, t, y, args)
        stages, end = self._stages(flow, t, h, flat)
        return Step(back(end + stages[-1] - flat), back(stages[-1]), None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The method's own dense output."""
        flat, flow, back = _flat(equation, t, y, args)
        stages, end = self._stages(flow, t, h, flat)
        bend = jnp.zeros_like(flat)
        for row in reversed(self.tableau.dense):
            bend = bend * theta + _weighted(row, stages)
        left = 1 - theta
        return back(left * flat + theta * (end + stages[-1] + left * bend))

    def _stages(self, flow: Flow, t: Instant, h: Instant, y: FlatState) -> tuple[list[FlatState], FlatState]:
        """u, and the argument of the last one; all times γh, so that a step of no length is no fault."""
        tableau = self.tableau
        matrix, drift = _jacobian(flow, t, y)
        reach = jnp.reshape(tableau.gamma * h, (*jnp.shape(h)[1:], 1, 1))
        solved = _solver(jnp.broadcast_to(jnp.eye(len(y), dtype=y.dtype), matrix.shape) - reach * matrix)
        stages: list[FlatState] = []
        inside = y
        for c, d, a, coupling in zip(tableau.c, tableau.d, tableau.a, tableau.coupling, strict=True):
            inside = y + _weighted(a, stages) if stages else y
            force = h * flow(t + c * h, inside)
            if d:
                force = force + (d * h * h) * drift
            if stages:
                force = force + _weighted(coupling, stages)
            stages.append(solved(tableau.gamma * force))
        return stages, inside


def _weighted(weights: Sequence[float], stages: Sequence[FlatState]) -> FlatState:
    """Σ wᵢ uᵢ."""
    return sum((w * u for w, u in zip(weights, stages, strict=False) if w), jnp.zeros_like(stages[0]))


def _flat(equation: Slope, t: Instant, y: State, args: Args) -> tuple[FlatState, Flow, Callable[[Array], State]]:
    """A flat state and the slope on it; inside the driver, where times keep an axis, they are flat already."""
    if jnp.ndim(t):
        return y, lambda t, y: equation(t, y, args), lambda y: y
    flat, back = ravel_pytree(y)
    return flat, lambda t, y: ravel_pytree(equation(t, back(y), args))[0], back


def _jacobian(flow: Flow, t: Instant, y: FlatState) -> tuple[Array, FlatState]:
    """(∂f/∂y [lane, state, state], without lanes where there are none; ∂f/∂t like y)."""
    _, push = jax.linearize(flow, t, y)
    size, lanes = y.shape[0], y.shape[1:]
    basis = jnp.broadcast_to(jnp.eye(size, dtype=y.dtype).reshape(size, size, *[1] * len(lanes)), (size, *y.shape))
    columns = jax.vmap(lambda direction: push(jnp.zeros_like(t), direction))(basis)
    return jnp.moveaxis(columns, (1, 0), (-2, -1)), push(jnp.ones_like(t), jnp.zeros_like(y))


def _solver(matrix: Array) -> Callable[[FlatState], FlatState]:
    """[state] or [state, lane] to the solution with its own matrix, factored once."""
    factors = lu_factor(matrix)

    def solved(right: FlatState) -> FlatState:
        columns = jnp.moveaxis(right, 0, -1)[..., None]
        return jnp.moveaxis(lu_solve(factors, columns)[..., 0], -1, 0)

    return solved
