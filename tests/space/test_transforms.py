"""Transforms equal scipy's, bring their transposes, and diagonalise second differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft

from continua.core import ArgumentError
from continua.space import dct, dst, idct, idst

SIZES = (2, 3, 8, 9)
FORWARD = {dct: scipy.fft.dct, dst: scipy.fft.dst}
INVERSE = {idct: scipy.fft.idct, idst: scipy.fft.idst}


@pytest.mark.core
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_they_equal_scipy(kind):
    given = [np.random.default_rng(0).standard_normal((3, size)) for size in SIZES]
    both = FORWARD | INVERSE
    found = jax.jit(lambda fields: [[one(x, kind) for x in fields] for one in both])(given)
    for one, outputs in zip(both.values(), found, strict=True):
        for x, output in zip(given, outputs, strict=True):
            np.testing.assert_allclose(output, one(x, kind), atol=1e-13)


def test_any_axis_large_fields_and_single_precision():
    rng = np.random.default_rng(1)
    cube = rng.standard_normal((5, 4, 3)).astype(np.float32)
    found = dct(cube, 2, 1)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, scipy.fft.dct(cube, 2, axis=1), atol=1e-5)
    wide = rng.standard_normal((37, 2000))  # more rows than one block, and a rest
    np.testing.assert_allclose(dst(wide, 1), scipy.fft.dst(wide, 1), atol=1e-11)


@pytest.mark.parametrize("transform", [dct, dst])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_their_transposes_pass_the_dot_test(transform, kind):
    x, y = np.random.default_rng(kind).standard_normal((2, 2, 7))

    @jax.jit
    def both(x, y):
        value, moved = jax.jvp(lambda x: transform(x, kind), (x,), (y,))
        pulled = jax.vjp(lambda x: transform(x, kind), x)[1](y)[0]
        return moved, jnp.vdot(y, value), jnp.vdot(pulled, x)

    moved, left, right = both(x, y)
    np.testing.assert_allclose(moved, FORWARD[transform](y, kind), atol=1e-12)
    np.testing.assert_allclose(left, right, rtol=1e-12)


def test_batches_are_loops():
    x = np.random.default_rng(2).standard_normal((3, 4, 5))
    np.testing.assert_allclose(jax.vmap(lambda x: dct(x, 4, 0))(x), scipy.fft.dct(x, 4, axis=1), atol=1e-13)


def test_bad_input_is_named():
    with pytest.raises(ArgumentError, match=r"`kind` of dct must be 1, 2, 3 or 4\. Got 5"):
        dct(jnp.ones(3), 5)
    with pytest.raises(ArgumentError, match="real floating-point"):
        dst(jnp.ones(3, complex))
    with pytest.raises(ArgumentError, match="`axis` of a transform"):
        dct(jnp.ones(3), 2, 1)
