"""Error against tolerance and against work on the non-stiff reference problems, beside scipy and diffrax.

    python benchmarks/reference_set.py

Needs the data folder beside the project, or CONTINUA_DATA; writes docs/benchmarks/reference-set.md, .json and .svg.
What is counted are evaluations of the right-hand side, so that neither the machine nor its load matters.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import timing
from pages import publish

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "benchmarks"
DATA = Path(os.environ.get("CONTINUA_DATA", ROOT.parent / "shared" / "data"))
TOLERANCES = [10.0**-k for k in range(4, 11)]
FLOOR = 1e-12  # the references are no better than that
BUDGET = 2**20
OUTPUTS = 41
PEERS = ("jax", "diffrax", "numpy", "scipy")
TARGETS = {"median": 1.0, "worst": 10.0, "slope": (0.85, 1.15)}
DRAWN = ["DETEST-nonstiff-B1", "DETEST-nonstiff-B4", "DETEST-nonstiff-B5", "DETEST-nonstiff-C5", "PLEIADES", "LV-100"]

Record = dict[str, Any]
Run = Callable[[float], tuple[Any, int]]  # from a tolerance to the values [time, state] and the evaluations

INTRODUCTION = """# The non-stiff reference set

Written by `python benchmarks/reference_set.py`; all numbers are in [reference-set.json](reference-set.json).

DETEST's classes A to C, the Pleiades and Lotka–Volterra over t = 100: {problems} problems in float64, with rtol = atol
from 1e-4 to 1e-10 (methods of order 2 and 3: to 1e-7). The error is the largest |y − y_ref| / (1 + |y_ref|) at
{outputs} equidistant times, dense output included: at the end alone it is often small by accident. The references
are scipy's DOP853 at 2.3e-14, which equal the published values at the end to {agreement:.0e} in the same measure.
Evaluations are those of the steps, without those of the outputs.
Versions: {versions}.

![Error against evaluations](reference-set.svg)
"""


MISSED = [
    "What DOP853 misses it misses between its steps: where a mode decays about as fast as stability allows (C2, C3),",
    "its dense output is off by up to 170 tolerances, in scipy by up to 40, and the ends of its steps by 3. Vern7's",
    "dense output is within 1.5 there.",
]


class Solver(NamedTuple):
    """A method of ours or of a peer; `peers` are those of the same order that it is compared with."""

    program: Callable[[Any], Run]
    order: int
    peers: tuple[str, ...] = ()


def by_continua(method: Any) -> Callable[[Any], Run]:
    import jax
    import jax.numpy as jnp

    import continua

    def program(problem: Any) -> Run:
        def values(tolerance: Any) -> tuple[Any, Any]:
            ts, options = times(problem), {"method": method, "max_steps": BUDGET, "throw": False}
            slope = lambda t, y, args: problem.slope(t, y)  # noqa: E731
            found = continua.solve(slope, jnp.asarray(problem.y0), ts, rtol=tolerance, atol=tolerance, **options)
            return found.ys, found.stats.nfe

        return jax.jit(values)

    return program


def by_diffrax(method: Any, evaluations: int) -> Callable[[Any], Run]:
    import diffrax
    import jax
    import jax.numpy as jnp

    def program(problem: Any) -> Run:
        term = diffrax.ODETerm(lambda t, y, args: problem.slope(t, y))

        def values(tolerance: Any) -> tuple[Any, Any]:
            control = diffrax.PIDController(rtol=tolerance, atol=tolerance)
            saved = diffrax.SaveAt(ts=jnp.asarray(times(problem)))
            options = {"stepsize_controller": control, "saveat": saved, "max_steps": BUDGET, "throw": False}
            found = diffrax.diffeqsolve(term, method, 0.0, problem.t1, None, jnp.asarray(problem.y0), **options)
            return found.ys, evaluations * found.stats["num_steps"]

        return jax.jit(values)

    return program


def by_scipy(method: str) -> Callable[[Any], Run]:
    import jax
    import numpy as np
    from scipy.integrate import solve_ivp

    def program(problem: Any) -> Run:
        slope = jax.jit(problem.slope)

        def values(tolerance: float, atol: float | None = None) -> tuple[Any, int]:
            options = {"method": method, "rtol": tolerance, "atol": tolerance if atol is None else atol}

            def found(**more: Any) -> Any:
                return solve_ivp(lambda t, y: np.asarray(slope(t, y)), (0.0, problem.t1), problem.y0, **options, **more)

            return found(t_eval=times(problem)).y.T, found().nfev  # outputs take evaluations, which are not counted

        return values

    return program


def solvers() -> dict[str, Solver]:
    """Every adaptive explicit method of ours that is no specialist for diffusion, and the peers'."""
    import diffrax

    from continua import methods

    ours = {
        "Heun": (),
        "Midpoint": (),
        "SSPRK3": (),
        "BogackiShampine3": ("scipy RK23", "diffrax Bosh3"),
        "DormandPrince5": ("scipy RK45", "diffrax Dopri5"),
        "Tsit5": ("scipy RK45", "diffrax Tsit5"),
        "Vern7": (),
        "DOP853": ("scipy DOP853", "diffrax Dopri8"),
    }
    found = {}
    for name, peers in ours.items():
        method = getattr(methods, name)()
        found[name] = Solver(by_continua(method), method.order, peers)
    for name, order, evaluations in (("Bosh3", 3, 3), ("Tsit5", 5, 6), ("Dopri5", 5, 6), ("Dopri8", 8, 13)):
        found[f"diffrax {name}"] = Solver(by_diffrax(getattr(diffrax, name)(), evaluations), order)
    for name, order in (("RK23", 3), ("RK45", 5), ("DOP853", 8)):
        found[f"scipy {name}"] = Solver(by_scipy(name), order)
    return found


