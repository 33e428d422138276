"""Exponential smoothing against closed forms, and against statsmodels."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from continua.discovery.baselines import ETS
from continua.discovery.baselines.innovations import TRENDS, smoothed
from tests.discovery.baselines.records import MONTHS, column, fitted, months


def test_ets_continues_a_straight_line():
    time = np.arange(40) * 0.1
    outlook = fitted(ETS(), time, column(3 + 2 * time)).forecast(time[-1] + np.array([0.1, 0.55, 2.0]))
    np.testing.assert_allclose(outlook.expected[:, 0], 3 + 2 * (time[-1] + np.array([0.1, 0.55, 2.0])), rtol=1e-3)


def test_ets_of_noise_about_a_level_is_its_mean():
    values = 5 + np.random.default_rng(3).standard_normal((300, 1))
    outlook = fitted(ETS(), np.arange(300.0), values).forecast(np.array([300.0, 320.0]))
    np.testing.assert_allclose(outlook.expected[:, 0], values.mean(), atol=0.3)
    np.testing.assert_allclose(outlook.deviation[:, 0], 1, rtol=0.15)


def test_ets_continues_growth_and_season_that_multiply():
    values = months()
    found = fitted(ETS(calendar="year"), MONTHS[:120], values[:120])
    assert {"multiplicative season of 12 rows", "logarithms"} <= set(found.notes)
    outlook = found.forecast(MONTHS[120:])
    np.testing.assert_allclose(outlook.expected, values[120:], rtol=0.1)
    assert ((outlook.lower < values[120:]) & (values[120:] < outlook.upper)).mean() > 0.8


def test_ets_takes_a_long_season_off_beforehand():
    time = np.arange(400.0)
    exact = 0.02 * time + 2 * np.sin(2 * np.pi * time / 52) + np.cos(4 * np.pi * time / 52)
    values = column(exact + 0.1 * np.random.default_rng(1).standard_normal(400))
    outlook = fitted(ETS(52), time[:340], values[:340]).forecast(time[340:])
    assert np.sqrt(np.mean((outlook.expected[:, 0] - exact[340:]) ** 2)) < 0.25


@pytest.mark.parametrize("ahead", [1, 5, 20])
def test_ets_covers_what_comes(ahead):
    """Local levels with α = .4: the model's own records."""
    random, inside = np.random.default_rng(ahead), []
    for _ in range(30):
        shocks = random.standard_normal(150 + ahead)
        walk = shocks + 0.4 * np.concatenate([[0.0], np.cumsum(shocks)[:-1]])
        outlook = fitted(ETS(1), np.arange(150.0), column(walk[:150])).forecast(np.array([149.0 + ahead]))
        inside.append(outlook.lower[0, 0] < walk[-1] < outlook.upper[0, 0])
    assert np.mean(inside) >= 0.85


@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("season", [1, 6])
def test_the_smoother_is_the_one_that_statsmodels_finds_or_a_likelier_one(trend, season):
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    n = np.arange(90)
    y = 0.05 * n + np.sin(n * np.pi / 3) + 0.2 * np.random.default_rng(5).standard_normal(90)
    y = (y - y.mean()) / y.std()
    options: Any = {"trend": "add", "damped_trend": trend == "damped"} if trend else {}
    options |= {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    options |= {"bounds": {"damping_trend": (0.8, 0.98)}} if trend == "damped" else {}
    theirs = ExponentialSmoothing(y, **options).fit()
    ours = smoothed(y, trend, season)
    assert ours is not None
    assert np.sum(ours.innovations**2) <= theirs.sse * (1 + 1e-6)
    if np.sum(ours.innovations**2) > theirs.sse * (1 - 1e-6):
        ahead = np.arange(25)
        damped = np.cumsum(ours.weights.phi ** (ahead + 1.0))
        forecast = ours.level + damped * ours.slope + ours.season[ahead % season]
        np.testing.assert_allclose(forecast, theirs.forecast(25), atol=0.02)


@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("season", [1, 7])
def test_states_and_innovations_obey_the_equations_of_the_smoother(trend, season):
    """Run backward from the last states with the innovations, the equations give the record itself."""
    y = np.random.default_rng(8).standard_normal(60).cumsum() / 4 + np.sin(np.arange(60) * 2 * np.pi / 7)
    found = smoothed(y, trend, season)
    assert found is not None
    (alpha, beta, gamma, phi), level, slope = found.weights, found.level, found.slope
    seasons = list(found.season)
    for t in reversed(range(60)):
        innovation = found.innovations[t]
        slope_before = (slope - beta * innovation) / phi if trend else 0.0
        level -= phi * slope_before + alpha * innovation
        season_before = seasons[-1] - gamma * innovation if season > 1 else 0.0
        seasons = [season_before, *seasons[:-1]]
        slope = slope_before
        assert y[t] == pytest.approx(level + phi * slope + season_before + innovation, abs=1e-6)


def test_weights_that_made_a_long_record_are_found():
    random = np.random.default_rng(2)
    level, slope, record = 0.0, 0.0, []
    for shock in random.standard_normal(2000):
        record.append(level + 0.9 * slope + shock)
        level, slope = level + 0.9 * slope + 0.4 * shock, 0.9 * slope + 0.1 * shock
    found = smoothed(np.array(record), "damped", 1)
    assert found is not None
    np.testing.assert_allclose(found.weights, (0.4, 0.1, 0, 0.9), atol=0.05)
    assert np.std(found.innovations) == pytest.approx(1, abs=0.04)


@pytest.mark.core
def test_statsmodels_is_loaded_only_where_a_season_is_long():
    code = "import sys, continua, continua.discovery.baselines; print({'statsmodels', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
