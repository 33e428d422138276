"""What diagnostics say of a training, beside formulas and dense matrices."""

import io
import itertools
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree
from rich.console import Console

from continua import optim, train
from continua.core import ArgumentError, ArgumentTypeError
from continua.models import MLP
from continua.show import svg
from continua.train.diagnostics import diagnosis, terminal

KEY = jax.random.key(4)
MODEL = MLP((6, 5, 3), KEY, activation="tanh")
BATCH = jax.random.normal(jax.random.key(1), (16, 6)), jax.random.randint(jax.random.key(2), (16,), 0, 3)


def cross_entropy(model, batch):
    return jnp.mean(optim.softmax_cross_entropy(model(batch[0]), batch[1]))


def bowl(w, batch):
    """Of curvatures 1 and 10 whatever the batch."""
    return jnp.mean(batch) * 0 + (w[0] ** 2 + 10 * w[1] ** 2) / 2


@pytest.mark.core
def test_sharpness_is_the_largest_eigenvalue_of_the_hessian():
    x, unravel = ravel_pytree(MODEL)
    steps = jnp.linspace(0.1, 2.0, x.size)
    dense = jax.jit(jax.hessian(lambda x: cross_entropy(unravel(x), BATCH)))(x)
    scaled = dense * jnp.sqrt(steps[:, None] * steps[None, :])

    @jax.jit
    def found(steps, guess):
        return train.sharpness(lambda m: cross_entropy(m, BATCH), MODEL, steps=unravel(steps), guess=guess)

    flat, bent = (found(d, MODEL) for d in (jnp.ones_like(x), steps))
    for ours, matrix in ((flat, dense), (bent, scaled)):
        np.testing.assert_allclose(ours.largest, jnp.linalg.eigvalsh(matrix)[-1], rtol=1e-6)
        assert ours.products <= 15
    again = found(jnp.ones_like(x), flat.vector)
    np.testing.assert_allclose(again.largest, flat.largest, rtol=1e-6)
    assert again.products < flat.products
    v = ravel_pytree(flat.vector)[0]
    np.testing.assert_allclose(dense @ v, flat.largest * v, atol=2e-3)


EXACT = {
    "descent": (optim.sgd(0.3), 0.3),
    "momentum": (optim.sgd(0.3, momentum=0.5), 0.3 / 1.5),
    "nesterov": (optim.sgd(0.3, momentum=0.5, nesterov=True), 0.3 * 2 / 1.5),
    "optax, decaying": (optax.chain(optax.add_decayed_weights(1e-9), optax.sgd(0.3, momentum=0.5)), 0.3 / 1.5),
}


@pytest.mark.parametrize("name", EXACT)
def test_steps_across_the_steepest_direction_grow_just_beyond_the_edge(name):
    optimiser, expected = EXACT[name]

    @jax.jit
    def walk(curvature):
        def step(carry, _):
            x, state = carry
            update, state = optimiser.update(curvature * x, state, x)
            return (x + update, state), None

        x = jnp.array([1.0])
        steps = train.swing_response(optimiser, optimiser.init(x), x, curvature * x).steps
        return steps, jax.lax.scan(step, (x, optimiser.init(x)), length=2000)[0][0]

    limit = 2 / expected
    (steps, near), (_, far) = walk(0.99 * limit), walk(1.01 * limit)
    np.testing.assert_allclose(steps, expected, rtol=1e-7)
    assert abs(near[0]) < 1e-4
    assert not abs(far[0]) < 1e4


def test_adaptive_steps_swing_in_the_metric_of_the_next_step():
    g = jnp.array([1.0, -0.01, 30.0])

    def response(optimiser, rounds):
        state = optimiser.init(g)
        for _ in range(rounds):
            state = optimiser.update(2 * g, state, g)[1]
        return train.swing_response(optimiser, state, g, g).steps

    def mean_square(decay, rounds):
        return decay * (1 - decay**rounds) * (2 * g) ** 2 + (1 - decay) * g**2

    rms = response(optim.rmsprop(1e-2, decay=0.9, eps=0.0), 50)
    np.testing.assert_allclose(rms, 1e-2 / jnp.sqrt(mean_square(0.9, 50)), rtol=1e-10)
    # Half of (2 + 2 b1) / ((1 - b1) h), upside down, in the metric P: Cohen et al., arXiv 2207.14484.
    metric = jnp.sqrt(mean_square(0.999, 100) / (1 - 0.999**101))
    adam = response(optim.adam(1e-2, b1=0.8, eps=0.0), 100)
    np.testing.assert_allclose(adam, 1e-2 * 0.2 / 1.8 / metric, rtol=2e-3)
    whole = jax.random.normal(KEY, (3, 3))
    muon = optim.muon(0.1)
    assert jnp.isnan(train.swing_response(muon, muon.init(whole), whole, whole).steps).all()
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))
    np.testing.assert_allclose(response(clipped, 1), 0.1 / jnp.linalg.norm(g), rtol=1e-7)


