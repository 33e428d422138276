"""The loop against closed forms and loops written by hand; what it does when killed, or fed what it cannot use."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from continua import optim
from continua.core import ArgumentError, ArgumentTypeError
from continua.files import DataError
from continua.models import MLP
from continua.train import Budget, FailedTraining, GradientBelow, LossLevel, Patience, train
from continua.train.batches import Batches

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X @ np.array([1.0, -2.0, 0.5]) + 0.25
KEY = jax.random.key(7)


def line(w, batch):
    """The mean square error of a line."""
    x, y = batch
    return jnp.mean((x @ w["slope"] + w["intercept"] - y) ** 2)


def level():
    return {"intercept": jnp.zeros(()), "slope": jnp.zeros(3)}


@pytest.mark.core
def test_a_full_batch_walks_as_the_closed_form_says():
    """w' = −(w − 1): w_k = 1 − (1 − h)^k."""
    found = train(lambda w, c: jnp.sum((w - c) ** 2) / 2, jnp.zeros(()), jnp.ones(1), optim.sgd(0.1), epochs=40)
    assert float(found.model) == pytest.approx(1 - 0.9**40, rel=1e-14)
    assert found.why == "all 40 epochs are done"
    np.testing.assert_allclose([row["gradient"] for row in found.history], 0.9 ** np.arange(40), rtol=1e-13)
    assert [row["step"] for row in found.history] == list(range(1, 41))


@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_are_those_of_key_and_epoch_and_each_row_is_seen_once(drop_last):
    batches = Batches(20, 8, drop_last)
    found = train(line, level(), (X, Y), optim.adam(0.05), epochs=3, batch_size=8, drop_last=drop_last, key=KEY)
    w, optimiser, losses = level(), optax.adam(0.05), []
    own = optimiser.init(w)
    for epoch in range(3):
        order = batches.order(KEY, epoch)
        assert sorted(order) == list(range(20))
        for start in range(0, batches.number * 8, 8):
            rows = order[start : start + 8]
            value, gradient = jax.value_and_grad(line)(w, (X[rows], Y[rows]))
            with jax.numpy_dtype_promotion("standard"):
                updates, own = optimiser.update(gradient, own)
            w = optax.apply_updates(w, updates)
            losses.append(float(value))
    np.testing.assert_allclose(found.model["slope"], w["slope"], rtol=1e-12)
    assert found.history[-1]["loss"] == pytest.approx(np.mean(losses[-batches.number :]), rel=1e-12)
    assert batches.order(KEY, 0).tolist() != batches.order(KEY, 1).tolist()


def test_accumulated_batches_are_one_large_batch():
    small = train(line, level(), (X, Y), optim.sgd(0.1), epochs=8, batch_size=5, accumulate=4)
    large = train(line, level(), (X, Y), optim.sgd(0.1), epochs=8)
    np.testing.assert_allclose(small.model["slope"], large.model["slope"], rtol=1e-12)


def test_half_precision_computes_in_it_and_keeps_the_parameters_precise():
    start = {name: value.astype(jnp.float32) for name, value in level().items()}
    data = X.astype(np.float32), Y.astype(np.float32)
    seen = []

    def loss(w, batch):
        seen.append((w["slope"].dtype, batch[0].dtype))
        return line(w, batch)

    found = train(loss, start, data, optim.sgd(0.1), epochs=1, precision=jnp.bfloat16)
    assert seen[-1] == (jnp.bfloat16, jnp.bfloat16)
    gradient = jax.grad(line)(*jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.bfloat16), (start, data)))
    assert found.model["slope"].dtype == jnp.float32
    np.testing.assert_allclose(found.model["slope"], -jnp.float32(0.1) * gradient["slope"].astype(jnp.float32), 0.01)


def test_a_loss_that_draws_gets_another_key_in_every_step():
    def loss(w, batch, key):
        return w * jax.random.normal(key)

    found = train(loss, jnp.zeros(()), jnp.zeros((4, 1)), optim.sgd(1.0), epochs=3, batch_size=2, key=KEY)
    draws = [jax.random.normal(jax.random.fold_in(KEY, step)) for step in range(6)]
    assert float(found.model) == pytest.approx(-float(sum(draws)), rel=1e-14)


def test_validation_chooses_the_best_and_patience_ends_it():
    """On the way to 2 the model passes 1, where validation is best: 0.2 · 5 steps."""
    found = train(
        lambda w, batch: jnp.mean(jnp.abs(w - batch)),
        jnp.zeros(()),
        jnp.full(3, 2.0),
        optim.sgd(0.2),
        epochs=50,
        validation=jnp.full(2, 1.0),
        measures={"distance": lambda w, batch: jnp.mean(batch - w)},
        stop=Patience(3),
    )
    assert float(found.best) == pytest.approx(1.0)
    assert float(found.model) == pytest.approx(1.6)
    assert len(found.history) == 8
    assert "has not fallen below" in found.why
    assert found.history[2]["distance"] == pytest.approx(0.4)


