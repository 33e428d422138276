"""How cost grows with tolerance, batch and dimension, beside diffrax: writes docs/benchmarks/cost.md, .json and .svg.

    python benchmarks/cost.py

Lotka–Volterra at rtol 1e-4 … 1e-10, 1 … 16,384 trajectories of Lorenz's equations, and Lorenz-96 with 40 … 20,000
states, forward and with the gradient; --quick takes small points of each, to see that it runs.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import ensembles
import large_states
import tables
import timing
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "numpy")
OURS, PEER = "continua", "diffrax"
KINDS = {"forward": "o-", "gradient": "s--"}

Record = dict[str, Any]
End = Callable[[Any, Any], Any]  # of parameters and start


class Problem(NamedTuple):
    """y' = field(t, y, parameters) from `start` over `span`; `each`: the start is a batch."""

    field: Callable[[Any, Any, Any], Any]
    parameters: Any
    start: Any
    span: float
    rtol: float
    each: bool = False


class Axis(NamedTuple):
    """`points`, the dearest last; time is proportional to their power `slope` where `theory` holds."""

    label: str
    points: tuple[float, ...]
    problem: Callable[[float], Problem]
    slope: float
    theory: str


def prey(rtol: float) -> Problem:
    """Lotka–Volterra to t = 100."""
    import jax.numpy as jnp
    import peers

    return Problem(peers.slope, jnp.array(peers.PARAMETERS), jnp.array(peers.START), 100.0, rtol)


