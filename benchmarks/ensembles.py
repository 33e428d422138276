"""Thousands of trajectories and their gradients, beside peers: writes docs/benchmarks/ensembles.md and .json.

    python benchmarks/ensembles.py

Lorenz × 4096 (σ, ρ, β = 10, 28, 8/3, normal starts, T = 1) in both precisions, the ends alone and with 21 outputs;
Van der Pol × 4096, μ = 0.1 … 100 evenly in its logarithm, from (2, 0), T = 20. The gradient is that of Σ ys² with
respect to the parameters and the starts. heyoka is taken along where it is installed.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tables
import timing
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
COUNT = 4096
PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "heyoka", "numpy", "scipy")
OURS, PLAIN, PEER = "continua solve_ensemble", "continua vmap of solve", "diffrax vmap"
CORES = 2**16  # trajectories by which one device is compared with two

Record = dict[str, Any]


class Case(NamedTuple):
    """`targets`: ours over diffrax at most, forward and gradient."""

    system: str
    double: bool
    outputs: int
    rtol: float
    targets: tuple[float, float]


CASES = {
    "Lorenz, float64, the ends": Case("lorenz", True, 2, 1e-6, (1 / 5, 1 / 7.5)),
    "Lorenz, float32, the ends": Case("lorenz", False, 2, 1e-4, (1 / 10, 1 / 12)),
    "Lorenz, float64, 21 outputs": Case("lorenz", True, 21, 1e-6, (1 / 4, 1 / 4)),
    "Lorenz, float32, 21 outputs": Case("lorenz", False, 21, 1e-4, (1 / 4, 1 / 4)),
    "Van der Pol, float64, the ends": Case("van der pol", True, 2, 1e-6, (1 / 20, 1 / 8)),
}

INTRODUCTION = """# Ensembles