def test_rules_say_why():
    rows = [{"epoch": 1, "step": 5, "loss": 1.0, "gradient": 0.5, "seconds": 1.0}]
    rows += [{"epoch": 2, "step": 10, "loss": 0.999, "gradient": 0.01, "seconds": 2.0}]
    assert GradientBelow(0.1).says(rows[:1]) is None
    assert GradientBelow(0.1).says(rows) == "the gradient's norm 1.00e-02 is below 0.1"
    assert LossLevel(0.01).says(rows[:1]) is None
    assert LossLevel(0.01).says(rows).startswith("the loss changed by 1.0e-03 in one epoch")
    assert Budget(steps=10).says(rows) == "the budget of 10 steps is spent"
    assert Budget(seconds=2).says(rows) == "the budget of 2 s is spent"
    with pytest.raises(ArgumentError, match="`of` of `Patience` must be a column"):
        Patience(2).says(rows)


def test_a_watcher_is_called_between_chunks(tmp_path):
    def watch(step, model, batch, own):
        return {"rows": len(batch[1]), "size": jnp.abs(model["slope"]).max()}

    more = {"epochs": 3, "batch_size": 2, "watch": watch, "every": 4, "folder": tmp_path / "run"}
    found = train(line, level(), (X, Y), optim.sgd(0.01), **more)
    assert [row["step"] for row in found.watched] == [4, 8, 14, 18, 20, 24, 28]
    lines = [json.loads(text) for text in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert sorted(row["step"] for row in lines) == sorted([4, 8, 14, 18, 20, 24, 28, 10, 20, 30])
    assert all(row["rows"] == 2 for row in lines if "rows" in row)


# ---- stopped, killed, damaged


OPTIMISER = optim.adam(optim.exponential_decay(0.01, 10, 0.9))


def noisy(model, batch, key):
    return jnp.mean((model(batch[0])[:, 0] - batch[1]) ** 2) * jax.random.uniform(key)


def network(folder, epochs, **more):
    """A run whose steps depend on everything that has to be kept."""
    settings = {"batch_size": 6, "every": 2, "folder": folder, "save_every": 0.0, "validation": (X, Y), "accumulate": 3}
    model = MLP((3, 8, 1), jax.random.key(1))
    return train(noisy, model, (X, Y), OPTIMISER, epochs=epochs, **(settings | more))


def without_time(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def bits(found):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((found.model, found.best, found.optimiser_state))]


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    whole = network(None, 5)
    network(tmp_path / "run", 2)
    file = tmp_path / "run" / "checkpoint.safetensors"
    found = network(tmp_path / "run", 5)
    assert bits(found) == bits(whole)
    assert without_time(found.history) == without_time(whole.history)
    assert bits(network(tmp_path / "run", 5)) == bits(whole)  # finished: nothing is left to do
    content = file.read_bytes()
    for damaged in (content[:-3], content[:-100] + b"x" + content[-99:], b"", b"no checkpoint"):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"checkpoint.safetensors is damaged: .*\. Put a copy of it back"):
            network(tmp_path / "run", 5)
    file.write_bytes(content)
    with pytest.raises(ArgumentError, match="`batch_size` of `train` must be 6, as in the run"):
        network(tmp_path / "run", 5, batch_size=7)
    with pytest.raises(DataError, match=r"of another model or optimiser: it lacks .* Use those of that run"):
        train(line, level(), (X, Y), optim.sgd(0.1), epochs=5, batch_size=6, every=2, accumulate=3, folder=file.parent)


