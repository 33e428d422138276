"""`minimise`: known minima, one way through every door, derivatives of the place, and what is not a minimum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import minimise, optim
from continua.core import ArgumentError, ArgumentTypeError

MINIMISERS = [
    optim.Newton(),
    optim.TruncatedNewton(),
    optim.LBFGS(),
    optim.ConjugateGradient(),
    optim.ConjugateGradient(optim.polak_ribiere),
    optim.ConjugateGradient(optim.fletcher_reeves),
]


def name(one):
    """A short name of a minimiser."""
    rule = getattr(one, "rule", None)
    return type(one).__name__ + (f"-{rule.__name__}" if rule else "")


def rosenbrock(x):
    """Zero at (1, …, 1)."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.core
@pytest.mark.parametrize("method", MINIMISERS, ids=name)
def test_the_valley_ends_where_it_ends(method):
    found = minimise(rosenbrock, jnp.asarray([-1.2, 1.0, -0.5]), method=method)
    assert found.status == optim.Outcome.MINIMUM
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    assert float(found.slope) <= 1e-8 < float(found.curvatures[0])
    told = np.asarray(found.history)[: int(found.steps) + 1]
    assert np.isfinite(told).all()
    assert (np.diff(told[:, 0]) <= 1e-12).all()  # Lyapunov's function never grows
    assert np.isnan(np.asarray(found.history)[int(found.steps) + 1 :]).all()


@pytest.mark.parametrize("method", [m for m in MINIMISERS if isinstance(m, optim.ConjugateGradient)], ids=name)
def test_conjugate_gradients_end_after_as_many_steps_as_there_are_parameters(method):
    matrix = np.diag(np.linspace(1.0, 40.0, 12))
    found = minimise(lambda x: x @ matrix @ x / 2 - x.sum(), jnp.zeros(12), method=method, gtol=1e-7)
    assert int(found.steps) <= 12
    np.testing.assert_allclose(found.x, 1 / np.diagonal(matrix), rtol=1e-6)


def test_newton_converges_quadratically():
    found = minimise(rosenbrock, jnp.asarray([1.2, 1.2]), method=optim.Newton(), gtol=1e-12)
    slopes = np.asarray(found.history)[: int(found.steps) + 1, 1]
    assert slopes[-1] < 10 * slopes[-2] ** 1.8


@pytest.mark.parametrize("method", [optim.Newton(), optim.LBFGS()], ids=name)
def test_an_optax_loop_walks_the_same_way(method):
    optimiser, start = method.optimiser(), jnp.asarray([-1.2, 1.0])

    @jax.jit
    def step(carry, _):
        x, state = carry
        value, gradient = jax.value_and_grad(rosenbrock)(x)
        updates, state = optimiser.update(gradient, state, x, value=value, value_fn=rosenbrock)
        x = optim.apply_updates(x, updates)
        return (x, state), rosenbrock(x)

    _, values = jax.lax.scan(step, (start, optimiser.init(start)), None, length=15)
    found = minimise(rosenbrock, start, method=method)
    np.testing.assert_allclose(values, np.asarray(found.history)[1:16, 0], rtol=1e-6)


def test_parameters_are_any_tree_and_both_precisions_do():
    start = {"a": jnp.float32(3.0), "b": (jnp.ones((2, 2), jnp.float32),)}
    found = minimise(lambda p: (p["a"] - 2) ** 2 + jnp.sum((p["b"][0] - 1.5) ** 4), start, gtol=1e-5)
    assert jax.tree.structure(found.x) == jax.tree.structure(start)
    assert found.x["a"].dtype == jnp.float32
    assert float(found.x["a"]) == pytest.approx(2, abs=1e-5)


def test_the_place_is_differentiable_in_what_the_function_depends_on():
    def place(a):
        return minimise(lambda x, a: (x[0] - a) ** 4 + (x[0] - a) ** 2 + a * x @ x, jnp.zeros(2), a, gtol=1e-12).x[0]

    a, h = 2.0, 1e-5
    reverse, forward = jax.jit(jax.grad(place))(a), jax.jit(jax.jacfwd(place))(a)
    assert float(reverse) == pytest.approx(float(forward), rel=1e-12)
    assert float(reverse) == pytest.approx(float(place(a + h) - place(a - h)) / (2 * h), rel=1e-7)


