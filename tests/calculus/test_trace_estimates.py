"""Estimates of traces: right within their error bars as often as they say, and exact where they can be."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import divergence, estimate_divergence, estimate_laplacian, estimate_trace, laplacian
from continua.core import ArgumentError

SIZE = 30
A = np.random.default_rng(0).normal(size=(SIZE, SIZE)) + 3 * np.eye(SIZE)


def test_error_bars_hold():
    """Of 400 keys about 68 % are within one standard error, about 95 % within two; the mean is the trace."""
    keys = jax.random.split(jax.random.key(0), 400)
    one = partial(estimate_trace, lambda v: jnp.asarray(A) @ v, jnp.zeros(SIZE))
    value, error = jax.jit(jax.vmap(one))(keys)
    off = np.abs(value - np.trace(A)) / error
    assert 0.60 < (off < 1).mean() < 0.76
    assert 0.91 < (off < 2).mean() < 0.98
    assert np.mean(value) == pytest.approx(np.trace(A), abs=4 * float(error.mean()) / 20)


def test_deflation_is_exact_for_few_eigenvalues():
    B = np.random.default_rng(1).normal(size=(SIZE, 3))
    low_rank = jnp.asarray(B @ B.T)
    one = partial(estimate_trace, lambda v: low_rank @ v, jnp.zeros(SIZE), samples=2, deflated=5)
    found = jax.jit(one)(jax.random.key(0))
    np.testing.assert_allclose(found.value, np.trace(low_rank), rtol=1e-12)
    assert found.error < 1e-12 * found.value


@pytest.mark.core
def test_divergence_and_laplacian_are_estimated():
    def potential(x):
        return jnp.sum(jnp.sin(x["a"])) * x["b"] + jnp.sum(x["a"]) ** 2

    x = {"a": jnp.linspace(0.0, 1.0, 8), "b": jnp.array(2.0)}

    @jax.jit
    def found(key):
        return (
            estimate_laplacian(potential, x, key, samples=200),
            estimate_divergence(jax.grad(potential), x, key, samples=200),
            laplacian(potential)(x),
            divergence(jax.grad(potential))(x),
        )

    curved, spreading, exact, same = found(jax.random.key(0))
    np.testing.assert_allclose(exact, same, rtol=1e-12)
    for estimate in (curved, spreading):
        assert abs(estimate.value - exact) < 3 * estimate.error
        assert 0 < estimate.error < 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda key: estimate_trace(jnp.sum, jnp.ones(3), key), "must return a vector like x"),
        (lambda key: estimate_trace(lambda v: v, jnp.ones(3), key, samples=1), "`samples` of `estimate_trace` must be"),
        (
            lambda key: estimate_trace(lambda v: v, jnp.ones(3), key, deflated=4),
            "`deflated` of",
        ),
        (lambda key: estimate_laplacian(lambda x: x, jnp.ones(3), key), "must return one number"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(jax.random.key(0))
