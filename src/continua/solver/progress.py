"""A bar on a terminal: over the chunks of an ensemble, or over the time of one long solve."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
from jax import lax

from continua.core import Instant
from continua.show import error_console, on_a_terminal


class Shown(NamedTuple):
    """Says of a problem, without a value of its own, that its loop tells how far it is."""


_listeners: list[Callable[[float], Any]] = []  # of the solves that run now, the innermost last


def tell(share: Instant) -> None:
    """Hand the share of the time that is done, [1], from compiled code to the bar that is open, if any."""

    def hear(share: Any) -> None:
        if _listeners:
            _listeners[-1](float(share[0]))

    jax.debug.callback(hear, lax.stop_gradient(share))


def chunk_by_chunk(starts: range, progress: bool) -> Iterable[int]:
    """The starts of the chunks, with a bar where there are several."""
    if len(starts) < 2 or not on_a_terminal(progress):
        return starts
    from rich.progress import track

    return track(starts, "chunks", console=error_console(), transient=True)


@contextmanager
def over_time(progress: bool) -> Iterator[Shown | None]:
    """What the problem needs to tell how far it is, while a bar shows it; None where nobody would see it."""
    if not on_a_terminal(progress):
        yield None
        return
    from rich.progress import Progress

    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("solving", total=1.0)
        _listeners.append(lambda share: bar.update(task, completed=share))
        try:
            yield Shown()
            jax.effects_barrier()
        finally:
            _listeners.pop()