def test_many_are_minimised_at_once():
    targets = jnp.asarray([1.0, 2.0, 5.0])
    found = jax.jit(jax.vmap(lambda a: minimise(lambda x: (x @ x - a) ** 2 + x[1] ** 2, jnp.ones(2)).x))(targets)
    np.testing.assert_allclose(found[:, 0] ** 2, targets, rtol=1e-6)


def test_auto_takes_products_where_all_is_a_bowl_and_pairs_where_it_is_not():
    rng = np.random.default_rng(0)
    points, start = jnp.asarray(rng.normal(size=(50, 600))), jnp.zeros(600)
    bowl = minimise(lambda w: jnp.sum(jnp.logaddexp(0, points @ w)) + w @ w, start)
    assert isinstance(bowl.method, optim.TruncatedNewton)
    rough = minimise(lambda w: jnp.sum(jnp.cos(w)) + 0.3 * w @ w, start + 0.1)
    assert isinstance(rough.method, optim.LBFGS)
    assert float(rough.slope) <= 1e-8 * max(1, abs(float(rough.value)))
    traced = jax.jit(lambda w: minimise(lambda w: w @ w, w).slope)(start + 1)
    assert float(traced) <= 1e-8


@pytest.mark.parametrize(
    ("function", "start", "outcome", "words"),
    [
        (lambda x: -x @ x, [0.0, 0.0], "MAXIMUM", "ended at a maximum"),
        (lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0], "SADDLE", "ended at a saddle"),
        (lambda x: x.sum(), [1.0, 1.0], "UNBOUNDED", "has no minimum there"),
        (lambda x: -x @ x, [0.1, 0.0], "UNBOUNDED", "set bounds"),
        (lambda x: jnp.log(x).sum(), [-1.0, 1.0], "NOT_FINITE", "not finite"),
        (lambda x: jnp.abs(x - 0.3).sum(), [1.0, 1.0], "STALLED", "may have a kink"),
    ],
)
def test_what_is_no_minimum_says_what_it_is(function, start, outcome, words):
    assert minimise(function, jnp.asarray(start), throw=False).status.name == outcome
    with pytest.raises(optim.FailedMinimisation, match=words) as raised:
        minimise(function, jnp.asarray(start))
    assert raised.value.result.status.name == outcome
    assert "\n" not in str(raised.value)


def test_a_budget_that_runs_out_says_so():
    with pytest.raises(optim.FailedMinimisation, match="took all 3 steps"):
        minimise(rosenbrock, jnp.asarray([-1.2, 1.0]), max_steps=3)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: minimise(rosenbrock, jnp.asarray([1, 2])),
            ArgumentTypeError,
            "`x0` of `minimise` must hold floats: only they can vary. Got int",
        ),
        (lambda: minimise(rosenbrock, jnp.asarray([1.0, np.nan])), ArgumentError, "must be finite"),
        (lambda: minimise(lambda x: x, jnp.ones(2)), ArgumentTypeError, "must return one real number"),
        (lambda: minimise(rosenbrock, jnp.ones(2), method="adam"), ArgumentTypeError, "must be a Minimiser"),
        (lambda: minimise(rosenbrock, jnp.ones(2), max_steps=0), ArgumentError, "`max_steps`"),
        (lambda: minimise(rosenbrock, jnp.ones(2), gtol=-1.0), ArgumentError, "`gtol`"),
        (lambda: minimise(rosenbrock, jnp.ones(0)), ArgumentError, "must hold numbers"),
        (
            lambda: minimise(rosenbrock, jnp.zeros(2), method=optim.LevenbergMarquardt()),
            ArgumentError,
            "Use `least_squares",
        ),
        (lambda: optim.Newton().optimiser().update(jnp.ones(2), None), ArgumentError, "value_fn=loss"),
    ],
)
def test_what_cannot_be_minimised_is_refused_in_one_line(make, error, words):
    with pytest.raises(error) as raised:
        make()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
