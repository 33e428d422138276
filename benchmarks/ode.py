"""Solving and differentiating an ordinary differential equation, beside peers: writes docs/benchmarks.md and .json.

    python benchmarks/ode.py

Lotka–Volterra with (α, β, δ, γ) = (2/3, 4/3, 1, 1) from (1, 1), t = 0 … 100, rtol = atol = 1e-8, float64, 101 outputs;
the gradient is that of Σ ys² with respect to the parameters and the start.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import timing
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs"
SOURCE = Path(__file__).resolve().parents[1] / "src"
TARGETS = {"forward": 0.5, "gradient": 0.2, "gradient, best": 0.35, "compile": 1.0}  # ours over diffrax, at most
COMPILATIONS = 3
REPEATED = 5
PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "numpy", "scipy", "torch", "torchdiffeq")
SINCE = (0, 12)  # of JAX: where the targets hold

Record = dict[str, Any]

INTRODUCTION = """# Benchmarks

Written by `python benchmarks/ode.py`; all numbers are in [benchmarks.json](benchmarks.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

## An ordinary differential equation, and its gradient

Lotka–Volterra with (α, β, δ, γ) = (2/3, 4/3, 1, 1) from (1, 1), t = 0 … 100, rtol = atol = 1e-8, float64, 101 outputs.
The gradient is that of the sum of all squared outputs with respect to the four parameters and the start.

One pinned core, one thread; {rounds} interleaved rounds, shared among three compilations. CPU and wall time are
milliseconds a call: the median, and in brackets the smallest. Compile time is CPU seconds to trace, lower and compile
from empty caches, the median of three. The error is the largest against DOP853 at 1e-13; that of a gradient is relative
to its largest entry, against central differences of DOP853 at 1e-13.
"""


def processes() -> Record:
    """What a user waits for: imports, and the command line from its first call; on all cores."""
    found: Record = {"import": {}, "fit": {}}
    statements = ("import jax", "import continua", "import continua; continua.solve")
    rounds: dict[str, list[tuple[float, float]]] = {statement: [] for statement in statements}
    for _ in range(7):
        for statement, seconds in rounds.items():
            seconds.append(timing.process_seconds(["-c", statement], PYTHONPATH=str(SOURCE)))
    found["import"] = {statement: _median(seconds) for statement, seconds in rounds.items()}
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "continua.app.command", "fit", "--force", "-o", str(Path(folder) / "law")]
        try:
            for run, count in (("first", 1), ("repeated", REPEATED)):
                settings = {"PYTHONPATH": str(SOURCE), "XDG_CACHE_HOME": folder}
                found["fit"][run] = _median([timing.process_seconds(command, **settings) for _ in range(count)])
        except RuntimeError as error:
            found["fit"] = {"note": f"not measured: {error}"}
    return found


def _median(seconds: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Of (CPU, wall), each by itself."""
    cpu, wall = (statistics.median(column) for column in zip(*seconds, strict=True))
    return {"cpu": cpu, "wall": wall}


def solvers(rounds: int) -> Record:
    """Every solver forward and with its gradient: times, and errors beside them."""
    import peers

    point = peers.jax.numpy.array(peers.PARAMETERS), peers.jax.numpy.array(peers.START)
    forward: dict[str, Callable[[], Any]] = {}
    gradient: dict[str, Callable[[], Any]] = {}
    for name, values in (peers.ON_JAX | peers.BUDGETS).items():
        for program, table in zip(peers.programs(values), (forward, gradient), strict=True):
            table[name] = _blocking(program, point)
    if torch := peers.by_torchdiffeq():
        forward["torchdiffeq dopri5"], gradient["torchdiffeq dopri5"] = torch
    for method in ("DOP853", "RK45", "LSODA"):
        forward[f"scipy {method}"] = lambda method=method: peers.by_scipy(method)
    notes = [] if torch else ["torchdiffeq is left out: torch or torchdiffeq is not installed."]
    for name in [n for n in gradient if "diffrax" in n]:
        try:
            gradient[name]()
        except Exception as error:  # noqa: BLE001  # a peer that cannot is a line in the table
            del gradient[name]
            notes.append(f"{name} gives no gradient: {str(error).splitlines()[0]}")
    return {"solvers": _rows(forward, gradient, rounds), "notes": notes}


def _blocking(program: Callable, point: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    return lambda: jax.block_until_ready(program(*point))


def _rows(forward: dict[str, Callable], gradient: dict[str, Callable], rounds: int) -> Record:
    import numpy as np
    import peers

    values, slope = peers.true_values(), peers.true_gradient()
    errors = {name: float(np.abs(np.asarray(run()) - values).max()) for name, run in forward.items()}
    slopes = {name: np.concatenate([np.ravel(g) for g in _slopes(run())]) for name, run in gradient.items()}
    off = {name: float(np.abs(g - slope).max() / np.abs(slope).max()) for name, g in slopes.items()}
    times, gradients = _timed(forward, rounds), _timed(gradient, rounds)
    rows: Record = {name: {"forward": times[name]._asdict() | {"error": errors[name]}} for name in forward}
    for name in gradient:
        rows[name]["gradient"] = gradients[name]._asdict() | {"error": off[name]}
    return rows


def _timed(functions: dict[str, Callable], rounds: int) -> dict[str, timing.Timing]:
    """Compiled programs among themselves, then the far slower interpreted ones."""
    slow = {name: run for name, run in functions.items() if name.startswith(("scipy", "torch"))}
    fast = {name: run for name, run in functions.items() if name not in slow}
    found = timing.interleaved(fast, rounds, compilations=COMPILATIONS, clear=timing.clear_caches)
    return found | (timing.interleaved(slow, rounds) if slow else {})


def _slopes(result: Any) -> Any:
    """The gradients: of JAX (value, (p, y0)), of torch (value, p, y0)."""
    return result[1] if len(result) == 2 else result[1:]


def compilation(record: Record) -> None:
    """Compile times of all that run on JAX, and the memory of each step budget."""
    import jax
    import peers

    point = jax.numpy.array(peers.PARAMETERS), jax.numpy.array(peers.START)

    for kind in (0, 1):
        title, names = ("forward", "gradient")[kind], [n for n in peers.ON_JAX if n == peers.OURS or "diffrax" in n]
        wanted = [n for n in names if title in record["solvers"][n]]
        builds = {n: lambda n=n: peers.programs(peers.ON_JAX[n])[kind].lower(*point).compile() for n in wanted}  # noqa: B023
        for name, seconds in timing.compile_seconds(builds, timing.clear_caches).items():
            record["solvers"][name][title]["compile"] = seconds
        for name, values in peers.BUDGETS.items():
            analysis = peers.programs(values)[kind].lower(*point).compile().memory_analysis()
            record["solvers"][name][title]["temp_bytes"] = analysis.temp_size_in_bytes


def targets(record: Record) -> list[Record]:
    """Ours over diffrax in CPU time, against what was promised."""
    rows, ours, peer = record["solvers"], "continua Tsit5", "diffrax Tsit5"
    best = min(row["gradient"]["cpu"] for name, row in rows.items() if "diffrax" in name and "gradient" in row)

    def ratio(kind: str, what: str) -> float:
        return rows[ours][kind][what] / rows[peer][kind][what]

    found = {
        "forward, of diffrax": (ratio("forward", "cpu"), TARGETS["forward"]),
        "gradient, of diffrax's default adjoint": (ratio("gradient", "cpu"), TARGETS["gradient"]),
        "gradient, of diffrax's best adjoint": (rows[ours]["gradient"]["cpu"] / best, TARGETS["gradient, best"]),
        "compile forward, of diffrax": (ratio("forward", "compile"), TARGETS["compile"]),
        "compile gradient, of diffrax": (ratio("gradient", "compile"), TARGETS["compile"]),
    }
    return [{"what": k, "ratio": r, "target": t, "met": r <= t} for k, (r, t) in found.items()]


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = {key: record["machine"][key] for key in ("cpu", "cores", "system", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [INTRODUCTION.format(**computer, versions=versions, rounds=record["rounds"])]
    main = {n: row for n, row in record["solvers"].items() if not n.startswith("max_steps")}
    budgets = {n: row for n, row in record["solvers"].items() if n.startswith("max_steps")}
    for title in ("forward", "gradient"):
        lines += [f"### {title.capitalize()}", "", *_table(main, title, "compile, s", "compile", 1.0), ""]
    lines += [f"{note}\n" for note in record["notes"]]
    lines += ["### The step budget", "", "What `max_steps` costs `continua.solve`.", ""]
    for title in ("forward", "gradient"):
        lines += [
            f"{title.capitalize()}:",
            "",
            *_table(budgets, title, "temporary memory, KiB", "temp_bytes", 1024),
            "",
        ]
    return "\n".join([*lines, *_targets(record), *_processes(record)]) + "\n"


def _table(rows: Record, title: str, last: str, key: str, scale: float) -> list[str]:
    lines = [f"| | CPU, ms | wall, ms | error | {last} |", "|---|--:|--:|--:|--:|"]
    for name, row in rows.items():
        if t := row.get(title):
            extra = f"{t[key] / scale:.3g}" if key in t else "–"
            cpu, wall = (f"{t[k]:.3g} ({t[k + '_min']:.3g})" for k in ("cpu", "wall"))
            lines.append(f"| {name} | {cpu} | {wall} | {t['error']:.1e} | {extra} |")
    return lines


def _targets(record: Record) -> list[str]:
    if not record["targets"]:
        return ["No targets are set for this version of JAX.", ""]
    lines = [
        "### Targets",
        "",
        "CPU time of continua over that of diffrax.",
        "",
        "| | ratio | target | |",
        "|---|--:|--:|---|",
    ]
    met = {True: "met", False: "missed"}
    lines += [f"| {t['what']} | {t['ratio']:.2f} | ≤ {t['target']:.2f} | {met[t['met']]} |" for t in record["targets"]]
    return [*lines, ""]


def _processes(record: Record) -> list[str]:
    lines = [
        "## Whole processes",
        "",
        f"Fresh processes on all cores, seconds: imports the median of seven, the repeated fit that of {REPEATED}.",
        "",
    ]
    lines += ["| | CPU, s | wall, s |", "|---|--:|--:|"]
    runs = record["import"] | {f"`continua fit`, {k}": v for k, v in record["fit"].items() if k != "note"}
    lines += [f"| {name} | {t['cpu']:.2f} | {t['wall']:.2f} |" for name, t in runs.items()]
    if note := record["fit"].get("note"):
        lines += ["", f"`continua fit` was {note}"]
    return lines


def measure(rounds: int) -> Record:
    """Everything, in the order that keeps the measurements out of each other's way."""
    record: Record = {
        "machine": timing.machine(),
        "versions": timing.versions(PACKAGES),
        "rounds": rounds,
    } | processes()
    timing.pin_one_core()
    record |= solvers(rounds)
    compilation(record)
    newest = tuple(int(x) for x in record["versions"]["jax"].split(".")[:2]) >= SINCE
    record["targets"] = targets(record) if newest else []
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=42, help="interleaved rounds")
    parser.add_argument(
        "--output", type=Path, default=DOCS, help="the folder that gets benchmarks.md and benchmarks.json"
    )
    parser.add_argument("--processes", action="store_true", help="whole processes alone; the rest stays as written")
    options = parser.parse_args()
    known = options.output / "benchmarks.json"
    record = (
        json.loads(known.read_text(encoding="utf-8")) | processes() if options.processes else measure(options.rounds)
    )
    publish(options.output, "benchmarks", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
