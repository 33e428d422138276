"""The algebra: a drift is a step of the method that `solve` uses, and parts are solved exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optax.contrib import MuonDimensionNumbers

from continua import equations, methods, optim, solve
from continua.core import ArgumentError, ArgumentTypeError
from continua.solver import Fixed


def valley(x):
    """Rosenbrock's function."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


START = np.array([-0.5, 0.4])


def descended(optimiser, steps=20, loss=valley, start=START, **extra):
    """All points of a descent, [step, parameter]."""

    def step(carry, _):
        x, state = carry
        updates, state = optimiser.update(jax.grad(loss)(x), state, x, **extra)
        x = optim.apply_updates(x, updates)
        return (x, state), x

    start = jnp.asarray(start)
    return jax.jit(lambda x: jax.lax.scan(step, (x, optimiser.init(x)), None, length=steps)[1])(start)


@pytest.mark.core
@pytest.mark.parametrize(("method", "extra"), [(methods.Euler(), {}), (methods.RK4(), {"value_fn": valley})])
def test_a_drift_is_the_step_of_solve(method, extra):
    ts = 1e-3 * np.arange(21)
    solution = solve(equations.GradientFlow(valley), jnp.asarray(START), ts, method=method, step_control=Fixed(1e-3))
    points = descended(optim.flow(optim.Drift(1e-3, method)), **extra)
    np.testing.assert_allclose(points, solution.ys[1:], rtol=1e-12)


def test_a_memory_relaxes_as_its_equation_says():
    """By an exponential integrator, which is exact for linear equations with a constant source."""
    delay, step = 0.7, 0.2
    part = optim.Relaxation(float(np.exp(-step / delay)))
    source = jnp.asarray([1.0, -2.0])
    now = optim.Now(jnp.zeros((), jnp.int32), source, source, source, None)
    _, memory = part.step(now, part.start(source))
    exact = solve(lambda t, m, s: (s - m) / delay, jnp.zeros(2), [0.0, step], args=source, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(memory, exact.ys[-1], rtol=1e-10)


def test_momentum_is_symplectic_euler_with_friction():
    """Volumes in phase space shrink by the factor b each step, whatever the loss."""
    optimiser = optim.sgd(0.01, 0.9)

    def turned(pair):
        x, v = pair[:2], pair[2:]
        updates, state = optimiser.update(jax.grad(valley)(x), optim.FlowState(jnp.zeros((), jnp.int32), (v, ())), x)
        return jnp.concatenate([x + updates, state.own[0]])

    volume = jnp.linalg.det(jax.jacobian(turned)(jnp.asarray([0.3, -0.2, 1.0, 2.0])))
    assert float(volume) == pytest.approx(0.9**2, rel=1e-12)


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_descent_is_stable_up_to_two_over_the_largest_curvature(factor, grows):
    curvatures = np.array([1.0, 25.0])
    points = descended(optim.sgd(factor * 2 / 25), 400, lambda x: jnp.sum(curvatures * x**2) / 2, [1.0, 1.0])
    assert (abs(points[-1, 1]) > 1) == grows


def test_a_saturated_flow_is_as_fast_as_told():
    params = {"a": jnp.asarray([3.0, 4.0]), "b": jnp.asarray([[0.1]])}
    for bound, sizes in [({"norm": 1.0}, 1.0), ({"largest": 0.5}, np.sqrt(0.25 + 0.25 + 0.01))]:
        optimiser = optim.flow(optim.Saturation(**bound), optim.Drift(1.0))
        updates, _ = optimiser.update(params, optimiser.init(params), params)
        assert np.linalg.norm(np.concatenate([np.ravel(u) for u in updates.values()])) == pytest.approx(sizes, rel=1e-3)


@pytest.mark.parametrize("preconditioning", ["frobenius", "spectral", "aol", "schatten"])
def test_a_direction_of_a_matrix_becomes_a_rotation(preconditioning):
    direction = jnp.asarray(np.random.default_rng(1).normal(size=(6, 4)))
    part = optim.Spectral((1.5, -0.5, 0.0), 25, preconditioning=preconditioning)
    now = optim.Now(jnp.zeros((), jnp.int32), direction, direction, direction, None)
    found, _ = part.step(now, ())
    left, _, right = np.linalg.svd(np.asarray(direction), full_matrices=False)
    if preconditioning == "aol":  # orthogonal, but of rows that were scaled each by its own
        np.testing.assert_allclose(found.direction.T @ found.direction, np.eye(4), atol=1e-10)
    else:
        np.testing.assert_allclose(found.direction, left @ right, atol=1e-10)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.flow(optim.Sign()), ArgumentError, "Got no Drift"),
        (lambda: optim.flow(optim.Sign, optim.Drift(0.1)), ArgumentTypeError, "Got the class Sign"),
        (
            lambda: optim.adam(-1e-3),
            ArgumentError,
            "`learning_rate` must be a positive number or a schedule. Got -0.001",
        ),
        (lambda: optim.sgd(float("nan")), ArgumentError, "Got nan"),
        (lambda: optim.Drift(0.1, "euler"), ArgumentTypeError, "must be a method. Got str"),
        (
            lambda: optim.flow(optim.Relaxation(0.9), optim.Drift(0.1, methods.RK4())),
            ArgumentError,
            "must begin with a drift by RK4",
        ),
        (optim.Saturation, ArgumentError, "takes one bound"),
        (lambda: optim.Saturation(norm=0.0), ArgumentError, "`norm` of `Saturation` must be positive. Got 0.0"),
        (lambda: optim.muon(0.1, (1.0, 2.0)), ArgumentError, "must be three numbers"),
        (lambda: optim.muon(0.1, preconditioning="spectrum"), ArgumentError, "Did you mean `spectral`?"),
        (
            lambda: descended(
                optim.muon(0.1, muon_weight_dimension_numbers=MuonDimensionNumbers(0, 0)), 1, jnp.sum, np.ones((2, 2))
            ),
            ArgumentError,
            "must name axes for rows and others for columns",
        ),
        (lambda: descended(optim.flow(optim.Drift(0.1, methods.RK4()))), ArgumentError, "Pass value_fn=loss"),
        (lambda: equations.GradientFlow(3.0), ArgumentTypeError, "must be a function"),
        (lambda: equations.GradientFlow(jnp.sin)(0.0, jnp.ones(2), None), ArgumentTypeError, "must return one real"),
        (lambda: optim.adamw(0.1).update(jnp.ones(2), optim.adamw(0.1).init(jnp.ones(2))), ArgumentError, "`params`"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, error, words):
    with pytest.raises(error) as raised:
        make()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_handed_on_is_there():
    for name in set(dir(optim)) - set(optim.__all__):
        assert callable(getattr(optim, name)), name
    with pytest.raises(AttributeError, match="has no attribute 'adamm'"):
        _ = optim.adamm
