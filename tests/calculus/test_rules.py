"""Rules of cubature integrate every monomial of their degree."""

import itertools

import numpy as np
import pytest

from continua.calculus.rules import genz_malik, kronrod


def moments(rule, degree):
    """The largest error over all monomials x^p of total degree up to that, and of the checks of a lower degree."""
    dimension = rule.nodes.shape[1]
    powers = [p for p in itertools.product(range(degree + 1), repeat=dimension) if sum(p) <= degree]
    values = np.stack([np.prod(rule.nodes**p, axis=1) for p in powers], 1)
    exact = np.array([np.prod([1 / (k + 1) for k in p]) for p in powers])
    return np.abs(rule.weights @ values - exact).max(), np.abs(rule.checks @ values).max()


def test_kronrod():
    assert moments(kronrod(1), 23)[0] < 1e-15
    assert moments(kronrod(1), 13)[1] < 1e-15  # Gauss's rule is of that degree
    assert moments(kronrod(1), 14)[1] > 1e-10
    assert moments(kronrod(3), 5)[0] < 1e-14


@pytest.mark.parametrize("dimension", [2, 4, 5])
def test_genz_malik(dimension):
    rule = genz_malik(dimension)
    assert len(rule.weights) == 2**dimension + 2 * dimension**2 + 2 * dimension + 1
    assert moments(rule, 7)[0] < 1e-14
    assert moments(rule, 8)[0] > 1e-6
    assert moments(rule, 5)[1] < 1e-14
    along = np.abs(rule.axes @ rule.nodes[:, -1] ** 4)  # the fourth difference of the last axis alone
    assert along.argmax() == dimension - 1
    assert np.abs(rule.axes @ rule.nodes**3).max() < 1e-14
