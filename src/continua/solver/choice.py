"""Which method, where none is named: explicit, unless its steps say that the equation is stiff."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from continua.core import is_traced
from continua.methods import Method, Rodas5P, Tsit5
from continua.solver.post_mortem import Status

Result = TypeVar("Result")

MOST_STIFF_STATES = 512  # Rodas5P factors a dense Jacobian every step


def by_its_steps(run: Callable[[Method], tuple[Result, Any]], size: int) -> Result:
    """What `run` gives with `Tsit5`; with `Rodas5P` where that ended with `Status.STIFF`.

    Args:
        run: from a method to a result and its statuses, of any shape; of traced ones nothing is known.
        size: how many states.
    """
    result, status = run(Tsit5())
    return run(Rodas5P())[0] if proven_stiff(status, size).any() else result


def proven_stiff(status: Any, size: int) -> np.ndarray:
    """Where `Tsit5` ended with `Status.STIFF`, and `Rodas5P` would do better."""
    if size > MOST_STIFF_STATES or is_traced(status):
        return np.zeros(np.shape(status), bool)
    return np.asarray(status) == Status.STIFF