def times(problem: Any) -> Any:
    """Where the error is looked at."""
    import numpy as np

    return np.linspace(0.0, problem.t1, OUTPUTS)


def error_of(found: Any, reference: Any) -> float:
    import numpy as np

    error = float((np.abs(np.asarray(found) - reference) / (1 + np.abs(reference))).max())
    return error if np.isfinite(error) else float("inf")


def measure() -> Record:
    """Every solver on every problem at every tolerance."""
    from tests.solver.nonstiff_problems import nonstiff_problems

    table, agreement, problems = solvers(), [], nonstiff_problems(DATA)
    rows: dict[str, dict[str, list[list[float]]]] = {name: {} for name in table}
    for problem in problems:
        reference, _ = by_scipy("DOP853")(problem)(2.3e-14, 1e-16)
        agreement.append(error_of(problem.end, reference[-1]))
        for name, solver in table.items():
            run, tolerances = solver.program(problem), TOLERANCES[:4] if solver.order < 4 else TOLERANCES
            found = [(tolerance, *run(tolerance)) for tolerance in tolerances]
            rows[name][problem.name] = [[tol, error_of(ys, reference), int(count)] for tol, ys, count in found]
        print(problem.name, file=sys.stderr, flush=True)
    return {"versions": timing.versions(PEERS), "agreement": max(agreement), "rows": rows}


def ratios(rows: Record, ours: str, peer: str) -> list[tuple[str, float, float]]:
    """(problem, tolerance, our error over the peer's), where either is above the floor."""
    found = []
    for problem, points in rows[ours].items():
        for (tolerance, mine, _), (same, other, _) in zip(points, rows[peer][problem], strict=True):
            assert tolerance == same
            if max(mine, other) > 3 * FLOOR:
                found.append((problem, tolerance, max(mine, FLOOR) / max(other, FLOOR)))
    return found


def slope(points: dict[str, list[list[float]]]) -> float:
    """Of log error against log tolerance, the mean line of all problems."""
    import numpy as np

    errors = np.log10(np.maximum([[error for _, error, _ in row] for row in points.values()], FLOOR))
    tolerances = np.log10([tolerance for tolerance, _, _ in next(iter(points.values()))])
    return float(np.polyfit(tolerances, errors.mean(0), 1)[0])


def work(points: dict[str, list[list[float]]], error: float = 1e-6) -> float | None:
    """Evaluations for this error, in the geometric mean over the problems that reach it: log-log interpolated."""
    import numpy as np

    counts = []
    for row in points.values():
        errors = np.log10(np.maximum([e for _, e, _ in row], FLOOR))
        order = np.argsort(errors)
        if errors.min() < np.log10(error) < errors.max():
            counts.append(np.interp(np.log10(error), errors[order], np.log10([n for *_, n in row])[order]))
    return float(10 ** np.mean(counts)) if len(counts) == len(points) else None


