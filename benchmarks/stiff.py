"""A stiff equation and its gradient, beside peers: writes docs/benchmarks/stiff.md and .json.

    python benchmarks/stiff.py

Robertson's reactions from (1, 0, 0) to t = 1e5, rtol = 1e-6, atol = 1e-9, float64; the gradient is that of the first
component at the end with respect to the rates and the start. Then 1,024 of them at once, and work against precision.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish

PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "numpy", "scipy")
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
RATES, START, END = [0.04, 3e7, 1e4], [1.0, 0.0, 0.0], 1e5
RTOL, ATOL, LANES = 1e-6, 1e-9, 1024
PRECISIONS = [10.0**-k for k in range(3, 10)]
OURS, PEER = "continua Rodas5P", "diffrax Kvaerno5"
TARGETS = {
    "forward": 1 / 130,
    "gradient": 1 / 220,
    "forward × 1,024": 1 / 100,
    "gradient × 1,024": 1 / 220,
    "compile forward": 1.0,
    "compile gradient": 0.65,
}

Record = dict[str, Any]

INTRODUCTION = """# Stiff equations

Written by `python benchmarks/stiff.py`; all numbers are in [stiff.json](stiff.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}

Robertson's reactions with (k₁, k₂, k₃) = (0.04, 3·10⁷, 10⁴) from (1, 0, 0) to t = 10⁵, rtol = 1e-6, atol = 1e-9, in
float64. The gradient is that of the first component at the end with respect to the rates and the start; diffrax
differentiates by its default adjoint. In × 1,024 every rate is its value times 10^u, u even in ±0.5.

One pinned core, one thread, {rounds} interleaved rounds. CPU and wall time are milliseconds a call: the median, and in
brackets the smallest. Compile time is CPU seconds to trace, lower and compile from empty caches. The error is the
largest relative one of the end against Radau at 1e-12; that of a gradient is relative to its largest entry, each entry
times its argument, against central differences of it.
"""


def slope(_: Any, y: Any, k: Any) -> Any:
    """Robertson's reactions, for every peer on JAX."""
    import jax.numpy as jnp

    slow, fast, back = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
    return jnp.stack([back - slow, slow - fast - back, fast])


def by_continua(method: Any, rtol: Any = RTOL, atol: Any = ATOL) -> Callable:
    """The state at the end as a function of rates and start."""
    import jax.numpy as jnp

    import continua
    from continua.equations import Robertson

    def end(k: Any, y0: Any) -> Any:
        ts = jnp.array([0.0, END])
        return continua.solve(Robertson(*k), y0, ts, method=method, rtol=rtol, atol=atol).ys[-1]

    return end


def by_diffrax(rtol: Any = RTOL, atol: Any = ATOL) -> Callable:
    """The same with diffrax."""
    import diffrax

    def end(k: Any, y0: Any) -> Any:
        options = {"stepsize_controller": diffrax.PIDController(rtol=rtol, atol=atol), "max_steps": 4096}
        term, solver = diffrax.ODETerm(slope), diffrax.Kvaerno5()
        return diffrax.diffeqsolve(term, solver, 0.0, END, 1e-6, y0, k, **options).ys[0]

    return end


def by_scipy(method: str, k: Any = RATES, rtol: float = RTOL, atol: float = ATOL) -> Any:
    """The same with scipy."""
    from scipy.integrate import solve_ivp

    def slope(_: float, y: Any) -> list[float]:
        slow, fast, back = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
        return [back - slow, slow - fast - back, fast]

    return solve_ivp(slope, (0.0, END), START, method, rtol=rtol, atol=atol).y[:, -1]


def on_jax() -> dict[str, Callable]:
    """Every solver that compiles."""
    from continua.methods import Kvaerno5, Rodas5P

    return {OURS: by_continua(Rodas5P()), "continua Kvaerno5": by_continua(Kvaerno5()), PEER: by_diffrax()}


def true_gradient() -> Any:
    """∂A/∂log k at the end, by central differences of Radau."""
    import numpy as np

    def first(factor: Any) -> float:
        return float(by_scipy("Radau", np.array(RATES) * factor, 1e-12, 1e-15)[0])

    step = 1e-3
    return np.array([(first(1 + step * d) - first(1 - step * d)) / (2 * step) for d in np.eye(3)])


