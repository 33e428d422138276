"""A neural network as an equation, and Lorenz-96, beside peers: writes docs/benchmarks/large-states.md and .json.

    python benchmarks/large_states.py

The network 2-64-64-2 with tanh on a batch of 128, float32, T = 1, rtol = atol = 1e-3: the batch as one state, whose
steps all share, and each sample with steps of its own. Lorenz-96 with F = 8, D = 2,000 and 20,000, float64, T = 1,
rtol = atol = 1e-6, from 8 and a normal deviation of 1e-2. The gradient is that of Σ y(1)² with respect to the
parameters and the starts. torchdiffeq is taken along where it is installed.
"""

import argparse
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tables
import timing
from pages import publish

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
SAMPLES, WIDTH = 128, 64
PACKAGES = ("jax", "jaxlib", "equinox", "diffrax", "torch", "torchdiffeq", "numpy")
OURS, PEER, DIRECT, TORCH = "continua", "diffrax", "diffrax, DirectAdjoint", "torchdiffeq dopri5"

Record = dict[str, Any]


class Case(NamedTuple):
    """A state of `size` numbers, or samples; `targets`: ours over diffrax at most, forward and gradient."""

    title: str
    size: int
    targets: tuple[float, float]
    each: bool = False  # whether every sample has steps of its own

    @property
    def neural(self) -> bool:
        """Whether it is the network, in single precision."""
        return self.size == SAMPLES

    @property
    def rtol(self) -> float:
        """And atol."""
        return 1e-3 if self.neural else 1e-6


CASES = {
    "shared": Case("A neural network, steps shared", SAMPLES, (1 / 1.4, 1 / 1.7)),
    "each": Case("A neural network, steps of each sample", SAMPLES, (1 / 1.4, 1 / 2.5), True),
    "lorenz96": Case("Lorenz-96, D = 2,000", 2_000, (1, 1 / 1.4)),
    "lorenz96-large": Case("Lorenz-96, D = 20,000", 20_000, (1, 1 / 1.4)),
}
TORCH_TARGET = 1 / 4

INTRODUCTION = """# Networks and large states

Written by `python benchmarks/large_states.py`; all numbers are in [large-states.json](large-states.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}.

The network 2-64-64-2 with tanh on a batch of 128, float32, T = 1, rtol = atol = 1e-3: the batch as one state, whose
steps all share, and each sample with steps of its own. Lorenz-96 with F = 8, float64, T = 1, rtol = atol = 1e-6, from 8
and a normal deviation of 1e-2. All by Tsit5 but torch, which has Dormand and Prince's pair. The gradient is that of the
sum of the squared ends with respect to parameters and starts.

One pinned core, one thread, a process for each table, {rounds} interleaved rounds. CPU and wall time are milliseconds a
call: the median, and in brackets the smallest. Compile time is CPU seconds. The error is the largest difference from
this package's result at a thousandth of the tolerance, relative to its largest entry. Memory is what the compiled
program needs besides its results.
"""


def problem(case: Case) -> tuple[Any, Any]:
    """Parameters and starts."""
    import numpy as np

    random = np.random.default_rng(0)
    if not case.neural:
        return np.array(8.0), 8 + 1e-2 * random.standard_normal(case.size)
    sizes = (2, WIDTH, WIDTH, 2)
    layers = [(random.standard_normal((m, n)) / np.sqrt(m), np.zeros(n)) for m, n in itertools.pairwise(sizes)]
    as_single = [tuple(x.astype(np.float32) for x in layer) for layer in layers]
    return as_single, random.standard_normal((case.size, 2)).astype(np.float32)


def network(_: Any, y: Any, layers: Any) -> Any:
    """W₃ tanh(W₂ tanh(W₁ y)), with offsets."""
    import jax.numpy as jnp

    *inner, (last, offset) = layers
    for weights, shift in inner:
        y = jnp.tanh(jnp.matmul(y, weights) + shift)
    return jnp.matmul(y, last) + offset


def lorenz96(_: Any, y: Any, force: Any) -> Any:
    """(yᵢ₊₁ − yᵢ₋₂) yᵢ₋₁ − yᵢ + F."""
    import jax.numpy as jnp

    return (jnp.roll(y, -1) - jnp.roll(y, 2)) * jnp.roll(y, 1) - y + force


def ends(case: Case, share: float = 1.0) -> dict[str, Callable[[Any, Any], Any]]:
    """The ends as functions of parameters and starts, at a share of the tolerance."""
    import diffrax
    import jax
    import jax.numpy as jnp

    import continua
    from continua.methods import Tsit5

    field, rtol = (network if case.neural else lorenz96), case.rtol * share
    ts = jnp.array([0.0, 1.0], jnp.float32 if case.neural else jnp.float64)

    def ours(p: Any, y0: Any) -> Any:
        return continua.solve(field, y0, ts, args=p, method=Tsit5(), rtol=rtol, atol=rtol).ys[-1]

    def peer(adjoint: Any) -> Callable[[Any, Any], Any]:
        control = diffrax.PIDController(rtol=rtol, atol=rtol)
        rest = {"stepsize_controller": control, "adjoint": adjoint, "max_steps": 4096}

        def end(p: Any, y0: Any) -> Any:
            return diffrax.diffeqsolve(diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 1.0, None, y0, p, **rest).ys[-1]

        return end

    found = {OURS: ours, PEER: peer(diffrax.RecursiveCheckpointAdjoint())}
    if case.neural and not case.each:
        found[DIRECT] = peer(diffrax.DirectAdjoint())
    return {name: jax.vmap(end, (None, 0)) if case.each else end for name, end in found.items()}


