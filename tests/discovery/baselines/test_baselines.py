"""What holds for every baseline, and which one is best on classical series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from continua.discovery.baselines import (
    ETS,
    Fitted,
    NotAvailable,
    Persistence,
    SeasonalNaive,
    detect_period,
    on_common_ground,
    rolling_errors,
    spaced_origins,
)
from tests.discovery.baselines.records import MONTHS, column, fitted, months

BASELINES = [Persistence(), SeasonalNaive(), ETS()]


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
