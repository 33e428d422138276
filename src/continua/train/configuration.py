"""What is trained, from a TOML file: strict fields, each with its type, and the nearest name where one is mistyped."""

import dataclasses
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from continua.core import ArgumentError, instead, short
from continua.files import DataError, toml_kind, toml_tables

REMEDY = 'Use data = "table.csv", target = "column", and the tables [model], [optimiser], [training].'
WORDS = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}
KINDS = ("classification", "regression")
SCHEDULES = ("constant", "cosine", "exponential")
OPTIMISERS = ("sgd", "momentum", "adam", "adamw", "nadam", "rmsprop", "lion", "muon")
PRECISIONS = ("float32", "bfloat16")
PRUNERS = ("median", "halving", "none")


@dataclass(frozen=True)
class ModelSettings:
    """`[model]`: a multi-layer perceptron; its fields are those of `models.MLP`."""

    hidden: tuple[int, ...] = (32,)
    activation: str = "relu"
    initialisation: str | None = None
    residual: bool = False
    normalised: bool = False


@dataclass(frozen=True)
class OptimiserSettings:
    """`[optimiser]`: its name, its rate, how the rate falls until the last epoch, and the norm gradients are cut to."""

    name: str = "adam"
    rate: float = 1e-3
    schedule: str = "constant"
    clip: float | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """`[training]`: the arguments of `train`; `patience` is that of early stopping."""

    epochs: int = 100
    batch_size: int = 32
    patience: int | None = None
    accumulate: int = 1
    precision: str = "float32"


@dataclass(frozen=True)
class SearchSettings:
    """`[search]`: how many trials, where they are written down, and which fields are searched.

    Attributes:
        trials: how many are to be finished, by all that search together; those begun by then are finished too.
        storage: a URL such as "postgresql://user@host/name"; by default a SQLite file in the folder of the run.
        pruner: "median" or "halving" stops trials whose validation loss falls behind; "none" does not.
        heartbeat: seconds between the signs of life of a trial; after six without one another process takes it on.
        space: by field, such as "optimiser.rate": a table with `low` and `high` (and `log`), or with `choices`.
    """

    trials: int = 50
    storage: str | None = None
    pruner: str = "median"
    heartbeat: int = 5
    space: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Configuration:
    """What `continua train` reads.

    Attributes:
        data: a table of numbers, whose target may be text; beside the TOML file, or a full path.
        target: the column to predict.
        features: the columns to predict it from; all others unless given.
        kind: "classification" or "regression"; by default the first where the target is text.
        validation: the share of rows that is not trained on.
        seed: of everything random.
        folder: where the run goes; by default named after the TOML file.
    """

    data: str
    target: str
    features: tuple[str, ...] | None = None
    kind: str | None = None
    validation: float = 0.2
    seed: int = 0
    folder: str | None = None
    model: ModelSettings = field(default_factory=ModelSettings)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    search: SearchSettings | None = None

    def __post_init__(self) -> None:
        """Refuses numbers out of range and unknown words."""
        if not 0 < self.validation < 1:
            raise ArgumentError(f"`validation` must be between 0 and 1. Got {self.validation:g}. Use 0.2.")
        if not 0 < self.optimiser.rate < float("inf"):
            raise ArgumentError(f"`optimiser.rate` must be positive. Got {self.optimiser.rate:g}. Use 1e-3.")
        if self.optimiser.clip is not None and not self.optimiser.clip > 0:
            raise ArgumentError(f"`optimiser.clip` must be positive. Got {self.optimiser.clip:g}. Use 1.0.")
        if self.seed < 0:
            raise ArgumentError(f"`seed` must be a whole number from 0. Got {self.seed}. Use 0.")
        words = {
            "optimiser.name": (self.optimiser.name, OPTIMISERS),
            "training.precision": (self.training.precision, PRECISIONS),
        }
        words |= {"optimiser.schedule": (self.optimiser.schedule, SCHEDULES)}
        words |= {} if self.kind is None else {"kind": (self.kind, KINDS)}
        words |= {} if self.search is None else {"search.pruner": (self.search.pruner, PRUNERS)}
        for name, (value, known) in words.items():
            if value not in known:
                raise ArgumentError(
                    f"`{name}` must be one of {', '.join(known)}. Got {short(value)}. {instead(value, known)}"
                )

    def changed(self, fields: Mapping[str, Any]) -> "Configuration":
        """With other values for some fields, named as "optimiser.rate"; None leaves one out."""
        tables = plain(self)
        for name, value in fields.items():
            *owners, last = name.split(".")
            table = tables
            for owner in owners:
                table = table.setdefault(owner, {})
            if value is None:
                table.pop(last, None)
            else:
                table[last] = value
        return _read(Configuration, tables, "")


