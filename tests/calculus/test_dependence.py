"""Patterns against the entries that a Jacobian really has, colours and bands against what they promise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import band_of, compression, sparsity

SIZE = 6
SOURCES = np.array([3, 0, 0, 5, 1, 2])
MATRIX = np.diag(np.arange(1.0, 7)) + np.diag(np.ones(4), 2)


def neighbours(y):
    padded = jnp.pad(y, 1)
    return padded[2:] - 2 * y + padded[:-2] * jnp.sin(y)


def pieces(y):
    a, b = jnp.split(y.reshape(2, 3), 2)
    return jnp.concatenate([a[0] * b[0], jnp.flip(b[0])])


def scattered(y):
    return jnp.zeros(SIZE).at[SOURCES[:4]].add(y[1:5] ** 2)


def branched(y):
    return jnp.where(y > 0, jnp.exp(y), jnp.roll(y, 1))


EXACT = {
    "neighbours": neighbours,
    "pieces": pieces,
    "gathered": lambda y: y[SOURCES] * y,
    "scattered": scattered,
    "matrix": lambda y: jnp.asarray(MATRIX) @ jnp.tanh(y),
    "summed": lambda y: jnp.stack([y[:3].sum(), y.max(), *y[:4]]),
    "called": jax.jit(jax.checkpoint(neighbours)),
    "constant": lambda y: jnp.arange(6.0) * y.at[2].set(0.0),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_pattern_is_that_of_the_jacobian(name):
    """Met at some points; nowhere an entry outside of it."""
    met = np.zeros((SIZE, SIZE), bool)
    for seed in range(12):  # the maximum of six has to fall on each of them
        y = jnp.asarray(np.random.default_rng(seed).normal(size=SIZE))
        met |= np.asarray(jax.jacfwd(EXACT[name])(y)) != 0
    found = sparsity(EXACT[name], jnp.zeros(SIZE))
    assert not (met & ~found).any()
    if name in ("called", "gathered", "matrix", "neighbours", "pieces", "scattered"):
        np.testing.assert_array_equal(found, met)


def test_where_nothing_is_known_everything_is_mixed():
    def looped(y):
        return jax.lax.fori_loop(0, 3, lambda _, y: jnp.roll(y, 1), y)

    assert sparsity(looped, jnp.zeros(SIZE)).all()
    assert sparsity(jnp.sort, jnp.zeros(SIZE)).all()
    assert (sparsity(branched, jnp.zeros(SIZE)) == sparsity(lambda y: y * jnp.roll(y, 1), jnp.zeros(SIZE))).all()
    assert not sparsity(lambda y: jnp.ones(SIZE), jnp.zeros(SIZE)).any()


def test_lanes_share_one_pattern():
    lanes = jax.vmap(neighbours, -1, -1)
    found = jax.jit(lambda y: jnp.asarray(sparsity(lanes, y)))(jnp.zeros((SIZE, 3)))  # traced, as in the driver
    np.testing.assert_array_equal(found, sparsity(neighbours, jnp.zeros(SIZE)))


@pytest.mark.parametrize("seed", range(3))
def test_columns_of_a_colour_meet_in_no_row(seed):
    pattern = np.random.default_rng(seed).random((40, 40)) < 0.06
    found = compression(pattern)
    for seed_row in found.seeds:
        assert (pattern[:, seed_row].sum(1) <= 1).all()
    assert found.seeds.sum(0).max() == found.seeds.sum(0).min() == 1
    assert pattern.sum(1).max() <= found.number < 30


def test_a_shuffled_chain_is_put_in_order():
    chain = np.abs(np.subtract.outer(range(30), range(30))) < 2
    shuffle = np.random.default_rng(0).permutation(30)
    found = band_of(chain[np.ix_(shuffle, shuffle)])
    assert (found.lower, found.upper) == (1, 1)
    assert compression(chain).number == 3
    assert band_of(chain).order.tolist() == list(range(30))
