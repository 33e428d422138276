"""Multi-layer perceptrons beside their formula."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import ArgumentError
from continua.models import MLP, mlp

KEY = jax.random.key(3)


@pytest.mark.core
def test_it_is_affine_maps_and_a_non_linearity_in_turn():
    model = MLP((3, 5, 4, 2), KEY, activation="tanh")
    first, second, last = model.layers
    x = jax.random.normal(jax.random.key(1), (7, 3))
    hidden = np.tanh(np.tanh(x @ first.weight.T) @ second.weight.T)  # biases start at 0
    np.testing.assert_allclose(model(x), hidden @ last.weight.T, rtol=1e-12)
    np.testing.assert_array_equal(jax.vmap(model)(x).shape, (7, 2))


def test_residual_layers_are_euler_steps_of_one_flow():
    # With the same weights in every layer the network of depth L is L Euler steps on x' = tanh(W x): order 1 in 1/L.
    weight = jnp.array([[0.0, 1.0], [-1.0, 0.2]])

    def state_after(depth):
        model = MLP((2,) * (depth + 2), KEY, activation="tanh", residual=True)
        layers = tuple(jax.tree.map(jnp.zeros_like, layer) for layer in model.layers)
        hidden = [type(layer)(weight, layer.bias) for layer in layers[:-1]]
        last = type(layers[-1])(jnp.eye(2), layers[-1].bias)
        return eqx.tree_at(lambda m: m.layers, model, (*hidden, last))(jnp.array([1.0, -0.5]))

    coarse, middle, fine = (state_after(depth - 1) for depth in (8, 16, 32))
    order = jnp.log2(jnp.linalg.norm(coarse - middle) / jnp.linalg.norm(middle - fine))
    assert abs(order - 1) < 0.15


def test_normalised_layers_do_not_see_scale_or_shift():
    model = MLP((4, 6, 6, 1), KEY, normalised=True)
    x = jax.random.normal(jax.random.key(2), (5, 4))
    np.testing.assert_allclose(model(x), model(1e3 * x + 7), rtol=1e-4)


@pytest.mark.parametrize("initialisation", mlp.INITIALISATIONS)
def test_weights_have_the_variance_of_their_name(initialisation):
    weight = MLP((300, 500), KEY, initialisation=initialisation).layers[0].weight
    variance = {"glorot": 2 / 800, "he": 2 / 300, "lecun": 1 / 300, "orthogonal": 1 / 500}[initialisation]
    assert abs(jnp.var(weight) / variance - 1) < 0.02


@pytest.mark.parametrize(
    ("arguments", "options"),
    [(((3,), KEY), {}), (((3, 0), KEY), {}), (((3, 1), KEY), {"activation": "tnh"})],
)
def test_what_is_no_network_is_refused(arguments, options):
    with pytest.raises(ArgumentError, match="`MLP` must be"):
        MLP(*arguments, **options)
