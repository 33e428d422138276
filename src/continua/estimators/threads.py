"""Small matrices on one thread: on several, BLAS takes up to a hundred times as long where others compute too."""

import functools
from typing import Any

from threadpoolctl import ThreadpoolController

SMALL = 2_000_000  # entries


@functools.cache
def _controller() -> ThreadpoolController:
    """Looking through the loaded libraries takes longer than a small fit."""
    return ThreadpoolController()


def fitting_threads(entries: int) -> Any:
    """A context in which BLAS takes as many threads as a matrix of so many entries deserves."""
    return _controller().limit(limits=1 if entries < SMALL else None, user_api="blas")
