"""Geometric Brownian motion × 4096 and its gradient, beside peers: writes docs/benchmarks/stochastic.md and .json.

    python benchmarks/stochastic.py

μ, σ = 0.05, 0.2 from 1, T = 1 in 128 fixed steps, a key for each path, float64. The gradient is that of the mean of the
squared ends with respect to the parameters and the start. diffrax allows no reverse derivative of its
`UnsafeBrownianPath`, so its gradients are those along its `VirtualBrownianTree`.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tables
import timing
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
COUNT, STEPS, POINT = 4096, 128, (0.05, 0.2, 1.0)
PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "numpy")
OURS, UNSAFE, TREE = (
    "continua solve_ensemble, EulerMaruyama",
    "diffrax UnsafeBrownianPath, Euler",
    "diffrax tree, Euler",
)
TARGETS = {"forward": (UNSAFE, 1 / 2), "gradient": (TREE, 1 / 2)}

Record = dict[str, Any]
Values = Callable[[Any, Any], Any]

INTRODUCTION = """# Stochastic equations

Written by `python benchmarks/stochastic.py`; all numbers are in [stochastic.json](stochastic.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

Geometric Brownian motion × {count}: μ, σ = 0.05, 0.2 from 1, T = 1 in {steps} fixed steps, float64, a key for each
path, from which all peers take its noise. The gradient is that of the mean of the squared ends with respect to
μ, σ and the start; along diffrax's `UnsafeBrownianPath` it allows none, so its gradient is that along its
`VirtualBrownianTree` (tolerance half a step). "jax.lax.scan" is what one writes by hand: `jax.random.normal` in a scan
over the steps of all paths.

One pinned core, one thread, interleaved rounds. CPU and wall time are milliseconds a call: the median, and in brackets
the smallest. Compile time is CPU seconds. The mean is that of the squared ends; exact is {exact:.4f}, the standard
error {error:.4f}. Memory is what the compiled program needs besides its results.
"""


def candidates() -> dict[str, Values]:
    """The ends [path] as functions of (μ, σ, y₀) and of the keys."""
    import diffrax
    import jax
    import jax.numpy as jnp
    import lineax
    from jax import lax

    import continua
    from continua.equations import GeometricBrownianMotion
    from continua.methods import EulerMaruyama, Milstein
    from continua.solver import Fixed

    ends = jnp.array([0.0, 1.0])

    def ours(method: Any) -> Values:
        def values(p: Any, keys: Any) -> Any:
            equation, how = GeometricBrownianMotion(p[0], p[1]), {"method": method, "step_control": Fixed(1 / STEPS)}
            return continua.solve_ensemble(equation, p[2:], ends, in_axes={}, key=keys, **how).ys[:, -1, 0]

        return values

    def plain(p: Any, keys: Any) -> Any:
        equation, how = GeometricBrownianMotion(p[0], p[1]), {"step_control": Fixed(1 / STEPS)}
        one = lambda key: continua.solve(equation, p[2:], ends, key=key, method=EulerMaruyama(), **how).ys[-1, 0]  # noqa: E731
        return jax.vmap(one)(keys)

    def peer(path: Callable[[Any], Any], adjoint: Any) -> Values:
        def values(p: Any, keys: Any) -> Any:
            drift = diffrax.ODETerm(lambda t, y, args: p[0] * y)

            def one(key: Any) -> Any:
                noise = diffrax.ControlTerm(lambda t, y, args: lineax.DiagonalLinearOperator(p[1] * y), path(key))
                terms, rest = diffrax.MultiTerm(drift, noise), {"max_steps": 4096, "adjoint": adjoint}
                return diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, 1.0, 1 / STEPS, p[2:], **rest).ys[-1, 0]

            return jax.vmap(one)(keys)

        return values

    def by_hand(p: Any, keys: Any) -> Any:
        def step(y: Any, i: Any) -> Any:
            noise = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, i), dtype=y.dtype))(keys)
            return y + p[0] * y / STEPS + p[1] * y * noise / math.sqrt(STEPS), None

        return lax.scan(step, jnp.broadcast_to(p[2], COUNT), jnp.arange(STEPS))[0]

    def tree(key: Any) -> Any:
        return diffrax.VirtualBrownianTree(0.0, 1.0, 0.5 / STEPS, (1,), key)

    return {
        OURS: ours(EulerMaruyama()),
        "continua solve_ensemble, Milstein": ours(Milstein()),
        "continua vmap of solve, EulerMaruyama": plain,
        UNSAFE: peer(lambda key: diffrax.UnsafeBrownianPath((1,), key), diffrax.DirectAdjoint()),
        TREE: peer(tree, diffrax.RecursiveCheckpointAdjoint()),
        "jax.lax.scan": by_hand,
    }


def measured(rounds: int) -> Record:
    """Every candidate forward and with its gradient."""
    import jax

    point = jax.numpy.array(POINT), jax.random.split(jax.random.key(0), COUNT)
    functions: tables.Functions = {}
    for name, values in candidates().items():
        mean = lambda p, keys, values=values: (values(p, keys) ** 2).mean()  # noqa: E731
        functions[name] = {"forward": mean} | ({} if name == UNSAFE else {"gradient": jax.value_and_grad(mean)})

    def read(_: str, kind: str, output: Any) -> Record:
        if kind == "forward":
            return {"mean": float(output)}
        return {"mean": float(output[0]), "slope": [float(x) for x in output[1]]}

    return tables.measured(functions, point, rounds, read)


def page(record: Record) -> str:
    """The record as Markdown."""
    mu, sigma, start = POINT
    exact = start**2 * math.exp(2 * mu + sigma**2)
    error = math.sqrt((start**4 * math.exp(4 * mu + 6 * sigma**2) - exact**2) / COUNT)
    computer = {key: record["machine"][key] for key in ("cpu", "cores", "system", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    numbers = {"count": COUNT, "steps": STEPS, "exact": exact, "error": error}
    lines = [INTRODUCTION.format(**computer, versions=versions, **numbers)]
    for kind in ("forward", "gradient"):
        lines += [f"## {kind.capitalize()}", "", f"| | {tables.HEAD} | mean | compile, s | memory, MiB |"]
        lines += ["|---|--:|--:|--:|--:|--:|"]
        for name, row in record["rows"].items():
            if t := row.get(kind):
                lines.append(f"| {name} | {tables.times(t)} | {t['mean']:.4f} | {tables.costs(t)} |")
        lines.append("")
    lines += ["## Targets", "", "CPU time, medians.", "", "| | | ratio | target | |", "|---|---|--:|--:|---|"]
    for kind, (peer, target) in TARGETS.items():
        lines.append(tables.target(f"of {peer}", kind, record["rows"][OURS], record["rows"][peer], target))
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds")
    parser.add_argument("--output", type=Path, default=DOCS, help="the folder that gets stochastic.md and .json")
    options = parser.parse_args()
    timing.pin_one_core()
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record["rows"] = measured(options.rounds)
    publish(options.output, "stochastic", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
