"""A law beside data it was not fitted to."""

import numpy as np
import pytest

import continua
from continua.discovery import CannotFollow, follow
from continua.files import read_table

from .records import LAWS, TIMES, additive, log_normal, record, solved, table


@pytest.fixture(scope="module")
def spiral():
    times, y = record("LotkaVolterra")
    return continua.fit(table(times, log_normal(y, 0.05, 3), ("prey", "predator")))


def test_the_law_follows_its_own_data(hares):
    table = read_table({"year": hares.time, **dict(zip(hares.states, hares.values.T, strict=True))})
    found = follow(hares, table)
    np.testing.assert_allclose(found.fitted, hares.fitted, rtol=1e-4)
    np.testing.assert_allclose(found.minus_two_log_likelihood, hares.aicc, atol=40)
    np.testing.assert_allclose(found.forecast(3).expected, hares.forecast(3).expected, rtol=1e-3)


def test_only_the_start_is_found(spiral):
    """From another start, in other columns, at a later time: the law still explains the record to its noise."""
    law, _ = LAWS["LotkaVolterra"]
    times = TIMES["LotkaVolterra"]
    y = solved(law, [10.0, 25.0], times)
    found = follow(spiral, read_table(table(times + 100, log_normal(y, 0.05, 4)[:, ::-1], ("predator", "prey"))))
    assert found.time[0] == 100
    assert 0.5 < np.sqrt(np.mean((np.log(found.values / found.fitted)) ** 2)) / 0.05 < 2
    ahead = found.forecast([times[-1] + 101.0])
    truth = solved(law, y[-1], np.array([0.0, 1.0]))[-1]
    np.testing.assert_allclose(ahead.expected[0], truth, rtol=0.2)
    assert (ahead.lower < ahead.expected).all()
    assert (ahead.expected < ahead.upper).all()


def test_what_cannot_be_followed_is_one_line(spiral, yeast):
    times, y = record("Logistic")
    with pytest.raises(CannotFollow, match=r"must hold the states of the model, yeast"):
        follow(yeast, read_table(table(times, y, ("bread",))))
    other = additive(spiral.fitted, 0.1, 1) - 100
    with pytest.raises(CannotFollow, match="must be positive"):
        follow(spiral, read_table(table(spiral.time, other, spiral.states)))
