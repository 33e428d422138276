"""Linear systems of one matrix and many right-hand sides, one system a lane."""

from collections.abc import Callable

import jax.numpy as jnp
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Array

from continua.core import FlatState

Solve = Callable[[FlatState], FlatState]

UNROLLED = 8  # states: beyond, elimination written out compiles longer than it saves


def factored(matrix: Array) -> Solve:
    """From a matrix [state, state] or [state, state, lane], factored once, to the solution of `matrix @ x = b`.

    A singular matrix gives infinity or NaN.
    """
    return _written_out(matrix) if len(matrix) <= UNROLLED else _by_lapack(matrix)


def _written_out(matrix: Array) -> Solve:
    """Gaussian elimination with partial pivoting, entry by entry: XLA fuses it, and lanes stay lanes."""
    size = len(matrix)
    rows = [[matrix[i, j] for j in range(size)] for i in range(size)]
    swaps: dict[tuple[int, int], Array] = {}
    inverses: list[Array] = []
    for i in range(size):
        for r in range(i + 1, size):
            swaps[i, r] = larger = jnp.abs(rows[r][i]) > jnp.abs(rows[i][i])
            for j in range(i, size):
                rows[i][j], rows[r][j] = _exchanged(larger, rows[i][j], rows[r][j])
        inverses.append(1 / rows[i][i])
        for r in range(i + 1, size):
            rows[r][i] = rows[r][i] * inverses[i]
            for j in range(i + 1, size):
                rows[r][j] = rows[r][j] - rows[r][i] * rows[i][j]

    def solve(right: FlatState) -> FlatState:
        x = [right[i] for i in range(size)]
        for i in range(size):
            for r in range(i + 1, size):
                x[i], x[r] = _exchanged(swaps[i, r], x[i], x[r])
            for r in range(i + 1, size):
                x[r] = x[r] - rows[r][i] * x[i]
        for i in reversed(range(size)):
            for j in range(i + 1, size):
                x[i] = x[i] - rows[i][j] * x[j]
            x[i] = x[i] * inverses[i]
        return jnp.stack(x)

    return solve


def _exchanged(condition: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return jnp.where(condition, b, a), jnp.where(condition, a, b)


def _by_lapack(matrix: Array) -> Solve:
    factors = lu_factor(jnp.moveaxis(matrix, (0, 1), (-2, -1)))

    def solve(right: FlatState) -> FlatState:
        columns = jnp.moveaxis(right, 0, -1)[..., None]
        return jnp.moveaxis(lu_solve(factors, columns)[..., 0], -1, 0)

    return solve
