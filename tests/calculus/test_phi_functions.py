"""φ-functions to the last digits, of numbers and matrices, and their derivatives."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from continua.calculus import phi, phi_of_matrix


def series(order, z):
    """By the series, in fractions."""
    return float(sum(Fraction(z) ** j / math.factorial(j + order) for j in range(120)))


@pytest.mark.core
@pytest.mark.parametrize("order", range(5))
def test_of_numbers(order):
    z = np.array([-15.0, -2.0, -1.6, -1.4, -1e-3, 0.0, 1e-9, 0.3, 1.4, 1.6, 12.0])
    np.testing.assert_allclose(phi(order, jnp.asarray(z)), [series(order, x) for x in z], rtol=3e-15)
    far = float(phi(order, jnp.array(-1e6)))
    assert far == pytest.approx(1e-6 / math.factorial(max(order - 1, 0)) if order else 0, rel=1e-5)
    slopes = jax.vmap(jax.grad(lambda x: phi(order, x)))(jnp.asarray(z))
    steps = [
        (series(order, Fraction(x) + Fraction(1, 2**20)) - series(order, Fraction(x) - Fraction(1, 2**20))) * 2**19
        for x in z
    ]
    np.testing.assert_allclose(slopes, steps, rtol=1e-7)


@pytest.mark.parametrize("order", range(4))
def test_of_complex_numbers_and_matrices(order):
    """A rotation by an angle, as a complex number and as a matrix; and matrices of any size against scipy."""
    for angle in (1e-3, 1.4, 3.0, 50.0):
        number = complex(phi(order, jnp.array(angle * 1j)))
        matrix = phi_of_matrix(order, jnp.array([[0.0, -angle], [angle, 0.0]]))[order]
        np.testing.assert_allclose([matrix[0, 0], matrix[1, 0]], [number.real, number.imag], atol=1e-14)
    given = np.random.default_rng(0).normal(size=(5, 5))
    for scale in (0.01, 1.0, -8.0):
        block = np.zeros((5 * order + 5,) * 2)
        block[:5, :5] = scale * given
        for j in range(order):
            block[5 * j : 5 * j + 5, 5 * j + 5 : 5 * j + 10] = np.eye(5)
        exact = expm(block)[:5, -5:]
        np.testing.assert_allclose(
            phi_of_matrix(order, jnp.asarray(scale * given))[order], exact, rtol=1e-11, atol=1e-13
        )
    stiff = phi_of_matrix(order, jnp.diag(jnp.array([-1e9, -1.0, 0.0])))[order]
    np.testing.assert_allclose(jnp.diag(stiff)[1:], phi(order, jnp.array([-1.0, 0.0])), rtol=1e-6)
