"""The rate finder on a parabola, where every loss of its run is known."""

import jax.numpy as jnp
import numpy as np
import pytest

from continua import optim
from continua.core import ArgumentError, ArgumentTypeError
from continua.train import find_rate


def parabola(w, batch):
    """λ w²/2 with λ = 10: stable up to h = 0.2."""
    return 5 * jnp.mean(w**2 + 0 * batch)


def test_losses_are_those_of_a_growing_rate_and_the_answer_is_stable():
    found = find_rate(parabola, jnp.asarray(2.0), jnp.ones(4), optim.sgd, low=1e-4, high=10.0, steps=60)
    w = 2.0 * np.cumprod(np.concatenate([[1.0], 1 - 10 * found.rates[:-1]]))
    np.testing.assert_allclose(found.losses, 5 * w**2, rtol=1e-9)
    assert found.rates[-1] < 10.0  # it has seen it diverge
    assert 0.01 < found.rate < 0.2
    assert found.rate <= found.lowest


def test_what_cannot_be_searched_is_one_line():
    with pytest.raises(ArgumentError, match="saw the loss fall nowhere from a rate of 1 on"):
        find_rate(parabola, jnp.asarray(2.0), jnp.ones(4), optim.sgd, low=1.0, high=10.0, steps=10)
    with pytest.raises(ArgumentError, match="0 < low < high"):
        find_rate(parabola, jnp.asarray(2.0), jnp.ones(4), optim.sgd, low=1.0, high=0.1)
    with pytest.raises(ArgumentTypeError, match=r"must make one from a rate. Got GradientTransformation"):
        find_rate(parabola, jnp.asarray(2.0), jnp.ones(4), optim.sgd(0.1))