@pytest.mark.core
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, cache_folder):
    """Killed with −9 at random moments of training, and once more while it goes on."""
    whole = network(None, 40, watch=lambda *now: {})
    script = (
        "import sys, time, jax; jax.config.update('jax_enable_x64', True)\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.train.test_train import network\n"
        "def slow(*now): print('.', flush=True); time.sleep(0.01); return {}\n"
        "network(sys.argv[1], 40, watch=slow)\n"
    )
    programs = {"JAX_COMPILATION_CACHE_DIR": str(cache_folder / "continua"), "JAX_PLATFORMS": "cpu"}
    for pause in np.random.default_rng().uniform(0.0, 0.5, 2):
        command = [sys.executable, "-c", script, str(tmp_path / "run")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | programs) as process:
            assert process.stdout.read(1) == b"."
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
    steps = [json.loads(row)["step"] for row in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert 2 <= max(steps) < 160
    found = network(tmp_path / "run", 40, watch=lambda *now: {})
    assert bits(found) == bits(whole)
    assert without_time(found.history) == without_time(whole.history)
    assert found.watched == whole.watched


# ---- numbers that are not finite


def test_the_guard_names_the_layer_and_keeps_the_last_good_state(tmp_path):
    """√b falls by ½ b^(−½) from 1 with b' = −∇: after some steps b is negative, and its root no number."""

    def loss(w, batch):
        return jnp.sum(w["plain"] ** 2) + jnp.mean(jnp.sqrt(w["root"]["b"]) + 0 * batch)

    start = {"plain": jnp.ones(2), "root": {"b": jnp.ones(())}}
    more = {"epochs": 9, "batch_size": 2, "folder": tmp_path / "run"}
    expected = (
        r"a loss of nan and gradients of \['root'\]\['b'\] that are not finite at step 5, in epoch 3 \(rows \d, \d\)"
    )
    with pytest.raises(FailedTraining, match=expected) as caught:
        train(loss, start, jnp.ones(4), optim.sgd(0.5), **more)
    b = [1.0]
    while b[-1] > 0:
        b.append(b[-1] - 0.25 / b[-1] ** 0.5)
    assert len(b) - 1 == 4
    assert float(caught.value.result.model["root"]["b"]) == pytest.approx(b[-1], rel=1e-13)
    assert caught.value.result.history[-1]["epoch"] == 2
    again = train(loss, start, jnp.ones(4), optim.sgd(0.5), throw=False, **more)
    assert again.why == str(caught.value)
    assert bits(again) == bits(caught.value.result)


def test_a_step_that_is_far_too_long_is_told():
    found = train(lambda w, c: 100 * w * c.mean(), jnp.ones(()), jnp.ones(2), optim.sgd(1e307), epochs=9, throw=False)
    assert found.why.startswith("A parameter became infinite at step 1")
    assert float(found.model) == 1.0


BAD = {
    "`data` of `train` must be finite. Got nan in row 1 of data[0]": {"data": (np.array([1.0, np.nan]), np.ones(2))},
    "`data` of `train` must have as many rows everywhere": {"data": (np.ones(3), np.ones(2))},
    "`data` of `train` must have rows. Got none": {"data": np.ones((0, 2))},
    "`data` of `train` must have a row for each sample": {"data": 1.0},
    "`batch_size` of `train` must be an integer from 1 to 20": {"batch_size": 0},
    "`loss` of `train` must be one real number. Got float64[20]": {"loss": lambda w, batch: batch[1]},
    "`loss` of `train` cannot be computed for a batch: ": {"loss": lambda w, batch: (w["slope"] @ batch[0]).sum()},
    "`model` of `train` must hold arrays of floats": {"model": {"w": 1}},
    "`epochs` of `train` must be an integer": {"epochs": 0},
    "`stop` of `train` must hold stopping rules": {"stop": [10]},
    "`optimiser` of `train` must be a transformation": {"optimiser": 1e-3},
    "`measures` of `train` need `validation`": {"measures": {"size": line}},
    "`validation` of `train` must be finite": {"validation": (X, Y * np.inf)},
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_trained_is_one_line(message):
    given = {"loss": line, "model": level(), "data": (X, Y), "optimiser": optim.sgd(0.1), "epochs": 1} | BAD[message]
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        train(given.pop("loss"), given.pop("model"), given.pop("data"), given.pop("optimiser"), **given)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(DataError, match="holds other things than a run"):
        train(line, level(), (X, Y), optim.sgd(0.1), epochs=1, folder=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_dropout_is_on_in_training_and_off_in_validation():
    model = (jnp.ones(()), eqx.nn.Dropout(0.5))

    def loss(model, batch, key):
        return jnp.mean(model[1](model[0] * batch, key=key))

    found = train(loss, model, jnp.ones(64), optim.sgd(0.0), epochs=1, validation=jnp.ones(64), key=KEY)
    assert found.history[0]["validation"] == 1.0
    assert found.history[0]["loss"] != 1.0


def test_an_average_is_what_is_judged_and_handed_back():
    # The share of the schedule is a float32.
    # On w' = a − w by Euler with h = .5 the points are known, and so is the mean of all of them.
    def loss(w, batch):
        return jnp.mean((w - batch) ** 2) / 2

    data, epochs = jnp.ones(4), 6
    average = optim.averaged(optim.sgd(0.5), lambda n: n / (n + 1))
    found = train(loss, jnp.zeros(()), data, average, epochs=epochs, validation=data)
    means = np.cumsum(1 - 0.5 ** np.arange(1, epochs + 1)) / np.arange(1, epochs + 1)
    np.testing.assert_allclose(found.model, means[-1], rtol=1e-7)
    np.testing.assert_allclose([row["validation"] for row in found.history], (means - 1) ** 2 / 2, rtol=1e-7)
