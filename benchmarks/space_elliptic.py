"""Elliptic solvers beside peers: writes docs/benchmarks/space_elliptic.md and .json.

    python benchmarks/space_elliptic.py

Poisson's equation on 1023² points against scipy's sine transforms, and its gradient; a medium that varies against
pyamg; cost against size from 64² to 2048².
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tables
import timing
from pages import publish

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "pyamg")
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
SIZE, SIZES = 1023, (64, 128, 256, 512, 1024, 2048)
OURS, SCIPY, PYAMG = "continua", "scipy DST", "pyamg Ruge–Stüben + CG"
TARGETS = {"float32": 1.5, "float64": 1.5, "medium": 1 / 2.5}
RESIDUAL = 1e-8

Record = dict[str, Any]

INTRODUCTION = """# Elliptic equations

Written by `python benchmarks/space_elliptic.py`; all numbers are in [space_elliptic.json](space_elliptic.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}

One pinned core, one thread, {rounds} interleaved rounds. CPU and wall time are milliseconds a call: the median, and in
brackets the smallest. Compile time is CPU seconds from empty caches, memory what a program takes beside its arguments.
The source is noise. Errors of Poisson's equation are against scipy in double precision, relative; those of the medium
are residuals relative to the source. The time of pyamg includes its setup, as that of continua does.
"""


def problem(size: int, dtype: Any) -> tuple[Any, Any]:
    """A grid of size² unknowns under u = 0, and a source."""
    import jax.numpy as jnp
    import numpy as np

    from continua.space import Dirichlet, Grid

    noise = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
    return Grid.vertices((size, size), Dirichlet()), jnp.asarray(noise)


def by_scipy(source: Any) -> Callable[[], Any]:
    """Four sine transforms and a division."""
    import numpy as np
    from scipy.fft import dstn, idstn

    size = len(source)
    one = (2 * np.sin(np.pi * np.arange(1, size + 1) / (2 * size + 2)) * (size + 1)) ** 2
    spectrum = (one[:, None] + one).astype(source.dtype)
    return lambda: idstn(dstn(source, type=1) / spectrum, type=1)


def direct(dtype: str, rounds: int) -> Record:
    """Poisson's equation and its gradient against scipy."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from continua.space import Dirichlet, poisson

    grid, f = problem(SIZE, dtype)
    exact = by_scipy(np.asarray(f, float))()

    def solve(f: Any) -> Any:
        return poisson(grid, f, Dirichlet())

    def read(_: str, kind: str, found: Any) -> Record:
        return {"error": _off(found, exact)} if kind == "forward" else {}

    functions = {OURS: {"forward": solve, "gradient": jax.grad(lambda f: jnp.sum(solve(f) ** 2))}}
    return tables.measured(functions, (f,), rounds, read, {SCIPY: {"forward": by_scipy(np.asarray(f))}})


def _off(found: Any, exact: Any) -> float:
    import numpy as np

    return float(np.linalg.norm(np.asarray(found, float) - exact) / np.linalg.norm(exact))


def coefficient(grid: Any) -> Any:
    """Positive, smooth, from 1/30 to 30."""
    import jax.numpy as jnp

    return grid.sample(lambda x, y: jnp.exp(2 * jnp.sin(13 * x + 3 * y) + 1.5 * jnp.cos(17 * y)))


def medium(size: int, rounds: int) -> Record:
    """A medium that varies against pyamg, to the same residual."""
    import jax.numpy as jnp
    import numpy as np
    import pyamg

    from continua.space import Boundaries, ConjugateGradient, Dirichlet, Multigrid, diffusion
    from continua.space.elliptic.network import network

    grid, f = problem(size, "float64")
    a = coefficient(grid)
    net = network(grid, Boundaries.of(Dirichlet(), 2), a, jnp.zeros((1, 1)), f.dtype)
    matrix, b = assembled([np.asarray(c) for c in net.conductances()]), np.asarray(f).ravel()

    def by_pyamg() -> Any:
        hierarchy = pyamg.ruge_stuben_solver(matrix, max_coarse=300)
        return hierarchy.solve(b, tol=RESIDUAL, accel="cg")

    def ours(method: Any) -> Callable[[Any, Any], Any]:
        return lambda f, a: diffusion(grid, f, Dirichlet(), a, method=method)

    def read(_: str, __: str, found: Any) -> Record:
        return {"error": float(np.linalg.norm(matrix @ np.asarray(found).ravel() - b) / np.linalg.norm(b))}

    functions = {
        OURS: {"forward": ours(ConjugateGradient(rtol=RESIDUAL))},
        "continua, multigrid alone": {"forward": ours(Multigrid(rtol=RESIDUAL))},
    }
    return tables.measured(functions, (f, a), rounds, read, {PYAMG: {"forward": by_pyamg}})


