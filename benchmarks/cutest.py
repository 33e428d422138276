"""CUTEst, the half of sif2jax's unconstrained problems that nothing was tuned on: a part of training.py.

Each problem is given to each solver in a process of its own kind, which is replaced where a solver takes too long.
"""

import math
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import timing
from training_peers import optax_loop, scipy_solver

MOST = 100  # parameters
CLOSE = 1e-6  # of the best value found by anyone, relative where it is above 1: solved
LIMIT = 60.0  # seconds that a solver has for a problem, compiling and all its runs together

OURS = "continua Newton"
ASKED = {"optax lbfgs": 0.75, "scipy L-BFGS-B": 0.07}

Record = dict[str, Any]
Solver = Callable[[Any, Any], Callable[[], Any]]


def newton(f: Callable, x: Any) -> Callable[[], Any]:
    """By continua."""
    import jax

    from continua import minimise, optim

    run = jax.jit(lambda x: minimise(f, x, method=optim.Newton(), throw=False, max_steps=2000).value)
    return lambda: jax.block_until_ready(run(x))


def lbfgs(f: Callable, x: Any) -> Callable[[], Any]:
    """By optax."""
    import jax
    import jax.numpy as jnp
    import optax

    run = optax_loop(f, optax.lbfgs(), -jnp.inf, 50_000, slope=1e-8, searches=True)
    return lambda: jax.block_until_ready(run(x).lowest)


def scipys(method: str, options: dict[str, Any]) -> Solver:
    """By scipy, which is imported where it is needed: after the core is pinned."""

    def solver(f: Callable, x: Any) -> Callable[[], Any]:
        return scipy_solver(method, options)(f, x)

    return solver


SOLVERS: dict[str, Solver] = {
    OURS: newton,
    "optax lbfgs": lbfgs,
    "scipy BFGS": scipys("BFGS", {"maxiter": 5000, "gtol": 1e-8}),
    "scipy L-BFGS-B": scipys("L-BFGS-B", {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-8}),
}


def problems() -> dict[str, Any]:
    """Every other one by name, from the second; the others may be tuned on."""
    import jax
    import numpy as np
    import sif2jax

    def small(problem: Any) -> bool:
        return sum(np.size(leaf) for leaf in jax.tree.leaves(problem.y0)) <= MOST

    found = sorted((p for p in sif2jax.unconstrained_minimisation_problems if small(p)), key=lambda p: p.name)
    return {problem.name: problem for problem in found[1::2]}


def serve(pipe: Connection) -> None:
    """In a process of its own: solve what is asked for, one after the other."""
    timing.pin_one_core()
    import jax
    from jax.flatten_util import ravel_pytree

    known = problems()
    pipe.send("ready")
    while True:
        name, solver = pipe.recv()
        problem = known[name]
        start, unravel = ravel_pytree(problem.y0)
        f = lambda w, problem=problem, unravel=unravel: problem.objective(unravel(w), problem.args)  # noqa: E731
        try:
            run = SOLVERS[solver](f, start.astype(float))
            row = {"value": float(run()), "ms": 1e3 * min(timing.seconds(run, 1)[0] for _ in range(3))}
        except Exception as error:  # noqa: BLE001 (a solver that fails has not solved it)
            row = {"value": math.nan, "ms": math.nan, "error": type(error).__name__}
        jax.clear_caches()
        pipe.send(row)


class Server:
    """Somebody who solves; another takes the place of one who takes too long."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        self.pipe.recv()

    def solved(self, name: str, solver: str) -> Record | None:
        """The row; None where it takes longer than the limit, after which this server is of no more use."""
        self.pipe.send((name, solver))
        if self.pipe.poll(LIMIT):
            return self.pipe.recv()
        self.process.kill()
        return None


def cutest_task(_: int) -> Record:
    """The value that each solver reaches on each problem, and its time."""
    import jax

    rows: Record = {}
    server = Server()
    for name, problem in problems().items():
        row = rows[name] = {"parameters": sum(leaf.size for leaf in jax.tree.leaves(problem.y0))}
        for solver in SOLVERS:
            found = server.solved(name, solver)
            if found is None:
                server, found = Server(), {"value": math.nan, "ms": math.nan, "error": "too slow"}
            row[solver] = found
        print(name, {s: (f"{row[s]['value']:.6g}", f"{row[s]['ms']:.2f}") for s in SOLVERS}, flush=True)
    server.process.kill()
    return rows


def cutest_page(rows: Record) -> list[str]:
    """The table."""
    values = {p: [v for s in SOLVERS if not math.isnan(v := row[s]["value"])] for p, row in rows.items()}
    best = {p: min(found, default=math.nan) for p, found in values.items()}

    def solved(name: str) -> set[str]:
        return {p for p, row in rows.items() if row[name]["value"] - best[p] <= CLOSE * max(1, abs(best[p]))}

    lines = [
        "## CUTEst, the half that nothing was tuned on",
        "",
        f"{len(rows)} unconstrained problems of sif2jax with up",
    ]
    lines += [f"to {MOST} parameters: every other one by name, from the second. Solved: within {CLOSE:.0e} of the best"]
    lines += [
        f"value that any of them found, in {LIMIT:.0f} s with compiling. Times are geometric means over the problems"
    ]
    lines += ["that both solved.", "", "| | solved | continua's time over its | target | |", "|---|--:|--:|--:|---|"]
    ours = solved(OURS)
    for name in SOLVERS:
        both = ours & solved(name)
        ratio = math.exp(sum(math.log(rows[p][OURS]["ms"] / rows[p][name]["ms"]) for p in both) / len(both))
        asked = ASKED.get(name)
        verdict = "" if asked is None else "met" if ratio <= asked else "missed"
        lines.append(f"| {name} | {len(solved(name))} | {ratio:.2f} | {f'≤ {asked}' if asked else ''} | {verdict} |")
    slow = [f"{p} ({s})" for p, row in rows.items() for s in SOLVERS if row[s].get("error") == "too slow"]
    lines += ["", "Not solved by Newton, but by another: " + (", ".join(sorted(set(rows) - ours)) or "none") + "."]
    return lines + ([f"Beyond {LIMIT:.0f} s: {', '.join(slow)}."] if slow else [])