def by_torch(case: Case) -> tables.Functions:
    """The shared steps by torchdiffeq; empty for other cases, and where it is missing."""
    if not case.neural or case.each or importlib.util.find_spec("torchdiffeq") is None:
        return {}
    import torch
    from torchdiffeq import odeint

    torch.set_num_threads(1)
    layers, y0 = problem(case)
    parameters = [torch.tensor(x, requires_grad=True) for layer in layers for x in layer]
    start, ts = torch.tensor(y0, requires_grad=True), torch.tensor([0.0, 1.0])

    def field(_: Any, y: Any) -> Any:
        for weights, shift in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            y = torch.tanh(y @ weights + shift)
        return y @ parameters[-2] + parameters[-1]

    def end() -> Any:
        return odeint(field, start, ts, rtol=case.rtol, atol=case.rtol, method="dopri5")[-1]

    def forward() -> Any:
        with torch.no_grad():
            return end().numpy()

    def gradient() -> Any:
        found = torch.autograd.grad((end() ** 2).sum(), [*parameters, start])
        return None, ([x.numpy() for x in found[:-1]], found[-1].numpy())

    return {TORCH: {"forward": forward, "gradient": gradient}}


def both(end: Callable[[Any, Any], Any]) -> dict[str, Callable[..., Any]]:
    """The end, and the sum of its squares with the gradient."""
    import jax

    return {"forward": end, "gradient": jax.value_and_grad(lambda p, y0: (end(p, y0) ** 2).sum(), (0, 1))}


def error(kind: str, output: Any, exact: Any) -> float:
    """The largest difference of the end, or of the gradient, relative to the largest entry of each array."""
    import jax
    import numpy as np

    found, true = (x if kind == "forward" else x[1] for x in (output, exact))
    pairs = zip(map(np.asarray, jax.tree.leaves(found)), map(np.asarray, jax.tree.leaves(true)), strict=True)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


def measured(case: Case, rounds: int) -> Record:
    """Every candidate forward and with its gradient, errors beside their times."""
    import jax

    point = jax.tree.map(jax.numpy.asarray, problem(case))
    exact = {kind: jax.jit(function)(*point) for kind, function in both(ends(case, 1e-3)[OURS]).items()}

    def read(_: str, kind: str, output: Any) -> Record:
        return {"error": error(kind, output, exact[kind])}

    functions = {name: both(end) for name, end in ends(case).items()}
    return tables.measured(functions, point, rounds, read, by_torch(case))


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = {key: record["machine"][key] for key in ("cpu", "cores", "system", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [INTRODUCTION.format(**computer, versions=versions, rounds=record["rounds"])]
    goals = ["## Targets", "", "CPU time over that of diffrax with its default adjoint, medians.", ""]
    goals += ["| | | ratio | target | |", "|---|---|--:|--:|---|"]
    for name, rows in record["cases"].items():
        case = CASES[name]
        for kind, most in zip(("forward", "gradient"), case.targets, strict=True):
            lines += [f"## {case.title}: {kind}", "", f"| | {tables.HEAD} | error | compile, s | memory, MiB |"]
            lines += ["|---|--:|--:|--:|--:|--:|"]
            for candidate, row in rows.items():
                found = row[kind]
                costs = tables.costs(found)
                lines.append(f"| {candidate} | {tables.times(found)} | {found['error']:.1e} | {costs} |")
            lines.append("")
            goals.append(tables.target(case.title, kind, rows[OURS], rows[PEER], most))
        if TORCH in rows:
            goals.append(tables.target("… of torchdiffeq", "gradient", rows[OURS], rows[TORCH], TORCH_TARGET))
    return "\n".join([*lines, *goals]) + "\n"


def measure(rounds: int) -> Record:
    """Each case in a process of its own: the precision is a setting of one."""
    record: Record = {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": rounds, "cases": {}}
    for name in CASES:
        command = [sys.executable, str(Path(__file__)), "--case", name, "--rounds", str(rounds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        record["cases"][name] = json.loads(done.stdout.strip().splitlines()[-1])
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds")
    parser.add_argument("--output", type=Path, default=DOCS, help="the folder that gets large-states.md and .json")
    parser.add_argument("--case", choices=CASES, help="measure this one here and print it")
    options = parser.parse_args()
    if options.case:
        timing.pin_one_core()
        os.environ["JAX_ENABLE_X64"] = str(int(not CASES[options.case].neural))
        print(json.dumps(measured(CASES[options.case], options.rounds)))
    else:
        record = measure(options.rounds)
        publish(options.output, "large-states", record, page)
        print(page(record))


if __name__ == "__main__":
    main()
