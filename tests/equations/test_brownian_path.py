"""The Brownian path: its law, and that it is one path whatever times it is asked at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from continua.equations import BrownianPath
from continua.equations.counted_normals import normals, threefry

COUNT = 20_000
KEYS = jax.random.split(jax.random.key(0), COUNT)
# Draws are of single precision: that every program has the same ones is promised as users compile it.
AS_USERS = {"compiler_options": {"xla_backend_optimization_level": 3}}


def moments(key, t, h, dtype):
    """[2, motion]: increment and integral of a path with cells of 1/4."""
    path = BrownianPath(key, 2, jnp.zeros((), dtype), jnp.asarray(0.25, dtype))
    return path.with_area(jnp.asarray(t, dtype), jnp.asarray(h, dtype))


EVERY = jax.jit(jax.vmap(moments, (0, None, None, None)), static_argnums=3, **AS_USERS)


def test_normal_numbers_are_threefry_through_the_quantile():
    """The words are JAX's own; quantiles agree with scipy's to single precision, far into the tails."""
    words = np.random.default_rng(0).integers(0, 2**32, (4, 1000), np.uint32)
    key, counter = (jnp.asarray(words[0]), jnp.asarray(words[1])), (jnp.asarray(words[2]), jnp.asarray(words[3]))
    for i in range(3):
        one = jnp.asarray([words[0, i], words[1, i]]), jnp.asarray([words[2, i], words[3, i]])
        assert jnp.array_equal(jax.extend.random.threefry_2x32(*one), jnp.stack([x[i] for x in threefry(key, counter)]))
    for word, normal in zip(threefry(key, counter), normals(key, counter), strict=True):
        point = (np.asarray(word).view(np.int32).astype(float) + 0.5) * 2.0**-31
        np.testing.assert_allclose(normal, stats.norm.ppf((1 + point) / 2), rtol=1e-6)
    assert stats.kstest(np.concatenate(normals(key, counter)), "norm").pvalue > 0.01


@pytest.mark.core
@pytest.mark.parametrize("span", [(0.0, 0.25), (0.1, 0.1), (0.1, 0.5), (0.25, 1.0)], ids=str)
def test_increments_and_integrals_are_normal(span):
    """Var W = h, Var A = h³/3, Cov = h²/2; motions are independent. Within four standard errors."""
    t, h = span
    w, area = np.moveaxis(np.asarray(EVERY(KEYS, t, h, jnp.float64)), 1, 0)
    near, numbers = 4 / np.sqrt(COUNT), np.stack([*w.T, *area.T])
    wanted = np.kron([[1, np.sqrt(3) / 2], [np.sqrt(3) / 2, 1]], np.eye(2))
    scale = np.sqrt([h, h, h**3 / 3, h**3 / 3])[:, None]
    np.testing.assert_allclose(np.cov(numbers / scale), wanted, atol=1.5 * near)
    np.testing.assert_allclose((numbers / scale).mean(1), 0, atol=near)
    assert stats.kstest(w[:, 0] / np.sqrt(h), "norm").pvalue > 0.001


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-11), (jnp.float32, 1e-6)], ids=["f64", "f32"])
def test_it_is_one_path(dtype, tolerance):
    """Increments add up, integrals too (Chen's relation), across cells and inside of them; nothing in no time."""
    for s, t, u in ((0.1, 0.15, 0.55), (0.0, 0.25, 1.25), (0.3, 0.3, 0.4), (0.26, 1.0, 1.0)):
        first, second, whole = (np.asarray(EVERY(KEYS[:50], a, b - a, dtype)) for a, b in ((s, t), (t, u), (s, u)))
        np.testing.assert_allclose(first[:, 0] + second[:, 0], whole[:, 0], atol=tolerance)
        integral = first[:, 1] + second[:, 1] + (u - t) * first[:, 0]
        np.testing.assert_allclose(integral, whole[:, 1], atol=tolerance)
    assert not np.asarray(EVERY(KEYS[:50], 0.3, 0.0, dtype)).any()


@pytest.mark.core
def test_a_lane_has_the_path_of_its_key():
    """vmap over keys, over times and over both is a loop; whole cells are what the tree begins with."""
    t, h = jnp.linspace(0.0, 0.9, 5), jnp.array([0.25, 0.1, 0.0, 0.5, 0.7])

    def path(key, t, h):
        return BrownianPath(key, 2, 0.0, 0.25)(t, h)

    one = jax.jit(path, **AS_USERS)
    alone = np.stack([one(key, *x) for key, *x in zip(KEYS[:5], t, h, strict=True)])
    np.testing.assert_array_equal(jax.jit(jax.vmap(path), **AS_USERS)(KEYS[:5], t, h), alone)
    table = jax.jit(jax.vmap(jax.vmap(path, (None, 0, 0)), (0, None, None)), **AS_USERS)(KEYS[:5], t, h)
    np.testing.assert_array_equal(np.asarray(table)[range(5), range(5)], alone)
    cells = np.stack([one(KEYS[0], x, jnp.asarray(0.25)) for x in (0.0, 0.25, 0.5)])
    np.testing.assert_allclose(cells.sum(0), one(KEYS[0], 0.0, 0.75), rtol=1e-12)
