"""Least sums of squares that are known to many digits, from near and from far."""

import jax.numpy as jnp
import pytest

from continua import minimise
from continua.optim import Outcome, least_squares
from tests.optim.more_garbow_hillstrom import PROBLEMS

# From ten times the start, Levenberg and Marquardt's method ends away from every minimum, and says so.
TOO_FAR = ("Beale", "Jennrich and Sampson", "Meyer")


def is_listed(problem, value):
    return any(abs(value - least) <= 1e-6 * least + 1e-12 for least in problem.minima)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_least_sum_is_found_and_none_is_claimed_elsewhere(name):
    problem = PROBLEMS[name]
    near = least_squares(problem.residual, jnp.array(problem.start, float))
    assert is_listed(problem, 2 * float(near.minimum.value))
    far = least_squares(problem.residual, 10 * jnp.array(problem.start, float), throw=False)
    assert (far.status == Outcome.MINIMUM) == (name not in TOO_FAR)
    assert is_listed(problem, 2 * float(far.minimum.value)) == (name not in TOO_FAR)


@pytest.mark.parametrize("name", ["Bard", "Beale", "Box", "Jennrich and Sampson"])
def test_second_derivatives_come_back_from_further_away(name):
    problem = PROBLEMS[name]
    far = minimise(lambda x: jnp.sum(problem.residual(x) ** 2), 10 * jnp.array(problem.start, float))
    assert abs(float(far.value) - problem.minima[0]) <= 1e-6 * problem.minima[0] + 1e-12
