"""Divergence, curl and Laplacian: closed forms, identities of vector calculus, other ways to the same numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import curl, divergence, gradient, hessian, laplacian
from continua.core import ArgumentError, ArgumentTypeError

POINT = jnp.array([0.3, -0.7, 1.1])


def field(x):
    return jnp.stack([x[0] * x[1] * x[2], jnp.sin(x[0]) + x[2] ** 2, jnp.exp(x[1] * x[2])])


@pytest.mark.core
def test_closed_forms():
    x, y, z = map(float, POINT)
    assert divergence(field)(POINT) == pytest.approx(y * z + y * np.exp(y * z))
    np.testing.assert_allclose(curl(field)(POINT), [z * np.exp(y * z) - 2 * z, x * y, np.cos(x) - x * z], rtol=1e-12)
    assert curl(lambda x: jnp.stack([-(x[1] ** 2), x[0] ** 2]))(jnp.array([1.0, 3.0])) == 2 + 6
    assert laplacian(lambda x: 1 / jnp.linalg.norm(x))(POINT) == pytest.approx(0.0, abs=1e-12)
    assert divergence(lambda p: {"a": p["a"] ** 2, "b": p["b"] * p["a"]})({"a": 2.0, "b": jnp.ones(2)}) == 4 + 4


def test_identities():
    def potential(x):
        return jnp.sin(x[0]) * jnp.exp(x[1]) + x[0] * x[2] ** 3

    @jax.jit
    def found(x):
        return (
            curl(gradient(potential))(x),
            divergence(curl(field))(x),
            divergence(gradient(potential))(x) - laplacian(potential)(x),
            curl(curl(field))(x) - (gradient(divergence(field))(x) - laplacian(field)(x)),
        )

    for zero in found(POINT):
        np.testing.assert_allclose(zero, 0, atol=1e-12)


def network(x):
    """What has a way of its own through the forward pass: products of moving factors, calls, loops, choices."""
    W = jnp.linspace(-1.0, 1.0, 12).reshape(3, 4)
    h = jnp.tanh(x @ W)
    h = jax.nn.softplus(h) * jax.nn.relu(h) + jax.jit(jnp.sin)(h) ** 3 / (1 + h**2)
    h, _ = jax.lax.scan(lambda c, w: (jnp.sin(c * w), None), h, jnp.array([0.5, 1.5]))
    h = jax.lax.cond(x[0] > 0, lambda h: h @ jnp.outer(h, h), lambda h: h, h)
    return jnp.max(h) + jax.scipy.special.logsumexp(h) + jnp.linalg.solve(jnp.eye(4) + jnp.outer(h, h), h) @ h


@pytest.mark.core
def test_forward_pass_is_the_trace_of_the_hessian():
    both = jax.jit(lambda x: (laplacian(network)(x), jnp.trace(hessian(network)(x))))
    own, trace = both(POINT)
    np.testing.assert_allclose(own, trace, rtol=1e-11)


def test_outputs_of_any_shape_and_batches():
    def f(x):
        return {"a": jnp.stack([x[0] ** 4, x[0] * x[1]]), "b": jnp.float64(3.0)}

    found = jax.jit(jax.vmap(laplacian(f)))(jnp.array([[1.0, 2.0], [3.0, 1.0]]))
    np.testing.assert_array_equal(found["a"], [[12.0, 0.0], [108.0, 0.0]])
    np.testing.assert_array_equal(found["b"], [0.0, 0.0])
    assert laplacian(jnp.sin)(0.5) == pytest.approx(-np.sin(0.5))


def test_laplacian_has_derivatives():
    r"""∇ Δ Σ x⁴ = 24 x."""
    slope = jax.jit(jax.grad(laplacian(lambda x: jnp.sum(x**4))))(POINT)
    np.testing.assert_allclose(slope, 24 * POINT)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: divergence(jnp.sum)(POINT), ArgumentError, r"must return a vector like x, float64\[3\]"),
        (lambda: curl(lambda x: x)(jnp.ones(4)), ArgumentError, r"must be a point \[2\] or \[3\]. Got float64\[4\]"),
        (lambda: curl(lambda x: x[:2])(POINT), ArgumentError, "must return a vector like x"),
        (lambda: laplacian(jnp.sum)(jnp.arange(3)), ArgumentTypeError, "must hold floats"),
        (lambda: laplacian(jnp.linalg.norm)(jnp.zeros(2)), ArgumentError, "must have finite derivatives"),
    ],
)
def test_bad_input_is_one_line(call, error, words):
    with pytest.raises(error, match=words):
        call()
