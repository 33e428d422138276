"""Implicit steps hold at any length, Chebyshev's at long ones, and metrics do not ask how parameters are written."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import equations, methods, optim
from continua.core import ArgumentError
from continua.methods.rkc import coefficients, reach

RNG = np.random.default_rng(3)
BASIS = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
BOWL = BASIS @ np.diag([0.5, 1.0, 3.0, 20.0, 100.0]) @ BASIS.T
START = RNG.normal(size=5)
POINTS, CLASSES = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)


def bowl(x):
    """A quadratic whose curvatures are the eigenvalues of `BOWL`, its minimum at 0."""
    return x @ BOWL @ x / 2


def scores(weights):
    """Three scores of each point, by a network that bends."""
    return jnp.tanh(POINTS @ weights["W"]) @ weights["V"]


def likelihood(z):
    return optim.softmax_cross_entropy(z, jnp.asarray(CLASSES)).mean()


NETWORK = optim.Composite(scores, likelihood)
WEIGHTS = {"V": RNG.normal(size=(2, 3)) / 2, "W": RNG.normal(size=(4, 2)) / 2}


def step(optimiser, loss, x):
    """One increment, in one program."""
    return jax.jit(lambda x: optimiser.update(jax.grad(loss)(x), optimiser.init(x), x, value_fn=loss)[0])(x)


def flat(tree):
    return jax.flatten_util.ravel_pytree(tree)[0]


def fisher(weights):
    """The mean over points of the covariance of scores' gradients under the model's own probabilities."""
    _, unravel = jax.flatten_util.ravel_pytree(weights)
    logs = lambda w: jax.nn.log_softmax(scores(unravel(w)))  # noqa: E731
    slopes, chances = jax.jacobian(logs)(flat(weights)), jnp.exp(logs(flat(weights)))
    return jnp.einsum("pc,pci,pcj->ij", chances, slopes, slopes) / len(POINTS)


@pytest.mark.core
def test_the_metric_of_outputs_is_fishers_and_a_step_linearly_implicit_euler():
    """Against the dense systems, for softmax and cross-entropy."""
    matrix, slope = np.asarray(fisher(WEIGHTS)), np.asarray(flat(jax.grad(NETWORK)(WEIGHTS)))
    for optimiser, damping in [
        (optim.gauss_newton(3.0, tolerance=1e-12), 1 / 3),
        (optim.natural_gradient(1.0, optim.constant_schedule(0.01), tolerance=1e-12), 0.01),
    ]:
        moved = flat(step(optimiser, NETWORK, WEIGHTS))
        np.testing.assert_allclose(moved, -np.linalg.solve(matrix + damping * np.eye(len(matrix)), slope), rtol=1e-8)


def test_natural_gradients_do_not_ask_how_parameters_are_written():
    """x = A u: two descents, one in x and one in u, stay at the same points. Plain ones do not."""
    table = RNG.normal(size=(4, 4)) + 2 * np.eye(4)
    labels = RNG.normal(size=30)
    loss = optim.Composite(lambda x: jnp.sinh(POINTS @ x), lambda z: jnp.mean(optim.huber(z - labels, 9.0)))
    other = optim.Composite(lambda u: loss.outputs(table @ u), loss.loss)

    def descended(optimiser, loss, x):
        def turn(carry, _):
            x, state = carry
            updates, state = optimiser.update(jax.grad(loss)(x), state, x, value_fn=loss)
            return (x + updates, state), None

        return jax.jit(lambda x: jax.lax.scan(turn, (x, optimiser.init(x)), None, length=4)[0][0])(x)

    start = 0.1 * RNG.normal(size=4)
    natural = optim.natural_gradient(0.3, 0.0, tolerance=1e-13)
    ends = [descended(natural, loss, start), table @ descended(natural, other, np.linalg.solve(table, start))]
    np.testing.assert_allclose(*ends, rtol=1e-8)
    plain = optim.sgd(0.01)
    apart = descended(plain, loss, start) - table @ descended(plain, other, np.linalg.solve(table, start))
    assert np.abs(apart).max() > 1e-3


@pytest.mark.core
def test_a_proximal_point_solves_the_quadratic_at_any_length():
    optimisers = lambda h: optim.proximal_point(h, tolerance=1e-13)  # noqa: E731
    move = jax.jit(lambda h: optimisers(h).update(BOWL @ START, optimisers(h).init(START), START, value_fn=bowl)[0])
    for h in [0.0, 1e-3, 1.0, 1e6]:
        expected = np.linalg.solve(np.eye(5) + h * BOWL, START)
        np.testing.assert_allclose(START + move(h), expected, atol=1e-11)


def test_a_proximal_point_is_implicit_euler_and_arrives_where_its_iteration_does_not():
    def cost(x):
        return jnp.sum(jax.nn.softplus(x)) + 0.05 * jnp.sum(x**2)

    start, flow = jnp.ones(3), equations.GradientFlow(cost)
    euler = methods.ImplicitEuler()

    def both(h):
        moved = optim.proximal_point(h, tolerance=1e-13).update(
            jax.grad(cost)(start), optim.FlowState(jnp.zeros((), jnp.int32), ((),)), start, value_fn=cost
        )
        return moved[0], euler.step(flow, jnp.zeros(()), h, start, None, None).increment

    both = jax.jit(both)
    np.testing.assert_allclose(*both(jnp.asarray(0.3)), rtol=1e-10)
    long, lost = both(jnp.asarray(1e3))
    assert np.isnan(lost).all()
    np.testing.assert_allclose(long + 1e3 * jax.grad(cost)(start + long), 0, atol=1e-9)


@pytest.mark.parametrize("optimiser", [optim.proximal_point(0.1), optim.gauss_newton(0.1)])
def test_a_gradient_that_is_no_number_is_no_step_of_zero(optimiser):
    loss = optim.Composite(lambda x: x, bowl)
    lost = jnp.full(5, jnp.nan)
    updates = jax.jit(lambda g: optimiser.update(g, optimiser.init(START), START, value_fn=loss)[0])(lost)
    assert np.isnan(updates).all()


@pytest.mark.parametrize("stages", [4, 9])
def test_chebyshev_descent_has_the_polynomial_of_its_stages_and_is_stable_up_to_its_reach(stages):
    """Of a quadratic, a step is P_s(−hλ) = 1 + b_s (T_s(w₀ − w₁ hλ) − T_s(w₀)) along each axis."""
    taken = {4: 4, 9: 8}[stages]
    edge = reach(taken) / 100
    w0 = 1 + 2 / 13 / taken**2
    cosine = np.polynomial.chebyshev.Chebyshev.basis(taken)
    slope, bend = cosine.deriv()(w0), cosine.deriv(2)(w0)
    move = jax.jit(
        lambda h: optim.chebyshev(h, stages).update(
            BOWL @ START, optim.chebyshev(h, stages).init(START), START, value_fn=bowl
        )[0]
    )
    for h in [0.3 * edge, 0.999 * edge, 1.1 * edge]:
        curves = np.array([0.5, 1.0, 3.0, 20.0, 100.0])
        factors = 1 + bend / slope**2 * (cosine(w0 - slope / bend * h * curves) - cosine(w0))
        ends = BASIS.T @ np.asarray(START + move(h))
        np.testing.assert_allclose(ends, factors * (BASIS.T @ START), atol=1e-10)
        assert (np.abs(factors) <= 1).all() == (h < edge)
    assert edge * 100 > 0.64 * (taken**2 - 1)
    assert len(coefficients(taken)) == taken


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: step(optim.natural_gradient(0.1), bowl, START), "Pass value_fn=Composite"),
        (lambda: optim.natural_gradient(0.1, -1.0), "`damping` of `GaussNewton` must not be negative. Got -1.0"),
        (lambda: optim.GaussNewton(products=0), "`products` of `GaussNewton` must be at least 1"),
        (lambda: optim.gauss_newton(0.0), "`learning_rate` of `gauss_newton` must be positive. Got 0.0"),
        (lambda: optim.proximal_point(-1.0), "`learning_rate` must be a positive number or a schedule. Got -1.0"),
        (
            lambda: optim.proximal_point(1.0).update(START, optim.proximal_point(1.0).init(START), START),
            "Pass value_fn=loss",
        ),
        (lambda: optim.chebyshev(0.1, 1), "must be from 2 to 200. Got 1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(ArgumentError) as raised:
        make()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
