"""How an implicit method gets at ∂f/∂y: what is known of its structure decides how its systems are solved.

Every kind is given one linear map v ↦ (I − γh ∂f/∂y) v, by its products alone, and returns its inverse.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import FlatState
from continua.methods.linear_systems import Solve, factored

Product = Callable[[FlatState], FlatState]


class Inverse(NamedTuple):
    """Solutions of one linear map and of its transpose; the work that they share is done once for each."""

    solve: Solve
    transposed: Callable[[], Solve]


class Jacobian(eqx.Module):
    """A way to invert linear maps on flat states [state] or [state, lane], lane by lane."""

    @abstractmethod
    def invert(self, product: Product, like: FlatState) -> Inverse:
        """The inverse of the map that `product` applies; its own derivatives do not matter."""

    def inverse(self, product: Product, like: FlatState) -> Inverse:
        """The same with derivatives of every order, which are those of the map: no solver is differentiated."""
        plain = self.invert(product, like)

        def solve(right: FlatState) -> FlatState:
            return lax.custom_linear_solve(
                product, right, lambda _, b: plain.solve(b), lambda _, b: plain.transposed()(b)
            )

        def transposed() -> Solve:
            across, turned = jax.linear_transpose(product, like), plain.transposed()
            return lambda right: lax.custom_linear_solve(
                lambda v: across(v)[0], right, lambda _, b: turned(b), lambda _, b: plain.solve(b)
            )

        return Inverse(solve, transposed)


class Dense(Jacobian):
    """Every entry, by one forward derivative a state, and elimination with partial pivoting.

    Good for: up to some hundred states.
    """

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By the whole matrix."""
        matrix = columns(product, like)
        return Inverse(factored(matrix), lambda: factored(jnp.swapaxes(matrix, 0, 1)))


def columns(product: Product, like: FlatState) -> Array:
    """The matrix [state, state] or [state, state, lane] of a linear map."""
    size = len(like)
    unit = jnp.eye(size, dtype=like.dtype).reshape(size, size, *[1] * (like.ndim - 1))
    return jax.vmap(product, out_axes=1)(jnp.broadcast_to(unit, (size, *like.shape)))
