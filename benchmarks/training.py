"""Optimisers beside optax, scikit-learn and scipy: writes docs/benchmarks/training.md and .json.

    python benchmarks/training.py [--only step logistic network cutest games watching]

`cutest` needs sif2jax, and takes most of the time.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from cutest import cutest_page, cutest_task
from pages import publish
from tables import HEAD, times
from training_peers import optax_loop
from watching import watching_page, watching_task

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("jax", "jaxlib", "optax", "optimistix", "scikit-learn", "scipy", "sif2jax")
GAP = 1e-8  # of the logistic regression
LOSS = 1e-3  # of the network
RATES = [1e-4 * 10 ** (k / 2) for k in range(9)]  # of Adam: 1e-4 to 1

Record = dict[str, Any]

INTRODUCTION = """# Training

Written by `python benchmarks/training.py`; all numbers are in [training.json](training.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}

Milliseconds a call on one pinned core: medians of {rounds} interleaved rounds, and in brackets the smallest; double
precision unless said otherwise; compile time apart. Pages of their own: [mini-batches](minibatch.md),
[bounds and constraints](constrained.md), [classical models](estimators.md), [calculus](calculus.md).
"""


# ------------------------------------------------------------------------------------------------ one step of each


def step_task(rounds: int) -> Record:
    """One step on a million parameters in float32, ours and optax's."""
    import jax
    import jax.numpy as jnp
    import optax

    from continua import optim

    params = {f"layer {k}": jnp.full((500, 500), 0.1, jnp.float32) for k in range(4)}
    gradient = jax.tree.map(lambda p: 0.01 * p, params)
    rows: Record = {}
    for name, rate in [("sgd", 1e-2), ("adam", 1e-3), ("adamw", 1e-3), ("lion", 1e-4), ("rmsprop", 1e-3)]:
        runs, builds = {}, {}
        for side, home in (("continua", optim), ("optax", optax)):
            optimiser = getattr(home, name)(rate)

            def step(params: Any, state: Any, gradient: Any, optimiser: Any = optimiser) -> Any:
                updates, state = optimiser.update(gradient, state, params)
                return optax.apply_updates(params, updates), state

            state = optimiser.init(params)
            compiled = jax.jit(step).lower(params, state, gradient).compile()
            runs[side] = lambda compiled=compiled, state=state: jax.block_until_ready(compiled(params, state, gradient))
            builds[side] = lambda step=step, state=state: jax.jit(step).lower(params, state, gradient).compile()
        compiled_in = timing.compile_seconds(builds, timing.clear_caches, 5)
        found = timing.interleaved(runs, rounds)
        rows[name] = {side: found[side]._asdict() | {"compile": compiled_in[side]} for side in runs}
    return rows


def step_page(rows: Record) -> list[str]:
    lines = ["## One step on a million parameters, float32", "", f"| | {HEAD} | compile, s |", "|---|--:|--:|--:|"]
    for name, sides in rows.items():
        for side, row in sides.items():
            lines.append(f"| {name}, {side} | {times(row)} | {row['compile']:.3f} |")
    lines += ["", "| | time over optax's | target | compile over optax's | target |", "|---|--:|--:|--:|--:|"]
    for name, sides in rows.items():
        ratios = [sides["continua"][k] / sides["optax"][k] for k in ("cpu", "compile")]
        lines.append(f"| {name} | {ratios[0]:.2f} | ≤ 1.05 | {ratios[1]:.2f} | ≤ 1.1 |")
    return lines


# --------------------------------------------------------------------------------------------- logistic regression