def test_noise_of_gradients_is_right_on_average_over_all_batches():
    samples = jnp.array([0.3, -1.0, 2.0, 0.5])
    batches = jnp.array(list(itertools.product(samples, repeat=4)))
    point = jnp.asarray(0.7)
    gradients = jnp.cos(point * samples) * samples
    found = jax.jit(
        jax.vmap(lambda batch: train.gradient_noise(lambda p, xs: jnp.mean(jnp.sin(p * xs)), point, batch))
    )(batches)
    np.testing.assert_allclose(found.signal.mean(), gradients.mean() ** 2, rtol=1e-10)
    np.testing.assert_allclose(found.scatter.mean(), gradients.var(), rtol=1e-10)
    known = train.GradientNoise(jnp.asarray(2.0), jnp.asarray(6.0))
    assert (known.scale, known._replace(signal=jnp.asarray(-1.0)).scale) == (3.0, jnp.inf)
    with pytest.raises(ArgumentError, match=r"two samples or more.*Got \[1\]"):
        train.gradient_noise(bowl, jnp.ones(2), jnp.ones(1))


def test_layers_are_named_and_measured_together():
    norms = train.layer_norms(MODEL)
    assert list(norms) == ["layers[0]", "layers[1]"]
    np.testing.assert_allclose(norms["layers[0]"], jnp.linalg.norm(MODEL.layers[0].weight), rtol=1e-12)
    ratios = train.update_ratios(
        {"a": jnp.array([3.0, 4.0]), "b": jnp.ones(4)}, {"a": jnp.ones(1), "b": jnp.array(8.0)}
    )
    np.testing.assert_allclose([ratios["['a']"], ratios["['b']"]], [5, 0.25])


def with_weights(model, weights, biases):
    pairs = zip(weights, biases, strict=True)
    return eqx.tree_at(lambda m: m.layers, model, tuple(type(model.layers[0])(w, b) for w, b in pairs))


def test_orthogonal_layers_keep_every_length():
    model = MLP((7,) * 12, KEY, activation="identity", initialisation="orthogonal")
    found = train.jacobian_spectrum(partial(train.hidden_states, model), jnp.ones((2, 7)))
    np.testing.assert_allclose(found.singular_values, np.ones((11, 2, 7)), rtol=1e-12)
    np.testing.assert_allclose(found.gains, 1, rtol=1e-12)
    np.testing.assert_allclose(found.exponents, 0, atol=1e-13)
    assert (found.verdict, found.advice()) == ("healthy", [])


@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "vanishing"), (10.0, "exploding")])
def test_sigmoid_layers_at_their_steepest_lose_three_quarters(scale, verdict):
    # Every state is ½, where σ' = ¼: the Jacobian of l layers is (W/4)^l, W being `scale` times a rotation.
    depth = 10
    rotation = jnp.linalg.qr(jax.random.normal(KEY, (4, 4)))[0]
    weight = scale * rotation
    model = MLP((4,) * (depth + 2), KEY, activation="sigmoid")
    model = with_weights(model, [weight] * depth + [jnp.eye(4)], [-weight @ jnp.full(4, 0.5)] * depth + [jnp.zeros(4)])
    found = train.jacobian_spectrum(partial(train.hidden_states, model), jnp.full(4, 0.5))
    gains = (scale / 4) ** np.arange(1, depth + 1)
    np.testing.assert_allclose(found.gains[:-1], gains, rtol=1e-9)
    np.testing.assert_allclose(found.singular_values[depth - 1], np.full((1, 4), gains[-1]), rtol=1e-9)
    np.testing.assert_allclose(found.exponents * 11 / 10, np.log(scale / 4), rtol=1e-9)
    assert found.verdict == verdict
    words = " ".join(map(str, found.advice()))
    assert all(word in words for word in ("residual", "normalise", "initialisation", f"{1 / found.rate:.2g} times"))
    assert ("clip" in words) == (verdict == "exploding")
    assert ("tanh" in words) == (verdict == "vanishing")
    assert len(svg(found.figure())) > 1000


