"""Stochastic methods through the same invariants: orders over many paths, exact special cases, which equations fit."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from continua.equations import (
    SDE,
    DiagonalNoise,
    Driven,
    GeneralNoise,
    GeometricBrownianMotion,
    Interpretation,
    OrnsteinUhlenbeck,
    Reinterpreted,
    ScalarNoise,
)
from continua.methods import SRA1, EulerMaruyama, Milstein, Projected, StochasticHeun
from continua.methods.stochastic_step import Terms

FINEST = 512  # cells of a path over [0, 1]
STRATONOVICH = Interpretation.STRATONOVICH
GROWTH = GeometricBrownianMotion(0.5, 0.8)


def turning(t, y, args):
    """Two motions that do not commute: a shift, and a turn."""
    zero = jnp.zeros_like(y[0])
    return jnp.stack([jnp.stack([jnp.ones_like(y[0]), y[1]]), jnp.stack([zero, -y[0]])])


ROTOR = SDE(lambda t, y, args: -y, turning, GeneralNoise())
ROTOR_S = SDE(lambda t, y, args: -y, turning, GeneralNoise(), STRATONOVICH)
CIRCLE = SDE(lambda t, y, args: 0 * y, lambda t, y, args: jnp.stack([-y[1], y[0]]), ScalarNoise(), STRATONOVICH)
WAVES = SDE(  # additive, two motions, a diffusion that changes in time
    lambda t, y, args: jnp.cos(2 * y),
    lambda t, y, args: jnp.array([[1.0, 0.3], [0.0, 1.0]]) * (1 + 0.1 * jnp.sin(3 * t)),
    GeneralNoise(),
)


class Recorded(eqx.Module):
    """Brownian paths over [0, 1] as tables: W and its integral at the ends of `FINEST` cells, [time, motion]."""

    w: jax.Array
    area: jax.Array

    def __call__(self, t, h, args):
        return self.w[self.row(t + h)] - self.w[self.row(t)]

    def with_area(self, t, h, args):
        area = self.area[self.row(t + h)] - self.area[self.row(t)] - h * self.w[self.row(t)]
        return jnp.stack([self(t, h, args), area])

    def row(self, t):
        return jnp.round(t * FINEST).astype(jnp.int32)


@functools.cache
def paths(count, motions=1):
    random, h = np.random.default_rng(0), 1 / FINEST
    steps = random.standard_normal((count, FINEST, motions)) * np.sqrt(h)
    w = np.cumsum(steps, 1)
    inside = h * (w - steps / 2) + random.standard_normal(w.shape) * np.sqrt(h**3 / 12)
    zero = np.zeros((count, 1, motions))
    return Recorded(*(jnp.asarray(np.concatenate([zero, x], 1)) for x in (w, np.cumsum(inside, 1))))


@functools.partial(jax.jit, static_argnums=0)
def ends(method, equation, paths, steps, y0):
    """y(1) by so many equal steps, [path, state]."""

    def one(path):
        driven = Driven(equation, path)
        h = jnp.asarray(1.0) / steps
        return lax.fori_loop(0, steps, lambda i, y: method.advance(driven, i * h, h, y, None), y0)

    return jax.vmap(one)(paths)


def order(steps, errors):
    """The slope of the errors over the step, by regression."""
    return -np.polyfit(np.log(steps), np.log(errors), 1)[0]


def exact_growth(paths):
    """y(1) of the growth."""
    return np.exp(float(GROWTH.mu - GROWTH.sigma**2 / 2) + float(GROWTH.sigma) * np.asarray(paths.w[:, -1]))


def size(difference):
    return float(np.sqrt((np.asarray(difference) ** 2).sum(-1).mean()))


@pytest.mark.core
@pytest.mark.parametrize("method", [EulerMaruyama(), Milstein(), StochasticHeun()], ids=lambda m: type(m).__name__)
def test_strong_and_weak_order_with_commutative_noise(method):
    """Geometric Brownian motion against its closed form; Heun sees it in Stratonovich's sense."""
    steps, many = [16, 32, 64, 128], paths(10_000)
    away = [np.asarray(ends(method, GROWTH, many, n, jnp.ones(1))) - exact_growth(many) for n in steps]
    assert order(steps, [size(x) for x in away]) == pytest.approx(method.order, abs=0.1)
    assert order(steps, [abs(x.mean()) for x in away]) == pytest.approx(method.weak_order, abs=0.1)


@pytest.mark.parametrize(
    ("method", "equation"), [(EulerMaruyama(), ROTOR), (StochasticHeun(), ROTOR_S)], ids=["Itô", "Stratonovich"]
)
def test_strong_order_with_general_noise(method, equation):
    """The finest solution shares the error that remains: E|y_h − y_fine|² = c (h − h_fine) for order 1/2."""
    start, steps, many = jnp.array([1.0, 0.5]), [16, 32, 64], paths(2000, 2)
    fine = ends(method, equation, many, FINEST, start)
    errors = [size(ends(method, equation, many, n, start) - fine) / np.sqrt(1 - n / FINEST) for n in steps]
    assert order(steps, errors) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("method", "expected"), [(SRA1(), 1.5), (Milstein(), 1)], ids=lambda x: type(x).__name__)
def test_strong_order_with_additive_noise(method, expected):
    start, steps, many = jnp.array([1.0, 0.0]), [16, 32, 64], paths(2000, 2)
    fine = ends(SRA1(), WAVES, many, FINEST, start)
    errors = [size(ends(method, WAVES, many, n, start) - fine) for n in steps]
    assert order(steps, errors) == pytest.approx(expected, abs=0.1)


