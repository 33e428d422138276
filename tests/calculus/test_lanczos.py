"""Ends of a spectrum by products alone, beside the whole spectrum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import extreme_eigenvalues
from continua.core import ArgumentError, ArgumentTypeError

SPECTRUM = jnp.concatenate([jnp.array([-3.0, 10.0]), jnp.linspace(0.0, 5.0, 198)])
FRAME = jnp.linalg.qr(jax.random.normal(jax.random.key(0), (200, 200)))[0]


@jax.jit
def ends(start):
    return extreme_eigenvalues(lambda v: FRAME @ (SPECTRUM * (FRAME.T @ v)), start)


@pytest.mark.core
def test_the_largest_comes_first_with_its_vector_and_an_honest_error():
    found = ends(jnp.ones(200))
    off = abs(float(found.largest) - 10)
    assert off < 1e-5
    assert off < 2 * found.error < 1e-4
    assert found.products <= 16
    np.testing.assert_allclose(abs(FRAME[:, 1] @ found.vector), 1, rtol=1e-6)
    assert -3 - 1e-12 < found.least < -2.9


def test_the_vector_of_a_matrix_nearby_saves_products():
    near = FRAME[:, 1] + 1e-3 * jax.random.normal(jax.random.key(1), (200,))
    found = ends(near)
    np.testing.assert_allclose(found.largest, 10, rtol=1e-6)
    assert found.products <= 8
    assert ends(FRAME[:, 1]).products <= 2


def test_few_dimensions_are_done_when_they_are_through():
    found = jax.jit(lambda v: extreme_eigenvalues(lambda v: {"a": 2 * v["a"], "b": -v["b"]}, v))(
        {"a": jnp.array([1.0, 0.0]), "b": jnp.array(1.0)}
    )
    np.testing.assert_allclose([found.least, found.largest], [-1, 2], rtol=1e-12)
    assert found.products == 2
    np.testing.assert_allclose(abs(found.vector["a"]), [1, 0], atol=1e-12)


def test_what_is_no_symmetric_problem_is_refused():
    with pytest.raises(ArgumentError, match="`product` of `extreme_eigenvalues` must return a vector like"):
        extreme_eigenvalues(lambda v: v[:1], jnp.ones(3))
    with pytest.raises(ArgumentTypeError, match="`start` of `extreme_eigenvalues` must hold floats"):
        extreme_eigenvalues(lambda v: v, jnp.ones(3, int))
    with pytest.raises(ArgumentError, match="`rtol` of `extreme_eigenvalues`"):
        extreme_eigenvalues(lambda v: v, jnp.ones(3), rtol=-1.0)
    with pytest.raises(ArgumentError, match="`start` of `extreme_eigenvalues` must not be zero"):
        extreme_eigenvalues(lambda v: v, jnp.zeros(3))
