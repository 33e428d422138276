"""Averages: exact relaxation towards the points of a descent, and optax's Schedule-Free, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

from continua import optim
from continua.core import ArgumentError
from tests.optim.test_first_order import network

FREE = {
    "sgd": ("schedule_free_sgd", (0.1,), {}),
    "sgd others": ("schedule_free_sgd", (0.3, 20, 0.8, 0.01, 1.0), {}),
    "adamw": ("schedule_free_adamw", (), {}),
    "adamw others": ("schedule_free_adamw", (0.01, 30, 0.95, 0.99, 1e-6, 0.1), {}),
}


def trained(optimiser, read, steps=300):
    """The weights after so many steps, and those to evaluate."""
    start, loss = network()

    def step(carry, _):
        weights, state = carry
        updates, state = optimiser.update(jax.grad(loss)(weights), state, weights)
        return (optax.apply_updates(weights, updates), state), None

    def run(w):
        (weights, state), _ = jax.lax.scan(step, (w, optimiser.init(w)), None, length=steps)
        return weights, read(state, weights)

    return jax.jit(run)(start)


@pytest.mark.parametrize("case", FREE)
def test_schedule_free_is_that_of_optax_bit_for_bit(case, as_users):
    name, args, kwargs = FREE[case]
    ours = trained(getattr(optim, name)(*args, **kwargs), optim.schedule_free_eval_params)
    theirs = trained(getattr(optax.contrib, name)(*args, **kwargs), optax.contrib.schedule_free_eval_params)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(ours))


def test_any_optimiser_becomes_schedule_free_and_its_average_is_found_wherever_it_stands(as_users):
    wrapped = [room.schedule_free(optax.lion(1e-3, 0.0), 1e-3, 0.95) for room in (optim, optax.contrib)]
    ours = trained(optax.chain(optim.clip(10.0), wrapped[0]), optim.averaged_params, 50)
    theirs = trained(wrapped[1], optax.contrib.schedule_free_eval_params, 50)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@pytest.mark.core
@pytest.mark.parametrize("decay", [0.8, lambda n: n.astype(float) / (n + 1).astype(float)])
def test_an_average_is_the_weighted_mean_of_the_points(decay):
    """Exponential weights bⁿ, or all alike."""
    optimiser, x = optim.averaged(optim.sgd(0.3, 0.5), decay), jnp.asarray([1.0, -2.0])
    plain, points, state = optim.sgd(0.3, 0.5), [], optimiser.init(x)
    assert (optim.averaged_params(state, x) == x).all()
    alone, own = x, plain.init(x)
    for _ in range(6):
        updates, state = optimiser.update(x**3, state, x)
        x = optim.apply_updates(x, updates)
        steps, own = plain.update(alone**3, own, alone)
        alone = optim.apply_updates(alone, steps)
        points.append(x)
    np.testing.assert_array_equal(x, alone)  # the descent does not feel its average
    weights = 0.8 ** np.arange(6)[::-1] if decay == 0.8 else np.ones(6)
    expected = np.average(points, axis=0, weights=weights)
    np.testing.assert_allclose(optim.averaged_params(state, x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: optim.averaged_params(optim.sgd(0.1).init(jnp.ones(2)), jnp.ones(2)), "must hold one average. Got 0"),
        (lambda: optim.Average(1.0), "`decay` of `Average` must be from 0 to below 1. Got 1.0"),
        (lambda: optim.schedule_free_sgd(b1=0.0), "`b1` of `schedule_free` must be above 0"),
        (
            lambda: optim.schedule_free_sgd().update(jnp.ones(2), optim.schedule_free_sgd().init(jnp.ones(2))),
            "needs `params`",
        ),
        (lambda: optim.flow(optim.Average(0.9)), "Got no Drift among them"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(ArgumentError) as raised:
        make()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
