"""Lyapunov exponents against closed forms and the literature."""

import math

import numpy as np
import pytest

from continua.core import ArgumentError, FailedSolve
from continua.equations import Linear, Lorenz, LotkaVolterra, Scaled
from continua.stability import LyapunovExponents, largest_lyapunov_exponent, lyapunov_exponents

from .systems import one_state, rossler

# Sprott, Chaos and Time-Series Analysis (2003).
LORENZ = [0.9056, 0.0, -14.5723]


def test_lorenz():
    found = lyapunov_exponents(Lorenz(), [1.0, 1.0, 20.0], span=300.0)
    assert found.values.sum() == pytest.approx(-(10 + 1 + 8 / 3), rel=1e-7)
    np.testing.assert_allclose(found.values, LORENZ, atol=0.05)
    assert (np.abs(found.values - LORENZ) < 4 * found.errors + 1e-3).all()
    assert (found.errors < 0.05).all()
    assert found.chaotic is True
    assert "chaotic" in found.verdict
    assert found.lyapunov_time == pytest.approx(1 / 0.9056, rel=0.06)
    assert found.dimension == pytest.approx(2.062, abs=0.01)
    assert found.horizon(1e-3, 1.0) == pytest.approx(math.log(1000) * found.lyapunov_time)


def test_one_exponent_alone():
    found = largest_lyapunov_exponent(rossler, [1.0, 1.0, 0.0], span=600.0, args=5.7)
    assert found.largest == pytest.approx(0.0714, abs=0.015)  # Sprott (2003)
    assert found.chaotic is True
    assert found.dimension is None
    assert len(found.values) == 1


def test_units_change_the_numbers_as_they_must():
    scale, rate = np.array([1e-6, 1e9]), 3e-8
    equation, start = LotkaVolterra(0.55, 0.028, 0.024, 0.8), np.array([30.0, 4.0])
    plain = lyapunov_exponents(Scaled(equation, np.ones(2), 1.0), start)
    other = lyapunov_exponents(Scaled(equation, scale, rate), start * scale)
    assert other.span * rate == pytest.approx(plain.span, rel=1e-4)
    np.testing.assert_allclose(other.values / rate, plain.values, atol=1e-4)
    for found in (plain, other):
        assert found.chaotic is False
        assert found.recurrent
        assert "regular" in found.verdict
    np.testing.assert_allclose(plain.values, 0, atol=0.004)
    assert plain.dimension == 2


def test_linear_rates_are_exact():
    A = np.array([[-0.5, 3.0], [0.0, -0.1]])
    found = lyapunov_exponents(Linear(A, [0.0, 1.0]), [1.0, 1.0], span=200.0, transient=100.0)
    np.testing.assert_allclose(found.values, [-0.1, -0.5], atol=1e-3)
    assert found.values.sum() == pytest.approx(np.trace(A), rel=1e-7)
    assert (found.chaotic, found.recurrent, found.dimension) == (False, False, None)
    growing = lyapunov_exponents(Linear(-A, [0.0, 1.0]), [1.0, 1.0], span=20.0, transient=20.0)
    assert growing.largest == pytest.approx(0.5, rel=1e-3)
    assert growing.chaotic is False  # growth, not chaos
    assert "runs away" in growing.verdict


def test_a_drive_may_depend_on_time():
    turns = 10 * 2 * np.pi
    found = lyapunov_exponents(one_state, [1.0], span=turns, transient=0.0, args=(1.0, -0.3, 0.0))
    assert found.largest == pytest.approx(-0.3, abs=1e-6)


def judged(largest, error, growth, recurrent=True):
    return LyapunovExponents(np.array([largest]), np.array([error]), 100.0, growth, recurrent, 3)


@pytest.mark.parametrize(
    ("found", "chaotic", "word"),
    [
        (judged(0.9, 0.03, 45.0), True, "chaotic"),
        (judged(0.01, 0.02, 0.7), False, "regular"),
        (judged(0.08, 0.04, 6.0), None, "undecided"),
        (judged(0.08, 0.01, 4.0), None, "undecided"),
        (judged(0.9, 0.03, 45.0, recurrent=False), False, "not recurrent"),
    ],
)
def test_the_judgement_needs_evidence(found, chaotic, word):
    assert found.chaotic is chaotic
    assert found.verdict.startswith(word)


def test_horizons():
    assert judged(0.5, 0.1, 9.0).horizon(1.0, math.e) == pytest.approx(2.0)
    assert judged(0.5, 0.1, 9.0).horizon(2.0, 1.0) == 0
    assert judged(-0.5, 0.1, -9.0).horizon(1.0, 2.0) == math.inf
    assert judged(0.01, 0.001, 0.7).lyapunov_time == math.inf  # beside a cycle
    assert judged(0.5, 0.4, 9.0).lyapunov_time == math.inf
    with pytest.raises(ArgumentError, match="`error` of `horizon`"):
        judged(0.5, 0.1, 9.0).horizon(0.0, 1.0)


def test_a_trajectory_that_blows_up_is_told():
    with pytest.raises(FailedSolve, match=r"blows up.*t=") as caught:
        lyapunov_exponents(one_state, [0.5], span=10.0, args=(0.0, 0.0, 1.0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"span": -1.0}, "`span`"),
        ({"k": 2}, "`k` of `lyapunov_exponents` must be an integer from 1 to 1"),
        ({"rtol": 0.0}, "`rtol`"),
        ({"transient": -1.0}, "`transient`"),
        ({"span": 1e12}, "at most"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(options, words):
    with pytest.raises(ArgumentError, match=words) as caught:
        lyapunov_exponents(one_state, [0.5], args=(0.0, 1.0, -1.0), **options)
    assert "\n" not in str(caught.value)
