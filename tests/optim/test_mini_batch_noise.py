"""Mini-batch descent and its stochastic equation spread alike around a minimum, up to the order of the step."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

from continua import methods, optim, solve
from continua.core import ArgumentError
from continua.solver import Fixed

BOWL = np.array([[2.0, 0.5], [0.5, 1.0]])
PULLS = np.array([[1.0, 0.0], [-2.0, 1.0], [1.0, -3.0]])  # one a data point
BATCH = 2


def loss(x, pull):
    """A quadratic whose minimum each point shifts."""
    return x @ BOWL @ x / 2 - pull @ x


def equation(rate):
    return optim.StochasticGradientFlow(loss, jnp.asarray(PULLS), rate, BATCH)


def spread_of_descent(rate):
    """The covariance that descent comes to rest with, from all nine batches that may be drawn, as often as it takes."""
    batches = np.array([PULLS[list(b)].mean(0) for b in itertools.product(range(3), repeat=BATCH)])
    kicks = rate * (batches - PULLS.mean(0))
    keep, found = np.eye(2) - rate * BOWL, np.zeros((2, 2))
    for _ in range(int(20 / rate)):
        found = keep @ found @ keep.T + kicks.T @ kicks / len(kicks)
    return found


def spread_of_equation(rate):
    """The covariance S of A S + S Aᵀ = g gᵀ, with A and g as the equation has them at its rest point."""
    rest = np.linalg.solve(BOWL, PULLS.mean(0))
    flow = equation(rate)
    slope = -jax.jacobian(lambda x: flow(jnp.zeros(()), x, None))(jnp.asarray(rest))
    shaken = np.asarray(flow.diffusion(jnp.zeros(()), jnp.asarray(rest), None))
    return solve_continuous_lyapunov(np.asarray(slope), shaken @ shaken.T)


@pytest.mark.core
def test_both_come_to_the_same_spread_up_to_the_order_of_the_step():
    apart = []
    for rate in [0.04, 0.02, 0.01]:
        flow, descent = spread_of_equation(rate), spread_of_descent(rate)
        apart.append(np.linalg.norm(descent - flow) / np.linalg.norm(flow))
    np.testing.assert_allclose(np.divide(apart[:2], apart[1:]), 2, atol=0.1)
    assert apart[-1] < 0.02


def test_a_path_of_solve_spreads_as_descent_does():
    """Euler and Maruyama's step of length h has the mean and the covariance of a step of descent."""
    rate, ts = 0.1, 0.1 * np.arange(4001)
    way = {"method": methods.EulerMaruyama(), "step_control": Fixed(rate), "key": jax.random.key(1)}
    points = solve(equation(rate), jnp.zeros(2), ts, **way).ys[200:]
    np.testing.assert_allclose(np.cov(points.T), spread_of_descent(rate), atol=0.012)  # of some 200 independent points
    np.testing.assert_allclose(points.mean(0), np.linalg.solve(BOWL, PULLS.mean(0)), atol=0.05)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: optim.StochasticGradientFlow(loss, jnp.zeros((0, 2)), 0.1, 2), "Got lengths [(0,)]"),
        (lambda: optim.StochasticGradientFlow(loss, (jnp.zeros(3), jnp.zeros(2)), 0.1, 2), "of one length"),
        (lambda: optim.StochasticGradientFlow(loss, jnp.asarray(PULLS), -0.1, 2), "must be positive. Got -0.1"),
        (lambda: optim.StochasticGradientFlow(loss, jnp.asarray(PULLS), 0.1, 0), "`batch_size` of"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(ArgumentError) as raised:
        make()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
