"""Fields with stencils beside hand-written loops and other libraries: docs/benchmarks/space.md and space.json.

    python benchmarks/space.py [--only heat power …] [--rounds 9]

Heat in two and three dimensions beside numba, OpenCV and py-pde; many steps at once by the symbol; the gradient through
a non-linear filter; a depth-wise convolution layer beside XLA's. Peers: numba, opencv-python-headless, py-pde.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish
from tables import HEAD, Record, measured, share, times

PACKAGES = ("jax", "jaxlib", "numpy", "numba", "opencv-python-headless", "py-pde", "scipy")
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
STEPS, RATIO = 128, 0.2  # explicit steps, and D Δt / Δx² of each
FILTER_STEPS, POWER_STEPS = 32, 1000
CUBE_RATIO = 0.15
ON_CORES = (((1024, 1024), RATIO), ((128, 128, 128), CUBE_RATIO), ((4096, 4096), RATIO))
SIDES = (64, 128, 256, 512, 1024, 2048)
NUMBA, SPACE, COPY = "numba loops", "continua", "copy"

INTRODUCTION = """# Fields and stencils

Written by `python benchmarks/space.py`; all numbers are in [space.json](space.json). Elliptic problems have
[a page of their own](space_elliptic.md), and so have [travel times](space_eikonal.md).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. One pinned core, one thread, {rounds}
interleaved rounds: the median, and in brackets the smallest. Compile time is no part of it. `continua` is
`solve(Evolution(stencil), …, Fixed(h))` with `Substeps(Euler(), k)`: k explicit steps, tile by tile. The largest
difference between its result and that of numba's stands beside the times.

| target | measured | asked for | |
|---|--:|--:|---|
"""

TITLES = {
    "heat": "Heat, 1024²",
    "cube": "Heat, 128³",
    "large": "Heat, 4096²",
    "cores": "On all cores",
    "power": "A thousand steps",
    "filter": "A non-linear filter",
    "layer": "A depth-wise layer",
    "sizes": "Cost against size",
}
OTHERS = {
    "space_elliptic": "elliptic, [of scipy or pyamg](space_elliptic.md):",
    "space_eikonal": "travel times, [of scikit-fmm](space_eikonal.md):",
}
STEPPED = ("heat", "cube", "large", "cores")

WORDS = {
    "heat": f"""Heat with insulated faces, explicit Euler, {STEPS} steps at D Δt/Δx² = {RATIO}; milliseconds a step. The
numba loop is written by hand for this equation: two arrays, the faces apart, `fastmath`. OpenCV's `filter2D` is one
pass with the kernel of a step. py-pde steps by its own `EulerSolver`.""",
    "cube": f"The same in three dimensions, D Δt/Δx² = {CUBE_RATIO}.",
    "large": """Heat on 4096² points, out of cache. The copy reads and writes a field of the same size; a step cannot be
faster than that unless it takes several steps on what is in cache.""",
    "cores": """One thread a core for numba, OpenCV and the copy; `Substeps(Euler(), k, jax.devices())` on one device a
core (`continua.configure()`), whose field stays where it was divided. Here the wall time counts.""",
    "power": f"""{POWER_STEPS} explicit steps at once: the transform of the field times the {POWER_STEPS}th power of the
growth factor of each wave (`propagate`), the same numbers as {POWER_STEPS} steps of the loop.""",
    "filter": f"""Perona and Malik's diffusion, {FILTER_STEPS} steps on 512² points, float32, and its gradient. The
naive forms are padded arrays in a `lax.scan`, differentiated by JAX.""",
    "sizes": """Time and memory against the number of points N, float64; the figure has them beside lines of N and
