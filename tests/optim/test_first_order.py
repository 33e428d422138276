"""The optimisers that people know: optax's numbers, bit for bit, and torch's at the same arguments."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

from continua import optim

TORCH = json.loads((Path(__file__).parent / "torch_reference.json").read_text())
WARM = optax.warmup_cosine_decay_schedule(1e-4, 1e-2, 100, 1000)
MASK = {"W": True, "b": False, "V": True, "c": False}
PAIRS = {
    "sgd": ((1e-2,), {}),
    "sgd momentum": ((1e-2, 0.9), {}),
    "sgd nesterov": ((WARM, 0.8, True), {}),
    "adagrad": ((1e-2,), {}),
    "adagrad others": ((3e-2, 0.0, 1e-5), {}),
    "rmsprop": ((1e-3,), {}),
    "rmsprop others": ((1e-3, 0.95, 1e-6, 0.1, False, True, 0.9, True, True), {}),
    "adam": ((1e-2,), {}),
    "adam others": ((WARM, 0.8, 0.99, 1e-6, 1e-9), {}),
    "nadam": ((1e-2,), {}),
    "nadam others": ((3e-3, 0.8, 0.99), {}),
    "adamw": ((1e-2,), {}),
    "adamw others": ((1e-2, 0.85, 0.98), {"weight_decay": 0.1, "mask": MASK}),
    "lion": ((1e-3,), {}),
    "lion others": ((WARM, 0.95, 0.98), {"weight_decay": 0.1}),
    "sign_sgd": ((1e-3,), {}),
    "sign_sgd others": ((WARM,), {}),
    "muon": ((1e-2,), {}),
    "muon others": ((1e-2,), {"ns_steps": 3, "beta": 0.9, "weight_decay": 0.01, "nesterov": False, "adaptive": True}),
    "muon rows": ((1e-2,), {"ns_coeffs": ((3.0, -3.2, 1.2), (1.5, -0.5, 0.0)), "ns_steps": 2, "consistent_rms": 0.2}),
}


def network():
    """A network of one hidden layer in float32, and its loss on some points."""
    rng = np.random.default_rng(0)
    weights = {"W": rng.normal(size=(16, 8)) / 4, "b": np.zeros(8), "V": rng.normal(size=(8, 4)) / 3, "c": np.zeros(4)}
    points, classes = jnp.asarray(rng.normal(size=(64, 16)), jnp.float32), rng.integers(0, 4, 64)

    def loss(p):
        scores = jnp.tanh(points @ p["W"] + p["b"][None]) @ p["V"] + p["c"][None]
        return jnp.mean(jax.nn.logsumexp(scores, 1) - scores[jnp.arange(64), classes])

    return jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), weights), loss


def trained(optimiser, steps):
    """The weights after so many steps in one scan."""
    start, loss = network()

    def step(carry, _):
        weights, state = carry
        updates, state = optimiser.update(jax.grad(loss)(weights), state, weights)
        return (optax.apply_updates(weights, updates), state), None

    return jax.jit(lambda w: jax.lax.scan(step, (w, optimiser.init(w)), None, length=steps)[0][0])(start)


@pytest.mark.parametrize("case", PAIRS)
def test_a_thousand_steps_are_those_of_optax_bit_for_bit(case, as_users):
    name = case.split()[0]
    args, kwargs = PAIRS[case]
    ours = trained(getattr(optim, name)(*args, **kwargs), 1000)
    theirs = trained((getattr(optax, name, None) or getattr(optax.contrib, name))(*args, **kwargs), 1000)
    for leaf in ours:
        np.testing.assert_array_equal(ours[leaf], theirs[leaf])
        assert np.isfinite(ours[leaf]).all()


def test_one_compiled_call_a_step_gives_the_bits_of_optax_too(as_users):
    start, loss = network()
    ends = []
    for optimiser in (optim.adam(1e-2), optax.adam(1e-2)):

        @jax.jit
        def step(weights, state, optimiser=optimiser):
            updates, state = optimiser.update(jax.grad(loss)(weights), state, weights)
            return optax.apply_updates(weights, updates), state

        weights, state = start, optimiser.init(start)
        for _ in range(1000):
            weights, state = step(weights, state)
        ends.append(weights)
    for leaf in start:
        np.testing.assert_array_equal(ends[0][leaf], ends[1][leaf])


@pytest.mark.parametrize(
    ("bound", "clip", "schedule"),
    [
        ({"largest": 0.01}, optax.clip(0.01), optax.piecewise_constant_schedule(1e-2, {50: 0.1})),
        ({"norm": 0.1}, optax.clip_by_global_norm(0.1), optax.cosine_onecycle_schedule(200, 1e-2)),
        ({"share": 0.01}, optax.adaptive_grad_clip(0.01), optax.exponential_decay(1e-2, 50, 0.5)),
    ],
    ids=["value", "norm", "adaptive"],
)
def test_clipping_and_schedules_are_parts_of_a_flow(bound, clip, schedule, as_users):
    parts = optim.Saturation(**bound), optim.Relaxation(0.9), optim.RootMeanSquare(0.999), optim.Drift(schedule)
    ways = optim.flow(*parts), optax.chain(clip, optax.adam(schedule)), optim.adam(schedule)
    ours, theirs, unbounded = (trained(way, 200) for way in ways)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert any((ours[name] != unbounded[name]).any() for name in ours)  # it did bound


NUMBERS = optax.contrib.MuonDimensionNumbers


@pytest.mark.parametrize(
    "extra",
    [
        {
            "preconditioning": "aol",
            "muon_weight_dimension_numbers": {"deep": NUMBERS(0, (1, 3)), "flat": None, "row": None},
        },
        {
            "preconditioning": "schatten",
            "muon_weight_dimension_numbers": lambda p: {"deep": NUMBERS((3, 0), 1), "flat": NUMBERS(1, 0), "row": None},
            "adaptive": True,
        },
        {"preconditioning": "spectral", "consistent_rms": 0.2},
    ],
    ids=lambda extra: extra["preconditioning"],
)
def test_muon_turns_what_it_is_told_as_optax_does(extra, as_users):
    rng = np.random.default_rng(2)
    shapes = {"deep": (3, 4, 2, 5), "flat": (4, 6), "row": (4,)}
    start = {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in shapes.items()}

    def run(optimiser):
        def step(carry, _):
            params, state = carry
            gradient = jax.tree.map(lambda p: jnp.sin(3 * p) + p, params)
            updates, state = optimiser.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.jit(lambda p: jax.lax.scan(step, (p, optimiser.init(p)), None, length=50)[0][0])(start)

    ours, theirs = run(optim.muon(0.01, **extra)), run(optax.contrib.muon(0.01, **extra))
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert all((ours[name] != start[name]).all() for name in start)


@pytest.mark.core
@pytest.mark.parametrize("case", TORCH["cases"], ids=lambda case: case["torch"])
def test_steps_are_those_of_torch_at_matched_arguments(case):
    matrix, right = (np.asarray(TORCH[name]) for name in ("matrix", "right"))
    optimiser = getattr(optim, case["ours"])(**case["arguments"])

    def step(carry, _):
        x, state = carry
        residual = matrix @ x - right
        updates, state = optimiser.update(matrix.T @ residual + jnp.sin(x), state, x)
        return (optim.apply_updates(x, updates), state), None

    start = jnp.asarray(TORCH["start"])
    (x, _), _ = jax.jit(lambda x: jax.lax.scan(step, (x, optimiser.init(x)), None, length=TORCH["steps"]))(start)
    np.testing.assert_allclose(x, case["end"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_moments_and_increments_keep_their_precision(dtype, as_users):
    params = {"low": jnp.ones((4, 3), dtype), "high": jnp.ones(2)}
    optimiser = optim.adam(optim.cosine_decay_schedule(1e-2, 10), mu_dtype=jnp.float32)
    updates, state = optimiser.update(params, optimiser.init(params), params)
    assert jax.tree.map(lambda u: u.dtype, optim.apply_updates(params, updates)) == {"low": dtype, "high": jnp.float64}
    assert {leaf.dtype for leaf in jax.tree.leaves(state.own[0])} == {jnp.dtype(jnp.float32)}
