"""A network trained on a table: it predicts from columns in their own units, and goes into a folder."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError
from continua.files import DataError, write_whole
from continua.models import MLP
from continua.optim import softmax_cross_entropy, squared_error
from continua.train.checkpoint import read_checkpoint, read_facts, write_checkpoint
from continua.train.configuration import Configuration, ModelSettings, plain
from continua.train.recipe import Recipe
from continua.train.samples import Samples, Units, read_samples
from continua.train.stopping import Patience, StoppingRule
from continua.train.training import Trained, train

NETWORK = "network.safetensors"
FREE = ("epochs", "patience")  # fields of [training] that may differ where a run goes on


@dataclass(frozen=True)
class Network:
    """What a table was turned into.

    Attributes:
        model: from inputs in spreads to scores of classes, or to the target in spreads.
        settings: what it was made with.
        features: the columns it predicts from.
        target: the column it predicts.
        classes: their names; none where a number is predicted.
        inputs: the units of the features.
        output: the units of the target, of a class 0 and 1.
    """

    model: MLP
    settings: ModelSettings
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    inputs: Units
    output: Units

    def predict(self, columns: Mapping[str, Any]) -> NDArray[Any]:
        """The target for rows of a table.

        Args:
            columns: the features by name, [row] each; others are ignored.

        Returns:
            Names of classes, or numbers, [row].

        Raises:
            ArgumentError: a feature is missing.
        """
        lacking = [name for name in self.features if name not in columns]
        if lacking:
            raise ArgumentError(f"`columns` of `predict` must hold `{lacking[0]}`. Got {', '.join(columns)}. Add it.")
        rows = np.column_stack([np.asarray(columns[name], float) for name in self.features])
        found = self.model(jnp.asarray(self.inputs.into(rows)))
        if self.classes:
            return np.array(self.classes)[np.argmax(found, axis=-1)]
        return self.output.out_of(found[:, 0])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write it into a folder that is there, as model.json says and network.safetensors holds."""
        told = {"features": self.features, "target": self.target, "classes": self.classes}
        units = {name: {k: np.asarray(v).tolist() for k, v in asdict(u).items()} for name, u in self._units()}
        words = json.dumps({**told, **units, "model": plain(self.settings)}, indent=1, ensure_ascii=False)
        write_checkpoint(Path(folder) / NETWORK, self.model, {"network": words})
        write_whole(Path(folder) / "model.json", words.encode())

    def _units(self) -> list[tuple[str, Units]]:
        return [("inputs", self.inputs), ("output", self.output)]


def load_network(folder: str | os.PathLike[str]) -> Network:
    """The network that `continua train` wrote into a folder.

    Raises:
        DataError: there is none, or it is damaged.
    """
    file = Path(folder) / NETWORK
    if not file.is_file():
        raise DataError(f"{folder} holds no {NETWORK}. Use the folder of a run that `continua train` finished.")
    told = json.loads(read_facts(file)["network"])
    features, classes = tuple(told["features"]), tuple(told["classes"])
    settings = ModelSettings(**{**told["model"], "hidden": tuple(told["model"]["hidden"])})
    units = [Units(*(np.asarray(told[name][part]) for part in ("mean", "spread"))) for name in ("inputs", "output")]
    model = read_checkpoint(file, perceptron(settings, len(features), len(classes) or 1, 0))
    return Network(model, settings, features, told["target"], classes, *units)


@dataclass(frozen=True)
class Fitted:
    """A network and how it came to be: how many rows it learned from and was validated with."""

    network: Network
    trained: Trained
    learned: int
    validated: int


def train_network(configuration: Configuration, *, stop: Sequence[StoppingRule] = (), progress: bool = False) -> Fitted:
    """What a configuration means, trained; in its folder, if it has one, and from there on if it was begun.

    Args:
        configuration: from `read_configuration`.
        stop: rules beside the configuration's patience.
        progress: whether a bar is shown on a terminal.

    Raises:
        ArgumentError, DataError, FailedTraining: as `train` and `read_samples`.
    """
    samples, settings = read_samples(configuration), configuration.training
    learned, aside = samples.parted(configuration.validation, configuration.seed)
    inputs, output = Units.of(samples.inputs[learned]), _target_units(samples, learned)
    model = perceptron(configuration.model, len(samples.features), len(samples.classes) or 1, configuration.seed)
    data, validation = (_arrays(samples, rows, inputs, output) for rows in (learned, aside))
    size = min(settings.batch_size, len(learned))
    steps = settings.epochs * -(-len(learned) // size)
    patience = [] if settings.patience is None else [Patience(settings.patience)]
    loss, measures = TASKS[bool(samples.classes)]
    trained = train(
        loss,
        model,
        data,
        Recipe(configuration.optimiser, steps),
        epochs=settings.epochs,
        batch_size=size,
        validation=validation,
        measures=measures,
        stop=[*patience, *stop],
        key=jax.random.key(configuration.seed),
        accumulate=settings.accumulate,
        precision=None if settings.precision == "float32" else settings.precision,
        folder=configuration.folder,
        setting=_decisive(configuration),
        progress=progress,
    )
    network = Network(
        trained.best, configuration.model, samples.features, configuration.target, samples.classes, inputs, output
    )
    if configuration.folder is not None:
        network.save(configuration.folder)
    return Fitted(network, trained, len(learned), len(aside))


def perceptron(settings: ModelSettings, inputs: int, outputs: int, seed: int) -> MLP:
    """The model of a configuration, in single precision."""
    named = {name: value for name, value in plain(settings).items() if name != "hidden"}
    return MLP((inputs, *settings.hidden, outputs), jax.random.key(seed), dtype=np.float32, **named)


def _decisive(configuration: Configuration) -> dict[str, Any]:
    """What must be the same where a run goes on, by name. With a rate that falls, the epochs are among it."""
    tables = plain(configuration)
    free = FREE if configuration.optimiser.schedule == "constant" else FREE[1:]
    tables["training"] = {name: value for name, value in tables["training"].items() if name not in free}
    owned = {name: tables.pop(name) for name in ("model", "optimiser", "training")}
    for name in ("folder", "search"):
        tables.pop(name, None)
    return tables | {f"{owner}.{name}": value for owner, table in owned.items() for name, value in table.items()}


def _target_units(samples: Samples, rows: NDArray[np.int64]) -> Units:
    """Numbers are learned in spreads; classes are numbers as they are."""
    return Units(np.zeros(()), np.ones(())) if samples.classes else Units.of(samples.targets[rows])


def _arrays(samples: Samples, rows: NDArray[np.int64], inputs: Units, output: Units) -> tuple[Any, Any]:
    """Inputs [row, feature] and targets [row], as the loss takes them."""
    targets = output.into(samples.targets[rows])
    return inputs.into(samples.inputs[rows]), targets.astype(np.int32) if samples.classes else targets


def classifying(model: Any, batch: Any) -> Any:
    """The mean cross entropy of scores."""
    return jnp.mean(softmax_cross_entropy(model(batch[0]), batch[1]))


def accuracy(model: Any, batch: Any) -> Any:
    """The share of rows whose class has the highest score."""
    return jnp.mean(jax.lax.argmax(model(batch[0]), 1, np.int32) == batch[1])


def regressing(model: Any, batch: Any) -> Any:
    """The mean square error, in spreads of the target."""
    return jnp.mean(squared_error(model(batch[0])[:, 0] - batch[1]))


Task = tuple[Callable[..., Any], dict[str, Callable[..., Any]]]
TASKS: dict[bool, Task] = {True: (classifying, {"accuracy": accuracy}), False: (regressing, {})}
