"""`continua train` and `continua tune`: from a configuration to a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def goes_on() -> Iterator[None]:
    """What a person who stops it is told."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Stopped; the same command goes on.") from None


def train_command(configuration: Path) -> None:
    """Train a network on a table, as a TOML file says; a run that was stopped goes on where it was.

    Parameters
    ----------
    configuration
        A TOML file: data = "table.csv", target = "column", and the tables [model], [optimiser] and [training].
    """
    from continua.train import read_configuration, train_network

    console = Console(highlight=False, soft_wrap=True)
    asked = read_configuration(configuration)
    with goes_on():
        found = train_network(asked, progress=True)
    network, history = found.network, found.trained.history
    what = f"{len(network.classes)} classes" if network.classes else "a number, learned in spreads"
    lines = [
        f"read    {found.learned} rows to train on, {found.validated} to validate",
        f"        {len(network.features)} features, in spreads; target {network.target}: {what}",
        f"ended   {found.trained.why}",
    ]
    best = min(history, key=lambda row: row["validation"])
    told = ", ".join(f"{name} {best[name]:.4g}" for name in ("validation", "accuracy") if name in best)
    lines += [
        f"best    after epoch {best['epoch']}: {told} (training loss {best['loss']:.4g})",
        f"wrote   {asked.folder}",
    ]
    for line in lines:
        console.print(line, markup=False)


def tune_command(configuration: Path, *, jobs: int = 1) -> None:
    """Search settings of a network on a table, as a TOML file says; a search that was stopped goes on where it was.

    Parameters
    ----------
    configuration
        A TOML file for `train` with a table [search]: trials, storage, pruner, and [search.space] with a line such as
        "optimiser.rate" = { low = 1e-4, high = 1e-1, log = true } or "model.hidden" = { choices = [[16], [32, 32]] }.
    jobs
        Processes that search together.
    """
    from continua.train import read_configuration, tune

    console = Console(highlight=False, soft_wrap=True)
    asked = read_configuration(configuration)
    wanted = asked.search.trials if asked.search else 0
    columns = (TextColumn("tried   {task.completed} of {task.total}{task.description}"), BarColumn(30))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=wanted)

        def tell(done: int, best: float | None) -> None:
            bar.update(task, completed=done, description="" if best is None else f", lowest {best:.4g}")

        with goes_on():
            found = tune(asked, jobs=jobs, tell=tell)
    settings = ", ".join(
        f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in found.found.items()
    )
    for line in (
        f"tried   {found.done} settings ({found.before} in earlier calls, {found.stopped} stopped early)",
        f"best    validation {found.value:.4g}: {settings}",
        f"wrote   {found.file}   (continua train {found.file})",
    ):
        console.print(line, markup=False)
