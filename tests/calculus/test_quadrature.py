"""Integrals against closed forms, their errors against the truth, their derivatives against Leibniz's rule."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma, gamma

from continua.calculus import Integral, Outcome, QuasiMonteCarlo, integrate
from continua.core import ArgumentError, ArgumentTypeError

INF = jnp.inf


def check(found, exact, most=1e-12):
    """The value is right to `most` of its size, and the error that is given bounds what it is off."""
    wrong = np.abs(np.asarray(found.value) - exact)
    assert found.reached, found.reason
    assert np.all(wrong <= most * np.maximum(np.abs(exact), 1))
    assert np.all(wrong <= np.asarray(found.error))


@pytest.mark.core
def test_on_an_interval():
    """Smooth, singular at either end, and steep: one integral of seven functions."""

    def f(x):
        return jnp.stack(
            [jnp.exp(x), x**-0.5, (1 - x) ** -0.5, jnp.log(x) ** 2, x**-0.9, 1 / (x + 1e-8), jnp.cos(40 * x)]
        )

    exact = [math.e - 1, 2, 2, 2, 10, math.log1p(1e8), math.sin(40) / 40]
    check(integrate(f, 0.0, 1.0), exact)


def test_to_infinity():
    def half(x):
        return jnp.stack([jnp.exp(-x), jnp.exp(-x) / jnp.sqrt(x), 1 / (1 + x) ** 1.1, jnp.exp(-x / 1e5) / 1e5])

    check(integrate(half, 0.0, INF), [1, math.sqrt(math.pi), 10, 1], 1e-11)

    def whole(x):
        return jnp.stack([jnp.exp(-((x - 30) ** 2)), 1 / (1 + x**2), x * jnp.exp(-(x**2))])

    exact = np.array([math.sqrt(math.pi), math.pi, 0])
    check(integrate(whole, -INF, INF), exact)
    check(integrate(whole, INF, -INF), -exact)  # the other way round


def test_corners():
    """What is infinite, jumps or turns inside is cut there; without a word it is found, less exactly, and said so."""

    def f(x):
        return jnp.stack([jnp.abs(x - 0.3) ** -0.5, jnp.where(x < 0.3, 1.0, 3.0), jnp.abs(x - 0.3)])

    exact = np.array([2 * (math.sqrt(0.3) + math.sqrt(0.7)), 2.4, (0.09 + 0.49) / 2])
    check(integrate(f, 0.0, 1.0, corners=[0.3]), exact)
    check(integrate(f, 1.0, 0.0, corners=[0.3]), -exact)
    alone = integrate(f, 0.0, 1.0)
    assert alone.outcome == Outcome.TOLERANCE
    assert "corners" in alone.reason
    assert np.all(np.abs(alone.value - exact) <= alone.error)
    assert alone.error[0] < 1e-4


def test_what_diverges_says_so():
    def f(x):
        return jnp.stack([1 / x, -(x**-1.5), 1 / (1 - x), jnp.sqrt(x)])

    found = integrate(f, 0.0, 1.0)
    np.testing.assert_array_equal(found.value[:3], [np.inf, -np.inf, np.inf])
    assert found.value[3] == pytest.approx(2 / 3, abs=1e-12)
    assert found.outcome == Outcome.DIVERGES
    assert "diverges" in found.reason
    both = integrate(lambda x: 1 / x, -1.0, 1.0, corners=[0.0])
    assert np.isnan(both.value)
    assert both.outcome == Outcome.DIVERGES


def test_what_is_not_reached_says_so():
    waves = integrate(lambda x: jnp.sinc(x / jnp.pi), 0.0, INF)
    assert waves.outcome == Outcome.TOLERANCE
    assert abs(waves.value - math.pi / 2) <= waves.error
    broken = integrate(lambda x: jnp.where(x > 0.5, jnp.nan, x), 0.0, 1.0)
    assert broken.outcome == Outcome.NON_FINITE
    assert "not finite" in broken.reason
    loose = integrate(jnp.exp, 0.0, 20.0, rtol=1e-3)
    assert loose.reached
    assert abs(loose.value - math.expm1(20)) <= loose.error
    assert loose.evaluations < integrate(jnp.exp, 0.0, 20.0).evaluations


def test_derivatives_are_those_of_leibniz():
    r"""d/dp ∫ₐᵇ e^{px} = f(b) b′ − f(a) a′ + ∫ x e^{px}; all second derivatives too, in a batch, compiled."""

    def value(p):
        return integrate(lambda x: jnp.exp(p[0] * x), p[1], p[2]).value

    def closed(p):
        return (jnp.exp(p[0] * p[2]) - jnp.exp(p[0] * p[1])) / p[0]

    p = jnp.array([[0.5, -0.3, 2.0], [-1.2, 0.1, 0.4]])
    found = jax.jit(jax.vmap(lambda p: (jax.grad(value)(p), jax.hessian(value)(p))))(p)
    for one, derivative in zip(found, (jax.grad, jax.hessian), strict=True):
        np.testing.assert_allclose(one, jax.vmap(derivative(closed))(p), rtol=1e-12, atol=1e-12)


def test_derivative_of_a_singular_one():
    """The integral of x^(q−1) e^−x up to infinity is Γ(q); its derivative Γψ is extrapolated with it."""

    def value(q):
        return integrate(lambda x: x ** (q - 1) * jnp.exp(-x), 0.0, INF).value

    found, slope = jax.jit(jax.value_and_grad(value))(0.4)
    assert found == pytest.approx(gamma(0.4), rel=1e-12)
    assert slope == pytest.approx(gamma(0.4) * digamma(0.4), rel=1e-11)


def test_derivative_of_an_empty_interval():
    assert jax.grad(lambda b: integrate(jnp.cos, 0.3, b).value)(0.3) == pytest.approx(math.cos(0.3))


def test_in_single_precision():
    def f(x):
        return jnp.stack([jnp.exp(x), x**-0.5, jnp.log(x)])

    found = integrate(f, jnp.float32(0), jnp.float32(1))
    assert found.value.dtype == jnp.float32
    check(found, [math.e - 1, 2, -1], 1e-5)
    assert integrate(lambda x: 1 / x, jnp.float32(0), jnp.float32(1)).outcome == Outcome.DIVERGES


def test_over_boxes():
    box = integrate(lambda x: jnp.stack([jnp.exp(x.sum()), jnp.prod(x) ** 2]), (0.0, 0.0, 0.0), (1.0, 1.0, 2.0))
    check(box, [(math.e - 1) ** 2 * math.expm1(2), 8 / 27])
    plane = integrate(lambda x: jnp.exp(-x @ x), (-INF, -INF), (INF, INF))
    check(plane, math.pi)
    five = integrate(lambda x: jnp.exp(x.sum()), (0.0,) * 5, (1.0,) * 5, rtol=1e-4)
    check(five, (math.e - 1) ** 5, 1e-6)


def test_between_curves():
    """The area and the second moment of an ellipse, and how they change with its axes."""

    def moments(axes):
        a, b = axes
        return integrate(
            lambda x: jnp.stack([jnp.ones_like(x[0]), x[1] ** 2]),
            (-a, lambda x: -b * jnp.sqrt(1 - (x[0] / a) ** 2)),
            (a, lambda x: b * jnp.sqrt(1 - (x[0] / a) ** 2)),
        )

    a, b = axes = jnp.array([2.0, 0.5])
    found, slopes = jax.jit(lambda axes: (moments(axes), jax.jacfwd(lambda axes: moments(axes).value)(axes)))(axes)
    check(found, np.array([math.pi * a * b, math.pi * a * b**3 / 4]), 1e-8)
    exact = math.pi * np.array([[b, a], [b**3 / 4, 3 * a * b**2 / 4]])
    np.testing.assert_allclose(slopes, exact, rtol=1e-4)  # of the root at either end: its slope is singular there


def test_in_many_dimensions():
    one, ten = math.sqrt(math.pi) / 2 * math.erf(1), 10

    def f(x):
        return jnp.exp(-x @ x)

    def found(seed, points):
        return integrate(f, (0.0,) * ten, (1.0,) * ten, method=QuasiMonteCarlo(seed, points))

    errors = []
    for points in (2**8, 2**12):
        for seed in (0, 1):
            here = found(seed, points)
            assert abs(here.value - one**ten) <= here.error
        errors.append(float(here.error))
    assert errors[1] < errors[0] / 8  # random points would gain 4
    assert found(0, 2**8).value == found(0, 2**8).value != found(1, 2**8).value
    assert here.evaluations == 16 * 2**12
    demanding = integrate(f, (0.0,) * ten, (1.0,) * ten, rtol=1e-9, method=QuasiMonteCarlo(0, 2**8))
    assert demanding.outcome == Outcome.TOLERANCE
    lines = integrate(f, (-INF,) * 3, (INF,) * 3, method=QuasiMonteCarlo(0))
    assert abs(lines.value - math.pi**1.5) <= lines.error < 0.1

    def scaled(s):
        return integrate(lambda x: f(s * x), (0.0,) * 3, (1.0,) * 3, method=QuasiMonteCarlo(0)).value

    exact = jax.grad(lambda s: (jnp.sqrt(jnp.pi) / (2 * s) * jax.scipy.special.erf(s)) ** 3)
    assert float(jax.jit(jax.grad(scaled))(0.7)) == pytest.approx(float(exact(0.7)), rel=1e-4)


def test_results_scale_and_print():
    doubled = 2 * Integral(jnp.array(3.0), jnp.array(0.1), jnp.array(0), jnp.array(15))
    assert (float(doubled.value), float(doubled.error), doubled.reached) == (6.0, 0.2, True)
    assert str(doubled) == "6 ± 0.2"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: integrate(3, 0.0, 1.0), ArgumentTypeError, "must be a function. Got int"),
        (lambda: integrate(math.sin, 0.0, 1.0), ArgumentTypeError, "Use jnp.sin for math.sin"),
        (lambda: integrate(lambda x, y: x, 0.0, 1.0), ArgumentTypeError, r"must take float64\[\]"),
        (lambda: integrate(lambda x: 1, 0.0, 1.0), ArgumentError, r"must give real numbers. Got int64\[\]. Use floats"),
        (lambda: integrate(jnp.sin, 0.0, jnp.nan), ArgumentError, "must be real numbers. Got nan"),
        (lambda: integrate(jnp.sin, 0.0, 1j), ArgumentError, "must be real numbers. Got 1j"),
        (lambda: integrate(jnp.sin, "a", 1.0), ArgumentError, "must be real numbers. Got 'a'"),
        (lambda: integrate(jnp.sin, (0.0,), 1.0), ArgumentError, "two numbers, or one end for each axis"),
        (lambda: integrate(jnp.sum, (), ()), ArgumentError, "two numbers, or one end for each axis"),
        (lambda: integrate(jnp.sum, (0.0,) * 9, (1.0,) * 9), ArgumentError, r"Use QuasiMonteCarlo\(seed=0\)"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, rtol=-1), ArgumentError, "`rtol` .* must not be negative"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, corners=[0.5, 0.2]), ArgumentError, "in their order"),
        (lambda: integrate(jnp.sum, (0.0, 0.0), (1.0, 1.0), corners=[0.5]), ArgumentError, "a single axis"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, max_boxes=0), ArgumentError, "must be positive"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, method="sobol"), ArgumentTypeError, "must be a QuasiMonteCarlo"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, method=QuasiMonteCarlo(0, 100)), ArgumentError, "a power of two"),
        (lambda: integrate(jnp.sin, 0.0, 1.0, method=QuasiMonteCarlo(0, copies=1)), ArgumentError, "at least 2"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)
