"""Symmetric systems, written out up to eight unknowns and by LAPACK beyond: the same mathematics."""

import jax
import jax.numpy as jnp
import pytest

from continua.optim.definite import cholesky, is_positive, positive, solved


def symmetric(size: int, least: float) -> jax.Array:
    """With eigenvalues from `least` to 2."""
    basis = jnp.linalg.qr(jax.random.normal(jax.random.key(size), (size, size)))[0]
    return basis @ jnp.diag(jnp.linspace(least, 2.0, size)) @ basis.T


@pytest.mark.parametrize("size", [1, 2, 5, 8, 9, 20])
def test_the_factor_times_its_transpose_is_the_matrix_and_systems_are_solved(size: int) -> None:
    matrix, right = symmetric(size, 0.5), jax.random.normal(jax.random.key(1), (size, 3))
    factor = cholesky(matrix)
    lower = jnp.tril(factor)
    assert jnp.abs(factor - lower).max() == 0
    assert jnp.abs(lower @ lower.T - matrix).max() <= 1e-14
    assert jnp.abs(matrix @ solved(factor, right) - right).max() <= 1e-13
    assert jnp.abs(matrix @ solved(factor, right[:, 0]) - right[:, 0]).max() <= 1e-13


@pytest.mark.parametrize("size", [2, 5, 8, 9, 20])
@pytest.mark.parametrize("least", [-1.0, -1e-3, 0.0])
def test_a_matrix_that_is_not_positive_definite_is_told_and_made_so(size: int, least: float) -> None:
    matrix = symmetric(size, least) if least else jnp.zeros((size, size)).at[0, 0].set(1.0)
    assert not is_positive(matrix)
    solve, damping = positive(matrix, jnp.asarray(1e-14))
    shifted = matrix + damping * jnp.eye(size)
    assert is_positive(shifted)
    assert damping == 1e-14 if least == 0 else -least < damping <= -16 * least + 1e-12
    assert jnp.abs(shifted @ solve(jnp.ones(size)) - 1).max() <= 1e-6


def test_systems_side_by_side_take_as_much_damping_as_each_needs() -> None:
    matrices = jnp.stack([symmetric(4, least) for least in (0.5, -1e-3, -1.0)])
    found = jax.vmap(lambda matrix: positive(matrix, jnp.asarray(1e-14))[1])(matrices)
    alone = [positive(matrix, jnp.asarray(1e-14))[1] for matrix in matrices]
    assert (found == jnp.stack(alone)).all()