def assembled(conductances: Any) -> Any:
    """The same network as a sparse matrix."""
    import numpy as np
    from scipy.sparse import diags_array

    rows, columns = conductances
    count = rows.shape[1]
    diagonal = rows[:-1] + rows[1:] + columns[:, :-1] + columns[:, 1:]
    beside = np.where(np.arange(count) == count - 1, 0, columns[:, 1:]).ravel()[:-1]
    below = rows[1:-1].ravel()
    parts = [diagonal.ravel(), -beside, -beside, -below, -below]
    return diags_array(parts, offsets=[0, 1, -1, count, -count]).tocsr()


def growth(rounds: int) -> Record:
    """CPU milliseconds against size."""
    import jax

    from continua.space import ConjugateGradient, Dirichlet, diffusion, poisson

    rows: Record = {"direct": [], "multigrid": []}
    for size in SIZES:
        grid, f = problem(size - 1, "float64")
        a = coefficient(grid)
        programs = {
            "direct": jax.jit(lambda f, a, grid=grid: poisson(grid, f, Dirichlet())),
            "multigrid": jax.jit(
                lambda f, a, grid=grid: diffusion(grid, f, Dirichlet(), a, method=ConjugateGradient(rtol=RESIDUAL))
            ),
        }
        runs = {k: lambda p=p, f=f, a=a: jax.block_until_ready(p(f, a)) for k, p in programs.items()}
        for name, found in timing.interleaved(runs, rounds).items():
            rows[name].append({"size": size - 1, **found._asdict()})
    return rows


def page(record: Record) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    parts = {key: record[key] for key in ("machine", "rounds", "quiet")}
    lines = [INTRODUCTION.format(**parts["machine"], versions=versions, rounds=parts["rounds"], quiet=parts["quiet"])]
    for title, part in (
        (f"Poisson, {SIZE}², float32", "float32"),
        (f"Poisson, {SIZE}², float64", "float64"),
        (f"A medium that varies, {SIZE}², float64", "medium"),
    ):
        lines += [
            f"## {title}",
            "",
            f"| | | {tables.HEAD} | error | compile, s | memory, MiB |",
            "|---|---|--:|--:|--:|--:|--:|",
        ]
        for name, kinds in record[part].items():
            for kind, found in kinds.items():
                error = f"{found['error']:.1e}" if "error" in found else "–"
                lines.append(f"| {name} | {kind} | {tables.times(found)} | {error} | {tables.costs(found)} |")
        lines.append("")
    lines += [
        "## Targets",
        "",
        "CPU time of ours over that of the peer.",
        "",
        "| | | ratio | target | |",
        "|---|---|--:|--:|---|",
    ]
    for part, most in TARGETS.items():
        peer = record[part][PYAMG if part == "medium" else SCIPY]
        lines.append(tables.target(part, "forward", record[part][OURS], peer, most))
    lines += [
        "",
        "## Cost against size",
        "",
        "CPU nanoseconds a point.",
        "",
        "| points | direct | multigrid |",
        "|--:|--:|--:|",
    ]
    for one, other in zip(*record["growth"].values(), strict=True):
        cells = (f"{1e6 * found['cpu'] / found['size'] ** 2:.0f}" for found in (one, other))
        lines.append(f"| {one['size']}² | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="interleaved rounds")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets the page and the numbers")
    options = parser.parse_args()
    timing.pin_one_core()
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record |= {"quiet": options.quiet} | {dtype: direct(dtype, options.rounds) for dtype in ("float32", "float64")}
    record |= {"medium": medium(SIZE, max(3, options.rounds // 5)), "growth": growth(max(3, options.rounds // 4))}
    publish(options.output, "space_elliptic", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