def butterflies(count: float) -> Problem:
    """Lorenz from normal starts."""
    import jax.numpy as jnp

    case = ensembles.CASES["Lorenz, float64, the ends"]
    parameters, starts, _ = ensembles.problem(case)
    starts = jnp.tile(starts, (-(-int(count) // len(starts)), 1))[: int(count)]
    field = lambda t, y, p: jnp.stack(ensembles.lorenz(t, y, p))  # noqa: E731
    return Problem(field, jnp.asarray(parameters), starts, 1.0, case.rtol, True)


def waves(states: float) -> Problem:
    """Lorenz-96."""
    import jax.numpy as jnp

    force, start = large_states.problem(large_states.Case("", int(states), (1, 1)))
    return Problem(large_states.lorenz96, jnp.asarray(force), jnp.asarray(start), 1.0, 1e-6)


AXES = {
    "Tolerance": Axis("rtol", tuple(10.0**-k for k in range(4, 11)), prey, -1 / 5, "a step of order 5"),
    "Batch": Axis("trajectories", tuple(4.0**k for k in range(8)), butterflies, 1, "work alone"),
    "Dimension": Axis("states", (40, 120, 400, 1200, 4000, 12000, 20000), waves, 1, "work alone"),
}

INTRODUCTION = """# Cost against tolerance, batch and dimension

Written by `python benchmarks/cost.py`; all numbers are in [cost.json](cost.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

![Time against tolerance, batch and dimension](cost.svg)

Lotka–Volterra with (α, β, δ, γ) = (2/3, 4/3, 1, 1) from (1, 1) to t = 100 at rtol = atol; Lorenz from normal starts to
t = 1, rtol = atol = 1e-6, by `vmap`; Lorenz-96 with F = 8 from 8 and a normal deviation of 1e-2 to t = 1, rtol = atol =
1e-6. float64, by Tsit5, the ends alone; the gradient is that of the sum of their squares with respect to parameters and
starts.

One pinned core, one thread, a process for each table, {rounds} interleaved rounds. CPU time is milliseconds a call: the
median, and in brackets the smallest. Compile time is CPU seconds. The error is the largest difference from this
package's result at a thousandth of the tolerance, relative to its largest entry. A slope is that of log time over the
dearer half of the points.
"""


def ends(problem: Problem, share: float = 1.0) -> dict[str, End]:
    """The ends by both, at a share of the tolerance."""
    import diffrax
    import jax
    import jax.numpy as jnp

    import continua
    from continua.methods import Tsit5

    rtol, span = problem.rtol * share, jnp.array([0.0, problem.span])
    control = diffrax.PIDController(rtol=rtol, atol=rtol)
    term, rest = diffrax.ODETerm(problem.field), {"stepsize_controller": control, "max_steps": 2**14}

    def ours(p: Any, y0: Any) -> Any:
        return continua.solve(problem.field, y0, span, args=p, method=Tsit5(), rtol=rtol, atol=rtol).ys[-1]

    def peer(p: Any, y0: Any) -> Any:
        return diffrax.diffeqsolve(term, diffrax.Tsit5(), 0.0, problem.span, None, y0, p, **rest).ys[-1]

    found: dict[str, End] = {OURS: ours, PEER: peer}
    return {name: jax.vmap(end, (None, 0)) if problem.each else end for name, end in found.items()}


def measured(problem: Problem, rounds: int) -> Record:
    """Both forward and with the gradient, errors beside their times."""
    import jax

    point = problem.parameters, problem.start
    exact = {kind: jax.jit(function)(*point) for kind, function in large_states.both(ends(problem, 1e-3)[OURS]).items()}

    def read(_: str, kind: str, output: Any) -> Record:
        return {"error": large_states.error(kind, output, exact[kind])}

    functions = {name: large_states.both(end) for name, end in ends(problem).items()}
    return tables.measured(functions, point, rounds, read)


def slope(points: list[Record], name: str, kind: str) -> float:
    """Of log time over the dearer half of the points."""
    import numpy as np

    dear = points[len(points) // 2 :] if len(points) > 3 else points
    x, times = zip(*((point["at"], point["rows"][name][kind]["cpu"]) for point in dear), strict=True)
    return float(np.polyfit(np.log(x), np.log(times), 1)[0])


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = {key: record["machine"][key] for key in ("cpu", "cores", "system", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [INTRODUCTION.format(**computer, versions=versions, rounds=record["rounds"])]
    for title, points in record["axes"].items():
        axis = AXES[title]
        for kind in KINDS:
            lines += [f"## {title}: {kind}", "", *_table(axis, points, kind), ""]
            slopes = (f"{name} {slope(points, name, kind):.2f}" for name in (OURS, PEER))
            lines += [f"Slopes: {', '.join(slopes)}; {axis.theory} has {axis.slope:.2g}.", ""]
    return "\n".join(lines)


def _table(axis: Axis, points: list[Record], kind: str) -> list[str]:
    heads = " | ".join(f"{name}, CPU ms | error | compile, s" for name in (OURS, PEER))
    lines = [f"| {axis.label} | {heads} | ratio |", "|--:" * 8 + "|"]
    for point in points:
        found = [point["rows"][name][kind] for name in (OURS, PEER)]
        cells = [f"{f['cpu']:.3g} ({f['cpu_min']:.3g}) | {f['error']:.1e} | {f['compile']:.2f}" for f in found]
        at = f"{point['at']:.0e}" if point["at"] < 1 else f"{point['at']:,.0f}"
        lines.append(f"| {at} | {' | '.join(cells)} | {tables.share(found[0]['cpu'] / found[1]['cpu'])} |")
    return lines


def draw(record: Record, file: Path) -> None:
    """A panel for each axis: both of them, and what theory says of the dearest points."""
    import matplotlib as mpl
    import numpy as np
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "cost"
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    panels = figure.subplots(1, len(AXES))
    for panel, (title, points) in zip(panels, record["axes"].items(), strict=True):
        axis, x = AXES[title], np.array([point["at"] for point in points])
        for name, colour in ((OURS, "C0"), (PEER, "C1")):
            for kind, style in KINDS.items():
                times = [point["rows"][name][kind]["cpu"] for point in points]
                panel.loglog(x, times, style, color=colour, label=f"{name}, {kind}", markersize=4, linewidth=1)
                if name == OURS:
                    label = f"{axis.theory}, slope {axis.slope:.2g}" if kind == "forward" else None
                    panel.loglog(x, times[-1] * (x / x[-1]) ** axis.slope, "k:", linewidth=1, label=label)
        panel.set(xlabel=axis.label, ylabel="CPU time, ms", title=title)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
        if axis.slope < 0:
            panel.invert_xaxis()
    figure.savefig(file, metadata={"Date": None})


def measure(rounds: int, quick: bool) -> Record:
    """Each axis in a process of its own."""
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": rounds, "axes": {}}
    for title in AXES:
        command = [sys.executable, str(Path(__file__)), "--axis", title, "--rounds", str(rounds), *["--quick"] * quick]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        record["axes"][title] = json.loads(done.stdout.strip().splitlines()[-1])
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds")
    parser.add_argument("--quick", action="store_true", help="two cheap points of each axis")
    parser.add_argument("--output", type=Path, default=DOCS, help="the folder that gets cost.md, .json and .svg")
    parser.add_argument("--axis", choices=AXES, help="measure this one here and print it")
    options = parser.parse_args()
    if options.axis:
        timing.pin_one_core()
        axis = AXES[options.axis]
        points = axis.points[:2] if options.quick else axis.points
        print(json.dumps([{"at": x, "rows": measured(axis.problem(x), options.rounds)} for x in points]))
    else:
        record = measure(options.rounds, options.quick)
        publish(options.output, "cost", record, page)
        draw(record, options.output / "cost.svg")
        print(page(record))


if __name__ == "__main__":
    main()
