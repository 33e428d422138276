"""Which rows of a long record are used: enough a period to show how it moves, and no more than are worth their time."""

import numpy as np
import pytest

from continua.discovery.thinning import MOST_FITTED, fitted_rows, said_of, searched_rows
from continua.files import read_table

from .records import table


def long_record(values, **more):
    return read_table(table(np.arange(len(values)) * 0.01, np.reshape(values, (len(values), -1)), ["a"]), **more)


def wave(rows, period, noise=0.0, seed=0):
    return np.sin(2 * np.pi * np.arange(rows) / period) + noise * np.random.default_rng(seed).standard_normal(rows)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("period", [20, 100, 1000])
def test_a_fast_oscillation_keeps_samples_in_every_period(period, noise):
    kept = fitted_rows(long_record(wave(100_000, period, noise)))
    step = np.diff(kept)
    assert (step == step[0]).all()
    assert period / 20 <= step[0] <= period / 7
    assert kept[-1] == 99_999
    assert len(kept) == MOST_FITTED


@pytest.mark.parametrize("rows", [401, 5000, 100_000])
def test_what_moves_slowly_is_seen_as_a_whole(rows):
    for values in (
        np.random.default_rng(1).standard_normal(rows).cumsum(),
        wave(rows, rows / 3),
        np.exp(np.arange(rows) / rows),
    ):
        kept = fitted_rows(long_record(values))
        assert kept[0] == 0
        assert kept[-1] > rows - 2 * rows / len(kept)
        assert MOST_FITTED / 2 <= len(kept) <= MOST_FITTED


def test_noise_is_no_oscillation():
    kept = fitted_rows(long_record(np.random.default_rng(2).standard_normal(50_000)))
    assert np.diff(kept)[0] == 125


def test_a_short_record_is_used_as_it_is():
    record = long_record(wave(MOST_FITTED, 4))
    kept = fitted_rows(record)
    np.testing.assert_array_equal(kept, np.arange(MOST_FITTED))
    assert said_of(kept, record) == []


def test_it_is_said():
    record = long_record(wave(100_000, 100))
    (said,) = said_of(fitted_rows(record), record)
    assert said.startswith("used every 12th row from 95")
    assert "to 100000 of 100000 for the fit of the law: rows further apart" in said
    record = long_record(np.arange(1000.0) ** 2)
    assert said_of(fitted_rows(record), record) == ["used every 3rd row of 1000 for the fit of the law"]


def test_the_search_sees_more_of_what_is_sampled_too_often():
    (rows,) = searched_rows(long_record(wave(100_000, 1000)), 1000)
    assert 30 <= rows.step <= 80
    assert len(range(rows.start, rows.stop, rows.step)) == 1000
    (rows,) = searched_rows(long_record(wave(100_000, 10)), 1000)
    assert rows == slice(0, 1000, 1)
    (rows,) = searched_rows(long_record(wave(900, 1000)), 1000)
    assert rows == slice(0, 900, 1)
