"""What a forecast owes to each number, against the closed solution of logistic growth."""

import numpy as np
import pytest

from continua.discovery.sensitivity import sensitivities

TIMES = np.array([0.5, 1.0, 2.0, 4.0])


@pytest.fixture
def changes(yeast):
    """By name."""
    return {one.name: one for one in sensitivities(yeast, yeast.time[-1] + TIMES)}


def grown(y, r, K):
    """Logistic growth from y."""
    return K / (1 + (K / y - 1) * np.exp(-r * TIMES))


@pytest.mark.parametrize("name", ["r", "K", "yeast"])
def test_one_percent_moves_the_forecast_as_the_closed_solution_says(yeast, changes, name):
    numbers = {"yeast": float(yeast.belief.state[0]), **yeast.parameters}

    def at(factor):
        moved = {**numbers, name: numbers[name] * factor}
        return grown(moved["yeast"], moved["r"], moved["K"])

    wanted = (at(1.01) - at(1 / 1.01)) / 2
    largest = wanted[np.abs(wanted).argmax()]
    np.testing.assert_allclose(changes[name].by_percent, [largest], rtol=1e-2, atol=1e-5 * numbers["K"])


def test_a_standard_error_moves_it_in_proportion(yeast, changes):
    errors = np.sqrt(np.diag(yeast.belief.covariance))  # of logarithms, for parameters that are positive
    for name, error in zip(yeast.family.names, errors, strict=False):
        ratio = error / np.log(1.01)
        wanted, numerical = ratio * changes[name].by_percent, 1e-5 * ratio * yeast.parameters["K"]
        np.testing.assert_allclose(changes[name].by_error, wanted, rtol=5e-2, atol=numerical)


def test_parameters_come_first_then_the_last_state(yeast):
    found = sensitivities(yeast, yeast.time[-1] + TIMES)
    assert [(one.name, one.starts) for one in found] == [("r", False), ("K", False), ("yeast", True)]
