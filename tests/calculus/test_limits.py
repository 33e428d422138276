"""Limits against their values, errors against the truth, and a reason where there is none."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import limit
from continua.calculus.acceleration import accelerated, grows
from continua.core import ArgumentError, ArgumentTypeError

INF = jnp.inf
# Function, point, side, limit, and how exact it must be.
TABLE = {
    "sin x / x": (lambda x: jnp.sin(x) / x, 0.0, "both", 1, 1e-13),
    "(e^x - 1) / x": (lambda x: (jnp.exp(x) - 1) / x, 0.0, "both", 1, 1e-10),
    "(1 - cos x) / x^2": (lambda x: (1 - jnp.cos(x)) / x**2, 0.0, "both", 0.5, 1e-9),
    "(x - sin x) / x^3": (lambda x: (x - jnp.sin(x)) / x**3, 0.0, "right", 1 / 6, 1e-9),
    "a difference of fourth order": (lambda x: (jnp.cos(x) - 1 + x**2 / 2) / x**4, 0.0, "both", 1 / 24, 1e-5),
    "x log x": (lambda x: x * jnp.log(x), 0.0, "right", 0, 1e-14),
    "x^x": (lambda x: x**x, 0.0, "right", 1, 1e-10),
    "x^0.1": (lambda x: x**0.1, 0.0, "right", 0, 1e-12),
    "1 / log x": (lambda x: 1 / jnp.log(x / 3), 0.0, "right", 0, 1e-6),
    "exp(-1/x)": (lambda x: jnp.exp(-1 / x), 0.0, "right", 0, 1e-14),
    "x sin(1/x)": (lambda x: x * jnp.sin(1 / x), 0.0, "both", 0, 1e-3),
    "1/sin x - 1/x": (lambda x: 1 / jnp.sin(x) - 1 / x, 0.0, "both", 0, 1e-11),
    "a hole": (lambda x: (x**2 - 1) / (x - 1), 1.0, "both", 2, 1e-12),
    "at 4": (lambda x: (jnp.sqrt(x) - 2) / (x - 4), 4.0, "both", 0.25, 1e-10),
    "at a million": (lambda x: (jnp.sqrt(x) - 1e3) / (x - 1e6), 1e6, "both", 5e-4, 1e-13),
    "a step": (jnp.floor, 2.0, "left", 1, 1e-12),
    "a constant": (lambda x: 0 * x, 1.0, "both", 0, 0),
    "e": (lambda n: (1 + 1 / n) ** n, INF, "both", math.e, 1e-9),
    "log x / x": (lambda x: jnp.log(x) / x, INF, "both", 0, 1e-13),
    "x^2 e^-x": (lambda x: x**2 * jnp.exp(-x), INF, "both", 0, 1e-12),
    "arctan": (jnp.arctan, -INF, "both", -math.pi / 2, 1e-12),
    "a difference of infinities": (lambda x: jnp.sqrt(x**2 + x) - x, INF, "both", 0.5, 1e-9),
    "n^(1/n)": (lambda n: n ** (1 / n), INF, "both", 1, 1e-8),
}


@pytest.mark.parametrize("name", TABLE)
def test_limits_and_their_errors(name):
    f, x0, side, exact, most = TABLE[name]
    found = limit(f, x0, side)
    assert found.exists, found.reason
    assert abs(found.value - exact) <= found.error <= most


@pytest.mark.core
def test_in_single_precision():
    found = limit(lambda x: (jnp.exp(x) - 1) / x, jnp.float32(0))
    assert abs(found.value - 1) <= found.error < 3e-3
    assert limit(lambda x: 1 / x**2, jnp.float32(0)).value == np.inf


@pytest.mark.parametrize(
    ("f", "x0", "value", "words"),
    [
        (lambda x: jnp.abs(x) / x, 0.0, np.nan, "the sides differ: -1 from the left, 1 from the right"),
        (lambda x: 1 / x, 0.0, np.nan, "the sides differ: -inf from the left, inf from the right"),
        (lambda x: 1 / x**2, 0.0, np.inf, "grows without bound"),
        (lambda x: jnp.log(jnp.abs(x)), 0.0, -np.inf, "falls without bound"),
        (jnp.sqrt, INF, np.inf, "f grows without bound towards inf"),
        (jnp.exp, INF, np.inf, "f grows without bound towards inf"),
        (lambda x: jnp.sin(1 / x), 0.0, np.nan, "does not settle"),
        (lambda x: jnp.sin(jnp.pi / x), 0.0, np.nan, "does not settle"),  # 0 wherever 1/x is whole
        (jnp.sin, INF, np.nan, "f does not settle towards inf"),
        (lambda x: jnp.tanh(1e3 * x), 0.0, np.nan, "does not settle"),  # 1 until close to 0
        (lambda x: x * jnp.log(x), 0.0, np.nan, "f is not a finite number to the left of 0, 0 from the right"),
        (lambda x: jnp.sqrt(-1 - x**2), 0.0, np.nan, "not a finite number"),
    ],
)
def test_where_there_is_none_it_says_why(f, x0, value, words):
    found = limit(f, x0)
    assert not found.exists
    np.testing.assert_equal(found.value, value)
    assert words in found.reason
    assert str(found) == found.reason


def test_derivative_as_a_limit():
    """A student's way to a derivative, to ten digits."""
    found = limit(lambda h: (jnp.sin(1 + h) - jnp.sin(1.0)) / h, 0.0)
    assert abs(found.value - math.cos(1)) <= found.error < 1e-10
    assert str(found).startswith("0.54030230586")


def test_sequences():
    """Alternating, geometric, logarithmic; the growth of those that have no limit."""
    k = jnp.arange(1.0, 17.0)
    sums = jnp.stack([jnp.cumsum(terms) for terms in (-((-1.0) ** k) / k, 0.8**k, 1 / k**2)])
    exact = np.array([math.log(2), 4, math.pi**2 / 6])
    values, errors = map(np.asarray, jax.jit(jax.vmap(accelerated))(sums))
    assert np.all(np.abs(values - exact) <= errors)
    assert np.all(errors < [1e-9, 1e-12, 1e-5])
    np.testing.assert_array_equal(grows(jnp.stack([k, -(k**2), jnp.log(k), sums[0], sums[2]])), [1, -1, 0, 0, 0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: limit(jnp.sin, jnp.nan), ArgumentError, "Got NaN"),
        (lambda: limit(jnp.sin, [0.0, 1.0]), ArgumentError, "one real number"),
        (lambda: limit(jnp.sin, "0"), ArgumentError, "one real number"),
        (lambda: limit(jnp.sin, 0.0, "up"), ArgumentError, '"both", "left" or "right"'),
        (lambda: limit(1.0, 0.0), ArgumentTypeError, "must be a function"),
        (lambda: limit(math.sin, 0.0), ArgumentTypeError, "jnp.sin for math.sin"),
        (lambda: limit(lambda x: jnp.stack([x, x]), 0.0), ArgumentError, "one component at a time"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)
