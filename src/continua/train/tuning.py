"""`tune`: which settings of a configuration validate best, searched by many processes, through stops and kills."""

import hashlib
import json
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax

from continua.core import ArgumentError, configure, count, short
from continua.files import DataError, write_whole
from continua.train.configuration import Configuration, SearchSettings, plain, toml_text
from continua.train.network import train_network
from continua.train.samples import read_samples
from continua.train.stopping import Row, StoppingRule
from continua.train.training import FailedTraining

SILENT = 6  # signs of life of a trial that are missed until another process takes it on
RETRIES = 3  # of a trial whose process was killed
LOOK = 0.2  # seconds between two looks at the processes
REMEDY = 'Use "optimiser.rate" = { low = 1e-4, high = 1e-1, log = true }, or { choices = [[16], [32, 32]] }.'
BEHIND = "it falls behind other trials"

Tell = Callable[[int, float | None], Any]  # trials done, and the lowest validation loss so far


@dataclass(frozen=True)
class Tuned:
    """What `tune` returns.

    Attributes:
        best: the configuration that validated best.
        found: its values of the fields that were searched.
        value: its validation loss.
        before: trials that were done when this search began.
        done: trials that are done now.
        stopped: those of them that were stopped early.
        trials: all of them: what each tried by field, and its "validation", None where it was stopped early.
        file: best.toml, for `continua train`.
    """

    best: Configuration
    found: Mapping[str, Any]
    value: float
    before: int
    done: int
    stopped: int
    trials: tuple[Mapping[str, Any], ...]
    file: Path


@dataclass(frozen=True)
class Dimension:
    """A field that is searched: between two numbers, or among choices."""

    name: str
    low: Any = None
    high: Any = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggested(self, trial: Any) -> Any:
        """A value to try."""
        if self.choices:
            return json.loads(trial.suggest_categorical(self.name, [json.dumps(one) for one in self.choices]))
        suggest = trial.suggest_int if isinstance(self.low, int) else trial.suggest_float
        return suggest(self.name, self.low, self.high, log=self.log)


def tune(configuration: Configuration, *, jobs: int = 1, tell: Tell = lambda done, best: None) -> Tuned:
    """Search the fields that `[search.space]` names, until `search.trials` are done.

    All trials are written down as they go: the same call goes on where a stopped one was, and any number of processes,
    on any number of machines if the storage is a database they share, search together. A trial whose process was
    killed is tried again. Trials are proposed by Optuna's tree-structured Parzen estimator.

    Args:
        configuration: with a `[search]`.
        jobs: processes of this call.
        tell: told of progress: trials done, and the lowest validation loss.

    Raises:
        ArgumentError: without a space to search, with fields or values that no configuration can have, or where no
            trial came to an end.
        DataError: as `read_samples`; where the storage cannot be used.
    """
    search = configuration.search
    if search is None or not search.space:
        raise ArgumentError(f"`tune` needs [search.space]: the fields to search. {REMEDY}")
    dimensions_of(configuration)
    read_samples(configuration)
    count("tune", "jobs", jobs, most=1000)
    count("tune", "search.heartbeat", search.heartbeat, most=3600)
    count("tune", "search.trials", search.trials, most=10**6)
    folder = Path(f"{(configuration.folder or 'tuning').removesuffix('-run')}-search")
    folder.mkdir(parents=True, exist_ok=True)
    url = search.storage or f"sqlite:///{folder / 'trials.db'}"
    with _study(configuration, url, 0) as study:
        before = len(_done(study))
        if jobs == 1:
            _work(configuration, study, os.getppid(), tell)
        else:
            _work_together(configuration, url, study, jobs, tell)
        done = _done(study)
        best = min((trial for trial in done if _ended(trial)), key=lambda trial: trial.value, default=None)
    if best is None:
        raise ArgumentError(
            f"`tune` tried {len(done)} settings, and none came to an end. Search lower rates (optimiser.rate)."
        )
    found = _tried(best)
    chosen = replace(
        configuration.changed(found), search=None, folder=None, data=str(Path(configuration.data).resolve())
    )
    write_whole(folder / "best.toml", toml_text(plain(chosen)).encode())
    rows = tuple(_tried(trial) | {"validation": trial.value if _ended(trial) else None} for trial in done)
    stopped = sum(not _ended(trial) for trial in done)
    return Tuned(chosen, found, float(best.value), before, len(done), stopped, rows, folder / "best.toml")


def dimensions_of(configuration: Configuration) -> list[Dimension]:
    """What is searched; every end and choice must make a configuration."""
    assert configuration.search is not None
    found = []
    for name, told in _flat(configuration.search.space):
        fields = {"low", "high", "log"} if "choices" not in told else {"choices"}
        if not set(told) <= fields or ("choices" not in told and not {"low", "high"} <= set(told)):
            raise ArgumentError(f"`search.space` says of `{name}`: {short(dict(told))}. {REMEDY}")
        log, choices = bool(told.get("log", False)), tuple(told.get("choices", ()))
        dimension = Dimension(name, told.get("low"), told.get("high"), log, choices)
        ends = dimension.choices or (dimension.low, dimension.high)
        values = [_field(configuration.changed({name: end}), name) for end in ends]
        if not dimension.choices:
            low, high = values
            if isinstance(low, bool | str) or not low < high or (dimension.log and low <= 0):
                raise ArgumentError(f"`search.space` has no numbers to try for `{name}`: {short(dict(told))}. {REMEDY}")
            dimension = replace(dimension, low=low, high=high)
        found.append(dimension)
    return found


