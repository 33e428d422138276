"""`minimise` within bounds and constraints: closed forms, published minima, prices, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import minimise, optim
from continua.core import ArgumentError, ArgumentTypeError
from continua.optim import Box, Equality, Inequality
from tests.optim.hock_schittkowski import PROBLEMS


def rectangle(x, axes):
    """Minus the area of a rectangle with the corner x."""
    return -4 * x[0] * x[1]


ELLIPSE = Inequality(lambda x, axes: 1 - jnp.sum((x / axes) ** 2))


@pytest.mark.core
@pytest.mark.parametrize("method", [optim.SQP(), optim.AugmentedLagrangian()], ids=lambda m: type(m).__name__)
def test_the_largest_rectangle_in_an_ellipse_has_the_corner_at_its_axes_over_the_root_of_two(method):
    axes = jnp.asarray([2.0, 1.0])
    found = minimise(rectangle, jnp.asarray([1.0, 0.5]), axes, constraints=ELLIPSE, bounds=Box(0.0), method=method)
    assert found.status == optim.Outcome.MINIMUM
    np.testing.assert_allclose(found.x, axes / np.sqrt(2), rtol=1e-7)
    np.testing.assert_allclose(found.multipliers.constraints[0], [4], rtol=1e-6)  # area 2ab, axes grow by ½ each
    assert float(found.slope) <= 1e-8
    assert "by about -4" in found.multipliers.explain()
    np.testing.assert_allclose(found.curvatures, 6.4, rtol=1e-5)  # of the Lagrangian along the ellipse, (2, −1)/√5


@pytest.mark.core
def test_between_bounds_a_separable_quadratic_ends_at_the_projection():
    rng = np.random.default_rng(1)
    centre, low = jnp.asarray(rng.normal(size=12)), jnp.asarray(rng.uniform(-1, 0, 12))
    found = minimise(lambda x: jnp.sum((x - centre) ** 2) / 2, jnp.full(12, 9.0), bounds=Box(low, low + 0.7))
    np.testing.assert_allclose(found.x, np.clip(centre, low, low + 0.7), atol=1e-12)
    np.testing.assert_allclose(found.multipliers.low, np.maximum(low - centre, 0), atol=1e-12)
    np.testing.assert_allclose(found.multipliers.high, np.maximum(centre - low - 0.7, 0), atol=1e-12)


@pytest.mark.parametrize("method", [optim.ProjectedNewton(), optim.ProjectedLBFGS()], ids=lambda m: type(m).__name__)
def test_between_bounds_a_coupled_quadratic_satisfies_its_conditions(method):
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(40, 40))
    matrix, linear = jnp.asarray(factor @ factor.T / 40 + 0.1 * np.eye(40)), jnp.asarray(rng.normal(size=40))
    found = minimise(lambda x: x @ matrix @ x / 2 - linear @ x, jnp.zeros(40), bounds=Box(-0.5, 0.5), method=method)
    slope = np.asarray(matrix @ found.x - linear)
    x = np.asarray(found.x)
    np.testing.assert_allclose(x, np.clip(x - slope, -0.5, 0.5), atol=1e-7)
    held = np.abs(x) == 0.5
    assert 5 < held.sum() < 40
    np.testing.assert_allclose(found.multipliers.high - found.multipliers.low, -slope * held, atol=1e-12)


def test_entropy_on_the_simplex_is_largest_where_all_is_alike_and_a_mean_makes_it_boltzmann():
    energy = jnp.arange(5.0)

    def constraint(p, mean):
        return jnp.stack([p.sum() - 1, energy @ p - mean])

    found = minimise(
        lambda p: jnp.sum(p * jnp.log(p)),
        jnp.full(5, 0.2),
        jnp.asarray(1.5),
        constraints=Equality(constraint),
        bounds=Box(1e-9, 1.0),
    )
    beta = -float(found.multipliers.constraints[0][1])
    weights = np.exp(-beta * np.arange(5))
    np.testing.assert_allclose(found.x, weights / weights.sum(), rtol=1e-7)


NUMBERS = [6, 7, 21, 26, 28, 35, 43, 48, 66, 71, 76, 100, 113]


@pytest.mark.parametrize("number", NUMBERS)
def test_published_minima_of_hock_and_schittkowski(number):
    f, x0, best, constraints, box = PROBLEMS[number]
    found = minimise(f, jnp.asarray(x0), bounds=box, constraints=constraints)
    assert float(found.value) == pytest.approx(best, rel=2e-7, abs=2e-7)
    assert int(found.steps) <= 25


def priced(budgets):
    """The least of a function whose constraints and bound are relaxed by the budgets."""
    equality, inequality, low = budgets
    return minimise(
        lambda x: jnp.sum((x - jnp.asarray([2.0, 1.0, -1.0])) ** 2) + x[0] * x[1],
        jnp.zeros(3),
        bounds=Box(-low),
        constraints=[Equality(lambda x: x.sum() - 1 + equality), Inequality(lambda x: 0.5 - x[0] ** 2 + inequality)],
    )


def test_multipliers_are_prices():
    """Shadow prices by finite differences, by the derivative of the minimum, and as multipliers."""
    place = jnp.asarray([0.1, 0.2, 0.3])
    value = jax.jit(lambda b: priced(b).value)
    found = jax.jit(lambda b: jax.tree.leaves(priced(b).multipliers))(place)
    prices = np.concatenate([[found[2][0]], [found[3][0]], [found[0].sum()]])
    steps = 1e-4 * np.eye(3)
    differences = [float(value(place + s) - value(place - s)) / 2e-4 for s in steps]
    assert (np.abs(prices) > 0.1).all()
    np.testing.assert_allclose(differences, -prices, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda b: priced(b).value))(place), -prices, rtol=1e-6)


def test_the_place_is_differentiable_in_bounds_and_in_what_constraints_depend_on():
    """The nearest point of a circle of radius r, cut off at x ≤ c: (c, √(r² − c²))."""

    def nearest(radius, cut):
        return minimise(
            lambda x: jnp.sum((x - 3) ** 2),
            jnp.asarray([0.1, 1.0]),
            radius,
            bounds=Box(high=jnp.stack([cut, cut + 9])),
            constraints=Inequality(lambda x, r: r**2 - x @ x),
        ).x[1]

    slopes = jax.jit(jax.grad(nearest, argnums=(0, 1)))(2.0, 1.0)
    np.testing.assert_allclose(slopes, [2 / np.sqrt(3), -1 / np.sqrt(3)], rtol=1e-6)


def test_many_are_minimised_at_once():
    def nearest(target):
        return minimise(
            lambda x: jnp.sum((x - target) ** 2), jnp.ones(2), constraints=Inequality(lambda x: 1 - x @ x)
        ).x

    targets = jnp.asarray([[3.0, 4.0], [0.1, 0.2], [-2.0, 0.0]])
    found = jax.jit(jax.vmap(nearest))(targets)
    expected = targets / np.maximum(1, np.linalg.norm(targets, axis=1))[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_many_parameters_take_pairs_and_a_controller():
    target = jnp.linspace(-1.0, 2.0, 600)
    bounded = minimise(lambda x: jnp.sum((x - target) ** 4 + (x - target) ** 2), jnp.zeros(600), bounds=Box(0.0, 1.0))
    assert isinstance(bounded.method, optim.ProjectedLBFGS)
    np.testing.assert_allclose(bounded.x, np.clip(target, 0, 1), atol=1e-6)
    simplex = minimise(
        lambda x: jnp.sum((x - target) ** 2) / 2,
        jnp.zeros(600),
        bounds=Box(0.0),
        constraints=Equality(lambda x: x.sum() - 1),
    )
    assert isinstance(simplex.method, optim.AugmentedLagrangian)
    shift = float(simplex.multipliers.constraints[0][0])
    np.testing.assert_allclose(simplex.x, np.maximum(target + shift, 0), atol=1e-6)
    assert float(simplex.x.sum()) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("method", [optim.SQP(), optim.AugmentedLagrangian()], ids=lambda m: type(m).__name__)
def test_constraints_that_contradict_each_other_are_found_out(method):
    both = [Inequality(lambda x: -1 - x[0]), Inequality(lambda x: x[0] - 1 + 0 * x[1])]
    found = minimise(lambda x: x @ x, jnp.asarray([0.5, 0.5]), constraints=both, method=method, throw=False)
    assert found.status == optim.Outcome.INFEASIBLE
    with pytest.raises(optim.FailedMinimisation, match="contradict each other"):
        found.check()


def test_constraints_that_depend_on_each_other_do_no_harm():
    twice = Equality(lambda x: jnp.stack([x.sum() - 1, 2 * x.sum() - 2]))
    found = minimise(lambda x: x @ x, jnp.asarray([3.0, 0.0]), constraints=twice)
    np.testing.assert_allclose(found.x, 0.5, atol=1e-8)
    mu = found.multipliers.constraints[0]
    assert float(mu[0] + 2 * mu[1]) == pytest.approx(1, abs=1e-6)


def test_a_saddle_along_a_constraint_is_told_and_no_minimum_at_all_too():
    found = minimise(lambda x: x[0] - x[1] ** 2, jnp.zeros(2), constraints=Equality(lambda x: x[0]), throw=False)
    assert found.status == optim.Outcome.MAXIMUM
    found = minimise(lambda x: -x.sum(), jnp.zeros(2), constraints=Inequality(lambda x: x), throw=False)
    assert found.status == optim.Outcome.UNBOUNDED


def test_trees_and_single_precision_stay_what_they_are():
    start = {"a": jnp.float32(3.0), "b": jnp.ones(2, jnp.float32)}
    found = minimise(
        lambda p: p["a"] ** 2 + jnp.sum((p["b"] - 1) ** 2),
        start,
        bounds=Box({"a": 0.5, "b": -1.0}, 2.0),
        constraints=Inequality(lambda p: {"x": 1 - p["b"].sum()}),
    )
    assert found.x["a"].dtype == jnp.float32
    np.testing.assert_allclose(found.x["b"], 0.5, atol=1e-4)
    assert float(found.multipliers.low["a"]) == pytest.approx(1, abs=1e-3)


def square(x):
    """x · x."""
    return x @ x


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"bounds": Box(1.0, -1.0)}, ArgumentError, "low ≤ high. Got low 1.0 and high -1.0 of parameter 0"),
        ({"bounds": Box(jnp.ones(3))}, ArgumentError, "`low` of `Box`"),
        ({"bounds": (0, 1)}, ArgumentTypeError, "Write Box(low, high)"),
        ({"constraints": lambda x: x}, ArgumentTypeError, "Write Equality(lambda x: …)"),
        ({"constraints": [Equality(lambda x: x > 0)]}, ArgumentTypeError, "must return real floats"),
        ({"bounds": Box(0.0), "method": optim.Newton()}, ArgumentError, "Got Newton. Leave it out"),
        (
            {"constraints": Equality(lambda x: x.sum()), "method": optim.ProjectedNewton()},
            ArgumentError,
            "knows bounds alone",
        ),
        ({"method": optim.SQP()}, ArgumentError, "needs `bounds` or `constraints`"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, error, words):
    with pytest.raises(error) as raised:
        minimise(square, jnp.ones(2), **options)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_constraint_is_a_function():
    with pytest.raises(ArgumentTypeError, match="`function` of `Equality` must be a function"):
        Equality(3.0)
