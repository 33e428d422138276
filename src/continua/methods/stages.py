"""Coefficients as arrays, and sums over stages [stage, state] or [stage, state, lane], for loops that roll them."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import FlatState


def vector(weights: Sequence[float] | Sequence[Sequence[float]], like: FlatState) -> Array:
    """One weight a stage, in the dtype of the state."""
    return jnp.asarray(weights, like.dtype)


def square(rows: Sequence[Sequence[float]], like: FlatState) -> Array:
    """A triangle of coefficients, its rows filled up with zeros."""
    return vector([[*row, *[0.0] * (len(rows) - len(row))] for row in rows], like)


def weighted(weights: Array, stages: Array) -> FlatState:
    """Σ wᵢ uᵢ: for one trajectory a sum that XLA fuses with what follows, for lanes one call of its matrix product."""
    return jnp.tensordot(weights, stages, 1) if stages.ndim > 2 else (weights[:, None] * stages).sum(0)


def with_stage(stages: Array, stage: FlatState, number: Array) -> Array:
    """The stages, one of them new."""
    return lax.dynamic_update_index_in_dim(stages, stage, number, 0)
