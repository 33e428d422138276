"""Symmetric systems, made positive definite where they are not."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Bool, Float

from continua.optim.objective import Value

Square = Float[Array, "n n"]

MOST = 1e20  # of what is added
RAISE = 16  # of what is added, where that is not enough
WRITTEN_OUT = 8  # parameters: beyond, a factor written out entry by entry compiles longer than it saves


def positive(matrix: Square, damping: Value) -> tuple[Callable[[Array], Array], Value]:
    """The solution of (matrix + damping) x = b, with as much more damping as makes the matrix positive definite."""
    eye = jnp.eye(len(matrix), dtype=matrix.dtype)

    def factored(damping: Value) -> Square:
        return cholesky(matrix + damping * eye)

    def more(carry: tuple[Square, Value]) -> tuple[Square, Value]:
        larger = RAISE * carry[1]
        return factored(larger), larger

    def indefinite(carry: tuple[Square, Value]) -> Bool[Array, ""]:
        return ~is_factor(carry[0]) & (carry[1] < MOST)

    factor, damping = lax.while_loop(indefinite, more, (factored(damping), damping))
    return lambda right: solved(factor, right), damping


def is_positive(matrix: Square) -> Bool[Array, ""]:
    """Whether it is positive definite."""
    return is_factor(cholesky(matrix))


def is_factor(factor: Square) -> Bool[Array, ""]:
    """Whether what `cholesky` returned is one."""
    return jnp.isfinite(factor[-1, -1])


def cholesky(matrix: Square) -> Square:
    """The lower factor; its last entry is NaN where the matrix is not positive definite."""
    if len(matrix) > WRITTEN_OUT:
        return jnp.linalg.cholesky(matrix, symmetrize_input=False)
    size = len(matrix)
    lower = [[jnp.zeros_like(matrix[0, 0])] * size for _ in range(size)]
    for j in range(size):
        pivot = matrix[j, j] - sum(entry**2 for entry in lower[j][:j])
        lower[j][j] = jnp.sqrt(jnp.where(pivot > 0, pivot, jnp.nan))
        for i in range(j + 1, size):
            known = sum(a * b for a, b in zip(lower[i][:j], lower[j][:j], strict=True))
            lower[i][j] = (matrix[i, j] - known) / lower[j][j]
    return jnp.stack([jnp.stack(row) for row in lower])


def solved(factor: Square, right: Array) -> Array:
    """X of (factor factorᵀ) X = right, [n] or [n, k]."""
    if len(factor) > WRITTEN_OUT:
        return cho_solve((factor, True), right)
    size = len(factor)
    x = list(right)
    for i in range(size):
        x[i] = (x[i] - sum(factor[i, j] * x[j] for j in range(i))) / factor[i, i]
    for i in reversed(range(size)):
        x[i] = (x[i] - sum(factor[j, i] * x[j] for j in range(i + 1, size))) / factor[i, i]
    return jnp.stack(x)
