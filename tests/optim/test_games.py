"""Games: what turns shrinks or grows as the stability functions of the methods say."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from continua import methods, optim, solve
from continua.solver import Fixed

BILINEAR = optim.Game(lambda x, y: x * y)


def distances(optimiser, steps, game=BILINEAR):
    """From the saddle, after each step from (1, 1)."""

    def step(carry, _):
        pair, state = carry
        updates, state = optimiser.update(game.gradient(pair), state, pair, grad_fn=game.gradient)
        pair = optim.apply_updates(pair, updates)
        return (pair, state), jnp.hypot(*pair)

    start = (jnp.asarray(1.0), jnp.asarray(1.0))
    return np.asarray(jax.jit(lambda p: jax.lax.scan(step, (p, optimiser.init(p)), None, length=steps)[1])(start))


@pytest.mark.parametrize(
    ("optimiser", "factor"),
    [
        (optim.sgd(0.5), abs(1 + 0.5j)),
        (optim.extragradient(0.5), abs(1 + 0.5j * (1 + 0.5j))),
        (optim.rk4(1.5), abs(sum((1.5j) ** k / np.prod(range(1, k + 1)) for k in range(5)))),
    ],
    ids=["sgd", "extragradient", "rk4"],
)
def test_circles_grow_and_shrink_by_the_stability_function(optimiser, factor):
    np.testing.assert_allclose(distances(optimiser, 20), np.sqrt(2) * factor ** np.arange(1, 21), rtol=1e-10)


def test_the_optimistic_needs_at_most_41_gradients_for_six_digits():
    """After the first steps, whose double root adds a factor n: (1 − i)/2 is the largest root, 39.9 steps a million."""
    found = distances(optim.optimistic_gradient_descent(0.5), 400)
    assert found[340 + 41] <= 1e-6 * found[340]


def test_consensus_makes_descent_converge():
    calmed = optim.Game(lambda x, y: x * y, consensus=1.0)
    found = distances(optim.sgd(0.5), 20, calmed)
    np.testing.assert_allclose(found, np.sqrt(2) * abs(1 + 0.5 * (1j - 1)) ** np.arange(1, 21), rtol=1e-10)


def test_a_game_of_two_losses_is_an_equation_that_rests_where_nobody_gains():
    """Cournot's duopoly: each sells q at the price 10 − q₁ − q₂ for the cost 1; both sell 3."""
    game = optim.Game(lambda x, y: -x * (9 - x - y), lambda x, y: -y * (9 - x - y))
    solution = solve(game, (jnp.asarray(1.0), jnp.asarray(8.0)), [0.0, 40.0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose([leaf[-1] for leaf in solution.ys], 3, atol=1e-7)
    euler = solve(game, (jnp.asarray(1.0), jnp.asarray(8.0)), np.arange(4) * 0.1, method=methods.Euler(),
                  step_control=Fixed(0.1))  # fmt: skip
    pair = (jnp.asarray(1.0), jnp.asarray(8.0))
    for k in range(1, 4):
        pair = jax.tree.map(lambda p, g: p - 0.1 * g, pair, game.gradient(pair))
        np.testing.assert_allclose([leaf[k] for leaf in euler.ys], pair, rtol=1e-12)


def test_optimistic_steps_are_those_of_optax_bit_for_bit():
    with jax.numpy_dtype_promotion("standard"):
        ours, theirs = (
            distances(make(0.1, 0.9, 0.7), 300)
            for make in (optim.optimistic_gradient_descent, optax.optimistic_gradient_descent)
        )
    np.testing.assert_array_equal(ours, theirs)