def digits() -> tuple[Any, Any]:
    """Points in [0, 1] and classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.data / 16, found.target


def logistic_task(rounds: int) -> Record:
    """Multinomial logistic regression on digits, 650 parameters, to f − f* ≤ 1e-8."""
    import jax
    import jax.numpy as jnp
    import optax

    from continua import minimise, optim

    points, classes = digits()
    n, p = points.shape
    x, hot = jnp.asarray(points), jax.nn.one_hot(classes, 10)

    def loss(w: Any) -> Any:
        table = w.reshape(p + 1, 10)
        scores = x @ table[:p] + table[p]
        return jnp.mean(jax.nn.logsumexp(scores, 1) - jnp.sum(hot * scores, 1)) + jnp.sum(table[:p] ** 2) / (2 * n)

    start, value = jnp.zeros((p + 1) * 10), jax.jit(loss)
    best = float(minimise(loss, start, method=optim.TruncatedNewton(), gtol=1e-12, throw=False).value)
    goal = best + GAP

    def ours(gtol: float) -> Callable[[], Any]:
        run = jax.jit(lambda w: minimise(loss, w, method=optim.TruncatedNewton(), gtol=gtol, throw=False).x)
        return lambda: jax.block_until_ready(run(start))

    def optaxs(optimiser: Any, most: int, searches: bool = False) -> Callable[[], Any]:
        run = optax_loop(loss, optimiser, goal, most, searches=searches)
        return lambda: jax.block_until_ready(run(start).x)

    def loosest(make: Callable[[float], Callable[[], Any]]) -> Callable[[], Any]:
        """With the largest tolerance among powers of ten that reaches the goal: each is stopped at its best."""
        made = (make(10.0**-exponent) for exponent in range(2, 12))
        return next(run for run in made if float(value(jnp.asarray(run()))) <= goal)

    runs = {"continua truncated Newton": loosest(ours), "optax lbfgs": optaxs(optax.lbfgs(), 3000, True)}
    for solver in ("newton-cg", "lbfgs", "newton-cholesky"):
        runs[f"scikit-learn {solver}"] = loosest(
            lambda tol, solver=solver: sklearn_logistic(points, classes, solver, tol)
        )
    adams = {rate: optaxs(optax.adam(rate), 60_000) for rate in RATES}
    reach = {rate: run for rate, run in adams.items() if float(value(run())) <= 2 * GAP + best}
    fastest = min(reach, key=lambda rate: timing.seconds(reach[rate], 1)[0])
    runs[f"optax adam, rate {fastest:.1e}"] = reach[fastest]
    rows = {name: found._asdict() for name, found in timing.interleaved(runs, rounds).items()}
    for name, run in runs.items():
        rows[name]["gap"] = float(value(jnp.asarray(run()))) - best
    return rows


def sklearn_logistic(points: Any, classes: Any, solver: str, tol: float) -> Callable[[], Any]:
    """scikit-learn's fit, which gives the table of weights with the intercepts last."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    def fit() -> Any:
        model = LogisticRegression(C=1.0, solver=solver, tol=tol, max_iter=5000).fit(points, classes)
        return np.concatenate([model.coef_.T, model.intercept_[None]]).ravel()

    return fit


def logistic_page(rows: Record) -> list[str]:
    lines = ["## Logistic regression on digits to f − f* ≤ 1e-8", "", "650 parameters. Each with the largest tolerance"]
    lines += [
        "among powers of ten that reaches the goal, loops of optax until they reach it; Adam with the fastest of nine"
    ]
    lines += ["rates from 1e-4 to 1.", "", f"| | {HEAD} | f − f* |", "|---|--:|--:|--:|"]
    lines += [f"| {name} | {times(row)} | {row['gap']:.1e} |" for name, row in rows.items()]
    ours = rows["continua truncated Newton"]["cpu"]
    lines += ["", "| time over | ratio | target | |", "|---|--:|--:|---|"]
    asked = {"optax lbfgs": 0.55, "scikit-learn newton-cg": 0.55, "scikit-learn lbfgs": 0.3, "optax adam": 0.16}
    for name, row in rows.items():
        most = next((most for peer, most in asked.items() if name.startswith(peer)), None)
        if most:
            ratio = ours / row["cpu"]
            lines.append(f"| {name} | {ratio:.2f} | ≤ {most} | {'met' if ratio <= most else 'missed'} |")
    return lines


# ------------------------------------------------------------------------------------------------ a small network


