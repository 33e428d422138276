"""All that the solver was promised to be, from the other benchmarks' numbers: writes docs/benchmarks/engine.md, .json.

    python benchmarks/engine.py

It measures nothing: run ode.py, ensembles.py, stiff.py, large_states.py and stochastic.py before it.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import ensembles
import large_states
import stochastic
import tables
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs"
KINDS = ("forward", "gradient")
COMPILE = {"forward": 1.0, "gradient": 0.65}

INTRODUCTION = """# The engine beside its peers

Written by `python benchmarks/engine.py` from the numbers of the pages that its lines name, which say how each was
measured; {machine}, Python {python}, JAX {jax}, diffrax {diffrax}.

CPU time on one core over that of diffrax with its default adjoint, medians; what was promised, in brackets; a miss is
bold. Compile time is over diffrax's too: at most {forward} forward, {gradient} with the gradient.

How time grows with the tolerance, the batch and the dimension: [cost.md](cost.md).
"""


class Line(NamedTuple):
    """One problem: the rows of both, and what was promised of each kind."""

    title: str
    page: str
    ours: dict[str, Any]
    peer: dict[str, Any]
    promised: dict[str, float]


def read(path: str) -> Any:
    """The record of a benchmark."""
    return json.loads((DOCS / f"{path}.json").read_text(encoding="utf-8"))


def promised(*targets: float) -> dict[str, float]:
    """Of forward and gradient."""
    return dict(zip(KINDS, targets, strict=True))


def lines() -> list[Line]:
    """Every problem."""
    one, stiff, noisy = read("benchmarks")["solvers"], read("benchmarks/stiff"), read("benchmarks/stochastic")["rows"]
    found = [
        Line(
            "Lotka–Volterra, t = 100, 101 outputs",
            "../benchmarks.md",
            one["continua Tsit5"],
            one["diffrax Tsit5"],
            promised(1 / 2.1, 1 / 5),
        )
    ]
    for title, rows in read("benchmarks/ensembles")["cases"].items():
        name = f"{title.replace(',', f' × {ensembles.COUNT:,},', 1)}"
        targets = promised(*ensembles.CASES[title].targets)
        found.append(Line(name, "ensembles.md", rows[ensembles.OURS], rows[ensembles.PEER], targets))
    for title, part, targets in (
        ("Robertson", "one", (1 / 130, 1 / 220)),
        ("Robertson × 1,024", "many", (0.01, 1 / 220)),
    ):
        rows = stiff[part]
        found.append(Line(title, "stiff.md", rows["continua Rodas5P"], rows["diffrax Kvaerno5"], promised(*targets)))
    for name, rows in read("benchmarks/large-states")["cases"].items():
        case = large_states.CASES[name]
        ours, peer = rows[large_states.OURS], rows[large_states.PEER]
        found.append(Line(case.title, "large-states.md", ours, peer, promised(*case.targets)))
    peer = {kind: noisy[name][kind] for kind, (name, _) in stochastic.TARGETS.items()}
    targets = {kind: target for kind, (_, target) in stochastic.TARGETS.items()}
    title = f"Geometric Brownian motion × {stochastic.COUNT:,}"
    return [*found, Line(title, "stochastic.md", noisy[stochastic.OURS], peer, targets)]


def cell(line: Line, kind: str, what: str, most: float) -> str:
    """A ratio and what was promised."""
    ratio = line.ours[kind][what] / line.peer[kind][what]
    said = tables.share(ratio) if what == "cpu" else f"{ratio:.2f}"
    return (said if ratio <= most else f"**{said}**") + (f" (≤ {tables.share(most)})" if what == "cpu" else "")


def page(_: Any) -> str:
    """The table."""
    record = read("benchmarks/ensembles")
    machine, versions = record["machine"], record["versions"]
    about = {"machine": machine["cpu"], "python": machine["python"], "jax": versions["jax"]}
    text = INTRODUCTION.format(**about, diffrax=versions["diffrax"], **COMPILE)
    rows = [text, "| | forward | value and gradient | compile forward | compile gradient |", "|---|--:|--:|--:|--:|"]
    for line in lines():
        run = " | ".join(cell(line, kind, "cpu", line.promised[kind]) for kind in KINDS)
        built = " | ".join(cell(line, kind, "compile", COMPILE[kind]) for kind in KINDS)
        rows.append(f"| [{line.title}]({line.page}) | {run} | {built} |")
    return "\n".join(rows) + "\n"


def ratios() -> dict[str, Any]:
    """The numbers of the table."""
    return {
        line.title: {
            kind: {
                "cpu": line.ours[kind]["cpu"] / line.peer[kind]["cpu"],
                "promised": line.promised[kind],
                "compile": line.ours[kind]["compile"] / line.peer[kind]["compile"],
            }
            for kind in KINDS
        }
        for line in lines()
    }


if __name__ == "__main__":
    publish(DOCS / "benchmarks", "engine", ratios(), page)
    print(page(None))
