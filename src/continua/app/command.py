"""`continua`: the command line."""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import jax
from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

import continua
from continua.app.term_options import forbidden_terms, known_terms
from continua.app.training import train_command, tune_command
from continua.core import ArgumentError, ContinuaError, configure
from continua.discovery import NO_EQUATION, Model, Unexplained, fit, follow, law_lines, load, plural
from continua.files import Table, bundled_record, check_folder, read_table

FEW_COLLECTIONS = 50_000  # objects made until the youngest are looked through

app = App(
    name="continua",
    version=continua.__version__,
    help="Find, solve and use differential equations.",
    suppress_keyboard_interrupt=False,
)


@app.command(name="fit")
def fit_command(
    data: Path | None = None,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    time: str | None = None,
    states: str | None = None,
    inputs: str | None = None,
    trajectory: str | None = None,
    equations: str | None = None,
    degree: int | None = None,
    trigonometric: Annotated[bool, Parameter(negative="")] = False,
    rational: Annotated[bool, Parameter(negative="")] = False,
    known: Annotated[list[str] | None, Parameter(negative="")] = None,
    forbid: Annotated[list[str] | None, Parameter(name=["--forbid", "--forbidden"], negative="")] = None,
    seed: int = 0,
    force: bool = False,
) -> None:
    """Find the differential equation behind a table, and write a report.

    Parameters
    ----------
    data
        A CSV file; without it, the bundled lynx and hare record.
    output
        The folder to write; by default named after the file.
    time
        The time column.
    states
        The columns to explain, separated by commas.
    inputs
        The columns that drive them and are not explained, separated by commas.
    trajectory
        The column that tells trajectories apart.
    equations
        TOML files with laws of your own to try beside the others, separated by commas.
    degree
        The highest degree of the terms that are searched.
    trigonometric
        Search sines and cosines of the states too.
    rational
        Search the saturations 1/(1 + x**2) and x/(1 + x**2) too.
    known
        Terms that must stand in a state's equation: "x: y, x*y", or "x: y = 1" with their coefficient; may be repeated.
    forbid
        Terms that may not: "x: x*y", or "x*y" for every state; may be repeated.
    seed
        Of everything random.
    force
        Replace a folder that an earlier fit wrote.
    """
    path = bundled_record() if data is None else data
    folder = Path(f"{path.stem}-law") if output is None else output
    table = read_table(path, time, listed(states), inputs=listed(inputs), trajectory=trajectory)
    check_folder(folder, force)
    console = Console(highlight=False, soft_wrap=True)
    say_read(console, table)
    options = {
        "equations": listed(equations) or [],
        "degree": degree,
        "trigonometric": trigonometric,
        "rational": rational,
        "known": known_terms(known or []),
        "forbidden": forbidden_terms(forbid or [], table.states),
        "seed": seed,
    }
    model = fit_with_bar(console, table, **options)
    say_result(console, model, table.notes)
    console.print(f"wrote   {model.save(folder, force=force) / 'report.html'}", markup=False)


def listed(names: str | None) -> list[str] | None:
    """The names between the commas."""
    return None if names is None else [name.strip() for name in names.split(",")]


@app.command(name="show")
def show_command(model: Path) -> None:
    """Print the law of a model, its parameters with intervals, and how it was judged.

    Parameters
    ----------
    model
        A folder that `fit` wrote, or its model.json.
    """
    loaded = load(model)
    console = Console(highlight=False, soft_wrap=True)
    say_result(console, loaded)
    for name, value in loaded.parameters.items():
        low, high = loaded.intervals[name]
        console.print(f"        {name} = {value:.6g}   (95 %: {low:.4g} … {high:.4g})", markup=False)


@app.command(name="forecast")
def forecast_command(model: Path, *, horizon: int, data: Path | None = None) -> None:
    """Forecast with a model, as a table.

    Parameters
    ----------
    model
        A folder that `fit` wrote, or its model.json.
    horizon
        How many sampling intervals ahead.
    data
        A newer table to start from; by default the last row of the data of the fit.
    """
    loaded = load(model)
    if data is not None and isinstance(loaded, Unexplained):
        raise ArgumentError(f"`--data` needs a model with a law. {model} has none. Fit the new data instead.")
    start = loaded if data is None or isinstance(loaded, Unexplained) else follow(loaded, read_table(data))
    forecast = start.forecast(horizon)
    sys.stdout.write(forecast.csv(loaded.time_name))


@app.command(name="compare")
def compare_command(*paths: Path) -> None:
    """Lay models beside data they were not fitted to: parameters stay, only the start is found.

    Parameters
    ----------
    paths
        One or more models (folders or model.json), and last the table.
    """
    if len(paths) < 2:
        raise ArgumentError("`compare` needs one or more models and, last, a table. Got fewer. Name them all.")
    *models, data = paths
    table = read_table(data)
    found = [(str(path), follow(law_of(path), table)) for path in models]
    rows = RichTable(box=None, header_style="")
    for name in ("model", "law", "error in spreads", "error of each state", "−2 log L"):
        rows.add_column(name)
    for path, one in sorted(found, key=lambda pair: pair[1].minus_two_log_likelihood):
        errors = ", ".join(f"{name} {error:.3g}" for name, error in zip(one.model.states, one.error, strict=False))
        likelihood = f"{one.minus_two_log_likelihood:.1f}"
        rows.add_row(path, one.model.law, f"{one.relative:.3g}", errors, likelihood)
    Console(highlight=False, soft_wrap=True).print(rows)