def comparisons(rows: Record) -> list[Record]:
    """Our error over that of each peer of the same order: the median, the worst and where it is."""
    import numpy as np

    found = []
    for name, solver in solvers().items():
        for peer in solver.peers:
            all_of = ratios(rows, name, peer)
            problem, tolerance, worst = max(all_of, key=lambda row: row[2])
            median = float(np.median([ratio for *_, ratio in all_of]))
            counts = [
                mine / other
                for problem in rows[name]
                for (*_, mine), (*_, other) in zip(rows[name][problem], rows[peer][problem], strict=True)
            ]
            found.append(
                {
                    "ours": name,
                    "peer": peer,
                    "median": median,
                    "worst": worst,
                    "where": f"{problem}, {tolerance:.0e}",
                    "evaluations": float(np.median(counts)),
                    "met": bool(median <= TARGETS["median"] and worst <= TARGETS["worst"]),
                }
            )
    return found


def page(record: Record) -> str:
    """The record as Markdown."""
    rows, met = record["rows"], {True: "met", False: "missed"}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    count = len(next(iter(rows.values())))
    lines = [INTRODUCTION.format(problems=count, outputs=OUTPUTS, agreement=record["agreement"], versions=versions)]
    lines += ["## At equal tolerance", "", "Our error and evaluations over those of the peer of the same order."]
    lines += ["Targets: a median of the errors of at most 1, none above 10.", ""]
    lines += ["| | over | error, median | worst | where | evaluations, median | |", "|---|---|--:|--:|---|--:|---|"]
    for c in record["comparisons"]:
        numbers = f"{c['median']:.2f} | {c['worst']:.2g} | {c['where']} | {c['evaluations']:.2f}"
        lines.append(f"| {c['ours']} | {c['peer']} | {numbers} | {met[c['met']]} |")
    lines += [
        "",
        *MISSED,
        "",
        "## Every solver",
        "",
        "The slope is that of log error against log tolerance, the mean line of all",
    ]
    lines += [
        "problems (target for ours: 0.85 to 1.15). Work is the geometric mean of the evaluations for an error of",
        "1e-6, where every problem reaches it.",
        "",
    ]
    lines += ["| | slope | evaluations for 1e-6 |", "|---|--:|--:|"]
    for name, points in rows.items():
        count = work(points)
        lines.append(f"| {name} | {slope(points):.2f} | {'–' if count is None else f'{count:.0f}'} |")
    return "\n".join(lines) + "\n"


def draw(record: Record, file: Path) -> None:
    """Work–precision diagrams of some problems: fewer evaluations and smaller errors lie below and left."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    mpl.rcParams["svg.hashsalt"] = "reference-set"
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained", sharey=True)
    ours = {"BogackiShampine3": "C0", "DormandPrince5": "C1", "Tsit5": "C2", "Vern7": "C3", "DOP853": "C4"}
    theirs = {
        "scipy RK23": "C0",
        "scipy RK45": "C1",
        "diffrax Tsit5": "C2",
        "diffrax Dopri8": "C5",
        "scipy DOP853": "C4",
    }
    for axis, name in zip(axes.flat, DRAWN, strict=True):
        for solver, colour in itertools.chain(ours.items(), theirs.items()):
            _, errors, counts = zip(*record["rows"][solver][name], strict=True)
            style = "o-" if solver in ours else "x--"
            axis.loglog(counts, errors, style, color=colour, label=solver, markersize=4, linewidth=1)
        axis.set_title(name.removeprefix("DETEST-nonstiff-"), fontsize=10)
        axis.grid(alpha=0.3)
        axis.xaxis.set_minor_formatter(NullFormatter())
    for axis in axes[1]:
        axis.set_xlabel("evaluations")
    for axis in axes[:, 0]:
        axis.set_ylabel("largest error")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", fontsize=9, ncols=5)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="write page and figure anew from the numbers in the JSON")
    options = parser.parse_args()
    timing.pin_one_core()
    sys.path.insert(0, str(ROOT))
    file = DOCS / "reference-set.json"
    record = json.loads(file.read_text(encoding="utf-8")) if options.again else measure()
    record["comparisons"] = comparisons(record["rows"])
    publish(DOCS, "reference-set", record, page)
    draw(record, DOCS / "reference-set.svg")
    print(page(record))


if __name__ == "__main__":
    main()