def test_time_is_a_chain_too():
    weight = 0.5 * jnp.array([[0.0, -1.0], [1.0, 0.0]])

    def states(h):
        return jax.lax.scan(lambda h, _: (weight @ h,) * 2, h, length=30)[1]

    found = train.jacobian_spectrum(states, jnp.ones(2))
    np.testing.assert_allclose(found.gains, 0.5 ** np.arange(1, 31), rtol=1e-12)
    np.testing.assert_allclose(found.exponents, np.log(0.5), rtol=1e-12)
    blown = train.jacobian_spectrum(lambda x: [x * 1e200, x * 1e200 * 1e200], jnp.ones(2))
    assert blown.verdict == "exploding"
    assert blown.gains[0] == pytest.approx(1e200)
    assert blown.advice()
    with pytest.raises(ArgumentError, match="must return vectors in a list"):
        train.jacobian_spectrum(lambda x: [x[0]], jnp.ones(2))


def test_a_step_of_descent_lowers_a_bowl_by_no_less_than_its_bound():
    h, w = 0.15, jnp.array([1.0, 0.0])
    optimiser = optim.sgd(h)
    watch = train.Diagnosis(bowl, optimiser)
    batch = jnp.ones(8)
    for step, w in enumerate((jnp.array([0.0, 1.0]), jnp.array([1.0, 1.0]))):
        watch._budget.cost = 0.0
        seen = watch(step, w, batch, optimiser.init(w))
        gradient = w * jnp.array([1.0, 10.0])
        np.testing.assert_allclose([seen["sharpness"], seen["edge"]], [10, h * 10 / 2], rtol=1e-6)
        np.testing.assert_allclose(seen["bound"], -h * (gradient @ gradient) * (1 - h * 10 / 2), rtol=1e-6)
        change = bowl(w - h * gradient, batch) - bowl(w, batch)
        np.testing.assert_allclose(seen["change"], change, rtol=1e-9)
        assert seen["change"] <= seen["bound"] * (1 - 1e-9)
        assert seen["falls"] == 1
        np.testing.assert_allclose(seen["update_ratio.params"], h * jnp.linalg.norm(gradient) / jnp.linalg.norm(w))
    np.testing.assert_allclose(watch.findings[0].change, watch.findings[0].bound, rtol=1e-6)  # the steepest direction


def test_a_network_is_watched_shown_and_advised():
    optimiser = optim.sgd(20.0)
    watch = train.Diagnosis(cross_entropy, optimiser)
    with watch.live():  # there is no terminal
        seen = watch(0, MODEL, BATCH, optimiser.init(MODEL))
    names = {"loss", "change", "bound", "sharpness", "edge", "falls", "noise_scale", "gain"}
    layers = {f"{what}.layers[{n}]" for what in ("gradient", "update_ratio") for n in (0, 1)}
    assert set(seen) | {"noise_scale"} == names | layers
    assert seen["edge"] == pytest.approx(10 * seen["sharpness"], rel=1e-5)
    assert seen["edge"] > 1
    words = " ".join(map(str, watch.advice()))
    assert "learning rate" in words
    assert "curvature" in words
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(terminal.table(watch.findings, watch.advice()))
    shown = console.export_text()
    assert "layers[1]" in shown
    assert "sharpness" in shown
    assert len(svg(watch.figure())) > 10_000


def test_looks_take_no_more_than_their_share():
    now = [0.0]
    budget = diagnosis.Budget(0.1, lambda: now[0])
    looks = 0
    for _ in range(10_000):
        now[0] += 1.0
        if budget.allows():
            with budget.spending(()):
                now[0] += 500.0 if looks == 0 else 3.0  # the first one compiles
            looks += 1
    assert 10_000 / 30 - 3 <= looks <= 10_000 / 30 + 3


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((3, optim.sgd(0.1)), ArgumentTypeError, "`loss` of `Diagnosis`"),
        ((bowl, 0.1), ArgumentTypeError, "`optimiser` of `Diagnosis`"),
    ],
)
def test_what_cannot_be_watched_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        train.Diagnosis(*arguments)
    with pytest.raises(ArgumentError, match="`share` of `Diagnosis`"):
        train.Diagnosis(bowl, optim.sgd(0.1), share=0.0)
    with pytest.raises(ArgumentError, match="needs a finding"):
        train.Diagnosis(bowl, optim.sgd(0.1)).figure()
