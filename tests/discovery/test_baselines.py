"""Baselines against closed forms, periods against records with and without one, errors against a hand-made case."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from continua.discovery.baselines import (
    ETS,
    Fitted,
    Grid,
    NotAvailable,
    Outlook,
    Persistence,
    SeasonalNaive,
    detect_period,
    on_common_ground,
    regular_grid,
    rolling_errors,
    spaced_origins,
)

BASELINES = [Persistence(), SeasonalNaive(), ETS()]
MONTHS = np.arange("1950-01", "1962-01", dtype="datetime64[M]").astype("datetime64[D]").astype(float) / 365.25


def months(seed=0):
    """Growth and a season that multiply, from January 1950 on, with 2 % noise."""
    n = np.arange(len(MONTHS))
    noise = np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(n)))
    return (100 * np.exp(0.01 * n) * (1 + 0.3 * np.sin(2 * np.pi * n / 12)) * noise)[:, None]


def column(values):
    return np.asarray(values, float)[:, None]


def fitted(baseline, time, values):
    found = baseline.fit(time, values)
    assert isinstance(found, Fitted)
    return found


def test_persistence_repeats_the_last_measurement_of_each_state():
    values = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, np.nan]])
    outlook = fitted(Persistence(), np.arange(3.0), values).forecast(np.array([3.0, 9.0]))
    np.testing.assert_array_equal(outlook.expected, [[4, 5], [4, 5]])


@pytest.mark.parametrize("steps", [1, 4, 25])
def test_persistence_covers_a_random_walk_on_irregular_times(steps):
    random = np.random.default_rng(steps)
    time = np.cumsum(random.uniform(0.2, 2.0, 400 + steps))
    jumps = random.standard_normal((400 + steps, 300)) * np.sqrt(np.diff(time, prepend=0))[:, None]
    walk = 3 * np.cumsum(jumps, 0)
    outlook = fitted(Persistence(), time[:400], walk[:400]).forecast(time[-1:])
    inside = (outlook.lower < walk[-1:]) & (walk[-1:] < outlook.upper)
    assert inside.mean() == pytest.approx(0.95, abs=0.04)


def test_seasonal_naive_continues_a_sinusoid_exactly():
    time = np.arange(60) * 0.25
    values = np.stack([np.sin(2 * np.pi * np.arange(60) / 12), np.cos(2 * np.pi * np.arange(60) / 5) + 7], 1)
    found = fitted(SeasonalNaive(), time[:47], values[:47])
    assert found.notes == ("period 12 rows", "period 5 rows")
    outlook = found.forecast(time[47:])
    np.testing.assert_allclose(outlook.expected, values[47:], atol=1e-12)
    np.testing.assert_allclose(outlook.deviation, 0, atol=1e-12)


def test_seasonal_naive_fills_gaps_and_rows_that_are_not_there():
    rows = np.delete(np.arange(60), [7, 8, 30])
    values = column(np.arange(60) % 4)
    values[[12, 41]] = np.nan
    found = fitted(SeasonalNaive(4), rows * 0.5, values[rows])
    np.testing.assert_allclose(found.forecast(np.arange(60, 68) * 0.5).expected[:, 0], [0, 1, 2, 3, 0, 1, 2, 3])


def test_seasonal_naive_grows_less_sure_with_each_cycle():
    time, values = np.arange(120.0), column(np.sin(np.arange(120) * np.pi / 6))
    values += 0.1 * np.random.default_rng(0).standard_normal(values.shape)
    deviation = fitted(SeasonalNaive(12), time, values).forecast(np.array([120.0, 131.0, 132.0, 143.0])).deviation[:, 0]
    assert deviation[0] == deviation[1] < deviation[2] == deviation[3]
    np.testing.assert_allclose(deviation[2] / deviation[0], np.sqrt(2))
    np.testing.assert_allclose(deviation[0], 0.1 * np.sqrt(2), rtol=0.15)


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

    from continua.discovery.baselines import _smoother

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


@pytest.mark.parametrize("period", [5, 12, 30])
def test_a_period_is_found_in_noise(period):
    n = np.arange(240)
    found = [
        detect_period(
            n * 0.5, np.sin(2 * np.pi * n / period + seed) + 0.5 * np.random.default_rng(seed).normal(size=240)
        )
        for seed in range(20)
    ]
    assert np.mean([p == period for p in found]) >= 0.9


@pytest.mark.parametrize("rows", [21, 60, 300])
@pytest.mark.parametrize("kind", ["white", "walk", "growth"])
def test_no_period_is_found_where_there_is_none(kind, rows):
    found = 0
    for seed in range(60):
        noise = np.random.default_rng(seed).standard_normal(rows)
        y = {"white": noise, "walk": np.cumsum(noise), "growth": np.exp(np.arange(rows) * 3 / rows) + 0.1 * noise}[kind]
        found += detect_period(np.arange(rows) * 1.0, y) is not None
    assert found <= 3


def test_a_year_of_months_is_a_period_though_months_differ():
    assert detect_period(MONTHS, months()[:, 0], "year") == 12


@pytest.mark.parametrize(
    ("time", "values", "reason"),
    [
        (np.array([0.0, 1.0, 2.4, 3.0, 4.7, 9.1]), np.arange(6.0), "irregular"),
        (np.array([0.0, 1.0, 2.0, 900.0]), np.arange(4.0), "gaps"),
        (np.arange(5.0), np.full(5, np.nan), "no measurement"),
        (np.arange(1.0), np.ones(1), "fewer than two"),
    ],
)
def test_what_is_not_available_says_why(time, values, reason):
    for baseline in (SeasonalNaive(3), ETS()):
        found = baseline.fit(time, column(values))
        assert isinstance(found, NotAvailable)
        assert reason in found.reason


def test_without_a_period_there_is_no_seasonal_naive():
    noise = np.random.default_rng(0).standard_normal((50, 1))
    assert SeasonalNaive().fit(np.arange(50.0), noise) == NotAvailable("no period")
    assert isinstance(SeasonalNaive(60).fit(np.arange(50.0), noise), NotAvailable)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.title)
def test_a_constant_stays(baseline):
    found = baseline.fit(np.arange(30.0), np.full((30, 2), 4.0))
    if baseline.title == "seasonal-naive":
        assert isinstance(found, NotAvailable)
    else:
        assert isinstance(found, Fitted)
        np.testing.assert_array_equal(np.stack(found.forecast(np.array([30.0, 50.0]))), 4.0)


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(float, st.tuples(st.integers(1, 30), st.integers(1, 2)), elements=st.floats(-1e150, 1e150, width=64)),
    st.sets(st.integers(0, 29)),
    st.floats(1e-6, 1e6),
)
def test_nothing_is_raised_and_nothing_warned_about(values, gaps, step):
    values[[g for g in gaps if g < len(values)]] = np.nan
    time = np.arange(len(values)) * step
    for baseline in BASELINES:
        found = baseline.fit(time, values)
        assert isinstance(found, Fitted | NotAvailable)
        if isinstance(found, Fitted):
            assert np.isfinite(found.forecast(time[-1] + step * np.arange(1, 4.0)).expected).all()


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.title)
def test_the_same_record_gives_the_same_forecast(baseline):
    ahead = MONTHS[-1] + np.arange(1, 20) / 12
    once, again = (np.stack(fitted(baseline, MONTHS, months()).forecast(ahead)) for _ in range(2))
    np.testing.assert_array_equal(once, again)


@dataclass
class Drift:
    """A forecaster from elsewhere, as a law's refit: the last value, one more for each unit of time."""

    time: float = 0.0
    last: float = 0.0

    def fit(self, time, values) -> "Drift | NotAvailable":
        return NotAvailable("too few rows") if len(time) < 6 else Drift(time[-1], values[-1, 0])

    def forecast(self, times):
        ahead = column(self.last + times - self.time)
        return Outlook(ahead, ahead, ahead)


