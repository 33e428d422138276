"""The folder of a run: a line of metrics for each epoch, and the last checkpoint."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from continua.core import ArgumentError
from continua.files import DataError
from continua.train.checkpoint import read_checkpoint, read_facts, write_checkpoint

METRICS, CHECKPOINT = "metrics.jsonl", "checkpoint.safetensors"


class Position(NamedTuple):
    """How far a run is, besides its arrays.

    Attributes:
        epoch: the one under way, from 0.
        batch: batches of it that are done.
        loss: the sum of their losses.
        slope: the sum of the norms of their gradients.
        seconds: of training so far.
    """

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    slope: float = 0.0
    seconds: float = 0.0


class Records:
    """What a run remembers; this one leaves nothing behind.

    Attributes:
        history: a row for each epoch.
        watched: a row for each call of a watcher.
    """

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.watched: list[dict[str, Any]] = []

    def resumed(self, like: Any) -> tuple[Any, Position] | None:
        """What there is to go on from."""
        return None

    def note(self, row: dict[str, Any]) -> None:
        """One more row; those of epochs say so."""
        (self.history if "epoch" in row else self.watched).append(row)

    def save(self, tree: Any, position: Position) -> None:
        """Keep the arrays and the position."""


class RunFolder(Records):
    """Where a run writes; a run that was killed goes on from its last checkpoint.

    Args:
        path: the folder; made if it is not there. One that holds other things than a run is refused.
        setting: what decides the steps of a run and has to be the same where it goes on, by name.
    """

    def __init__(self, path: str | os.PathLike[str], setting: Mapping[str, Any]) -> None:
        super().__init__()
        self.path, self.setting = Path(path).expanduser(), dict(setting)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            present = {file.name for file in self.path.iterdir()}
        except OSError as error:
            raise DataError(f"{self.path} cannot be a folder of a run: {error.strerror}. Use another name.") from None
        if present and METRICS not in present:
            raise DataError(f"{self.path} holds other things than a run. Use a new folder.")
        self._length = 0
        if not present:
            (self.path / METRICS).touch()

    def resumed(self, like: Any) -> tuple[Any, Position] | None:
        """The arrays and the position of the last checkpoint; None where there is none. Later metrics are cut off."""
        file, metrics = self.path / CHECKPOINT, self.path / METRICS
        if not file.exists():
            os.truncate(metrics, 0)
            return None
        facts = read_facts(file)
        for name, value in self.setting.items():
            if facts["setting"].get(name) != value:
                raise ArgumentError(
                    f"`{name}` of `train` must be {facts['setting'].get(name)}, as in the run in {self.path}. "
                    f"Got {value}. Use a new folder for another run."
                )
        tree, self._length = read_checkpoint(file, like), facts["metrics"]
        if metrics.stat().st_size < self._length:
            raise DataError(f"{metrics} is shorter than at the last checkpoint. Put it back, or use a new folder.")
        os.truncate(metrics, self._length)
        for row in rows_of(self.path):
            super().note(row)
        return tree, Position(**facts["position"])

    def note(self, row: dict[str, Any]) -> None:
        """One more line of metrics."""
        super().note(row)
        with (self.path / METRICS).open("ab") as file:
            self._length += file.write(f"{json.dumps(row)}\n".encode())

    def save(self, tree: Any, position: Position) -> None:
        """A checkpoint in place of the last one; the metrics it counts on are on the disk before it."""
        with (self.path / METRICS).open("ab") as file:
            os.fsync(file.fileno())
        facts = {"setting": self.setting, "position": position._asdict(), "metrics": self._length}
        write_checkpoint(self.path / CHECKPOINT, tree, facts)


def rows_of(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """What a run in a folder has measured so far, a row for each epoch and each call of a watcher."""
    metrics = Path(folder).expanduser() / METRICS
    try:
        lines = metrics.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{metrics} cannot be read: {error.strerror}. Use the folder of a run.") from None
    try:
        return [json.loads(line) for line in lines]
    except ValueError:
        raise DataError(f"{metrics} holds a line that is no JSON. Remove that line.") from None
