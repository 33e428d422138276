"""Double precision inside, the user's setting outside."""

import jax
import jax.numpy as jnp
import pytest

from continua.core import in_double_precision


@in_double_precision
def third(x):
    """A third of x."""
    return jnp.asarray(x, float) / 3


def test_computes_in_double_precision_whatever_the_setting():
    for setting in (False, True):
        with jax.enable_x64(setting):
            assert third(1.0).dtype == jnp.float64
            assert float(third(1.0)) == 1 / 3


def test_the_setting_is_the_users_afterwards():
    with jax.enable_x64(False):
        third(1.0)
        assert jnp.asarray(1.0).dtype == jnp.float32


def test_the_setting_is_the_users_after_an_error():
    @in_double_precision
    def fails():
        raise KeyError("inside")

    with jax.enable_x64(False):
        with pytest.raises(KeyError, match="inside"):
            fails()
        assert jnp.asarray(1.0).dtype == jnp.float32


def test_nests_and_hands_arguments_on():
    @in_double_precision
    def outer(x, *, times):
        return third(x) * times

    assert float(outer(1.0, times=6)) == 2.0


def test_keeps_the_name_and_the_words():
    assert third.__name__ == "third"
    assert third.__doc__ == "A third of x."
