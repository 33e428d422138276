"""Linear systems of one matrix and many right-hand sides, one system a lane."""

import itertools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Array

from continua.core import FlatState

Solve = Callable[[FlatState], FlatState]
Product = Callable[[FlatState], FlatState]

UNROLLED = 8  # states: beyond, elimination written out compiles longer than it saves


def factored(matrix: Array) -> Solve:
    """From a matrix [state, state] or [state, state, lane], factored once, to the solution of `matrix @ x = b`.

    A singular matrix gives infinity or NaN.
    """
    return _written_out(matrix) if len(matrix) <= UNROLLED else _by_lapack(matrix)


def _written_out(matrix: Array) -> Solve:
    """Gaussian elimination with partial pivoting, entry by entry: XLA fuses it, and lanes stay lanes."""
    size = len(matrix)
    rows, swaps = _triangular([[matrix[i, j] for j in range(size)] for i in range(size)])
    inverses = [1 / rows[i][i] for i in range(size)]

    def solve(right: FlatState) -> FlatState:
        x = [right[i] for i in range(size)]
        for i, r in itertools.combinations(range(size), 2):
            x[i], x[r] = _exchanged(swaps[i, r], x[i], x[r])
            if r == size - 1:
                x[i + 1 :] = [x[k] - rows[k][i] * x[i] for k in range(i + 1, size)]
        for i in reversed(range(size)):
            for j in range(i + 1, size):
                x[i] = x[i] - rows[i][j] * x[j]
            x[i] = x[i] * inverses[i]
        return jnp.stack(x)

    return solve


def _triangular(rows: list[list[Array]]) -> tuple[list[list[Array]], dict[tuple[int, int], Array]]:
    """The upper triangle with the multipliers below it, and which rows were exchanged on the way."""
    swaps = {}
    for i in range(len(rows)):
        for r in range(i + 1, len(rows)):
            swaps[i, r] = larger = jnp.abs(rows[r][i]) > jnp.abs(rows[i][i])
            pairs = [_exchanged(larger, a, b) for a, b in zip(rows[i][i:], rows[r][i:], strict=True)]
            rows[i][i:], rows[r][i:] = map(list, zip(*pairs, strict=True))
        inverse = 1 / rows[i][i]
        for row in rows[i + 1 :]:
            row[i] = row[i] * inverse
            row[i + 1 :] = [a - row[i] * b for a, b in zip(row[i + 1 :], rows[i][i + 1 :], strict=True)]
    return rows, swaps


def _exchanged(condition: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return jnp.where(condition, b, a), jnp.where(condition, a, b)


def _by_lapack(matrix: Array) -> Solve:
    factors = lu_factor(jnp.moveaxis(matrix, (0, 1), (-2, -1)))

    def solve(right: FlatState) -> FlatState:
        columns = jnp.moveaxis(right, 0, -1)[..., None]
        return jnp.moveaxis(lu_solve(factors, columns)[..., 0], -1, 0)

    return solve


def banded(band: Array, lower: int, upper: int) -> Solve:
    """The same for a band [state, lower + 1 + upper], or with lanes behind: row i holds columns i − lower … i + upper.

    Gaussian elimination with partial pivoting on a window that moves down the diagonal; entries of the band that lie
    outside of the matrix are 0.
    """
    window, later = _first_window(band, lower)
    _, (pivots, rows, multipliers) = lax.scan(_eliminate, window, later)

    def solve(right: FlatState) -> FlatState:
        padded = jnp.concatenate([right, jnp.zeros((lower + 1, *right.shape[1:]), right.dtype)])

        def forward(held: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array]:
            pivot, factors, following = now
            held, first = _pulled_out(held, pivot)
            return jnp.concatenate([held[1:] - factors * first[None], following[None]]), first

        def backward(known: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            row, first = now
            x = (first - jnp.sum(row[1:] * known, 0)) / row[0]
            return jnp.concatenate([x[None], known])[: len(known)], x

        _, reduced = lax.scan(forward, padded[: lower + 1], (pivots, multipliers, padded[lower + 1 :]))
        nothing = jnp.zeros((lower + upper, *right.shape[1:]), right.dtype)
        return lax.scan(backward, nothing, (rows, reduced), reverse=True)[1]

    return solve


def turned(band: Array, lower: int, upper: int) -> Array:
    """The band of the transposed matrix, which has `upper` diagonals below and `lower` above the main one."""
    size = len(band)
    columns = [jnp.roll(band[:, lower + shift], shift, 0) for shift in range(upper, -lower - 1, -1)]
    place = np.arange(size)[:, None] + np.arange(-upper, lower + 1)
    inside = ((place >= 0) & (place < size)).reshape(size, -1, *[1] * (band.ndim - 2))
    return jnp.where(inside, jnp.stack(columns, 1), 0)


def _first_window(band: Array, lower: int) -> tuple[Array, Array]:
    """The rows that have an entry in the first column, flush with it, and those that follow, one a column."""
    padded = jnp.concatenate([band, jnp.zeros((lower + 1, *band.shape[1:]), band.dtype)])

    def flush(row: Array, missing: int) -> Array:
        return jnp.concatenate([row[missing:], jnp.zeros((missing, *row.shape[1:]), row.dtype)])

    return jnp.stack([flush(padded[i], lower - i) for i in range(lower + 1)]), padded[lower + 1 :]


def _eliminate(window: Array, following: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """One column: the largest entry of it leads, and the window moves on."""
    pivot = jnp.argmax(jnp.abs(window[:, 0]), 0)
    window, leading = _pulled_out(window, pivot)
    factors = window[1:, 0] / leading[:1]
    left = (window[1:] - factors[:, None] * leading[None])[:, 1:]
    left = jnp.concatenate([left, jnp.zeros_like(left[:, :1])], 1)
    return jnp.concatenate([left, following[None]]), (pivot, leading, factors)


def _pulled_out(rows: Array, pivot: Array) -> tuple[Array, Array]:
    """The rows with the one at `pivot` and the first exchanged, and the new first; `pivot` is one number a lane."""
    numbers = jnp.arange(len(rows)).reshape(-1, *[1] * pivot.ndim)
    here = (numbers == pivot[None]).reshape(len(rows), *[1] * (rows.ndim - 1 - pivot.ndim), *pivot.shape)
    leading = jnp.sum(jnp.where(here, rows, 0), 0)
    return jnp.where(here, rows[:1], rows).at[0].set(leading), leading