N log N. Fields are the arrays of N numbers that a program holds at once beyond what goes in and comes out.""",
    "layer": "A depth-wise 3 × 3 layer on 8 × 16 × 128² numbers, float32, beside `lax.conv_general_dilated`.",
}


def start(shape: tuple[int, ...], dtype: Any) -> Any:
    import jax.numpy as jnp
    import numpy as np

    return jnp.asarray(np.random.default_rng(0).random(shape), dtype)


def by_continua(
    shape: tuple[int, ...], dtype: Any, ratio: float, together: int, steps: int = STEPS, devices: Any = ()
) -> Callable[[Any], Any]:
    """`steps` explicit steps on pixels of width 1."""
    import jax.numpy as jnp

    from continua.methods import Euler, Substeps
    from continua.solver import Fixed, solve
    from continua.space import Evolution, Grid, Stencil, Symmetric

    heat = Evolution(Stencil.of("laplace", Grid.cells(shape, upper=[float(n) for n in shape]), Symmetric()))
    method = Euler() if together == 1 else Substeps(Euler(), together, devices)
    ts = jnp.asarray([0.0, ratio * steps], dtype)

    def run(field: Any) -> Any:
        control = Fixed(jnp.asarray(ratio * together, dtype))
        return solve(heat, field, ts, method=method, step_control=control, max_steps=steps // together + 1).ys[-1]

    return run


def loops(dimension: int, ratio: float, steps: int, dtype: Any, parallel: bool = False) -> Callable[[Any], Any]:
    """Explicit steps by hand-written loops, on all threads of numba where `parallel`."""
    import numba

    r = dtype(ratio)

    @numba.njit(fastmath=True, parallel=parallel)
    def plane(u: Any, v: Any) -> None:
        n, m = u.shape
        for i in numba.prange(n):
            up, down = max(i - 1, 0), min(i + 1, n - 1)
            v[i, 0] = u[i, 0] + r * (u[down, 0] + u[up, 0] + u[i, 1] - dtype(3) * u[i, 0])
            for j in range(1, m - 1):
                v[i, j] = u[i, j] + r * (u[down, j] + u[up, j] + u[i, j + 1] + u[i, j - 1] - dtype(4) * u[i, j])
            v[i, m - 1] = u[i, m - 1] + r * (u[down, m - 1] + u[up, m - 1] + u[i, m - 2] - dtype(3) * u[i, m - 1])

    @numba.njit(fastmath=True, parallel=parallel)
    def cube(u: Any, v: Any) -> None:
        n, m, k = u.shape
        for i in numba.prange(n):
            a, b = max(i - 1, 0), min(i + 1, n - 1)
            for j in range(m):
                c, d = max(j - 1, 0), min(j + 1, m - 1)
                first = u[b, j, 0] + u[a, j, 0] + u[i, d, 0] + u[i, c, 0] + u[i, j, 1]
                v[i, j, 0] = u[i, j, 0] + r * (first - dtype(5) * u[i, j, 0])
                for q in range(1, k - 1):
                    around = u[b, j, q] + u[a, j, q] + u[i, d, q] + u[i, c, q] + u[i, j, q + 1] + u[i, j, q - 1]
                    v[i, j, q] = u[i, j, q] + r * (around - dtype(6) * u[i, j, q])
                last = u[b, j, k - 1] + u[a, j, k - 1] + u[i, d, k - 1] + u[i, c, k - 1] + u[i, j, k - 2]
                v[i, j, k - 1] = u[i, j, k - 1] + r * (last - dtype(5) * u[i, j, k - 1])

    step = plane if dimension == 2 else cube

    return in_turn(step, steps)


def in_turn(step: Callable[[Any, Any], None], steps: int) -> Callable[[Any], Any]:
    """Steps between two arrays, which change their parts."""
    import numpy as np

    def run(field: Any) -> Any:
        u = np.array(field)
        v = np.empty_like(u)
        for _ in range(steps):
            step(u, v)
            u, v = v, u
        return u

    return run


def periodic_loops(ratio: float, steps: int, dtype: Any) -> Callable[[Any], Any]:
    """Explicit steps on a periodic plane."""
    import numba

    r = dtype(ratio)

    @numba.njit(fastmath=True)
    def plane(u: Any, v: Any) -> None:
        n, m = u.shape
        for i in range(n):
            up, down = (i - 1) % n, (i + 1) % n
            v[i, 0] = u[i, 0] + r * (u[down, 0] + u[up, 0] + u[i, 1] + u[i, m - 1] - dtype(4) * u[i, 0])
            for j in range(1, m - 1):
                v[i, j] = u[i, j] + r * (u[down, j] + u[up, j] + u[i, j + 1] + u[i, j - 1] - dtype(4) * u[i, j])
            last = u[down, m - 1] + u[up, m - 1] + u[i, m - 2] + u[i, 0]
            v[i, m - 1] = u[i, m - 1] + r * (last - dtype(4) * u[i, m - 1])

    return in_turn(plane, steps)


def by_opencv(field: Any, ratio: float, threads: int = 1) -> Callable[[], Any]:
    import cv2
    import numpy as np

    cv2.setNumThreads(threads)
    kernel = np.array([[0, ratio, 0], [ratio, 1 - 4 * ratio, ratio], [0, ratio, 0]], field.dtype)
    image = np.array(field)

    def run() -> Any:
        u = image
        for _ in range(STEPS):
            u = cv2.filter2D(u, -1, kernel, borderType=cv2.BORDER_REFLECT)
        return u

    return run


def by_pypde(field: Any, backend: str) -> Callable[[], Any]:
    import numpy as np
    import pde
    from pde.solvers import EulerSolver

    grid = pde.CartesianGrid([[0, n] for n in field.shape], field.shape)
    state = pde.ScalarField(grid, np.array(field))
    solver = EulerSolver(pde.DiffusionPDE(1.0, bc={"derivative": 0}), backend=backend)
    stepper = solver.make_stepper(state, dt=RATIO)

    def run() -> Any:
        moving = state.copy()
        stepper(moving, 0, RATIO * STEPS)
        return moving.data

    return run


def beside(reference: Any) -> Callable[[str, str, Any], Record]:
    """What a result says: how far it is from the reference."""
    import numpy as np

    expected = np.asarray(reference)

    def read(_: str, __: str, out: Any) -> Record:
        return {"difference": float(np.abs(np.asarray(out) - expected).max())}

    return read


def heat(shape: tuple[int, ...], kind: str, ratio: float, together: tuple[int, ...], rounds: int) -> Record:
    """Explicit steps of one problem by all that know it."""
    import numpy as np

    dtype = {"float32": np.float32, "float64": np.float64}[kind]
    field = start(shape, dtype)
    ours = {f"{SPACE}, {k} at once": {"forward": by_continua(shape, dtype, ratio, k)} for k in together}
    by_hand = loops(len(shape), ratio, STEPS, dtype)
    ready: Any = {NUMBA: {"forward": lambda: by_hand(field)}}
    if len(shape) == 2 and shape[0] <= 1024:
        ready["OpenCV filter2D"] = {"forward": by_opencv(field, ratio)}
    if kind == "float64":
        ready |= {f"py-pde, {name}": {"forward": by_pypde(field, name)} for name in ("numba", "jax")}
    if shape[0] > 1024:
        ours[COPY] = {"forward": _copies}
    return {"shape": shape, "dtype": kind, "rows": measured(ours, [field], rounds, beside(by_hand(field)), ready)}


def _copies(field: Any) -> Any:
    """As many passes over the field as there are steps, each reading and writing all of it."""
    from jax import lax

    return lax.fori_loop(0, STEPS, lambda _, u: lax.optimization_barrier(u * 1.0000001), field)


def on_all_cores(shape: tuple[int, ...], ratio: float, together: int, rounds: int) -> Record:
    """The same by threads and by devices, in a process that is not pinned."""
    import continua

    continua.configure(float64=True)
    import jax
    import numpy as np

    devices, field = jax.devices(), start(shape, np.float32)
    by_hand = loops(len(shape), ratio, STEPS, np.float32, parallel=True)
    ready: Any = {NUMBA: {"forward": lambda: by_hand(field)}}
    if len(shape) == 2 and shape[0] <= 1024:
        ready["OpenCV filter2D"] = {"forward": by_opencv(field, ratio, len(devices))}
    for name, on in ((f"{SPACE}, one device", ()), (f"{SPACE}, {len(devices)} devices", devices)):
        program = jax.jit(by_continua(shape, np.float32, ratio, together, devices=on)).lower(field).compile()
        placed = jax.device_put(field, program.input_shardings[0][0])
        ready[name] = {"forward": lambda program=program, placed=placed: jax.block_until_ready(program(placed))}
        if on and shape[0] > 1024:
            copies = jax.jit(_copies)
            ready[COPY] = {"forward": lambda copies=copies, placed=placed: jax.block_until_ready(copies(placed))}
    rows = measured({}, [], rounds, beside(by_hand(field)), ready)
    return {"shape": shape, "points": "×".join(map(str, shape)), "rows": rows}


def elsewhere(*arguments: str) -> Any:
    """What this program measures in a process of its own."""
    command = [sys.executable, str(Path(__file__)), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def power(kind: str, rounds: int) -> Record:
    """A thousand steps at once."""
    import numpy as np

    from continua.space import Evolution, Grid, Periodic, Stencil, Symmetric, propagate

    sides = {"periodic": Periodic(), "insulated": Symmetric()}[kind]
    field = start((1024, 1024), np.float32)
    heat = Evolution(Stencil.of("laplace", Grid.cells((1024, 1024), upper=(1024.0, 1024.0)), sides))
    by_hand = (
        periodic_loops(RATIO, POWER_STEPS, np.float32)
        if kind == "periodic"
        else loops(2, RATIO, POWER_STEPS, np.float32)
    )
    at_once = lambda u: propagate(heat, u, RATIO * POWER_STEPS, lambda z: (1 + z / POWER_STEPS) ** POWER_STEPS)  # noqa: E731
    functions: Any = {SPACE: {"forward": at_once}}
    ready = {NUMBA: {"forward": lambda: by_hand(field)}}
    return {"boundary": kind, "rows": measured(functions, [field], rounds, beside(by_hand(field)), ready)}


def perona_malik(difference: Any) -> Any:
    return difference / (1 + (difference * difference) * 100)


def filters(rounds: int) -> Record:
    """Forward and gradient of a non-linear filter."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    from continua.methods import Euler, Substeps
    from continua.solver import Fixed, solve
    from continua.space import Evolution, Flow, Symmetric

    field, weights = start((512, 512), np.float32), start((512, 512), np.float32) - 0.5
    flow = Evolution(Flow(perona_malik, Symmetric(), spacing=(1.0, 1.0)))
    ts = jnp.asarray([0.0, RATIO * FILTER_STEPS], jnp.float32)

    def ours(together: int) -> Callable[[Any], Any]:
        method = Euler() if together == 1 else Substeps(Euler(), together)
        control, most = Fixed(jnp.float32(RATIO * together)), FILTER_STEPS // together + 1
        return lambda u: solve(flow, u, ts, method=method, step_control=control, max_steps=most).ys[-1]

    def step(u: Any) -> Any:
        p = jnp.pad(u, 1, mode="edge")
        around = [p[2:, 1:-1], p[:-2, 1:-1], p[1:-1, 2:], p[1:-1, :-2]]
        return u + jnp.float32(RATIO) * sum(perona_malik(n - u) for n in around)

    def naive(u: Any) -> Any:
        return lax.scan(lambda u, _: (step(u), None), u, None, length=FILTER_STEPS)[0]

    def checkpointed(u: Any) -> Any:
        return lax.scan(lambda u, _: (jax.checkpoint(step)(u), None), u, None, length=FILTER_STEPS)[0]

    candidates = {
        **{f"{SPACE}, {k} at once": ours(k) for k in (1, 4, 8)},
        "pad in a scan": naive,
        "pad in a scan, checkpoints": checkpointed,
    }
    functions: Any = {
        name: {"forward": run, "gradient": jax.grad(lambda u, run=run: jnp.vdot(weights, run(u)))}
        for name, run in candidates.items()
    }
    reference = {"forward": jax.jit(naive)(field), "gradient": jax.jit(functions["pad in a scan"]["gradient"])(field)}
    read = lambda name, kind, out: beside(reference[kind])(name, kind, out)  # noqa: E731
    return {"rows": measured(functions, [field], rounds, read)}


