"""Exponential smoothing against closed forms, and against statsmodels' own forecasts."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from continua.discovery.baselines import (
    ETS,
    Grid,
    regular_grid,
)
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


@pytest.mark.parametrize("trend", ["straight", "damped"])
@pytest.mark.parametrize("season", [1, 6])
def test_ets_forecasts_what_statsmodels_forecasts(trend, season):
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    from continua.discovery.baselines.exponential_smoothing import _smoother

    n = np.arange(90)
    y = 3 + 0.05 * n + np.sin(n * np.pi / 3) + 0.2 * np.random.default_rng(5).standard_normal(90)
    seasonal: Any = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    bounds: Any = {"bounds": {"damping_trend": (0.8, 0.98)}} if trend == "damped" else {}
    scaled = (y - y.mean()) / y.std()
    theirs = ExponentialSmoothing(scaled, trend="add", damped_trend=trend == "damped", **seasonal, **bounds).fit()
    grid = regular_grid(n * 1.0, y)
    assert isinstance(grid, Grid)
    ours = _smoother(grid, False, y, 0.0, trend, season, np.zeros(season))
    assert ours is not None
    expected = ours.outlook(np.arange(90.0, 115.0))[0]
    np.testing.assert_allclose(expected, y.mean() + y.std() * theirs.forecast(25), rtol=1e-10)


@pytest.mark.core
def test_statsmodels_is_loaded_only_when_a_smoother_is_fitted():
    code = "import sys, continua, continua.discovery.baselines; print({'statsmodels', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
