"""`train`: one loop for any model and any optimiser, which can be killed at any moment and goes on to the same bits."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import DTypeLike, PRNGKeyArray

from continua.core import ArgumentTypeError, ContinuaError, count
from continua.optim import evaluated_params
from continua.train.batches import Batches, checked_rows, checked_size
from continua.train.loop import Loss, Run, Standing, Watch, Watching, trial_of
from continua.train.run_folder import Records, RunFolder
from continua.train.stepping import Params, Task, check_loss, makes_one
from continua.train.stopping import StoppingRule


@dataclass(frozen=True)
class Trained:
    """What `train` returns.

    Attributes:
        model: at the end; at the average of its points, where the optimiser keeps one.
        best: with the lowest validation loss; at the end where there is no validation.
        why: why it ended, in words.
        history: a row for each epoch: "epoch" (from 1), "step" (batches seen), "loss" (the mean over its batches, each
            before its step), "gradient" (the mean norm), "seconds", and where there is validation "validation" and each
            measure.
        watched: a row for each call of `watch`: "step" and what it returned.
        optimiser_state: at the end.
    """

    model: Any
    best: Any
    why: str
    history: tuple[Mapping[str, float], ...]
    watched: tuple[Mapping[str, float], ...]
    optimiser_state: Any


class FailedTraining(ContinuaError, RuntimeError):
    """A loss, gradient or parameter was not finite; `result` holds the last state in which all was."""

    def __init__(self, message: str, result: Trained) -> None:
        super().__init__(message)
        self.result = result


def train(
    loss: Loss,
    model: Any,
    data: Any,
    optimiser: Any,
    *,
    epochs: int,
    batch_size: int | None = None,
    drop_last: bool = False,
    validation: Any = None,
    measures: Mapping[str, Callable[[Any, Any], Any]] | None = None,
    stop: StoppingRule | Sequence[StoppingRule] = (),
    key: PRNGKeyArray | None = None,
    accumulate: int = 1,
    precision: DTypeLike | None = None,
    folder: str | os.PathLike[str] | None = None,
    save_every: float = 10.0,
    setting: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    every: int = 100,
    progress: bool = False,
    throw: bool = True,
) -> Trained:
    r"""Step a model's parameters down a loss, batch after batch.

    $$ \theta_{k+1} = \theta_k + \Phi_h\big(\nabla_\theta L(\theta_k, B_k)\big) $$

    with $\Phi$ the optimiser and $B_k$ the rows that the key and the number of the epoch decide. In a `folder`, the
    same call goes on where a killed one was, and comes to the same bits as one that was not.

    Args:
        loss: loss(model, batch), or loss(model, batch, key) where it draws: one real number, a mean over the samples.
        model: any PyTree; its arrays of floats are trained.
        data: any PyTree of arrays with a row for each sample, [row, …]; a batch is the same tree, [batch_size, …].
        optimiser: a transformation as optax means it, such as optim.adam(1e-3); or a `Minimiser`.
        epochs: passes over the data, at most.
        batch_size: rows of a batch; all of them unless given.
        drop_last: whether rows that fill no batch are left out of an epoch (others in each). Unless so they are a step
            of their own, of as much weight as others.
        validation: data of the same kind, not trained on; looked at after every epoch, by
            `equinox.nn.inference_mode(model)`, at the optimiser's average where it keeps one.
        measures: what else is asked of validation, by name: measure(model, batch), a mean over the samples.
        stop: rules that may end it sooner: `Patience`, `GradientBelow`, `LossLevel`, `Budget`.
        key: what the order of rows is drawn with, and what losses draw; jax.random.key(0) unless given.
        accumulate: batches whose mean gradient makes one step.
        precision: what model and batch are computed in, such as jnp.bfloat16; parameters and optimiser keep theirs.
        folder: where metrics.jsonl and checkpoint.safetensors are written, if anywhere.
        save_every: seconds between checkpoints; there is one at the end in any case.
        setting: what else, that JSON can hold, must be the same where the run in a folder goes on.
        watch: called as watch(step, model, batch, optimiser_state); it returns numbers by name.
        every: batches between two of its calls, and at most in one compiled chunk.
        progress: whether a bar is shown on a terminal.
        throw: whether to raise where a number is not finite; else the result says so.

    Returns:
        A `Trained`.

    Raises:
        ArgumentError, ArgumentTypeError: for data with gaps, without rows or with different numbers of them; a loss
            that is not one real number; a model without floats; a setting that differs from that of the run in
            `folder`.
        DataError: for a folder with other things in it, or a damaged checkpoint.
        FailedTraining: unless `throw=False`, where a number is not finite: it names the first parameter whose gradient
            is not, and holds the state before that step, which is the checkpoint too.

    Example:
        >>> from continua import optim
        >>> from continua.train import GradientBelow, train
        >>> x = jnp.linspace(0, 1, 8)
        >>> found = train(
        ...     lambda w, batch: jnp.mean((w[0] + w[1] * batch[0] - batch[1]) ** 2),
        ...     jnp.zeros(2),
        ...     (x, 1 + 2 * x),
        ...     optim.sgd(0.5),
        ...     epochs=1000,
        ...     stop=GradientBelow(1e-3),
        ... )
        >>> print(found.model.round(2), found.why)
        [1. 2.] the gradient's norm 9.22e-04 is below 0.001
    """
    data, rows = checked_rows("train", data)
    batches = Batches(rows, checked_size("train", batch_size, rows), drop_last)
    task, params = assembled("train", loss, model, optimiser, key, accumulate, precision)
    check_loss("train", task, params, jax.tree.map(lambda leaf: leaf[: batches.size], data))
    watching = Watching(watch, count("train", "every", every, most=2**31))
    trial = trial_of(validation, measures or {})
    run = Run(task, data, batches, trial, watching, _rules(stop), save_every)
    count("train", "epochs", epochs, most=2**31)
    decisive = {
        "rows": rows,
        "batch_size": batches.size,
        "drop_last": drop_last,
        "accumulate": accumulate,
        "every": every,
        "precision": precision and jnp.dtype(precision).name,
        **(setting or {}),
        "key": np.asarray(jax.random.key_data(task.key)).tolist(),
    }
    records = Records() if folder is None else RunFolder(folder, decisive)
    standing, why, failed = run.through(Standing(task.start(params), params), records, epochs, progress)
    ended = evaluated_params(standing.state.optimiser, standing.state.params)
    model, best = task.model(ended), task.model(standing.best)
    result = Trained(model, best, why, tuple(records.history), tuple(records.watched), standing.state.optimiser)
    if failed and throw:
        raise FailedTraining(why, result)
    return result


def assembled(
    verb: str, loss: Loss, model: Any, optimiser: Any, key: Any, accumulate: int = 1, precision: Any = None
) -> tuple[Task, Params]:
    """What is trained, and its parameters."""
    if not callable(loss):
        raise ArgumentTypeError(f"`loss` of `{verb}` must be a function of model and batch. Got {type(loss).__name__}.")
    params, rest = eqx.partition(model, eqx.is_inexact_array)
    if not jax.tree.leaves(params):
        raise ArgumentTypeError(
            f"`model` of `{verb}` must hold arrays of floats: they are trained. Got none. Use jnp.asarray(1.0) for 1."
        )
    if not makes_one(optimiser) and not (hasattr(optimiser, "init") and hasattr(optimiser, "update")):
        raise ArgumentTypeError(
            f"`optimiser` of `{verb}` must be a transformation as optax means it. Got {type(optimiser).__name__}. "
            "Use optim.adam(1e-3)."
        )
    key = jax.random.key(0) if key is None else key
    accumulate = count(verb, "accumulate", accumulate, most=2**31)
    return Task(loss, rest, optimiser, accumulate, precision, key), params


def _rules(stop: Any) -> tuple[StoppingRule, ...]:
    """Stopping rules, one or several."""
    rules = (stop,) if isinstance(stop, StoppingRule) else tuple(stop)
    for rule in rules:
        if not isinstance(rule, StoppingRule):
            raise ArgumentTypeError(f"`stop` of `train` must hold stopping rules. Got {rule!r}. Use Patience(10).")
    return rules
