"""Constrained minimisation beside scipy's SLSQP: writes docs/benchmarks/constrained.md and .json.

    python benchmarks/constrained.py

Problems of Hock and Schittkowski from their published starts. SLSQP is given functions and derivatives compiled by JAX.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "benchmarks"
PACKAGES = ("jax", "jaxlib", "equinox", "scipy", "numpy")
CLOSE, FEASIBLE = 1e-6, 1e-6  # of the published minimum, and of constraints: what counts as solved

Record = dict[str, Any]

INTRODUCTION = """# Constrained minimisation

Written by `python benchmarks/constrained.py`; all numbers are in [constrained.json](constrained.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

{count} problems of Hock and Schittkowski from their published starts, in double precision. `minimise` is one compiled
program (`jax.jit`), its compile time apart; SLSQP is given functions, gradients and Jacobians compiled by JAX, with
`ftol=1e-10`. Solved means within 1e-6 of the published minimum, relative where that is above one, and constraints met
to 1e-6. Several problems have local minima, where a start may lead; that counts as not solved, for both. One pinned
core, interleaved rounds; CPU milliseconds a solve, medians.
"""


def ours(problem: Any) -> tuple[float, Callable[[], Any]]:
    """Seconds to compile, and the compiled solve: value, x and steps."""
    import jax

    from continua import minimise

    def solve(x0: Any) -> Any:
        found = minimise(problem.f, x0, bounds=problem.box, constraints=problem.constraints, throw=False)
        return found.value, found.x, found.steps, found.outcome

    built: list[Any] = []
    build = lambda: built.append(jax.jit(solve).lower(problem.x0).compile())  # noqa: E731
    seconds = timing.seconds(build, 1)[0]
    return seconds, lambda: jax.block_until_ready(built[0](problem.x0))


def theirs(problem: Any) -> Callable[[], Any]:
    """The solve by SLSQP."""
    import jax
    import numpy as np
    from scipy.optimize import minimize

    from continua.optim import Equality

    both = jax.jit(jax.value_and_grad(problem.f))
    kinds = [
        (
            "eq" if isinstance(one, Equality) else "ineq",
            jax.jit(lambda x, one=one: one.values(x, None)),
            jax.jit(jax.jacfwd(lambda x, one=one: one.values(x, None))),
        )
        for one in problem.constraints
    ]
    constraints = [
        {"type": kind, "fun": lambda x, f=f: np.asarray(f(x)), "jac": lambda x, j=j: np.asarray(j(x))}
        for kind, f, j in kinds
    ]
    bounds = list(zip(np.asarray(problem.box.low), np.asarray(problem.box.high), strict=True))

    def value(x: Any) -> tuple[float, Any]:
        found, slope = both(x)
        return float(found), np.asarray(slope)

    options = {"ftol": 1e-10, "maxiter": 1000}
    return lambda: minimize(
        value, problem.x0, jac=True, method="SLSQP", bounds=bounds, constraints=constraints, options=options
    )


def solved(problem: Any, x: Any) -> bool:
    """Whether it is the published minimum."""
    import numpy as np

    from continua.optim import Equality

    missed = max(np.max(problem.box.low - x), np.max(x - problem.box.high))
    for one in problem.constraints:
        values = np.asarray(one.values(x, None))
        missed = max(missed, np.max(np.abs(values) if isinstance(one, Equality) else -values))
    apart = abs(float(problem.f(x)) - problem.best) / max(1, abs(problem.best))
    return bool(missed <= FEASIBLE and apart <= CLOSE)


def measured(rounds: int, numbers: list[int]) -> list[Record]:
    """A row for each problem."""
    import warnings

    from tests.optim.hock_schittkowski import PROBLEMS

    warnings.filterwarnings("ignore", module="scipy")
    rows = []
    for number in numbers or PROBLEMS:
        problem = PROBLEMS[number]
        compile_seconds, here = ours(problem)
        there = theirs(problem)
        found, peer = here(), there()
        times = timing.interleaved({"ours": here, "peer": there}, rounds, least=0.002)
        rows.append(
            {
                "number": number,
                "parameters": problem.x0.size,
                "compile": compile_seconds,
                "steps": int(found[2]),
                "solved": solved(problem, found[1]),
                "peer_solved": solved(problem, peer.x),
                "cpu": times["ours"].cpu,
                "peer_cpu": times["peer"].cpu,
            }
        )
        print(rows[-1], flush=True)
    return rows


def page(record: Record) -> str:
    """The page that is read."""
    rows = record["rows"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    both = [row for row in rows if row["solved"] and row["peer_solved"]]
    ratio = math.exp(statistics.mean(math.log(row["cpu"] / row["peer_cpu"]) for row in both))
    counts = [sum(row[key] for row in rows) for key in ("solved", "peer_solved")]
    met = ["met" if fine else "missed" for fine in (counts[0] >= counts[1], ratio <= 0.2)]
    lines = [INTRODUCTION.format(**record["machine"], versions=versions, count=len(rows))]
    lines += ["| | found | target | |", "|---|--:|--:|---|"]
    lines += [f"| solved, of {len(rows)} | {counts[0]} | ≥ SLSQP's {counts[1]} | {met[0]} |"]
    lines += [f"| time over SLSQP's, geometric mean where both solve | {ratio:.3f} | ≤ 0.2 | {met[1]} |"]
    compiled = statistics.median(row["compile"] for row in rows)
    lines += [f"| seconds to compile, median | {compiled:.1f} | | |", ""]
    lines += ["| problem | parameters | steps | `minimise`, ms | SLSQP, ms | solved | SLSQP solved |"]
    lines += ["|--:|--:|--:|--:|--:|---|---|"]
    told = {True: "yes", False: "no"}
    lines += [
        f"| {row['number']} | {row['parameters']} | {row['steps']} | {row['cpu']:.3g} | {row['peer_cpu']:.3g} | "
        f"{told[row['solved']]} | {told[row['peer_solved']]} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    parser.add_argument("--output", type=Path, default=DOCS, help="the folder that gets constrained.md and .json")
    parser.add_argument("numbers", type=int, nargs="*", help="of the problems; all unless given")
    options = parser.parse_args()
    timing.pin_one_core()
    sys.path.insert(0, str(ROOT))
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record["rows"] = measured(options.rounds, options.numbers)
    publish(options.output, "constrained", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