def one(rounds: int) -> Record:
    """One trajectory and its gradient: times, compile times, errors."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    point = jnp.array(RATES), jnp.array(START)
    exact, slopes = by_scipy("Radau", RATES, 1e-12, 1e-15), true_gradient()
    rows: Record = {}
    forward: dict[str, Callable] = {}
    gradient: dict[str, Callable] = {}
    for name, end in on_jax().items():
        pair = jax.jit(end), jax.jit(jax.value_and_grad(lambda k, y, end=end: end(k, y)[0], (0, 1)))
        compiled = [_compiled(program, point) for program in pair]
        forward[name], gradient[name] = (_blocking(program, point) for program, _ in compiled)
        found = np.asarray(gradient[name]()[1][0]) * RATES
        rows[name] = {
            "forward": {"compile": compiled[0][1], "error": _off(forward[name](), exact)},
            "gradient": {"compile": compiled[1][1], "error": float(abs(found - slopes).max() / abs(slopes).max())},
        }
    for method in ("Radau", "BDF", "LSODA"):
        forward[f"scipy {method}"] = lambda method=method: by_scipy(method)
        rows[f"scipy {method}"] = {"forward": {"error": _off(forward[f"scipy {method}"](), exact)}}
    for kind, functions in (("forward", forward), ("gradient", gradient)):
        for name, timed in timing.interleaved(functions, rounds).items():
            rows[name][kind] |= timed._asdict()
    return rows


def many(rounds: int) -> Record:
    """1,024 trajectories at once, each at its own pace."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    spread = 10 ** np.random.default_rng(0).uniform(-0.5, 0.5, (LANES, 3))
    point = (jnp.asarray(RATES * spread),)
    start, rows, functions = jnp.array(START), {}, {}
    for name, end in on_jax().items():
        pair = {
            "forward": jax.jit(jax.vmap(lambda k, end=end: end(k, start))),
            "gradient": jax.jit(jax.vmap(jax.grad(lambda k, end=end: end(k, start)[0]))),
        }
        rows[name] = {}
        for kind, program in pair.items():
            compiled, seconds = _compiled(program, point)
            rows[name][kind] = {"compile": seconds}
            functions[name, kind] = _blocking(compiled, point)
    for kind in ("forward", "gradient"):
        chosen = {name: function for (name, other), function in functions.items() if other == kind}
        for name, timed in timing.interleaved(chosen, rounds).items():
            rows[name][kind] |= timed._asdict()
    return rows


def work_and_precision() -> Record:
    """Milliseconds and error at every tolerance; compiled once for all of them."""
    import jax
    import jax.numpy as jnp

    from continua.methods import Kvaerno5, Rodas5P, Rosenbrock23

    exact = by_scipy("Radau", RATES, 1e-13, 1e-16)
    point = jnp.array(RATES), jnp.array(START)
    compiled = {
        "continua Rodas5P": lambda r, a: by_continua(Rodas5P(), r, a)(*point),
        "continua Kvaerno5": lambda r, a: by_continua(Kvaerno5(), r, a)(*point),
        "continua Rosenbrock23": lambda r, a: by_continua(Rosenbrock23(), r, a)(*point),
        "diffrax Kvaerno5": lambda r, a: by_diffrax(r, a)(*point),
    }
    functions: dict[str, Callable] = {name: jax.jit(function) for name, function in compiled.items()}
    for method in ("Radau", "BDF", "LSODA"):
        functions[f"scipy {method}"] = lambda r, a, method=method: by_scipy(method, RATES, r, a)
    rows: Record = {name: [] for name in functions}
    for rtol in PRECISIONS:
        for name, function in functions.items():
            run = _blocking(function, (rtol, rtol * 1e-5))
            try:
                rows[name].append({"rtol": rtol, "error": _off(run(), exact), "cpu": _cpu(run)})
            except Exception:  # noqa: BLE001  # a peer that cannot is an empty cell in the table
                rows[name].append({"rtol": rtol, "error": None, "cpu": None})
    return rows


def _compiled(program: Any, point: tuple[Any, ...]) -> tuple[Any, float]:
    import equinox as eqx
    import jax

    jax.clear_caches()
    eqx.clear_caches()
    start = time.process_time()
    compiled = program.lower(*point).compile()
    return compiled, time.process_time() - start