def test_rolling_errors_are_those_of_a_hand_made_case():
    time = np.arange(10.0)
    values = column(time)  # spread √8.25
    errors = rolling_errors(Persistence(), time, values, (1, 3), (4, 6, 8))
    np.testing.assert_allclose(errors.rms, np.array([1, 3]) / np.sqrt(8.25))
    assert np.isnan(errors.scaled[2, 1]).all()  # row 10 is not there
    np.testing.assert_allclose(rolling_errors(Drift(), time, values, (1, 3), (6,)).rms, 0, atol=1e-12)


def test_forecasters_are_compared_where_all_of_them_forecast():
    time = np.arange(10.0)
    values = column(time**2)
    errors = {"drift": rolling_errors(Drift(), time, values, (1,), (4, 6, 8))}
    errors["persistence"] = rolling_errors(Persistence(), time, values, (1,), (4, 6, 8))
    errors["never"] = rolling_errors(SeasonalNaive(), time, values, (1,), (4, 6, 8))
    assert errors["drift"].reason == "too few rows"
    common = on_common_ground(errors)
    assert common.keys() == {"drift", "persistence"}
    np.testing.assert_allclose(common["persistence"], np.sqrt((11**2 + 15**2) / 2) / values.std())
    np.testing.assert_allclose(common["drift"], np.sqrt((10**2 + 14**2) / 2) / values.std())


def test_origins_leave_a_row_to_forecast():
    assert spaced_origins(21, 5) == (10, 11, 12, 14, 15, 17, 18, 20)
    assert spaced_origins(5, 5) == ()


@pytest.mark.core
def test_statsmodels_is_loaded_only_when_a_smoother_is_fitted():
    code = "import sys, continua, continua.discovery.baselines; print({'statsmodels', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def series(folder, name):
    """(time, values [row, state]) of a series, without the reader of tables."""
    rows = (folder / "series" / name).read_text(encoding="utf-8").replace('"', "").split()[1:]
    cells = [row.split(",") for row in rows]
    return np.array([float(cell[1]) if cell[1] else np.nan for cell in cells])[:, None]


@pytest.mark.parametrize(
    ("name", "period", "step", "horizons", "best"),
    [
        ("AirPassengers.csv", 12, 1 / 12, (1, 12), "ETS"),
        ("statsmodels_sunspots.csv", 11, 1.0, (5, 11), "seasonal-naive"),
        ("statsmodels_co2.csv", 52, 7 / 365.25, (13, 52), "ETS"),
        ("monthly-sunspots.csv", 130, 1 / 12, (60,), "seasonal-naive"),
    ],
)
def test_classical_series_have_their_period_and_their_best_baseline(data_folder, name, period, step, horizons, best):
    values = series(data_folder, name)
    time = np.arange(len(values)) * step
    assert detect_period(time, values[:, 0], "year") == period
    origins = spaced_origins(len(time) - horizons[-1] + 1, 3 * period, 3)
    errors = {b.title: rolling_errors(type(b)(period), time, values, horizons, origins) for b in BASELINES[1:]}
    errors["persistence"] = rolling_errors(Persistence(), time, values, horizons, origins)
    common = on_common_ground(errors)
    assert min(common, key=lambda title: common[title][0]) == best
