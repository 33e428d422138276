"""The loop of training: epochs of chunks of batches, with a checkpoint now and then."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from continua.core import ArgumentError
from continua.optim import evaluated_params
from continua.train.batches import Batches, checked_rows
from continua.train.progress import Tell, over_batches
from continua.train.run_folder import Position, Records
from continua.train.stepping import Params, State, Task, advance, gradient_of, measured
from continua.train.stopping import StoppingRule

MEASURED = 1024  # rows at least of a batch that is only measured
Loss = Callable[..., Any]
Watch = Callable[[int, Any, Any, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Trial:
    """What a model is asked between two epochs: the loss, and measures by name, of data that it is not trained on."""

    data: Any
    rows: int
    measures: Mapping[str, Callable[[Any, Any], Any]]

    def of(self, task: Task, params: Params, size: int) -> dict[str, float]:
        """The means over all samples, the loss as "validation"; nothing without data."""
        if not self.rows:
            return {}
        batches, total = Batches(self.rows, min(self.rows, max(size, MEASURED))), dict[str, float]()
        for order, number, _ in batches.chunks(np.arange(self.rows, dtype=np.int32), batches.whole):
            for name, values in measured(task, dict(self.measures), params, self.data, order).items():
                part = float(np.asarray(values[:number], np.float64).sum()) * order.shape[1] / self.rows
                total[name] = total.get(name, 0.0) + part
        return {"validation": total.pop("loss"), **total}


def trial_of(validation: Any, measures: Mapping[str, Callable[[Any, Any], Any]]) -> Trial:
    """The trial of this data, which is looked at once; one without any asks nothing."""
    if validation is None and measures:
        raise ArgumentError("`measures` of `train` need `validation`. Got none. Pass data that is not trained on.")
    data, rows = (None, 0) if validation is None else checked_rows("train", validation, "validation")
    return Trial(data, rows, measures)


@dataclass(frozen=True)
class Watching:
    """Who is called between chunks, and after how many batches."""

    call: Watch | None
    every: int

    def row(self, before: int, step: int, model: Any, batch: Any, own: Any) -> dict[str, float] | None:
        """What it says once a multiple of `every` was passed, if anybody watches."""
        if self.call is None or step // self.every == before // self.every:
            return None
        return {"step": step, **{name: float(value) for name, value in self.call(step, model, batch, own).items()}}


@dataclass
class Standing:
    """Where a run stands: all that a checkpoint holds."""

    state: State
    best: Params
    position: Position = field(default_factory=Position)

    @property
    def arrays(self) -> dict[str, Any]:
        """By name."""
        return {"state": self.state, "best": self.best}

    def add(self, seconds: float, batch: int, losses: Any, slopes: Any) -> None:
        """Count the batches of a chunk in."""
        at = self.position
        total, slope = at.loss + float(losses.sum()), at.slope + float(slopes.sum())
        self.position = at._replace(batch=batch, loss=total, slope=slope, seconds=at.seconds + seconds)


@dataclass
class Run:
    """One call of `train`: epochs of chunks of batches, with a checkpoint now and then."""

    task: Task
    data: Any
    batches: Batches
    trial: Trial
    watching: Watching
    rules: Sequence[StoppingRule]
    save_every: float

    def through(self, standing: Standing, records: Records, epochs: int, progress: bool) -> tuple[Standing, str, bool]:
        """All epochs, or those that are left: where it ended, why, and whether because it failed."""
        saved = records.resumed(standing.arrays)
        if saved is not None:
            arrays, position = saved
            standing = Standing(arrays["state"], arrays["best"], position)
        self._saved, failed = time.monotonic(), False
        with over_batches(epochs * self.batches.number, int(standing.state.step), progress) as tell:
            why = self._enough(records, standing, epochs)
            while why is None:
                failure = self._epoch(standing, records, tell)
                failed = failure is not None
                why = failure or self._enough(records, standing, epochs)
        records.save(standing.arrays, standing.position)
        return standing, why, failed

    def _enough(self, records: Records, standing: Standing, epochs: int) -> str | None:
        """Why no other epoch begins."""
        if standing.position.batch == 0 and records.history:
            why = next((said for rule in self.rules if (said := rule.says(records.history))), None)
            if why is not None:
                return why
        return f"all {epochs} epochs are done" if standing.position.epoch >= epochs else None

    def _epoch(self, standing: Standing, records: Records, tell: Tell) -> str | None:
        """The rest of the epoch under way; why it failed if it did."""
        task, epoch = self.task, standing.position.epoch
        order = self.batches.order(task.key, epoch)
        for rows, number, batch in self.batches.chunks(order, self.watching.every, standing.position.batch):
            began, before = time.perf_counter(), standing.state
            taken = advance(task, before, self.data, rows, np.array(number, np.int32))
            done = int(taken.done)
            if not taken.good:
                standing.state = advance(task, before, self.data, rows, np.array(done - 1, np.int32)).state
                return self._failure(standing.state, rows[done - 1], epoch)
            standing.state, losses = taken.state, np.asarray(taken.losses[:number], np.float64)
            slopes = np.asarray(taken.slopes[:number], np.float64)
            standing.add(time.perf_counter() - began, batch, losses, slopes)
            tell(int(standing.state.step), float(losses[-1]), standing.state.optimiser)
            self._watch(standing.state, int(before.step), rows[number - 1], records)
            if batch < self.batches.number:
                self._save_now_and_then(standing, records)
        self._close(standing, records)
        return None

    def _close(self, standing: Standing, records: Records) -> None:
        """The row of an epoch that is done, the best parameters so far, and the position before the next."""
        at, number = standing.position, self.batches.number
        judged = evaluated_params(standing.state.optimiser, standing.state.params)
        found = self.trial.of(self.task, judged, self.batches.size)
        lowest = min((row["validation"] for row in records.history if found), default=float("inf"))
        if not found or found["validation"] < lowest:
            standing.best = judged
        row = {"epoch": at.epoch + 1, "step": int(standing.state.step), "loss": at.loss / number}
        records.note({**row, "gradient": at.slope / number, "seconds": at.seconds, **found})
        standing.position = Position(epoch=at.epoch + 1, seconds=at.seconds)
        self._save_now_and_then(standing, records)

    def _save_now_and_then(self, standing: Standing, records: Records) -> None:
        if time.monotonic() - self._saved >= self.save_every:
            records.save(standing.arrays, standing.position)
            self._saved = time.monotonic()

    def _watch(self, state: State, before: int, rows: Any, records: Records) -> None:
        """Hand what a watcher wants to it, and write down what it says."""
        if self.watching.call is None:
            return
        batch = jax.tree.map(lambda leaf: leaf[rows], self.data)
        row = self.watching.row(before, int(state.step), self.task.model(state.params), batch, state.optimiser)
        if row is not None:
            records.note(row)

    def _failure(self, state: State, rows: Any, epoch: int) -> str:
        """Which numbers are not finite in the step that would come next, and what may help."""
        value, gradient = gradient_of(self.task, state, self.data, rows)
        where = f"at step {int(state.step) + 1}, in epoch {epoch + 1}"
        bad = [
            jax.tree_util.keystr(path)
            for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
            if not bool(jnp.isfinite(leaf).all())
        ]
        kept = "The state before that step is kept."
        if not bad and bool(jnp.isfinite(value)):
            return f"A parameter became infinite {where}: the step is too long. {kept} Lower the learning rate."
        named = f"gradients of {bad[0]}" + (f" and {len(bad) - 1} more" if len(bad) > 1 else "") if bad else ""
        told = " and ".join([f"a loss of {float(value):g}"] * (not bool(jnp.isfinite(value))) + [named] * bool(bad))
        rows = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
        return (
            f"Training met {told} that {'are' if bad else 'is'} not finite {where} (rows {rows}). {kept} Lower the "
            "learning rate, clip gradients (optim.clip_by_global_norm), or look for a division or logarithm of zero."
        )