def test_weak_order_with_additive_noise():
    """The variance of an Ornstein–Uhlenbeck process: its step is linear, so the mean over all paths is known."""
    equation, steps, errors = OrnsteinUhlenbeck(2.0, 0.0, 1.0), [16, 32, 64], []

    @functools.partial(jax.jacfwd, argnums=(0, 1))
    def slopes(y, noise, h):
        terms = Terms(lambda t, y: equation(t, y, None), lambda t, y: equation.diffusion(t, y, None), noise)
        return y + SRA1().increment(terms, jnp.zeros(()), h, y)[0]

    for n in steps:
        (y,), (w, area) = (np.asarray(x[0]) for x in slopes(jnp.ones(1), jnp.zeros(2), 1.0 / n))
        added = w**2 / n + w * area / n**2 + area**2 / n**3 / 3  # variances and covariance of W and its integral
        variance = added * (1 - y ** (2 * n)) / (1 - y**2)
        errors.append(abs(variance - (1 - np.exp(-4)) / 4))
    assert order(steps, errors) == pytest.approx(SRA1.weak_order, abs=0.1)


def test_heun_keeps_the_chain_rule():
    """Noise along a circle leaves a Stratonovich equation on it; the same numbers come from its Itô form."""
    radius = np.asarray((ends(StochasticHeun(), CIRCLE, paths(10_000), FINEST, jnp.array([1.0, 0.0])) ** 2).sum(-1))
    assert np.abs(radius - 1).max() < 0.02
    y, t = jnp.array([0.3, -0.7]), jnp.zeros(())
    again = Reinterpreted(Reinterpreted(CIRCLE))
    assert again.interpretation is STRATONOVICH
    np.testing.assert_allclose(Reinterpreted(CIRCLE)(t, y, None), -y / 2, atol=1e-15)  # Itô: dy = −y/2 dt + …
    np.testing.assert_allclose(again(t, y, None), CIRCLE(t, y, None), atol=1e-15)


def test_general_noise_agrees_with_the_special_kinds():
    """One and the same equation, said in other words."""
    path, t, h, y = jax.tree.map(lambda x: x[0], paths(2000, 2)), jnp.zeros(()), jnp.asarray(0.5), jnp.array([1.0, 2.0])
    diagonal = SDE(lambda t, y, args: y, lambda t, y, args: y**2, DiagonalNoise())
    general = SDE(lambda t, y, args: y, lambda t, y, args: jnp.diag(y**2), GeneralNoise())
    for method in (EulerMaruyama(), StochasticHeun()):
        one, other = (method.advance(Driven(e, path), t, h, y, None) for e in (diagonal, general))
        np.testing.assert_allclose(one, other, rtol=1e-13)
    np.testing.assert_allclose(diagonal.noise_drift(t, y, None), general.noise_drift(t, y, None), rtol=1e-14)
    np.testing.assert_allclose(diagonal.noise_drift(t, y, None), y**3, rtol=1e-14)


def test_a_step_takes_any_state():
    """A PyTree outside of the driver; h = 0 changes nothing, and there is no NaN in the derivative."""
    tree = {"a": jnp.array([1.0, 2.0]), "b": jnp.array(3.0)}
    equation = SDE(lambda t, y, args: y, lambda t, y, args: jax.tree.map(lambda x: 0 * x + 1, y))
    driven = Driven(equation, jax.tree.map(lambda x: x[0], paths(1, 3)))
    for method in (EulerMaruyama(), Milstein(), StochasticHeun(), SRA1()):
        moved = method.advance(driven, jnp.zeros(()), jnp.ones(()), tree, None)
        assert jax.tree.map(jnp.shape, moved) == jax.tree.map(jnp.shape, tree)

        def still(b, method=method):
            return method.advance(driven, jnp.zeros(()), jnp.zeros(()), tree | {"b": b}, None)["b"]

        assert jax.value_and_grad(still)(tree["b"]) == (3.0, 1.0)


def diagonal(field):
    return SDE(lambda t, y, args: -y, field)


MIXED = diagonal(lambda t, y, args: y * y[::-1])  # each component's noise depends on the other
PLAIN = diagonal(lambda t, y, args: y)
ADDITIVE = diagonal(lambda t, y, args: jnp.ones_like(y))


def verdict(method, equation, adaptive=False):
    return method.unfit(equation, jnp.zeros(()), jnp.ones(2), None, adaptive)


@pytest.mark.core
def test_which_method_fits_is_seen_from_the_program():
    for equation in (PLAIN, ADDITIVE):
        for method in (EulerMaruyama(), Milstein(), StochasticHeun(), Projected(Milstein(), lambda t, y, args: y)):
            assert verdict(method, equation, True) is None
    for method in (SRA1(), StochasticHeun(), Milstein()):
        assert verdict(method, WAVES, True) is None
    assert verdict(EulerMaruyama(), MIXED) is None
    assert verdict(EulerMaruyama(), ROTOR_S) is None
    assert verdict(SRA1(), PLAIN).endswith("Got SRA1(), for additive noise. Use Milstein()")
    assert verdict(SRA1(), MIXED).endswith("Got SRA1(), for additive noise. Use EulerMaruyama()")
    assert "does not commute. Got Milstein(). Use EulerMaruyama() with" in verdict(Milstein(), MIXED)
    assert "does not commute. Got Milstein(). Use StochasticHeun() with" in verdict(Milstein(), ROTOR_S)
    assert "keep fixed steps" in verdict(StochasticHeun(), ROTOR_S, True)
    assert "fit the Itô integral here. Got StochasticHeun(). Use EulerMaruyama()" in verdict(StochasticHeun(), MIXED)
