"""One configuration: outputs move alike whatever feeds them, and decay acts alike over runs of any length."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import optim, solve
from continua.core import ArgumentError


@pytest.mark.parametrize(("shape", "outputs"), [((3, 16), 0), ((16, 3), -1), ((5, 2, 3, 3), 0), ((7,), 0)])
def test_a_unit_moves_alike_whatever_its_inputs(shape, outputs):
    """A direction of ones over inputs of random signs of size one: by one, in the mean square."""
    ones = jnp.ones(shape)
    now = optim.Now(jnp.zeros((), jnp.int32), ones, ones, ones, None)
    found, _ = optim.FanIn(outputs).step(now, ())
    moved = np.moveaxis(np.asarray(found.direction), outputs, 0).reshape(shape[outputs], -1)
    np.testing.assert_allclose((moved**2).sum(1), 1.0, rtol=1e-6)


@pytest.mark.core
def test_decay_acts_alike_over_runs_of_any_length():
    """Without gradients: z' = −w ((1 − β) z + β x), x' = (z − x)/t over a time c/w, but for the rise at the start."""

    def fallen(steps):
        optimiser, start = optim.untuned(steps), jnp.asarray(1.0)

        def step(carry, _):
            x, state = carry
            updates, state = optimiser.update(jnp.zeros_like(x), state, x)
            return (x + updates, state), None

        run = jax.jit(lambda x: jax.lax.scan(step, (x, optimiser.init(x)), None, length=steps)[0])
        y, state = run(start)
        return np.array([state.own[-1].z, optim.averaged_params(state, y)])

    def slope(t, state, args):
        z, x = state
        return jnp.stack([-(0.1 * z + 0.9 * x), (z - x) / t])

    flow = solve(slope, jnp.ones(2), [1e-3, 4.0], rtol=1e-6).ys[-1]
    np.testing.assert_allclose(fallen(2000), flow, atol=0.04)
    np.testing.assert_allclose(fallen(2000), fallen(400), atol=0.01)


@pytest.mark.parametrize("inputs", [4, 400])
def test_regressions_are_learned_from_mini_batches_without_a_rate(inputs):
    rng = np.random.default_rng(inputs)
    points = jnp.asarray(rng.normal(size=(2000, inputs)))
    wanted = points @ rng.normal(size=(inputs, 2)) / inputs**0.5
    optimiser, start = optim.untuned(400), jnp.zeros((2, inputs))

    def step(carry, rows):
        weights, state = carry
        miss = points[rows] @ weights.T - wanted[rows]
        updates, state = optimiser.update(miss.T @ points[rows] / 16, state, weights)
        return (weights + updates, state), None

    batches = jnp.asarray(rng.integers(0, 2000, (400, 16)))
    end = jax.jit(lambda w: jax.lax.scan(step, (w, optimiser.init(w)), batches)[0])(start)
    left = jnp.mean((points @ optim.averaged_params(end[1], end[0]).T - wanted) ** 2)
    assert left < 0.05 * jnp.mean(wanted**2)


def test_a_run_of_no_steps_is_refused():
    with pytest.raises(ArgumentError, match=r"`steps` of `untuned` must be an integer from 1"):
        optim.untuned(0)
