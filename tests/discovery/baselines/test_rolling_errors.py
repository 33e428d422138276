"""Errors against a hand-made case."""

from dataclasses import dataclass

import numpy as np

from continua.discovery.baselines import (
    NotAvailable,
    Outlook,
    Persistence,
    SeasonalNaive,
    on_common_ground,
    rolling_errors,
    spaced_origins,
)
from tests.discovery.baselines.records import column


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
