"""Lowerings, learning with a frozen order, the semiring of maxima, channels."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as ndimage

from continua.core import ArgumentError
from continua.space import (
    ChannelStencil,
    Convolution,
    Dilation,
    FrozenOrder,
    Grid,
    Outside,
    Periodic,
    Separable,
    Shifts,
    Spectral,
    Stencil,
)

IMAGE = np.random.default_rng(0).normal(size=(20, 30))


@pytest.mark.parametrize("shape", [(3, 5), (5, 2)])
def test_every_lowering_gives_the_same_numbers_and_gradients(shape):
    stencil = Stencil.from_kernel(np.random.default_rng(1).normal(size=shape), Outside(1.0), origin=(1, 1)).trainable()

    def energy(way, weights, field):
        return jnp.sum(jnp.sin(stencil.with_weights(weights).lowered(way)(field)))

    results = [
        jax.jit(jax.value_and_grad(lambda w, u, way=way: energy(way, w, u), (0, 1)))(
            stencil.weights, jnp.asarray(IMAGE)
        )
        for way in (Shifts(), Convolution(), Spectral())
    ]
    for other in results[1:]:
        for a, b in zip(jax.tree.leaves(results[0]), jax.tree.leaves(other), strict=True):
            assert np.allclose(a, b, atol=1e-12)


def test_products_are_found_and_large_kernels_lowered_by_size():
    line = np.exp(-(np.linspace(-2, 2, 9) ** 2))
    blur, dense = (
        Stencil.from_kernel(np.outer(line, line)),
        Stencil.from_kernel(np.random.default_rng(2).normal(size=(9, 9))),
    )
    assert Separable().serves(blur)
    assert not Separable().serves(dense)
    expected = ndimage.correlate(IMAGE, np.outer(line, line))
    for one in (blur, blur.lowered(Spectral()), blur.measured(jnp.asarray(IMAGE))):
        assert np.allclose(one(jnp.asarray(IMAGE)), expected, atol=1e-12)
    with pytest.raises(ArgumentError, match="cannot compute this stencil"):
        dense.lowered(Separable())


def test_what_is_learned_keeps_the_order():
    """With random θ the weights are of second order still; without the constraint they would be of none."""
    theta = jnp.asarray(np.random.default_rng(3).normal(size=15))

    def error(size):
        grid = Grid.vertices((size, size), Periodic())
        model = eqx.tree_at(lambda m: m.theta, FrozenOrder("laplace", (5, 5), grid, Periodic()), theta)
        wave = grid.sample(lambda x, y: jnp.sin(2 * jnp.pi * x) * jnp.cos(2 * jnp.pi * y))
        return float(jnp.abs(model(wave) + 8 * jnp.pi**2 * wave).max())

    assert abs(np.log2(error(48) / error(96)) - 2) < 0.1
    grid = Grid.vertices(64, Periodic())
    model = FrozenOrder("dx", (5,), grid, Periodic())
    wave = grid.sample(lambda x: jnp.sin(10 * jnp.pi * x))
    slope = grid.sample(lambda x: 10 * jnp.pi * jnp.cos(10 * jnp.pi * x))

    def misfit(theta):
        return jnp.mean((eqx.tree_at(lambda m: m.theta, model, theta)(wave) - slope) ** 2)

    hessian, gradient = jax.jit(jax.hessian(misfit))(model.theta), jax.grad(misfit)(model.theta)
    learned = model.theta - jnp.linalg.pinv(hessian) @ gradient
    assert misfit(learned) < 1e-20 * misfit(model.theta)  # one wave can be met exactly


def test_dilations_and_erosions_are_those_of_scipy():
    flat = Dilation.disk(3)
    disk = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3
    assert np.array_equal(flat(jnp.asarray(IMAGE)), ndimage.grey_dilation(IMAGE, footprint=disk))
    assert np.array_equal(
        Dilation.disk(3, erodes=True)(jnp.asarray(IMAGE)), ndimage.grey_erosion(IMAGE, footprint=disk)
    )
    height = np.random.default_rng(4).normal(size=(3, 3))
    places = [(i - 1, j - 1) for i in range(3) for j in range(3)]
    shaped = Dilation(places, height.ravel())(jnp.asarray(IMAGE))
    assert np.allclose(shaped, ndimage.grey_dilation(IMAGE, structure=height[::-1, ::-1]))
    assert flat.ghosts_persist()


def test_a_flat_dilation_is_a_step_of_hamilton_and_jacobi():
    """A cone grows by its slope times the radius, u_t = |∇u|, to a pixel whatever the radius."""
    cone = -np.hypot(*np.mgrid[-30:31, -30:31])
    for radius in (5, 10):
        grown = Dilation.disk(radius)(jnp.asarray(cone))
        assert np.abs(grown - np.minimum(cone + radius, 0)).max() < 1


def test_channels_are_mixed_as_in_a_convolution_layer():
    weights = np.random.default_rng(5).normal(size=(3, 3, 4, 2))
    field = np.random.default_rng(6).normal(size=(5, 2, 8, 9))
    expected = np.zeros((5, 4, 8, 9))
    for b, a, i in np.ndindex(5, 4, 2):
        expected[b, a] += ndimage.correlate(field[b, i], weights[:, :, a, i], mode="constant")
    assert np.allclose(ChannelStencil(weights, Outside())(jnp.asarray(field)), expected)
    square = ChannelStencil(weights[:, :, :2], Periodic())
    impulse = jnp.eye(2)[:, :, None, None] * jnp.zeros((1, 1, 8, 8)).at[..., 0, 0].set(1.0)
    waves = np.fft.fft2(square(impulse))  # [in, out, wave, wave]
    found = np.linalg.eigvals(np.moveaxis(waves, (0, 1), (3, 2)))
    assert np.isclose(np.abs(square.spectrum(8)).max(), np.abs(found).max())


def test_bad_input_is_answered_in_one_line():
    grid = Grid.cells((8, 8))
    with pytest.raises(ArgumentError, match="odd along each"):
        FrozenOrder("dx", (4, 4), grid, Periodic())
    with pytest.raises(ArgumentError, match="too small for"):
        FrozenOrder("biharmonic", (3, 3), grid, Periodic())
    with pytest.raises(ArgumentError, match="nothing to learn"):
        FrozenOrder("dxx", (3,), Grid.cells(8), Periodic())
    with pytest.raises(ArgumentError, match="one for each of its"):
        Dilation([(0, 0), (0, 1)], [1.0])
    with pytest.raises(ArgumentError, match="odd kernel"):
        ChannelStencil(np.ones((2, 2, 1, 1)), Outside())
    with pytest.raises(ArgumentError, match=r"must be \[\.\.\., 2, \*shape\]"):
        ChannelStencil(np.ones((3, 3, 1, 2)), Outside())(jnp.ones((3, 8, 8)))