app.command(train_command, name="train")
app.command(tune_command, name="tune")


def law_of(path: Path) -> Model:
    """The model, which must have a law."""
    loaded = load(path)
    if isinstance(loaded, Unexplained):
        raise ArgumentError(f"`compare` needs models with a law. {path} has none. Leave it out.")
    return loaded


def say_read(console: Console, table: Table) -> None:
    """What was read, and everything that was assumed."""
    gaps = int((table.values != table.values).sum())
    driven = f", driven by {_counted(table.inputs, 'input')}" if table.inputs else ""
    runs = f", {len(table.pieces)} trajectories" if len(table.pieces) > 1 else ""
    console.print(
        f"read    {len(table.time)} rows, {table.time_name} {table.time[0]:.6g}–{table.time[-1]:.6g}, "
        f"{_counted(table.states, 'state')}{driven}{runs}, "
        f"{gaps or 'no'} gap{'s' * (gaps != 1)}",
        markup=False,
    )
    for note in table.notes:
        console.print(f"        {note}", markup=False)


def _counted(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({', '.join(names)})"


def fit_with_bar(console: Console, table: Table, **options: Any) -> Model | Unexplained:
    """The fit, with a bar while it works."""
    columns = (
        TextColumn("tried   {task.completed} of {task.total} laws"),
        BarColumn(30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("fit", total=None)
        return fit(table, progress=lambda done, total: bar.update(task, completed=done, total=total), **options)


def say_result(console: Console, model: Model | Unexplained, said: Sequence[str] = ()) -> None:
    """What must be known first, with the notes not yet `said`, then the law or its absence, then how forecasts did."""
    lines = [("notes", note) for note in model.notes if note not in said]
    lines += [("audit", finding.message) for finding in model.findings if finding.severity == "warning"]
    lines += found_lines(model) if isinstance(model, Model) else missing_lines(model)
    for skill in model.skills:
        others = ", ".join(f"{name} {error:.2g}" for name, error in skill.baselines.items())
        own = f"error {skill.model:.2g} of a spread; " if isinstance(model, Model) else "errors in spreads: "
        steps = f"{skill.horizon} step{'s' * (skill.horizon > 1)}"
        lines.append(("trust", f"{steps} ahead: {own}{others} ({skill.origins} origins)"))
    before = ""
    for word, line in lines:
        console.print(f"{word if word != before else '':<8}{line}", markup=False)
        before = word


def found_lines(model: Model) -> list[tuple[str, str]]:
    """The law with its numbers, its noise and its meaning."""
    second = next((r for r in model.rivals if r.law_differs(model.law)), None)
    rival = (
        f"; next: {second.title}, +{second.behind:.1f}" if second is not None and second.behind < float("inf") else ""
    )
    unit = f"   [time in {plural(model.unit)}]" if model.unit != "time" else ""
    laws = [f"  {line}{unit if i == 0 else ''}" for i, line in enumerate(law_lines(model))]
    sigma = ", ".join(f"{name} {value:.2g}" for name, value in model.scatter.items())
    return [
        *(("beware", caveat) for caveat in model.caveats),
        ("found", f"{model.law}   (AICc {model.aicc:.1f}{rival})"),
        *(("found", line) for line in laws),
        ("noise", f"{model.noise}, {sigma}"),
        *(("means", sentence) for sentence in model.meaning),
    ]


def missing_lines(model: Unexplained) -> list[tuple[str, str]]:
    """That there is no law, why, and what forecasts instead."""
    reasons = [("found", f"  {reason}") for reason in model.reasons]
    return [("found", NO_EQUATION), *reasons, ("found", f"  the forecast is that of {model.baseline}")]


def set_up() -> None:
    """Keep compiled programs for the next run, in the user's cache folder, and run the many small ones where called.

    What was imported stays until the end: the garbage collector need not look through it again and again.
    """
    gc.freeze()
    gc.set_threshold(FEW_COLLECTIONS)
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    configure(devices=1, cache=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors are one line on standard error and exit code 2."""
    set_up()
    try:
        app(
            sys.argv[1:] if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        return complain(f"{' '.join(str(error).split())} See `continua --help`.")
    except ContinuaError as error:
        return complain(str(error))
    except KeyboardInterrupt as stopped:
        return complain(str(stopped) or "Stopped; nothing was written.", code=130)
    return 0


def complain(message: str, code: int = 2) -> int:
    """One line on standard error."""
    sys.stderr.write(f"continua: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