def _blocking(program: Callable, point: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    return lambda: jax.block_until_ready(program(*point))


def _cpu(run: Callable[[], Any], least: float = 0.05) -> float:
    """Milliseconds a call: the median of five turns of `least` seconds."""

    def turn(repeats: int) -> float:
        start = time.process_time()
        for _ in range(repeats):
            run()
        return (time.process_time() - start) / repeats

    repeats = max(1, round(least / max(turn(1), 1e-6)))
    return 1e3 * statistics.median(turn(repeats) for _ in range(5 if repeats > 1 else 1))


def _off(found: Any, exact: Any) -> float:
    import numpy as np

    return float(np.abs(np.asarray(found) / exact - 1).max())


def targets(record: Record) -> list[Record]:
    """Ours over diffrax in CPU time, against what was promised."""

    def ratio(part: str, kind: str, what: str) -> float | None:
        rows = record[part]
        if PEER not in rows or kind not in rows[PEER]:
            return None
        return rows[OURS][kind][what] / rows[PEER][kind][what]

    found = {
        "forward": ratio("one", "forward", "cpu"),
        "gradient": ratio("one", "gradient", "cpu"),
        "forward × 1,024": ratio("many", "forward", "cpu"),
        "gradient × 1,024": ratio("many", "gradient", "cpu"),
        "compile forward": ratio("one", "forward", "compile"),
        "compile gradient": ratio("one", "gradient", "compile"),
    }
    return [{"what": k, "ratio": r, "target": TARGETS[k], "met": r <= TARGETS[k]} for k, r in found.items() if r]


def page(record: Record) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [
        INTRODUCTION.format(**record["machine"], versions=versions, rounds=record["rounds"], quiet=record["quiet"])
    ]
    for title, part in (("One trajectory", "one"), (f"× {LANES:,}", "many")):
        for kind in ("forward", "gradient"):
            lines += [f"## {title}, {kind}", "", *_table(record[part], kind), ""]
    lines += ["## Against diffrax", "", "CPU time of continua Rodas5P over that of diffrax Kvaerno5.", ""]
    lines += ["| | ratio | target | |", "|---|--:|--:|---|"]
    met = {True: "met", False: "missed"}
    lines += [
        f"| {t['what']} | {_share(t['ratio'])} | ≤ {_share(t['target'])} | {met[t['met']]} |" for t in record["targets"]
    ]
    lines += [
        "",
        "## Work against precision",
        "",
        "CPU milliseconds (relative error); atol = rtol · 1e-5. A dash: not within 4,096 steps of diffrax.",
        "",
    ]
    names = list(record["precision"])
    lines += ["| rtol | " + " | ".join(names) + " |", "|--:|" + "--:|" * len(names)]
    for i, rtol in enumerate(PRECISIONS):
        lines.append(f"| {rtol:.0e} | " + " | ".join(_cell(record["precision"][name][i]) for name in names) + " |")
    return "\n".join(lines) + "\n"


def _cell(found: Record) -> str:
    return "–" if found["cpu"] is None else f"{found['cpu']:.3g} ({found['error']:.0e})"


def _share(ratio: float) -> str:
    return f"1/{1 / ratio:.0f}" if ratio < 0.1 else f"{ratio:.2f}"


def _table(rows: Record, kind: str) -> list[str]:
    lines = ["| | CPU, ms | wall, ms | error | compile, s |", "|---|--:|--:|--:|--:|"]
    for name, row in rows.items():
        if t := row.get(kind):
            cpu, wall = (f"{t[k]:.3g} ({t[k + '_min']:.3g})" for k in ("cpu", "wall"))
            error, seconds = (f"{t[k]:{form}}" if k in t else "–" for k, form in (("error", ".1e"), ("compile", ".3g")))
            lines.append(f"| {name} | {cpu} | {wall} | {error} | {seconds} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="interleaved rounds of one trajectory")
    parser.add_argument("--lane-rounds", type=int, default=5, help="interleaved rounds of many")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets stiff.md and stiff.json")
    options = parser.parse_args()
    timing.pin_one_core()
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record |= {"quiet": options.quiet, "one": one(options.rounds), "many": many(options.lane_rounds)}
    publish(options.output, "stiff", record, lambda _: "The run was interrupted.\n")  # what is long is not lost
    record |= {"targets": targets(record), "precision": work_and_precision()}
    publish(options.output, "stiff", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