Written by `python benchmarks/ensembles.py`; all numbers are in [ensembles.json](ensembles.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

Lorenz × 4096: σ, ρ, β = 10, 28, 8/3, starts normal around (0, 0, 25) with deviation 5, T = 1; rtol = atol = 1e-6 in
float64 and 1e-4 in float32. Van der Pol × 4096: μ = 0.1 … 100 evenly in its logarithm and in random order, from (2,
0), T = 20, rtol = atol = 1e-6. The gradient is that of the sum of all squared outputs with respect to the parameters
and the starts.

One pinned core, one thread, a process for each table, interleaved rounds. CPU and wall time are milliseconds a call:
the median, and in brackets the smallest. Compile time is CPU seconds. The error is the largest against DOP853 at
1e-11 in eight trajectories; that of a gradient is the largest difference from the first row's, relative to its
largest entry. Memory is what the compiled gradient needs besides its results.
"""


def problem(case: Case) -> tuple[Any, Any, Any]:
    """Parameters, starts and times."""
    import numpy as np

    dtype, random = np.float64 if case.double else np.float32, np.random.default_rng(0)
    if case.system == "lorenz":
        start = random.standard_normal((COUNT, 3)) * 5 + np.array([0.0, 0.0, 25.0])
        parameters, end = np.array([10.0, 28.0, 8 / 3]), 1.0
    else:
        parameters, end = random.permutation(np.logspace(-1, 2, COUNT)), 20.0
        start = np.tile([2.0, 0.0], (COUNT, 1))
    return parameters.astype(dtype), start.astype(dtype), np.linspace(0.0, end, case.outputs).astype(dtype)


def lorenz(_: Any, y: Any, p: Any) -> list[Any]:
    """dy/dt, for any array library."""
    return [p[0] * (y[1] - y[0]), y[0] * (p[1] - y[2]) - y[1], y[0] * y[1] - p[2] * y[2]]


def van_der_pol(_: Any, y: Any, p: Any) -> list[Any]:
    """dy/dt, for any array library."""
    return [y[1], p * (1 - y[0] ** 2) * y[1] - y[0]]


def candidates(case: Case) -> dict[str, Callable[[Any, Any], Any]]:
    """Values [trajectory, time, state] as functions of parameters and starts."""
    import diffrax
    import jax
    import jax.numpy as jnp

    import continua
    from continua.equations import Lorenz, VanDerPol
    from continua.methods import Tsit5

    _, _, ts = problem(case)
    shared = case.system == "lorenz"
    formula = lorenz if shared else van_der_pol
    options = {"method": Tsit5(), "rtol": case.rtol, "atol": case.rtol}

    def equation(p: Any) -> Any:
        return Lorenz(*p) if shared else VanDerPol(p)

    def ours(p: Any, y0: Any) -> Any:
        axes = {"y0": 0} if shared else {"y0": 0, "equation": {"mu": 0}}
        return continua.solve_ensemble(equation(p), y0, ts, in_axes=axes, **options).ys

    def over(one: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return jax.vmap(one, (None if shared else 0, 0))

    def peer(adjoint: Any) -> Callable[[Any, Any], Any]:
        control, saved = diffrax.PIDController(rtol=case.rtol, atol=case.rtol), diffrax.SaveAt(ts=jnp.asarray(ts))
        term = diffrax.ODETerm(lambda t, y, p: jnp.stack(formula(t, y, p)))
        rest = {"stepsize_controller": control, "saveat": saved, "max_steps": 4096 if shared else 2**15}
        ends = float(ts[0]), float(ts[-1])
        return over(
            lambda p, y0: diffrax.diffeqsolve(term, diffrax.Tsit5(), *ends, None, y0, p, adjoint=adjoint, **rest).ys
        )

    found = {
        OURS: ours,
        PLAIN: over(lambda p, y0: continua.solve(equation(p), y0, ts, **options).ys),
        PEER: peer(diffrax.RecursiveCheckpointAdjoint()),
    }
    if shared and case.outputs == 2:
        found[f"{PEER}, 4096 checkpoints"] = peer(diffrax.RecursiveCheckpointAdjoint(checkpoints=4096))
        found[f"{PEER}, BacksolveAdjoint"] = peer(diffrax.BacksolveAdjoint())
    return found


def measured(case: Case, rounds: int) -> Record:
    """Every candidate forward and with its gradient, errors beside their times."""
    import jax
    import numpy as np

    p, y0, _ = problem(case)
    point = jax.numpy.asarray(p), jax.numpy.asarray(y0)
    truth, slopes = true_ends(case), {}
    functions: tables.Functions = {}
    for name, values in candidates(case).items():
        loss = jax.value_and_grad(lambda p, y0, values=values: (values(p, y0) ** 2).sum(), (0, 1))
        functions[name] = {"forward": values, "gradient": loss}

    def read(name: str, kind: str, output: Any) -> Record:
        if kind == "forward":
            ends = np.asarray(output)[:8]
            return {"error": float(np.abs((ends[:, -1] if ends.ndim == 3 else ends) - truth).max())}
        slopes[name] = [np.asarray(x) for x in output[1]]
        pairs = zip(slopes[name], slopes[OURS], strict=True)
        return {"error": max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)}

    run = by_heyoka(case)
    return tables.measured(functions, point, rounds, read, {} if run is None else {"heyoka": {"forward": run}})


def true_ends(case: Case) -> Any:
    """The ends of the first eight trajectories by scipy's DOP853."""
    import numpy as np
    from scipy.integrate import solve_ivp

    p, y0, ts = (np.asarray(x, float) for x in problem(case))
    formula = lorenz if case.system == "lorenz" else van_der_pol
    span, options = (ts[0], ts[-1]), {"method": "DOP853", "rtol": 1e-11, "atol": 1e-11}

    def end(i: int) -> Any:
        mine = p if case.system == "lorenz" else p[i]
        return solve_ivp(lambda t, y: formula(t, y, mine), span, y0[i], **options).y[:, -1]

    return np.stack([end(i) for i in range(8)])


def by_heyoka(case: Case) -> Callable[[], Any] | None:
    """The ends by heyoka's Taylor method on SIMD batches, in double precision; None where it is missing."""
    if not case.double or case.outputs > 2 or importlib.util.find_spec("heyoka") is None:
        return None
    import heyoka
    import numpy as np

    p, y0, ts = problem(case)
    names = heyoka.make_vars("x", "y", "z")[: y0.shape[1]]
    shared = case.system == "lorenz"
    formula = lorenz(0.0, names, p) if shared else van_der_pol(0.0, names, heyoka.par[0])
    width = heyoka.recommended_simd_size()
    taylor = heyoka.taylor_adaptive_batch(
        list(zip(names, formula, strict=True)), np.zeros((y0.shape[1], width)), tol=case.rtol
    )

    def run() -> Any:
        ends = np.empty_like(y0)
        for first in range(0, COUNT, width):
            rows = slice(first, first + width)
            taylor.set_time(0.0)
            taylor.state[:] = y0[rows].T
            if not shared:
                taylor.pars[0] = p[rows]
            taylor.propagate_until(float(ts[-1]))
            ends[rows] = taylor.state.T
        return ends

    return run


def on_devices(devices: int, rounds: int) -> list[float]:
    """Wall milliseconds of each call for an ensemble on so many devices, each with a core."""
    import numpy as np

    import continua
    from continua.equations import Lorenz

    continua.configure(devices=devices, float64=True)
    y0 = np.random.default_rng(0).standard_normal((CORES, 3)) * 5 + np.array([0.0, 0.0, 25.0])

    def run() -> Any:
        return np.asarray(continua.solve_ensemble(Lorenz(), y0, [0.0, 1.0], rtol=1e-6, atol=1e-6).ys)

    run()
    return [1e3 * timing.seconds(run, 1)[1] for _ in range(rounds)]


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = {key: record["machine"][key] for key in ("cpu", "cores", "system", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [INTRODUCTION.format(**computer, versions=versions)]
    for title, rows in record["cases"].items():
        for kind in ("forward", "gradient"):
            lines += [f"## {title}: {kind}", "", *_table(rows, kind), ""]
    lines += [
        "## Targets",
        "",
        "CPU time of `solve_ensemble` over that of diffrax with its default adjoint, medians.",
        "",
    ]
    lines += ["| | | ratio | target | |", "|---|---|--:|--:|---|"]
    for title, rows in record["cases"].items():
        for kind, target in zip(("forward", "gradient"), CASES[title].targets, strict=True):
            lines.append(tables.target(title, kind, rows[OURS], rows[PEER], target))
    one, two = (statistics.median(record["devices"][n]) for n in ("1", "2"))
    spread = ", ".join(f"{n}: {min(record['devices'][n]):.0f} … {max(record['devices'][n]):.0f}" for n in ("1", "2"))
    lines += [
        "",
        "## All cores",
        "",
        f"Lorenz × {CORES} in float64, wall milliseconds in rounds that take turns, medians.",
    ]
    lines += ["", f"One device {one:.0f}, two devices {two:.0f}: {one / two:.2f} times as fast ({spread})."]
    return "\n".join(lines) + "\n"


def _table(rows: Record, kind: str) -> list[str]:
    lines = [f"| | {tables.HEAD} | of diffrax | error | compile, s | memory, MiB |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, row in rows.items():
        if t := row.get(kind):
            ratio = t["cpu"] / rows[PEER][kind]["cpu"]
            lines.append(f"| {name} | {tables.times(t)} | {ratio:.3f} | {t['error']:.1e} | {tables.costs(t)} |")
    return lines


def _elsewhere(*arguments: str) -> Any:
    """What this program measures in a process of its own."""
    command = [sys.executable, str(Path(__file__)), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(rounds: int) -> Record:
    """Each case by itself; then one device and two in turns."""
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": rounds}
    record["cases"] = {name: _elsewhere("--case", name, "--rounds", str(rounds)) for name in CASES}
    record["devices"] = {"1": [], "2": []}
    for _ in range(3):
        for devices, rows in record["devices"].items():
            rows.extend(_elsewhere("--devices", devices, "--rounds", str(rounds)))
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds")
    parser.add_argument(
        "--output", type=Path, default=DOCS, help="the folder that gets ensembles.md and ensembles.json"
    )
    parser.add_argument("--case", choices=CASES, help="measure this one here and print it")
    parser.add_argument("--devices", type=int, help="measure an ensemble on so many devices and print it")
    options = parser.parse_args()
    if options.case:
        timing.pin_one_core()
        os.environ["JAX_ENABLE_X64"] = str(int(CASES[options.case].double))
        print(json.dumps(measured(CASES[options.case], options.rounds)))
    elif options.devices:
        print(json.dumps(on_devices(options.devices, options.rounds)))
    else:
        record = measure(options.rounds)
        publish(options.output, "ensembles", record, page)
        print(page(record))


if __name__ == "__main__":
    main()
