"""A right gradient passes in either precision; a wrong one does not, and the worst entry is named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import check_gradient
from continua.core import ArgumentError, ArgumentTypeError


@jax.custom_vjp
def square(x):
    return x**2


square.defvjp(lambda x: (x**2, x), lambda x, g: (jnp.where(x > 2, 2.002, 2.0) * x * g,))


@pytest.mark.core
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_right_gradient_passes(dtype):
    x = {"w": jnp.linspace(0.5, 3.0, 4, dtype=dtype), "b": jnp.asarray(1.5, dtype)}
    found = check_gradient(lambda x: jnp.sum(jnp.exp(jnp.sin(x["w"]))) / x["b"], x)
    assert found
    assert found.verdict == "right"
    assert "5 of 5 entries agree" in str(found)
    assert found.forward is not None
    np.testing.assert_allclose(found.differences, found.reverse, atol=found.tolerances.max())
    assert found.tolerances.max() < (1e-2 if dtype == jnp.float32 else 1e-9)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_wrong_reverse_rule_is_found_and_named(dtype):
    found = check_gradient(lambda x: jnp.sum(square(x["w"])), {"w": jnp.asarray([[1.0, 1.5], [1.8, 3.0]], dtype)})
    assert not found
    assert found.forward is None
    assert found.names[found.worst] == "x['w'][1, 1]"
    assert str(found).startswith("gradient WRONG: 3 of 4 entries agree; worst x['w'][1, 1]: reverse 6.006")


def test_a_wrong_forward_rule_is_found():
    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda p, t: (p[0] ** 3, 3.01 * p[0] ** 2 * t[0]))
    found = check_gradient(lambda x: jnp.sum(cube(x)), jnp.array([1.0, 2.0]))
    assert found.verdict == "WRONG"
    np.testing.assert_allclose(found.differences, [3.0, 12.0], rtol=1e-9)


def test_what_differences_cannot_tell_is_said():
    """In single precision, 1e6 + sin x shows nothing of sin x."""
    assert check_gradient(lambda x: 1e6 + jnp.sin(x), jnp.float32(0.5)).verdict == "not decided"
    assert check_gradient(lambda x: 1e6 + jnp.sin(x), jnp.float64(0.5)).verdict == "right"


def test_a_function_that_ends_nearby_is_checked():
    """√(x − 0.499) is no number at most of the points tried."""
    assert check_gradient(lambda x: jnp.sqrt(x - 0.499), 0.5)


def test_bad_input_is_one_line():
    with pytest.raises(ArgumentError, match="`f` of `check_gradient` must return one number"):
        check_gradient(lambda x: x, jnp.ones(2))
    with pytest.raises(ArgumentTypeError, match="`x` of `check_gradient` must hold floats"):
        check_gradient(jnp.sum, 1)