def read_configuration(path: str | os.PathLike[str]) -> Configuration:
    """The configuration in a TOML file; paths in it are beside it.

    Raises:
        DataError: it cannot be read, or a field is unknown, missing, or of another type; one line.
    """
    file = Path(path)
    try:
        found = _read(Configuration, toml_tables(file, REMEDY), "")
    except (ArgumentError, DataError) as error:
        raise DataError(f"{file.name}: {error}") from None
    folder = file.parent / (found.folder or f"{file.stem}-run")
    return dataclasses.replace(found, data=os.fspath(file.parent / found.data), folder=os.fspath(folder))


def plain(settings: Any) -> dict[str, Any]:
    """Settings as tables of plain values, without what was left out."""
    found = {}
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if dataclasses.is_dataclass(value):
            value = plain(value)
        if value is not None:
            found[one.name] = list(value) if isinstance(value, tuple) else value
    return found


def toml_text(tables: Mapping[str, Any], owner: str = "") -> str:
    """Tables as TOML."""
    values = [f"{_key(name)} = {_value(value)}" for name, value in tables.items() if not isinstance(value, Mapping)]
    inner = [
        f"\n[{owner}{_key(name)}]\n{toml_text(value, f'{owner}{_key(name)}.')}"
        for name, value in tables.items()
        if isinstance(value, Mapping)
    ]
    return "".join(f"{line}\n" for line in values) + "".join(inner)


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # text, numbers, true and false, and lists are the same in TOML


def _read(kind: type[Any], table: Any, place: str) -> Any:
    """A dataclass from a table, every field checked."""
    if not isinstance(table, Mapping):
        raise ArgumentError(f"`{place}` must be a table. Got {toml_kind(table)}. Use [{place}].")
    fields, types_of = {one.name: one for one in dataclasses.fields(kind)}, typing.get_type_hints(kind)
    inside = f"{place}." if place else ""
    for name in table:
        if name not in fields:
            owner = f"`{place}`" if place else "The file"
            raise ArgumentError(f"{owner} has no field `{' '.join(name.split())[:40]}`. {instead(name, fields)}")
    for name, one in fields.items():
        needed = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if needed and name not in table:
            raise ArgumentError(f"`{inside}{name}` is missing. {REMEDY}")
    return kind(**{name: _checked(types_of[name], value, f"{inside}{name}") for name, value in table.items()})


def _checked(kind: Any, value: Any, place: str) -> Any:
    """A value of the type that the field has."""
    if isinstance(kind, types.UnionType):
        kind = next(one for one in typing.get_args(kind) if one is not types.NoneType)
    if dataclasses.is_dataclass(kind):
        return _read(typing.cast(type[Any], kind), value, place)
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ArgumentError(f"`{place}` must be a list. Got {toml_kind(value)}. Use [{short(value)}].")
        return tuple(_checked(typing.get_args(kind)[0], one, place) for one in value)
    if origin is not None:
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (type(value) is kind or (kind is float and whole)):
        raise ArgumentError(f"`{place}` must be {WORDS[kind]}. Got {toml_kind(value)}: {short(value)}.")
    return kind(value)
