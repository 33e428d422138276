"""Travel times beside scikit-fmm: writes docs/benchmarks/space_eikonal.md and .json.

    python benchmarks/space_eikonal.py

From a point on 512² cells: through an even medium, a smooth one and a maze, and cost against size.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish
from tables import HEAD, target, times

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("jax", "jaxlib", "numpy", "scikit-fmm")
SIZE, SIZES, WALLS = 512, (64, 128, 256, 512, 1024), 8
OURS, EXACT, PEER = "continua order 1, f32", "continua order 2, f32", "scikit-fmm order 2"
TARGETS = {"smooth": 1 / 10, "maze": 1 / 4}
SLOPE = 1.5

Record = dict[str, Any]

INTRODUCTION = """# Travel times

Written by `python benchmarks/space_eikonal.py`; all numbers are in [space_eikonal.json](space_eikonal.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}

From a point on 512² cells. Milliseconds a call, one pinned core, {rounds} interleaved rounds: the median, and in
brackets the smallest. Errors are means in units of the time to cross a cell at speed 1, against closed forms (even,
linear) and against order 2 on three times as many cells a side (smooth). In the maze 8 walls are 100 times slower.
"""


def media(size: int) -> Record:
    """Speed, source, and the exact times where they are known."""
    import numpy as np

    x, y = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2, indexing="ij")
    middle = (size // 2 + 0.5) / size
    apart = np.hypot(x - middle, y - middle)
    linear = 1 + SLOPE * x
    bent = np.arccosh(1 + (SLOPE * apart) ** 2 / (2 * linear * (1 + SLOPE * middle))) / SLOPE
    maze = np.ones((size, size))
    for wall in range(WALLS):
        low = round(size * (40 + 56 * wall) / 512)
        ends = (20, 60) if wall % 2 else (452, 492)
        maze[low : low + max(size // 64, 1)] = 0.01
        maze[low : low + max(size // 64, 1), slice(*(round(size * end / 512) for end in ends))] = 1
    return {
        "even": (np.ones_like(x), middle, apart),
        "linear": (linear, middle, bent),
        "smooth": (1 + 0.5 * np.sin(6 * np.pi * x) * np.sin(6 * np.pi * y), middle, None),
        "maze": (maze, 5.5 / size if size >= 512 else 1.5 / size, None),
    }


def candidates(speed: Any, place: float) -> tuple[dict[str, Callable], Callable]:
    """Every way to the times, and our gradient of their mean."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import skfmm

    from continua.space import Grid, eikonal

    size = len(speed)
    grid, single = Grid.cells((size, size)), jnp.asarray(speed, jnp.float32)
    source = jnp.full(2, place, jnp.float32)

    def ours(order: int, field: Any) -> Callable[[], Any]:
        program = jax.jit(lambda v: eikonal(grid, v, source.astype(v.dtype), order=order).times)
        return lambda: jax.block_until_ready(program(field))

    phi = np.ones_like(speed)
    phi[(int(place * size),) * 2] = 0
    slope = jax.jit(jax.grad(lambda v: eikonal(grid, v, source, order=1).times.mean()))
    found = {
        OURS: ours(1, single),
        EXACT: ours(2, single),
        "continua order 2, f64": ours(2, jnp.asarray(speed)),
        "scikit-fmm order 1": lambda: skfmm.travel_time(phi, speed, dx=1 / size, order=1),
        PEER: lambda: skfmm.travel_time(phi, speed, dx=1 / size, order=2),
    }
    return found, lambda: jax.block_until_ready(slope(single))


def finer(name: str) -> Any:
    """Times of order 2 on three times as many cells a side, whose middles hold ours."""
    import jax.numpy as jnp

    from continua.space import Grid, eikonal

    speed, _, _ = media(3 * SIZE)[name]
    _, place, _ = media(SIZE)[name]
    return eikonal(Grid.cells((3 * SIZE,) * 2), jnp.asarray(speed), [place, place]).times[1::3, 1::3]


def table(rounds: int) -> Record:
    """Times and errors of every candidate in every medium."""
    import numpy as np

    rows: Record = {}
    for name, (speed, place, exact) in media(SIZE).items():
        functions, gradient = candidates(speed, place)
        truth = finer(name) if name == "smooth" else exact
        rows[name] = {k: {"forward": t._asdict()} for k, t in timing.interleaved(functions, rounds).items()}
        rows[name][OURS]["gradient"] = timing.interleaved({OURS: gradient}, rounds)[OURS]._asdict()
        for one, function in functions.items() if truth is not None else ():
            rows[name][one]["error"] = float(np.abs(np.asarray(function(), float) - truth).mean() * SIZE)
    return rows


def sizes(rounds: int) -> Record:
    """CPU milliseconds in the smooth medium."""
    found: Record = {}
    for size in SIZES:
        speed, place, _ = media(size)["smooth"]
        functions, _ = candidates(speed, place)
        for name, timed in timing.interleaved(functions, rounds).items():
            found.setdefault(name, {})[size] = timed.cpu
    return found


def page(record: Record) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    head = INTRODUCTION.format(**record["machine"], versions=versions, rounds=record["rounds"], quiet=record["quiet"])
    lines = [head]
    for name, rows in record["table"].items():
        lines += [f"## {name.capitalize()}", "", f"| | {HEAD} | mean error |", "|---|--:|--:|--:|"]
        for one, row in rows.items():
            error = f"{row['error']:.2g}" if "error" in row else "–"
            lines.append(f"| {one} | {times(row['forward'])} | {error} |")
            if "gradient" in row:
                lines.append(f"| {one}: value and gradient | {times(row['gradient'])} | |")
        lines.append("")
    lines += [
        "## Targets",
        "",
        "CPU time over that of scikit-fmm order 2.",
        "",
        "| | | ratio | target | |",
        "|---|---|--:|--:|---|",
    ]
    for name, most in TARGETS.items():
        ours, peer = (record["table"][name][one] for one in (OURS, PEER))
        lines.append(target(name, "forward", ours, peer, most))
        lines.append(target(name, "gradient", ours, {"gradient": peer["forward"]}, 0.5))
    lines += ["", "## Cost against size", "", "CPU milliseconds, smooth medium.", ""]
    lines += ["| | " + " | ".join(f"{size}²" for size in SIZES) + " |", "|---|" + "--:|" * len(SIZES)]
    for name, row in record["sizes"].items():
        lines.append(f"| {name} | " + " | ".join(f"{ms:.3g}" for ms in row.values()) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets the page and the numbers")
    options = parser.parse_args()
    timing.pin_one_core()
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record |= {"quiet": options.quiet, "table": table(options.rounds), "sizes": sizes(options.rounds)}
    publish(options.output, "space_eikonal", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
