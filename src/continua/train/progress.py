"""A bar over the batches of a run: epoch, loss, learning rate where the optimiser tells it, batches a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import optax

from continua.show import error_console, on_a_terminal

Tell = Callable[[int, float, Any], None]  # the batches done, their loss, the optimiser's state


@contextmanager
def over_batches(total: int, done: int, progress: bool) -> Iterator[Tell]:
    """What is to be told of each chunk, while a bar shows it where somebody can see one."""
    if not on_a_terminal(progress):
        yield lambda step, loss, own: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(30), TimeRemainingColumn())
    with Progress(*columns, console=error_console(), transient=True) as bar:
        task, began = bar.add_task("compiling", total=total, completed=done), time.perf_counter()

        def tell(step: int, loss: float, own: Any) -> None:
            rate = learning_rate(own)
            told = "" if rate is None else f", learning rate {rate:.2g}"
            speed = (step - done) / (time.perf_counter() - began)
            bar.update(task, completed=step, description=f"loss {loss:.4g}{told}, {speed:.3g} batches/s")

        yield tell


def learning_rate(own: Any) -> float | None:
    """The rate that an optimiser keeps in its state, as `optim.inject_hyperparams` makes it do; else None."""
    found = optax.tree_utils.tree_get_all_with_path(own, "learning_rate")
    return float(found[0][1]) if found else None
