"""Persistence and seasonal-naive against closed forms."""

import numpy as np
import pytest

from continua.discovery.baselines import (
    NotAvailable,
    Persistence,
    SeasonalNaive,
)
from tests.discovery.baselines.records import column, fitted


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


def test_without_a_period_there_is_no_seasonal_naive():
    noise = np.random.default_rng(0).standard_normal((50, 1))
    assert SeasonalNaive().fit(np.arange(50.0), noise) == NotAvailable("no period")
    assert isinstance(SeasonalNaive(60).fit(np.arange(50.0), noise), NotAvailable)