def _flat(space: Mapping[str, Any], owner: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """Fields and what is said of them; "a.b" = {…} is the same as [a] b = {…}."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, told in space.items():
        if not isinstance(told, Mapping):
            raise ArgumentError(f"`search.space` must say of `{owner}{name}` what to try. Got {short(told)}. {REMEDY}")
        ends = any(not isinstance(value, Mapping) for value in told.values()) or not told
        found += [(f"{owner}{name}", told)] if ends else _flat(told, f"{owner}{name}.")
    return found


def _field(configuration: Configuration, name: str) -> Any:
    value: Any = configuration
    for part in name.split("."):
        value = getattr(value, part)
    return value


class FallingBehind(StoppingRule):
    """Ends a trial that validates worse than others did after as many epochs."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None."""
        last = history[-1]
        self.trial.report(last["validation"], int(last["epoch"]))
        return BEHIND if self.trial.should_prune() else None


def _worker(configuration: Configuration, url: str, number: int, parent: int, cache: str | None) -> None:
    """What a process of its own does, with the programs that others have compiled."""
    if cache is not None:
        configure(devices=1, cache=cache)
    with _study(configuration, url, number) as study:
        _work(configuration, study, parent, lambda done, best: None)


def _work(configuration: Configuration, study: Any, parent: int, tell: Tell) -> None:
    """Try settings until enough are done by all processes together, or the one that started this is gone."""
    import optuna

    search = configuration.search or SearchSettings()
    dimensions = dimensions_of(configuration)

    def objective(trial: Any) -> float:
        trial.set_user_attr("process", os.getpid())
        values = {dimension.name: dimension.suggested(trial) for dimension in dimensions}
        tried = replace(configuration.changed(values), folder=None, search=None)
        try:
            trained = train_network(tried, stop=[FallingBehind(trial)]).trained
        except FailedTraining as error:
            raise optuna.TrialPruned(str(error)) from None
        if trained.why == BEHIND:
            raise optuna.TrialPruned(BEHIND)
        return min(row["validation"] for row in trained.history)

    def enough(study: Any, _: Any) -> None:
        done = _done(study)
        tell(len(done), _lowest(done))
        if len(done) >= search.trials or os.getppid() != parent:
            study.stop()

    while len(_done(study)) < search.trials and os.getppid() == parent:
        with suppress(optuna.exceptions.UpdateFinishedTrialError):  # silent for so long that another took it on
            study.optimize(objective, callbacks=[enough])


def _work_together(configuration: Configuration, url: str, study: Any, jobs: int, tell: Tell) -> None:
    """The same by several processes; one that is killed is replaced."""
    context, wanted = multiprocessing.get_context("spawn"), (configuration.search or SearchSettings()).trials
    number, working, cache = 0, [], getattr(jax.config, "jax_compilation_cache_dir", None)
    while len(_done(study)) < wanted:
        for process in [one for one in working if not one.is_alive()]:
            working.remove(process)
            if process.exitcode is not None and process.exitcode > 0:
                raise ArgumentError("A process of `tune` ended with the error above. Mend what it says, and go on.")
        while len(working) < jobs:
            number += 1
            told = (configuration, url, number, os.getpid(), cache)
            working.append(context.Process(target=_worker, args=told, daemon=True))
            working[-1].start()
        time.sleep(LOOK)
        done = _done(study)
        tell(len(done), _lowest(done))
    for process in working:
        process.join()


@contextmanager
def _study(configuration: Configuration, url: str, number: int) -> Iterator[Any]:
    """The trials of this configuration in the storage, begun or gone on with; closed afterwards."""
    import optuna
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
    from sqlalchemy.exc import SQLAlchemyError

    search = configuration.search or SearchSettings()
    warmup = max(configuration.training.epochs // 10, 1)
    pruners = {
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=warmup),
        "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=warmup),
        "none": optuna.pruners.NopPruner,
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    waiting = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = RDBStorage(
                url,
                engine_kwargs=waiting,
                heartbeat_interval=search.heartbeat,
                grace_period=SILENT * search.heartbeat,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            )
            study = optuna.create_study(
                storage=storage, study_name=_name(configuration), load_if_exists=True, pruner=pruners[search.pruner]()
            )
        study.sampler = optuna.samplers.TPESampler(seed=configuration.seed + 1000 * number + len(study.trials))
    except (ImportError, ValueError, OSError, SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        reason = " ".join(str(error).split())[:120].rstrip(" .")
        remedy = "Use sqlite:///trials.db, or postgresql://user@host/name and pip install 'psycopg[binary]'."
        raise DataError(f"`search.storage` cannot be used: {reason}. {remedy}") from None
    try:
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _name(configuration: Configuration) -> str:
    """The same for the same search: with other data or settings it is another one."""
    tables = plain(configuration)
    fixed = {name: value for name, value in tables.items() if name not in ("folder", "search")}
    fixed["data"] = Path(configuration.data).name  # which other machines have elsewhere
    told = json.dumps([fixed, tables["search"]["space"]], sort_keys=True)
    return f"{Path(configuration.data).stem}-{configuration.target}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _done(study: Any) -> list[Any]:
    """The trials that came to an end or were stopped early."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _lowest(trials: Sequence[Any]) -> float | None:
    return min((trial.value for trial in trials if _ended(trial)), default=None)


def _tried(trial: Any) -> dict[str, Any]:
    """The values of a trial by field; choices are written down as JSON."""
    return {name: json.loads(value) if isinstance(value, str) else value for name, value in trial.params.items()}


def _ended(trial: Any) -> bool:
    """Whether it came to an end, and was not stopped early."""
    return trial.state.name == "COMPLETE"