def layer(rounds: int) -> Record:
    """A depth-wise layer, and its derivative in the field and the weights."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    from continua.space import Outside, Stencil

    field, weights = start((8, 16, 128, 128), np.float32), start((16, 9), np.float32)
    stencil = Stencil.from_kernel(np.ones((3, 3)), Outside())
    ours = lambda w, u: stencil.with_weights(w.T[:, :, None, None])(u)  # noqa: E731
    theirs = lambda w, u: lax.conv_general_dilated(  # noqa: E731
        u, w.reshape(16, 1, 3, 3), (1, 1), "SAME", feature_group_count=16
    )
    ahead = start((8, 16, 128, 128), np.float32)

    def both(run: Callable) -> Callable:
        def value_and_pull(w: Any, u: Any) -> Any:
            value, pull = jax.vjp(run, w, u)
            return value, pull(ahead)

        return value_and_pull

    functions: Any = {
        name: {"forward": run, "gradient": both(run)} for name, run in ((SPACE, ours), ("lax.conv", theirs))
    }
    expected = jax.jit(theirs)(weights, field)
    read = lambda name, kind, out: beside(expected)(name, kind, out if kind == "forward" else out[0])  # noqa: E731
    del jnp
    return {"rows": measured(functions, [weights, field], rounds, read)}


def sizes(rounds: int) -> Record:
    """One program of each kind on squares of growing size."""
    import jax.numpy as jnp
    import numpy as np

    from continua.space import Dirichlet, Evolution, Grid, Neumann, Stencil, poisson, propagate

    found: Record = {}
    for side in SIDES:
        field = start((side, side), np.float64)
        cells = Grid.cells((side, side), upper=(float(side), float(side)))
        heat = Evolution(Stencil.of("laplace", cells, Neumann()))
        functions: Any = {
            "heat, 32 steps": {"forward": by_continua((side, side), np.float64, RATIO, 32, 32)},
            "heat, any time at once": {"forward": lambda u, heat=heat: propagate(heat, u, jnp.float64(6.4))},
            "Poisson": {"forward": lambda u, cells=cells: poisson(cells, u, Dirichlet())},
        }
        rows = measured(functions, [field], rounds, lambda *_: {})
        for name, row in rows.items():
            cells_held = row["forward"]["temp_bytes"] / field.nbytes
            found.setdefault(name, {})[side] = {"cpu": row["forward"]["cpu"], "fields": cells_held}
    return found


def draw(found: Record, path: Path) -> None:
    """Seconds a call against points."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, row in found.items():
        points = np.array([int(side) ** 2 for side in row])
        axes.loglog(points, [cells["cpu"] / 1e3 for cells in row.values()], "o-", label=name)
    last = max(cells["cpu"] / 1e3 for row in found.values() for cells in row.values())
    points = np.array([min(SIDES) ** 2, max(SIDES) ** 2], float)
    axes.loglog(points, last * points / points[-1], "k:", linewidth=0.8, label="N")
    axes.loglog(
        points,
        last * points * np.log(points) / (points[-1] * np.log(points[-1])),
        "k--",
        linewidth=0.8,
        label="N log N",
    )
    axes.set(xlabel="points N", ylabel="CPU seconds")
    axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def sizes_table(found: Record) -> str:
    sides = [*next(iter(found.values()))]
    lines = [
        "| ns a point (fields held) | " + " | ".join(f"{side}²" for side in sides) + " |",
        "|---|" + "--:|" * len(sides),
    ]
    for name, row in found.items():
        cells = [f"{1e6 * one['cpu'] / int(side) ** 2:.3g} ({one['fields']:.1f})" for side, one in row.items()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n![Cost against size](space.svg)"


def run(only: list[str], rounds: int) -> Record:
    found: Record = {}
    if "heat" in only:
        found["heat"] = [heat((1024, 1024), kind, RATIO, (1, 8, 32, STEPS), rounds) for kind in ("float32", "float64")]
    if "cube" in only:
        found["cube"] = [heat((128,) * 3, "float32", CUBE_RATIO, (1, 8, 32, STEPS), rounds)]
    if "large" in only:
        found["large"] = [heat((4096, 4096), "float32", RATIO, (1, 16, 32, STEPS), max(3, rounds // 3))]
    if "power" in only:
        found["power"] = [power(kind, max(3, rounds // 3)) for kind in ("periodic", "insulated")]
    if "filter" in only:
        found["filter"] = filters(rounds)
    if "layer" in only:
        found["layer"] = layer(rounds)
    if "sizes" in only:
        found["sizes"] = sizes(max(3, rounds // 3))
    return found


def best(rows: Record, kind: str = "forward", clock: str = "cpu") -> float:
    return min(row[kind][clock] for name, row in rows.items() if name.startswith(SPACE))


def promises(found: Record) -> list[tuple[str, float, float]]:
    """(what, our time over the peer's, at most)."""
    kept: list[tuple[str, float, float]] = []
    for one in found.get("heat", []):
        rows = one["rows"]
        ours, name = best(rows), f"heat 1024², {one['dtype']}"
        if one["dtype"] == "float32":
            kept.append((f"{name}, of numba", ours / rows[NUMBA]["forward"]["cpu"], 1.1))
            kept.append((f"{name}, of OpenCV", ours / rows["OpenCV filter2D"]["forward"]["cpu"], 1 / 1.5))
        else:
            kept.append((f"{name}, of py-pde with numba", ours / rows["py-pde, numba"]["forward"]["cpu"], 1 / 10))
            kept.append((f"{name}, of py-pde on JAX", ours / rows["py-pde, jax"]["forward"]["cpu"], 1 / 1.1))
    kept += [
        ("heat 128³, float32, of numba", best(one["rows"]) / one["rows"][NUMBA]["forward"]["cpu"], 1.3)
        for one in found.get("cube", [])
    ]
    for one in found.get("large", []):
        rows = one["rows"]
        kept.append(("heat 4096², float32, of numba", best(rows) / rows[NUMBA]["forward"]["cpu"], 1.3))
        kept.append(("heat 4096², float32, of a copy", best(rows) / rows[COPY]["forward"]["cpu"], 1 / 0.7))
    for one in found.get("cores", []):
        rows, name = one["rows"], f"all cores, heat {one['points']}, wall"
        most = 1.1 if one["points"] == "1024×1024" else 1.3
        kept += [
            (f"{name}, of {peer}", best(rows, clock="wall") / rows[row]["forward"]["wall"], limit)
            for row, peer, limit in (
                (NUMBA, "numba", most),
                ("OpenCV filter2D", "OpenCV", 1 / 1.5),
                (COPY, "a copy", 1 / 0.7),
            )
            if row in rows
        ]
    kept += [
        (f"fields held, {name}", max(cells["fields"] for cells in row.values()), 3.0)
        for name, row in found.get("sizes", {}).items()
    ]
    for one in found.get("power", []):
        ratio = best(one["rows"]) / one["rows"][NUMBA]["forward"]["cpu"]
        kept.append(
            (
                f"{POWER_STEPS} steps, {one['boundary']}, of numba",
                ratio,
                1 / 30 if one["boundary"] == "periodic" else 1 / 10,
            )
        )
    if "filter" in found:
        rows = found["filter"]["rows"]
        fastest = min(row["forward"]["cpu"] for row in rows.values())
        kept.append(("gradient of a filter, of the fastest forward", best(rows, "gradient") / fastest, 7.5))
    if "layer" in found:
        rows = found["layer"]["rows"]
        for kind, most in (("forward", 1 / 30), ("gradient", 1 / 3)):
            name = "depth-wise layer" + (", forward and backward" if kind == "gradient" else "")
            kept.append((f"{name}, of lax.conv", best(rows, kind) / rows["lax.conv"][kind]["cpu"], most))
    return kept


def table(one: Record, steps: int) -> str:
    lines = [
        f"| | {HEAD.replace('ms', 'ms a step')} | difference |" if steps > 1 else f"| | {HEAD} | difference |",
        "|---|--:|--:|--:|",
    ]
    for name, row in one["rows"].items():
        for kind, cells in row.items():
            scaled = {k: v / steps if k in ("cpu", "cpu_min", "wall", "wall_min") else v for k, v in cells.items()}
            label = name if kind == "forward" else f"{name}: {kind}"
            gap = "–" if name == COPY else f"{cells['difference']:.1e}"
            lines.append(f"| {label} | {times(scaled)} | {gap} |")
    return "\n".join(lines)


def targets_of(name: str, words: str) -> list[tuple[str, str, str, str]]:
    """What the page of another benchmark says of its own targets."""
    path = FOLDER / f"{name}.md"
    if not path.exists():
        return []
    _, _, rest = path.read_text(encoding="utf-8").partition("## Targets")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| |")]
    return [(f"{words} {what}, {kind}", ratio, most, met) for what, kind, ratio, most, met in cells]


def page(record: Record) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    text = INTRODUCTION.format(**record["machine"], versions=versions, rounds=record["rounds"])
    for name, ratio, most in promises(record["found"]):
        text += f"| {name} | {share(ratio)} | ≤ {share(most)} | {'met' if ratio <= most else 'missed'} |\n"
    for other, peers in OTHERS.items():
        text += "".join(
            f"| {title} | {ratio} | {most} | {met} |\n" for title, ratio, most, met in targets_of(other, peers)
        )
    for key, words in WORDS.items():
        parts = record["found"].get(key, [])
        for one in parts if isinstance(parts, list) else [parts]:
            detail = ", ".join(str(one[k]) for k in ("dtype", "boundary", "points") if k in one)
            text += f"\n## {TITLES[key]}{f', {detail}' if detail else ''}\n\n{words}\n\n"
            text += (sizes_table(one) if key == "sizes" else table(one, STEPS if key in STEPPED else 1)) + "\n"
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(WORDS), choices=list(WORDS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--cores", type=int, help="measure this one of the table on all cores, and print it")
    arguments = parser.parse_args()
    if arguments.cores is not None:
        shape, ratio = ON_CORES[arguments.cores]
        sys.stdout.write(json.dumps(on_all_cores(shape, ratio, STEPS, arguments.rounds)) + "\n")
        sys.exit()
    chosen = (
        range(len(ON_CORES)) if "cores" in arguments.only else ()
    )  # before this process and its children are pinned
    on_cores = [elsewhere("--cores", str(number), "--rounds", str(arguments.rounds)) for number in chosen]
    timing.pin_one_core()
    found = run(arguments.only, arguments.rounds) | ({"cores": on_cores} if on_cores else {})
    old = arguments.to / "space.json"
    if old.exists() and {*arguments.only} != {*WORDS}:
        found = json.loads(old.read_text(encoding="utf-8"))["found"] | found
    record = {
        "machine": timing.machine(),
        "versions": timing.versions(PACKAGES),
        "rounds": arguments.rounds,
        "found": found,
    }
    publish(arguments.to, "space", record, page)
    if "sizes" in found:
        draw(found["sizes"], arguments.to / "space.svg")
    sys.stdout.write(page(record))
