"""Functions of separable operators beside products with their matrices."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import fft

from continua.space import Dirichlet, Grid, Symmetric
from continua.space.eigenbases import basis
from continua.space.modes import scaled_modes

ENDS = {"dct2": Symmetric(), "dst2": Dirichlet()}


def bases_of(shape, kinds):
    grid = Grid.cells(shape)
    return [basis(axis, ENDS[kind], ENDS[kind]) for axis, kind in zip(grid.axes, kinds, strict=True)]


def mode_by_mode(field, kinds, factors):
    """By scipy's transforms of each axis."""
    there, back = {"dct2": fft.dct, "dst2": fft.dst}, {"dct2": fft.idct, "dst2": fft.idst}
    for axis, kind in enumerate(kinds):
        field = there[kind](field, 2, axis=axis)
    field = field * factors
    for axis, kind in enumerate(kinds):
        field = back[kind](field, 2, axis=axis)
    return field


@pytest.mark.parametrize("shape", [(7,), (8,), (2, 4), (5, 6), (4, 7), (4, 3, 6)])
def test_every_mode_gets_its_own_factor(shape):
    rng = np.random.default_rng(0)
    field, factors = rng.normal(size=shape), rng.normal(size=shape)
    run = jax.jit(scaled_modes, static_argnums=1)
    for kinds in itertools.islice(itertools.product(ENDS, repeat=len(shape)), 4):
        found = run(jnp.asarray(field), tuple(bases_of(shape, kinds)), jnp.asarray(factors))
        np.testing.assert_allclose(found, mode_by_mode(field, kinds, factors), atol=1e-13)


@pytest.mark.core
def test_derivatives_are_those_of_a_symmetric_map():
    rng = np.random.default_rng(1)
    field, factors, weights = rng.normal(size=(3, 5, 6))
    bases = bases_of((5, 6), ("dct2", "dst2"))
    # s(λ, u) = w·(B⁻¹ λ B u): its gradient in u is B⁻¹ λ B w, and s is linear in λ.
    s, (by_factors, by_field) = jax.jit(
        jax.value_and_grad(lambda a, u: jnp.sum(weights * scaled_modes(u, bases, a)), (0, 1))
    )(jnp.asarray(factors), jnp.asarray(field))
    np.testing.assert_allclose(by_field, mode_by_mode(weights, ("dct2", "dst2"), factors), atol=1e-13)
    np.testing.assert_allclose(jnp.sum(by_factors * factors), s, rtol=1e-12)
    one_mode = np.zeros((5, 6))
    one_mode[2, 3] = 1
    alone = np.sum(weights * mode_by_mode(field, ("dct2", "dst2"), one_mode))
    np.testing.assert_allclose(by_factors[2, 3], alone, rtol=1e-11)
