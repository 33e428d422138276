"""What watching a training costs: a part of training.py."""

import statistics
import time
from collections.abc import Callable
from typing import Any

MOST = 1.15  # of the time without
SIZES = (64, 64, 64, 10)
BATCH, CHUNK, CHUNKS = 128, 50, 240

Record = dict[str, Any]


def seconds(run: Callable[[], Any]) -> tuple[float, float]:
    """Of wall and CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def watching_task(rounds: int) -> Record:
    """A network on digits by Adam, in mini-batches, with and without `Diagnosis`, one after the other."""
    import jax
    import jax.numpy as jnp
    from sklearn.datasets import load_digits

    from continua import optim
    from continua.models import MLP
    from continua.train import Diagnosis

    images, classes = load_digits(return_X_y=True)
    x, y = jnp.asarray(images / 16, jnp.float32), jnp.asarray(classes)
    optimiser = optim.adam(1e-3)

    def loss(model: Any, batch: Any) -> Any:
        return jnp.mean(optim.softmax_cross_entropy(model(batch[0]), batch[1]))

    @jax.jit
    def chunk(model: Any, state: Any, key: Any) -> tuple[Any, Any]:
        def step(carry: Any, key: Any) -> tuple[Any, None]:
            model, state = carry
            rows = jax.random.randint(key, (BATCH,), 0, len(x))
            updates, state = optimiser.update(jax.grad(loss)(model, (x[rows], y[rows])), state, model)
            return (optim.apply_updates(model, updates), state), None

        return jax.lax.scan(step, (model, state), jax.random.split(key, CHUNK))[0]

    watch = Diagnosis(loss, optimiser)

    def run(watched: bool, chunks: int = CHUNKS) -> None:
        model = MLP(SIZES, jax.random.key(0), activation="tanh")
        state = optimiser.init(model)
        for number in range(chunks):
            model, state = chunk(model, state, jax.random.fold_in(jax.random.key(1), number))
            if watched:
                watch(CHUNK * number, model, (x[:BATCH], y[:BATCH]), state)
        jax.block_until_ready(model)

    run(False, 2)
    run(True)  # compiles
    before, rows = len(watch.findings), []
    for _ in range(rounds):
        without, with_it = seconds(lambda: run(False)), seconds(lambda: run(True))
        rows.append({"without": without, "with": with_it})
    ratios = [[row["with"][k] / row["without"][k] for row in rows] for k in range(2)]
    return {
        "runs": rows,
        "looks": (len(watch.findings) - before) / rounds,
        "wall": statistics.median(ratios[0]),
        "cpu": statistics.median(ratios[1]),
        "most": max(ratios[0]),
    }


def watching_page(row: Record) -> list[str]:
    """The sentence."""
    shape = "-".join(map(str, SIZES))
    return [
        "## Watching",
        "",
        f"`Diagnosis` as it comes, beside {CHUNK * CHUNKS} steps of Adam on digits ({shape}, batches of {BATCH}), in",
        f"{row['looks']:.0f} looks: {row['wall']:.2f} of the wall time without (at most {row['most']:.2f}), and",
        f"{row['cpu']:.2f} of the CPU time. Target: at most {MOST}, {'met' if row['most'] <= MOST else 'missed'}.",
    ]
