"""Forecasts: the law run on, with bands, at steps or at times."""

import csv
import io

import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ContinuaError
from continua.discovery import Forecast

from .records import LAWS, record, solved, table


def test_without_noise_it_is_the_true_continuation():
    times, y = record("Logistic")
    model = continua.fit(table(times / 2, y, ("yeast",)))  # half the time: growth goes on behind the last row
    assert model.law == "logistic growth"
    assert model.parameters == pytest.approx({"r": 1.8, "K": 50.0}, rel=1e-5)
    ahead = model.forecast(5)
    np.testing.assert_allclose(ahead.time, 5.0 + 0.25 * np.arange(1, 6))
    np.testing.assert_allclose(ahead.expected, solved(*LAWS["Logistic"], [0.0, *2 * ahead.time])[1:], rtol=1e-5)
    assert (ahead.upper - ahead.lower < 1e-3 * ahead.expected).all()


def test_steps_are_the_times_they_stand_for(hares):
    steps = hares.forecast(3)
    np.testing.assert_allclose(steps.time, [1921, 1922, 1923])
    times = hares.forecast([1921.0, 1922.0, 1923.0])
    np.testing.assert_allclose(times.expected, steps.expected, rtol=1e-6)
    np.testing.assert_allclose(times.lower, steps.lower, rtol=1e-6)
    assert (steps.lower < steps.expected).all()
    assert (steps.expected < steps.upper).all()
    assert steps.states == hares.states


def test_it_is_the_law_solved_from_the_last_state(hares):
    ahead = hares.forecast(np.array([1920.5, 1927.25]))
    y = solved(hares.field, hares.fitted[-1], jnp.array([1920.0, 1920.5, 1927.25]))
    np.testing.assert_allclose(ahead.expected, y[1:], rtol=1e-4)


def test_it_is_the_same_every_time(hares):
    np.testing.assert_array_equal(hares.forecast(3).upper, hares.forecast(3).upper)


@pytest.mark.parametrize(
    "h", [0, -1, 1.5, "5", True, None, [], [1919.0], [1920.0], [1922.0, 1921.0], [np.nan], [np.inf], [[1921.0]], ["a"]]
)
def test_a_bad_horizon_is_one_line(hares, h):
    with pytest.raises(ContinuaError) as caught:
        hares.forecast(h)
    assert str(caught.value).startswith("`h` of `forecast` must be")
    assert "\n" not in str(caught.value)


def test_csv_has_a_header_and_the_rows(yeast):
    ahead = yeast.forecast(4)
    header, *rows = csv.reader(io.StringIO(ahead.csv("day")))
    assert header == ["day", "yeast", "yeast lower", "yeast upper"]
    columns = np.stack([ahead.time, ahead.expected[:, 0], ahead.lower[:, 0], ahead.upper[:, 0]], 1)
    np.testing.assert_allclose(np.array(rows, float), columns, rtol=1e-9)


def test_csv_quotes_names():
    one = np.ones((1, 1))
    text = Forecast(np.ones(1), ('a "b", c',), one, one, one).csv("x,y")
    assert next(csv.reader(io.StringIO(text)))[:2] == ["x,y", 'a "b", c']


def test_the_true_law_stays_in_the_band(yeast):
    law, start = LAWS["Logistic"]
    ahead = yeast.forecast(5)
    true = solved(law, start, np.concatenate([[0.0], ahead.time]))[1:]
    assert ((ahead.lower < true) & (true < ahead.upper)).all()
