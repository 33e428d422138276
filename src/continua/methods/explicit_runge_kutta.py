"""Explicit Runge–Kutta methods: a tableau is data, one class steps them all."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import Args, Instant, State
from continua.methods.method import Method, Slope, Step


class ButcherTableau(NamedTuple):
    r"""The coefficients of an explicit Runge–Kutta method.

    Rows of `a` are given up to the diagonal. `b_error` is b minus the weights of the embedded method, `b_error_low` the
    same for a second one of lower order; `dense` holds the polynomials
    $b_i(\theta) = \sum_k \text{dense}_{ik}\, \theta^{k+1}$ of the method's own dense output, `c_dense` and `a_dense`
    the further stages that it has, if any.
    """

    c: Sequence[float]
    a: Sequence[Sequence[float]]
    b: Sequence[float]
    b_error: Sequence[float] | None = None
    dense: np.ndarray | None = None
    b_error_low: Sequence[float] | None = None
    c_dense: Sequence[float] = ()
    a_dense: Sequence[Sequence[float]] = ()

    @property
    def first_same_as_last(self) -> bool:
        """Whether the last stage is the next step's first."""
        return len(self.b) > 1 and list(self.b) == [*self.a[-1], 0.0]


def read_coefficients(name: str) -> dict[str, Any]:
    """A table too long for its method's file: lists of floats by their names, from `name`.json beside this file."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"), parse_int=float)


def _combine(weights: Sequence[float | Array], slopes: Sequence[State]) -> State:
    """Σ wᵢ kᵢ, without the terms whose weight is zero."""
    pairs = [(w, k) for w, k in zip(weights, slopes, strict=False) if not (isinstance(w, float) and w == 0)]

    def leaf(*ks: Array) -> Array:
        terms = [k if isinstance(w, float) and w == 1 else w * k for (w, _), k in zip(pairs, ks, strict=True)]
        return functools.reduce(jnp.add, terms)

    return jax.tree.map(leaf, *(k for _, k in pairs))


class ExplicitRungeKutta(Method):
    r"""The step that every tableau shares.

    $$ k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big), \qquad y_{n+1} = y_n + h \sum_i b_i k_i $$
    """

    tableau: ClassVar[ButcherTableau]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if tableau := cls.__dict__.get("tableau"):
            cls.adaptive = tableau.b_error is not None
            cls.evaluations = len(tableau.b) - tableau.first_same_as_last
            if tableau.dense is not None:
                cls.dense_order = tableau.dense.shape[1]

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> State | None:
        """The first slope, where the last stage of a step is the first of the next."""
        return equation(t, y, args) if self.tableau.first_same_as_last else None

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the tableau."""
        slopes = self._slopes(equation, t, h, y, args, cache)

        def weigh(weights: Sequence[float]) -> State:
            return jax.tree.map(lambda k: h * k, _combine(weights, slopes))

        tableau = self.tableau
        error = None if tableau.b_error is None else weigh(tableau.b_error)
        if tableau.b_error_low is not None:
            error = jax.tree.map(_lowered, error, weigh(tableau.b_error_low))
        return Step(weigh(tableau.b), error, slopes[-1] if tableau.first_same_as_last else None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The method's own dense output, else cubic Hermite."""
        if self.tableau.dense is None:
            return super().interpolate(equation, t, h, y, args, theta)
        slopes = self._slopes(equation, t, h, y, args, None, dense=True)
        increment = _combine([_polynomial(row, theta) if row.any() else 0.0 for row in self.tableau.dense], slopes)
        return jax.tree.map(lambda y, k: y + h * k, y, increment)

    def _slopes(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, first: Any, dense: bool = False
    ) -> list[State]:
        """All slopes, with those of the dense output where asked.

        A barrier stands before and behind each: without them XLA computes a stage again for each of its neighbours
        that reads it, a slope again in each later stage, and in reverse their cotangents too.
        """
        tableau = self.tableau
        nodes, rows = [*tableau.c[1:]], [*tableau.a[1:]]
        if dense:
            nodes, rows = [*nodes, *tableau.c_dense], [*rows, *tableau.a_dense]
        slopes = [equation(t, y, args) if first is None else first]
        for c, row in zip(nodes, rows, strict=True):
            stage = jax.tree.map(lambda y, k: y + h * k, y, _combine(row, slopes))
            slope = equation(t + c * h, lax.optimization_barrier(stage), args)
            slopes.append(lax.optimization_barrier(slope))
        return slopes


def _polynomial(coefficients: np.ndarray, theta: Instant) -> Array:
    """Σ coefficients[k] θ^(k+1), by Horner's rule."""
    value = jnp.zeros_like(theta)
    for coefficient in coefficients[::-1].tolist():
        value = (value + coefficient) * theta
    return value


def _lowered(error: Array, low: Array) -> Array:
    """E |E| / √(E² + (E_low/10)²), which falls with two orders more than E itself where steps are short.

    Taken by components: their norm is at least what Hairer forms of the norms of both (Titu's lemma), in any weights.
    """
    size = jnp.sqrt(error**2 + 0.01 * low**2)
    still = size == 0
    return jnp.where(still, 0, error * jnp.abs(error) / jnp.where(still, 1, size))
