"""The variational equation against closed forms and against the derivative of the solve."""

import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm

from continua.equations import Linear, VanDerPol
from continua.methods import Tsit5
from continua.solver import Status, solve
from continua.stability.variational import carry

SPAN = jnp.array([0.0, 1.5])


def test_of_a_linear_equation_it_is_the_matrix_exponential():
    A = np.array([[-0.3, -2.0], [1.0, 0.1]])
    equation, start = Linear(A, [0.5, 0.0]), jnp.array([1.0, 2.0])
    _, moved, status = carry(equation, start, jnp.eye(2), SPAN, None, jnp.array(1e-11), Tsit5(), 10_000)
    assert int(status) == Status.SUCCESS
    np.testing.assert_allclose(moved, expm(1.5 * A), rtol=1e-9)


def test_it_is_the_derivative_of_the_solve():
    def end(y):
        return np.asarray(solve(VanDerPol(), jnp.asarray(y), SPAN, rtol=1e-11, atol=1e-13).ys[-1])

    start = np.array([1.0, 2.0])
    final, moved, _ = carry(VanDerPol(), jnp.asarray(start), jnp.eye(2), SPAN, None, jnp.array(1e-11), Tsit5(), 10_000)
    np.testing.assert_allclose(final, end(start), rtol=1e-9)
    quotients = [(end(start + d) - end(start - d)) / 2e-4 for d in 1e-4 * np.eye(2)]
    np.testing.assert_allclose(moved, np.stack(quotients, -1), atol=1e-6)
