"""Equations with a structure, by methods that use it and by those that do not: docs/benchmarks/structured.md and .json.

    python benchmarks/structured.py

A reaction with diffusion by implicit–explicit methods, Kuramoto–Sivashinsky by an exponential one, a Kepler orbit by
symplectic ones; diffrax's in the same run.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import timing
from pages import publish

PACKAGES = ("jax", "jaxlib", "diffrax", "numpy")
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
CELLS, MODES, REVOLUTIONS, BUDGET = 64, 128, 300, 2**20

INTRODUCTION = """# Equations with a structure

Written by `python benchmarks/structured.py`; all numbers are in [structured.json](structured.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. One pinned core, one thread, {rounds}
interleaved rounds; milliseconds of CPU a call: the median, and in brackets the smallest. float64. Compile time is no
part of it.
"""

WORDS = {
    "reaction": f"""Fisher's front, u_t = 0.5 u_xx + 50 u(1 − u), on {CELLS} cells to t = 0.2. The error is the largest
at the end against DOP853 at rtol 1e-12; tolerances are rtol, and atol a thousandth of it. For diffrax atol is rtol, as
with the smaller one its steps shrink until the budget of {BUDGET} is spent.""",
    "spectral": f"""Kuramoto–Sivashinsky, u_t = −u_xx − u_xxxx − u u_x, on {MODES} points over 32π to t = 20 from
Kassam and Trefethen's start. The error is the largest of the Fourier coefficients at the end, relative to the largest,
against ETDRK4 with h = 0.005. Tolerances are rtol, and atol a thousandth of it; for diffrax's KenCarp4 atol is rtol, as
with the smaller one its steps shrink until the budget of {BUDGET} is spent.""",
    "orbit": f"""Kepler's orbit of eccentricity 0.3, {REVOLUTIONS} revolutions, at about equal cost. The error is the
largest relative one of the energy over the first and the last tenth of the time: a symplectic one does not
grow.""",
}


class Entry(NamedTuple):
    """A solver: its program without arguments, and its error from what the program returns."""

    run: Callable[[], Any]
    error: Callable[[Any], str]
    steps: Callable[[Any], int]


def ours(equation: Any, y0: Any, ts: Any, error: Callable[[Any], str], method: Any, **options: Any) -> Entry:
    import jax

    import continua

    def solve(y0: Any) -> tuple[Any, Any]:
        found = continua.solve(equation, y0, ts, method=method, max_steps=BUDGET, throw=False, **options)
        return found.ys, found.stats.steps

    program = jax.jit(solve)
    return Entry(lambda: jax.block_until_ready(program(y0)), lambda out: error(out[0]), lambda out: int(out[1]))


def theirs(
    terms: Any,
    y0: Any,
    ts: Any,
    error: Callable[[Any], str],
    method: Any,
    rtol: Any = None,
    atol_share: float = 1e-3,
    h: Any = None,
) -> Entry:
    import diffrax
    import jax

    control = diffrax.ConstantStepSize() if rtol is None else diffrax.PIDController(rtol=rtol, atol=rtol * atol_share)

    def solve(y0: Any) -> tuple[Any, Any]:
        saved = diffrax.SaveAt(ts=ts)
        found = diffrax.diffeqsolve(
            terms,
            method,
            ts[0],
            ts[-1],
            h,
            y0,
            saveat=saved,
            stepsize_controller=control,
            max_steps=BUDGET,
            throw=False,
        )
        return found.ys, found.stats["num_steps"]

    program = jax.jit(solve)
    return Entry(lambda: jax.block_until_ready(program(y0)), lambda out: error(out[0]), lambda out: int(out[1]))


def reaction() -> dict[str, Entry]:
    """Fisher's front."""
    import diffrax
    import jax.numpy as jnp
    import numpy as np

    import continua
    from continua.equations import SplitODE
    from continua.methods import DOP853, Banded, KenCarp3, KenCarp4, Rodas5P, Tsit5

    def diffusion(_: Any, u: Any, __: Any) -> Any:
        wide = jnp.concatenate([u[:1], u, u[-1:]])
        return 0.5 * float(CELLS) ** 2 * (wide[2:] - 2 * u + wide[:-2])

    def growth(_: Any, u: Any, __: Any) -> Any:
        return 50 * u * (1 - u)

    law, ts = SplitODE(diffusion, growth), jnp.array([0.0, 0.2])
    start = 1 / (1 + jnp.exp(40 * ((jnp.arange(float(CELLS)) + 0.5) / CELLS - 0.2)))
    exact = np.asarray(continua.solve(law, start, ts, method=DOP853(), rtol=1e-12).ys[-1])

    def error(ys: Any) -> str:
        return f"{np.abs(np.asarray(ys)[-1] - exact).max():.1e}"

    terms = diffrax.MultiTerm(diffrax.ODETerm(growth), diffrax.ODETerm(diffusion))
    found = {}
    for rtol in (1e-4, 1e-6):
        for method in (KenCarp3(Banded(1, 1)), KenCarp4(Banded(1, 1)), Rodas5P(Banded(1, 1)), Tsit5()):
            found[f"continua {type(method).__name__}, {rtol:.0e}"] = ours(law, start, ts, error, method, rtol=rtol)
        for method in (diffrax.KenCarp3(), diffrax.KenCarp4(), diffrax.KenCarp5()):
            found[f"diffrax {type(method).__name__}, {rtol:.0e}"] = theirs(terms, start, ts, error, method, rtol, 1.0)
    return found


def spectral() -> dict[str, Entry]:
    """Kuramoto–Sivashinsky; the peers step its real and imaginary parts."""
    import diffrax
    import jax.numpy as jnp
    import numpy as np

    import continua
    from continua.equations import Diagonal, SplitODE
    from continua.methods import ETDRK4, Tsit5
    from continua.solver import Fixed

    length = 32 * np.pi
    k = 2 * np.pi / length * np.arange(MODES // 2 + 1)
    bend = jnp.asarray(-0.5j * k * (np.arange(MODES // 2 + 1) < MODES / 3))
    rates = jnp.asarray(k**2 - k**4)

    def transport(_: Any, u: Any, __: Any) -> Any:
        return bend * jnp.fft.rfft(jnp.fft.irfft(u, MODES) ** 2)

    def in_parts(field: Callable[..., Any]) -> Callable[..., Any]:
        def parts(t: Any, y: Any, args: Any) -> Any:
            slope = field(t, y[0] + 1j * y[1], args)
            return jnp.stack([slope.real, slope.imag])

        return parts

    law, ts = SplitODE(Diagonal(rates), transport), jnp.array([0.0, 20.0])
    x = length * np.arange(1, MODES + 1) / MODES
    start = jnp.fft.rfft(jnp.asarray(np.cos(2 * np.pi * x / length) * (1 + np.sin(2 * np.pi * x / length))))
    fine = continua.solve(law, start, ts, method=ETDRK4(), step_control=Fixed(0.005)).ys[-1]

    def error(ys: Any) -> str:
        end = np.asarray(ys)[-1]
        end = end if np.iscomplexobj(end) else end[0] + 1j * end[1]
        return f"{np.abs(end - fine).max() / np.abs(fine).max():.1e}"

    pair = jnp.stack([start.real, start.imag])
    slow, fast = diffrax.ODETerm(in_parts(transport)), diffrax.ODETerm(lambda t, y, args: rates[None] * y)
    whole, both = diffrax.ODETerm(in_parts(law)), diffrax.MultiTerm(slow, fast)
    found = {}
    for h in (0.25, 0.05):
        found[f"continua ETDRK4, h = {h}"] = ours(law, start, ts, error, ETDRK4(), step_control=Fixed(h))
    for rtol in (1e-4, 1e-6):
        for method in (ETDRK4(), Tsit5()):
            found[f"continua {type(method).__name__}, {rtol:.0e}"] = ours(law, start, ts, error, method, rtol=rtol)
        found[f"diffrax Tsit5, {rtol:.0e}"] = theirs(whole, pair, ts, error, diffrax.Tsit5(), rtol)
    found["diffrax KenCarp4, 1e-04"] = theirs(both, pair, ts, error, diffrax.KenCarp4(), 1e-4, 1.0)
    return found


def orbit() -> dict[str, Entry]:
    """Kepler's orbit."""
    import diffrax
    import jax.numpy as jnp
    import numpy as np

    from continua.equations import SecondOrder
    from continua.methods import Tsit5, Verlet, Yoshida4, Yoshida6
    from continua.solver import Fixed

    def pull(_: Any, q: Any, __: Any) -> Any:
        return -q / jnp.sqrt(jnp.sum(q**2)) ** 3

    year, law = 2 * np.pi, SecondOrder(pull)
    ts = jnp.linspace(0.0, REVOLUTIONS * year, 1009)
    start = jnp.array([0.7, 0.0]), jnp.array([0.0, np.sqrt(1.3 / 0.7)])

    def error(ys: Any) -> str:
        q, v = (np.asarray(x) for x in ys)
        drift = np.abs((v**2).sum(1) - 2 / np.linalg.norm(q, axis=1) + 1)
        return f"{drift[:100].max():.1e} … {drift[-100:].max():.1e}"

    terms = diffrax.ODETerm(lambda t, v, args: v), diffrax.ODETerm(pull)
    whole = diffrax.ODETerm(lambda t, y, args: (y[1], pull(t, y[0], args)))
    found = {}
    for method, steps in ((Verlet(), 300), (Yoshida4(), 100), (Yoshida6(), 43)):
        name = f"continua {type(method).__name__}, {steps} steps a turn"
        found[name] = ours(law, start, ts, error, method, step_control=Fixed(year / steps))
    found["continua Tsit5, 1e-06"] = ours(law, start, ts, error, Tsit5(), rtol=1e-6)
    euler = theirs(terms, start, ts, error, diffrax.SemiImplicitEuler(), h=year / 300)
    found["diffrax SemiImplicitEuler, 300 steps a turn"] = euler
    found["diffrax Tsit5, 1e-06"] = theirs(whole, start, ts, error, diffrax.Tsit5(), rtol=1e-6)
    return found


PROBLEMS = {"reaction": reaction, "spectral": spectral, "orbit": orbit}


def measure(rounds: int, only: list[str], tables: dict[str, Any]) -> dict[str, Any]:
    """The tables asked for, beside those that there are."""
    for name in only:
        entries = PROBLEMS[name]()
        print(name, file=sys.stderr, flush=True)
        times = timing.interleaved({key: entry.run for key, entry in entries.items()}, rounds)
        rows = {}
        for key, entry in entries.items():
            out = entry.run()
            rows[key] = times[key]._asdict() | {"error": entry.error(out), "steps": entry.steps(out)}
        tables[name] = rows
    return {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": rounds, "tables": tables}


def page(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [INTRODUCTION.format(**record["machine"], versions=versions, rounds=record["rounds"])]
    titles = {"reaction": "Reaction and diffusion", "spectral": "Kuramoto–Sivashinsky", "orbit": "An orbit"}
    for name, rows in record["tables"].items():
        lines += [f"## {titles[name]}", "", WORDS[name], "", "| | steps | error | ms |", "|---|--:|--:|--:|"]
        for key, row in rows.items():
            lines.append(f"| {key} | {row['steps']} | {row['error']} | {row['cpu']:.2f} ({row['cpu_min']:.2f}) |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", choices=PROBLEMS, default=list(PROBLEMS), help="tables to measure anew")
    parser.add_argument("--again", action="store_true", help="write the page anew from the numbers in the JSON")
    options = parser.parse_args()
    timing.pin_one_core()
    file = FOLDER / "structured.json"
    record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"tables": {}}
    record = record if options.again else measure(options.rounds, options.only, record["tables"])
    publish(FOLDER, "structured", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
