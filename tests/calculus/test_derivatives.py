"""Derivatives by name are the closed forms, whichever way they are found."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.calculus import derivative, directional, gradient, hessian, hvp, jacobian, taylor
from continua.core import ArgumentError, ArgumentTypeError

x = sympy.Symbol("x")
FUNCTIONS = {
    "tan": (jnp.tan, sympy.tan(x)),
    "asin": (jnp.arcsin, sympy.asin(x)),
    "acos": (jnp.arccos, sympy.acos(x)),
    "atan": (jnp.arctan, sympy.atan(x)),
    "cbrt": (jnp.cbrt, sympy.cbrt(x)),
    "exp2": (jnp.exp2, 2**x),
    "power": (lambda x: x**2.5, x ** sympy.Rational(5, 2)),
    "sigmoid of a quotient": (lambda x: jax.nn.sigmoid(x / (1 + x**2)), 1 / (1 + sympy.exp(-x / (1 + x**2)))),
    "sine of exp": (lambda x: jnp.sin(jnp.exp(x)) * jnp.log1p(x), sympy.sin(sympy.exp(x)) * sympy.log(1 + x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_orders_are_those_of_sympy(name):
    """Up to order four by repetition, beyond by series; both hold the functions that `jet` does not know."""
    f, formula = FUNCTIONS[name]
    at, order = 0.3, 6
    exact = [float(formula.diff(x, k).subs(x, at)) for k in range(order + 1)]
    high = jax.jit(lambda at: taylor(f, at, order).coefficients)(at)
    low = jax.jit(lambda at: taylor(f, at, 3).coefficients)(at)
    scaled = np.array(exact) / [math.factorial(k) for k in range(order + 1)]
    np.testing.assert_allclose(high, scaled, rtol=1e-10)
    np.testing.assert_allclose(low, scaled[:4], rtol=1e-12)


@pytest.mark.core
def test_derivatives_of_one_variable():
    assert derivative(jnp.sin)(0.5) == pytest.approx(math.cos(0.5), rel=1e-15)
    assert derivative(jnp.sin, 2)(0.5) == pytest.approx(-math.sin(0.5), rel=1e-15)
    circle = derivative(lambda t, r: {"x": r * jnp.cos(t), "y": r * jnp.sin(t)})(0.5, 2.0)
    assert circle["x"] == pytest.approx(-2 * math.sin(0.5))
    assert circle["y"] == pytest.approx(2 * math.cos(0.5))


def test_whole_powers_at_zero_need_no_logarithm():
    assert [float(derivative(lambda x: x**6.0, order)(0.0)) for order in (5, 6, 7)] == [0.0, 720.0, 0.0]


def test_a_function_with_its_own_derivative_keeps_it():
    """jnp.sinc is 1 in its formula at 0, and its derivatives there are in a rule of their own: (−π²)^k/(2k + 1)."""
    expected = [math.pi**4 / 5, 0.0, -(math.pi**6) / 7]
    found = jax.jit(lambda x: taylor(jnp.sinc, x, 6).coefficients)(0.0)[4:]
    np.testing.assert_allclose(found * np.array([24.0, 120.0, 720.0]), expected, atol=1e-9)


def test_a_branch_in_python_is_taken_where_its_condition_is_known():
    def f(x):
        return x**2 if x > 0 else -x

    assert [float(derivative(f)(x)) for x in (3.0, -3.0)] == [6.0, -1.0]


def test_loops_are_differentiated_by_repetition():
    def f(x):
        return jax.lax.fori_loop(0, 3, lambda i, y: jnp.sin(y), x)

    formula = sympy.sin(sympy.sin(sympy.sin(x)))
    assert derivative(f, 5)(0.3) == pytest.approx(float(formula.diff(x, 5).subs(x, 0.3)), rel=1e-11)
    with pytest.raises(ArgumentError, match=r"`order` of a derivative of a function with scan must be at most 8"):
        derivative(f, 9)(0.3)


@pytest.mark.core
def test_gradient_hessian_and_products():
    def f(p):
        return p["a"] ** 2 * jnp.sum(p["b"] ** 3)

    p = {"a": jnp.array(2.0), "b": jnp.array([1.0, 3.0])}
    found, H = jax.jit(lambda p: (gradient(f)(p), hessian(f)(p)))(p)
    np.testing.assert_allclose(found["a"], 2 * 2 * 28)
    np.testing.assert_allclose(found["b"], 4 * 3 * np.array([1.0, 9.0]))
    v = {"a": jnp.array(1.0), "b": jnp.array([0.5, -1.0])}
    along, slope = jax.jit(lambda p: (hvp(f, p, v), directional(f, p, v)))(p)
    np.testing.assert_allclose(along["a"], H["a"]["a"] * 1.0 + H["a"]["b"] @ v["b"])
    np.testing.assert_allclose(along["b"], H["b"]["a"] * 1.0 + H["b"]["b"] @ v["b"])
    np.testing.assert_allclose(slope, found["a"] + found["b"] @ v["b"])


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), seed=st.integers(0, 99))
def test_jacobian_is_the_matrix_whatever_its_shape(rows, columns, seed):
    """More outputs than inputs go forward, fewer in reverse."""
    A = np.random.default_rng(seed).normal(size=(rows, columns))
    np.testing.assert_array_equal(jacobian(lambda x: jnp.asarray(A) @ x)(jnp.ones(columns)), A)


def test_the_cheaper_direction_and_shared_products_are_taken():
    W = jnp.ones((2, 300))
    tall, wide = (
        jax.make_jaxpr(jacobian(f))(jnp.ones(n))
        for f, n in ((lambda x: jnp.sin(W.T @ x), 2), (lambda x: jnp.sin(W @ x), 300))
    )
    for program in (tall, wide):
        assert "f64[300,300]" not in str(program)

    def chain(x):
        return jnp.sin(x) * jnp.roll(x, 1) + jnp.roll(x, -1) ** 2

    z = jnp.linspace(0.0, 1.0, 60)
    np.testing.assert_allclose(jax.jit(jacobian(chain, sparse=True))(z), jax.jit(jacobian(chain))(z), rtol=1e-14)
    assert "f64[3,60]" in str(jax.make_jaxpr(jacobian(chain, sparse=True))(z))


def test_taylor_remainder_has_the_next_order():
    r"""|eˣ − p(x)| = xⁿ⁺¹/(n + 1)! (1 + O(x))."""
    polynomial = taylor(lambda x: jnp.stack([jnp.exp(x), jnp.exp(-x)]), 0.0, 5)
    assert polynomial.order == 5
    h = np.array([0.2, 0.1])
    errors = np.array([np.abs(polynomial(each) - np.exp([each, -each])) for each in h])
    np.testing.assert_allclose(np.log2(errors[0] / errors[1]), 6, atol=0.1)
    np.testing.assert_allclose(errors[1] * 720 / 0.1**6, 1, atol=0.05)


def test_precision_follows_the_input():
    single = jnp.float32(0.5)
    assert derivative(jnp.sin, 6)(single).dtype == jnp.float32
    assert gradient(jnp.sum)(jnp.ones(2, jnp.float32)).dtype == jnp.float32
    assert jax.vmap(derivative(jnp.sin))(jnp.linspace(0.0, 1.0, 5)).shape == (5,)


@pytest.mark.core
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: derivative(jnp.sin)(1), ArgumentTypeError, "must hold floats: only they can vary. Got int"),
        (lambda: derivative(jnp.sin)(jnp.ones(3)), ArgumentError, r"must be one number. Got float64\[3\]"),
        (lambda: derivative(jnp.sin, 0), ArgumentError, "`order` of `derivative` must be an integer from 1"),
        (lambda: derivative(jnp.sqrt)(0.0), ArgumentError, "must have finite derivatives. Got inf at 0.0"),
        (lambda: derivative(lambda x: jnp.int32(1))(0.0), ArgumentTypeError, "must return floats"),
        (lambda: gradient(lambda x: x**2)(jnp.ones(3)), ArgumentError, "must return one number. Got float64"),
        (lambda: gradient(jnp.sum)(jnp.arange(3)), ArgumentTypeError, "x.astype"),
        (lambda: gradient(jnp.sum)(jnp.array([1.0, jnp.nan])), ArgumentError, "`x` of `gradient` must be finite"),
        (lambda: gradient(lambda p: p["a"])({"a": 1.0, "b": "word"}), ArgumentTypeError, r"'word' at x\['b'\]"),
        (lambda: hessian(lambda x: x)(jnp.ones(2)), ArgumentError, "`f` of `hessian` must return one number"),
        (lambda: hvp(jnp.sum, jnp.ones(3), jnp.ones(2)), ArgumentError, "`v` of `hvp` must have the structure"),
        (lambda: directional(jnp.sum, jnp.ones(3), [1, 2, 3]), ArgumentTypeError, "`v` of `directional` must hold"),
        (lambda: jacobian(lambda x: x, sparse=True)(jnp.ones((2, 2))), ArgumentError, r"one array \[n\]"),
        (lambda: taylor(jnp.log, 0.0, 3), ArgumentError, "must have finite derivatives"),
        (lambda: taylor(lambda x: {"a": x}, 0.0, 3), ArgumentTypeError, "must return one array"),
        (lambda: gradient(jnp.sum)([]), ArgumentError, "must hold numbers"),
        (lambda: gradient(np.sin)(0.5), ArgumentTypeError, "must be made of jnp's operations"),
        (lambda: derivative(lambda x: x if x > 0 else -x, 6)(0.5), ArgumentTypeError, "Use jnp.where for `if`"),
    ],
)
def test_bad_input_is_one_line(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_is_no_function_is_refused():
    with pytest.raises(ArgumentTypeError, match=r"`f` of `derivative` must be a function\. Got 3\.0"):
        derivative(3.0)
