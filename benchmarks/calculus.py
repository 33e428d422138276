"""Derivatives beside the plain ways to them: writes docs/benchmarks/calculus.md and calculus.json.

    python benchmarks/calculus.py

Laplacians of networks, high derivatives of one variable, and the Jacobian of a chain.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish
from tables import HEAD, costs, measured, times

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("jax", "jaxlib", "numpy")
WIDTH, DEPTH, CHAIN = 128, 5, 500
BATCHES = {3: 64, 10: 64, 100: 16}
ORDERS = (4, 7)

Record = dict[str, Any]
Candidates = dict[str, Callable[..., Any]]

INTRODUCTION = """# Calculus

Written by `python benchmarks/calculus.py`; all numbers are in [calculus.json](calculus.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}

Milliseconds a call in float64, one pinned core, {rounds} interleaved rounds: the median, and in brackets the smallest;
seconds to compile, MiB of temporary memory. "apart" is the largest difference from the first row, over the largest
value.
"""


def network(inputs: int) -> tuple[Callable[[Any], Any], Any]:
    """Five layers of 128 and points to take it at."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), DEPTH + 2)
    sizes = [inputs, *[WIDTH] * DEPTH]
    weights = [jax.random.normal(k, (a, b)) / a**0.5 for k, a, b in zip(keys, sizes, sizes[1:], strict=False)]
    last = jax.random.normal(keys[-2], (WIDTH,)) / WIDTH**0.5

    def f(x: Any) -> Any:
        for W in weights:
            x = jnp.tanh(x @ W)
        return x @ last

    return f, jax.random.normal(keys[-1], (BATCHES[inputs], inputs))


def laplacians(f: Callable[[Any], Any]) -> Candidates:
    """Four ways to the Laplacian at many points."""
    import jax
    import jax.numpy as jnp
    from jax.experimental.jet import jet

    from continua.calculus import laplacian

    def along(x: Any, unit: Any) -> Any:
        return jax.jvp(lambda x: jax.jvp(f, (x,), (unit,))[1], (x,), (unit,))[1]

    def by_jet(x: Any, unit: Any) -> Any:
        return jet(f, (x,), ((unit, jnp.zeros_like(unit)),))[1][1]

    def summed(second: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
        return lambda x: jax.vmap(lambda unit: second(x, unit))(jnp.eye(x.size, dtype=x.dtype)).sum()

    ways = {
        "`laplacian`": laplacian(f),
        "trace of `jax.hessian`": lambda x: jnp.trace(jax.hessian(f)(x)),
        "n second derivatives (`jvp` of `jvp`)": summed(along),
        "n second derivatives (`jet`)": summed(by_jet),
    }
    return {name: jax.vmap(way) for name, way in ways.items()}


def high_derivatives(order: int) -> tuple[Candidates, Any]:
    """The n-th derivative of sin(eˣ)/(1 + x²) by ours and by repetition."""
    import jax
    import jax.numpy as jnp

    from continua.calculus import derivative

    def f(x: Any) -> Any:
        return jnp.sin(jnp.exp(x)) / (1 + x * x)

    repeated = f
    for _ in range(order):
        repeated = jax.grad(repeated)
    points = jnp.linspace(0.0, 1.0, 1000)
    return {
        f"`derivative(f, {order})`": jax.vmap(derivative(f, order)),
        "`jax.grad` repeated": jax.vmap(repeated),
    }, points


def jacobians() -> tuple[Candidates, Any]:
    """The matrix of a chain, each of whose entries reads its neighbours."""
    import jax
    import jax.numpy as jnp

    from continua.calculus import jacobian

    def chain(x: Any) -> Any:
        return jnp.sin(x) * jnp.roll(x, 1) + jnp.roll(x, -1) ** 2

    candidates = {
        "`jacobian(f, sparse=True)`": jacobian(chain, sparse=True),
        "`jacobian(f)`": jacobian(chain),
        "`jax.jacrev`": jax.jacrev(chain),
    }
    return candidates, jnp.linspace(0.0, 1.0, CHAIN)


def table(candidates: Candidates, point: Any, rounds: int) -> Record:
    """Each candidate's times, and how far its answer is from the first one's."""
    import jax.numpy as jnp

    first = next(iter(candidates.values()))(point)

    def read(_name: str, _kind: str, output: Any) -> Record:
        return {"apart": float(jnp.abs(output - first).max() / jnp.abs(first).max())}

    return measured({name: {"forward": way} for name, way in candidates.items()}, (point,), rounds, read)


def tables(rounds: int) -> Record:
    """All tables, by their headings."""
    found = {}
    for inputs, batch in BATCHES.items():
        f, points = network(inputs)
        heading = f"Laplacian of a network of {inputs} inputs, {DEPTH} layers of {WIDTH}, {batch} points"
        found[heading] = table(laplacians(f), points, rounds)
    for order in ORDERS:
        found[f"Derivative of order {order} of sin(eˣ)/(1 + x²) at 1,000 points"] = table(
            *high_derivatives(order), rounds
        )
    found[f"Jacobian of a chain of {CHAIN}"] = table(*jacobians(), rounds)
    return found


def page(record: Record) -> str:
    """The page that is read."""
    packages = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    words = record["machine"] | {"versions": packages, "rounds": record["rounds"], "quiet": record["quiet"]}
    lines = [INTRODUCTION.format(**words)]
    for heading, rows in record["tables"].items():
        lines += [f"## {heading}", "", f"| | {HEAD} | compile, s | memory, MiB | apart |", "|---|" + "--:|" * 5]
        for name, kinds in rows.items():
            found = kinds["forward"]
            lines.append(f"| {name} | {times(found)} | {costs(found)} | {found['apart']:.0e} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets the page and the numbers")
    options = parser.parse_args()
    timing.pin_one_core()
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record |= {"quiet": options.quiet, "tables": tables(options.rounds)}
    publish(options.output, "calculus", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