def network_task(_: int) -> Record:
    """Digits, 64-64-10 with tanh, all data at once, to a training loss of 1e-3: gradients, from five starts."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    from jax.flatten_util import ravel_pytree

    from continua import minimise, optim

    points, classes = digits()
    x, hot = jnp.asarray(points), jax.nn.one_hot(classes, 10)

    def start(seed: int) -> Any:
        keys = jax.random.split(jax.random.key(seed))
        first, second = jax.random.normal(keys[0], (64, 64)) / 8, jax.random.normal(keys[1], (64, 10)) / 8
        return {"W": first, "b": jnp.zeros(64), "V": second, "c": jnp.zeros(10)}

    _, unravel = ravel_pytree(start(0))

    def loss(w: Any) -> Any:
        p = unravel(w)
        scores = jnp.tanh(x @ p["W"] + p["b"]) @ p["V"] + p["c"]
        return jnp.mean(jax.nn.logsumexp(scores, 1) - jnp.sum(hot * scores, 1))

    def ours(w: Any) -> Any:
        found = minimise(loss, w, method=optim.LBFGS(), gtol=1e-9, max_steps=400, throw=False)
        reached = found.history[:, 0] <= LOSS
        return jnp.where(reached.any(), found.history[jnp.argmax(reached), 2], jnp.inf)

    def gradients(optimiser: Any, searches: bool = False) -> Callable[[Any], Any]:
        run = optax_loop(loss, optimiser, LOSS, 5000, searches=searches)

        def cost(w: Any) -> Any:
            end = run(w)
            return jnp.where(end.value <= LOSS, end.gradients, jnp.inf)

        return cost

    starts = [ravel_pytree(start(seed))[0] for seed in range(5)]
    ways = {"continua L-BFGS": jax.jit(ours), "optax lbfgs": gradients(optax.lbfgs(), True)}
    ways |= {f"optax adam, rate {rate:.1e}": gradients(optax.adam(rate)) for rate in RATES}
    rows = {}
    for name, way in ways.items():
        rows[name] = {"gradients": [float(way(w)) for w in starts]}
        rows[name]["median"] = float(np.median(rows[name]["gradients"]))
    return rows


def network_page(rows: Record) -> list[str]:
    lines = ["## A network on all of digits at once, 64-64-10, to a training loss of 1e-3", ""]
    lines += ["| | gradients from five starts | median |", "|---|---|--:|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {', '.join(f'{g:.0f}' for g in row['gradients'])} | {row['median']:.0f} |")
    best = min(row["median"] for name, row in rows.items() if "adam" in name)
    ratio = rows["continua L-BFGS"]["median"] / best
    lines += ["", f"Over the best Adam: {ratio:.2f} (target ≤ .45, {'met' if ratio <= 0.45 else 'missed'})."]
    return lines


# ------------------------------------------------------------------------------------------------------------- games


def games_task(_: int) -> Record:
    """Gradients per factor 1e6 on the bilinear game, after the first hundred."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from continua import optim

    game = optim.Game(lambda x, y: x * y)
    ways = {
        "optimistic, h = 0.5": (optim.optimistic_gradient_descent(0.5), 1),
        "RK4, h = 2": (optim.rk4(2.0), 4),
        "extragradient, h = 0.7": (optim.extragradient(0.7), 2),
        "descent, h = 0.1": (optim.sgd(0.1), 1),
    }
    rows = {}
    for name, (optimiser, each) in ways.items():

        def step(carry: Any, _: None, optimiser: Any = optimiser) -> Any:
            pair, state = carry
            updates, state = optimiser.update(game.gradient(pair), state, pair, grad_fn=game.gradient)
            pair = optim.apply_updates(pair, updates)
            return (pair, state), jnp.hypot(*pair)

        start = (jnp.asarray(1.0), jnp.asarray(1.0))
        far = np.asarray(jax.lax.scan(step, (start, optimiser.init(start)), length=1000)[1])
        there = np.flatnonzero(far[100:] <= 1e-6 * far[100])
        rows[name] = {"gradients": int(there[0]) * each if len(there) else None}
    return rows


def games_page(rows: Record) -> list[str]:
    lines = ["## Bilinear game", "", "| | gradients per factor 1e6 |", "|---|--:|"]
    lines += [f"| {name} | {row['gradients'] or 'never'} |" for name, row in rows.items()]
    return [*lines, "", "Target: at most 41."]


TASKS = {
    "step": step_task,
    "logistic": logistic_task,
    "network": network_task,
    "cutest": cutest_task,
    "games": games_task,
    "watching": watching_task,
}
PAGES = {
    "step": step_page,
    "logistic": logistic_page,
    "network": network_page,
    "cutest": cutest_page,
    "games": games_page,
    "watching": watching_page,
}


def page(record: Record) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    head = INTRODUCTION.format(**record["machine"], versions=versions, rounds=record["rounds"], quiet=record["quiet"])
    parts = ["\n".join(PAGES[name](record[name])) for name in TASKS if name in record]
    return head + "\n" + "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="*", choices=TASKS, default=list(TASKS), help="measure these anew, keep the rest"
    )
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets the page and the numbers")
    options = parser.parse_args()
    timing.pin_one_core()
    before = options.output / "training.json"
    record: Record = json.loads(before.read_text(encoding="utf-8")) if before.exists() else {}
    record |= {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "rounds": options.rounds}
    record["quiet"] = options.quiet
    for name in options.only:
        record[name] = TASKS[name](options.rounds)
        publish(options.output, "training", record, page)
    print(page(record))


if __name__ == "__main__":
    main()
