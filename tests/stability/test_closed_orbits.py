"""Closed orbits against published periods, closed forms, and what must be invariant."""

import numpy as np
import pytest
from scipy.special import ellipk

from continua.core import ArgumentError
from continua.equations import Duffing, HarmonicOscillator, Logistic, LotkaVolterra, Pendulum, Scaled, VanDerPol
from continua.stability import NoCycle, cycle

from .systems import rossler

# Known to ten digits; scipy's DOP853 at rtol 1e-13 agrees to eight decimals, here and for μ = 10 below.
VAN_DER_POL_PERIOD = 6.6632868593


def divergence_over_a_turn(orbit, divergence):
    """∫ tr J dt along the orbit by Simpson's rule: its exponential is the product of the multipliers (Liouville)."""
    values = divergence(orbit.ys.T)
    h = orbit.ts[1] - orbit.ts[0]
    return h / 3 * (values[0] + 4 * values[1:-1:2].sum() + 2 * values[2:-1:2].sum() + values[-1])


def test_van_der_pol():
    orbit = cycle(VanDerPol(1.0), [2.0, 0.0])
    assert orbit.period == pytest.approx(VAN_DER_POL_PERIOD, abs=2e-9)
    assert (orbit.kind, orbit.stable) == ("stable limit cycle", True)
    assert orbit.amplitude[0] == pytest.approx(2.00862, abs=1e-4)
    np.testing.assert_allclose(orbit.mean, 0, atol=1e-6)
    np.testing.assert_allclose(orbit.ys[0], orbit.ys[-1], atol=1e-7)
    assert orbit.multipliers[0] == pytest.approx(1, abs=1e-7)
    product = np.exp(divergence_over_a_turn(orbit, lambda y: 1 - y[0] ** 2))
    assert orbit.multipliers[1] == pytest.approx(product, rel=1e-4)
    far = cycle(VanDerPol(1.0), [0.01, 0.0])
    assert far.period == pytest.approx(orbit.period, abs=1e-8)


def test_a_relaxation_oscillation_is_gone_round_once():
    orbit = cycle(VanDerPol(10.0), [2.0, 0.0])
    assert orbit.period == pytest.approx(19.0783695667, abs=1e-7)  # a multiple of it closes as well


def test_a_cycle_that_repels_is_found_from_a_state_on_it():
    def backward(t, y, args):
        return -VanDerPol(0.1)(t, y, args)

    orbit = cycle(backward, [1.98, 0.0])
    assert orbit.period == pytest.approx(2 * np.pi * (1 + 0.1**2 / 16), abs=1e-5)  # the next term is 5/3072 mu^4
    assert (orbit.kind, orbit.stable) == ("unstable limit cycle", False)
    product = np.exp(divergence_over_a_turn(orbit, lambda y: -0.1 * (1 - y[0] ** 2)))
    assert orbit.multipliers[1] == pytest.approx(product, rel=1e-6)
    assert product > 1.8


def test_orbits_of_lotka_and_volterra_are_closed_and_neutral():
    alpha, gamma = 0.55, 0.80
    equation = LotkaVolterra(alpha, 0.028, 0.024, gamma)
    centre, linear = np.array([gamma / 0.024, alpha / 0.028]), 2 * np.pi / np.sqrt(alpha * gamma)
    small = cycle(equation, centre * [1.001, 1.0])
    assert small.kind == "neutral closed orbit"
    assert small.stable is None
    assert small.period == pytest.approx(linear, rel=1e-6)
    large = cycle(equation, [30.0, 4.0])
    assert large.kind == "neutral closed orbit"
    assert large.period > 1.1 * linear
    np.testing.assert_allclose(large.mean, centre, rtol=1e-6)  # Volterra's law of averages
    np.testing.assert_allclose(large.multipliers, 1, atol=1e-6)
    invariant = 0.024 * large.ys[:, 0] - gamma * np.log(large.ys[:, 0])
    invariant += 0.028 * large.ys[:, 1] - alpha * np.log(large.ys[:, 1])
    np.testing.assert_allclose(invariant, invariant[0], rtol=1e-7)
    np.testing.assert_allclose(large.point, [30.0, 4.0], rtol=1e-3)


def test_a_pendulum_swings_by_the_elliptic_integral_until_friction_stops_it():
    orbit = cycle(Pendulum(omega_0=3.13, c=0.0), [2.0, 0.0])
    assert orbit.period == pytest.approx(4 / 3.13 * ellipk(np.sin(1.0) ** 2), rel=1e-8)
    assert orbit.kind == "neutral closed orbit"
    assert orbit.amplitude[0] == pytest.approx(2.0, rel=1e-6)
    stopped = cycle(Pendulum(c=0.3), [2.0, 0.0])
    assert not stopped
    assert isinstance(stopped, NoCycle)
    assert "settles at the equilibrium" in stopped.reason


def test_units_change_the_numbers_as_they_must_and_nothing_else():
    scale, rate = np.array([1e-6, 1e9]), 3e-8
    orbit = cycle(Scaled(VanDerPol(1.0), scale, rate), np.array([2.0, 0.5]) * scale)
    assert orbit.period == pytest.approx(VAN_DER_POL_PERIOD / rate, rel=1e-9)
    assert orbit.kind == "stable limit cycle"
    np.testing.assert_allclose(orbit.amplitude / scale, [2.0086, 2.6783], rtol=1e-4)


def test_growth_is_told_from_turning():
    spiral = cycle(HarmonicOscillator(zeta=-0.05), [1.0, 0.0])
    assert "grows without bound" in spiral.reason
    for equation, state, words in [
        (Logistic(), [0.5], "one state alone"),
        (Pendulum(c=0.3), [0.0, 0.0], "is an equilibrium"),
    ]:
        assert words in cycle(equation, state).reason


def test_chaos_does_not_close():
    assert "chaotic" in cycle(rossler, [1.0, 1.0, 0.0], args=5.7, max_steps=2**14).reason
    doubled = cycle(rossler, [1.0, 1.0, 0.0], args=3.5, max_steps=2**14)
    simple = cycle(rossler, [1.0, 1.0, 0.0], args=2.5, max_steps=2**14)
    assert (doubled.kind, simple.kind) == ("stable limit cycle", "stable limit cycle")
    assert doubled.period == pytest.approx(2 * simple.period, rel=0.02)


def test_what_cannot_be_used_is_refused():
    with pytest.raises(ArgumentError, match="must not depend on time"):
        cycle(Duffing(gamma=0.5), [1.0, 0.3])
    with pytest.raises(ArgumentError, match="`reach` of `cycle`"):
        cycle(VanDerPol(), [1.0, 0.0], reach=-1.0)
    with pytest.raises(ArgumentError, match="`max_steps` of `cycle`"):
        cycle(VanDerPol(), [1.0, 0.0], max_steps=0)
