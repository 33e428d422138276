"""continua: write a differential equation once; then solve it, differentiate it, learn it."""

from typing import TYPE_CHECKING, Any

from continua.core import ContinuaError
from continua.equations import ODE
from continua.solver import Solution, Status, solve

if TYPE_CHECKING:
    from continua.discovery import Model, fit, load

__version__ = "0.1.0"
__all__ = ["ODE", "ContinuaError", "Model", "Solution", "Status", "fit", "load", "solve"]


def __getattr__(name: str) -> Any:
    """The verbs on data load scipy, polars and matplotlib: only when they are asked for."""
    if name in ("Model", "fit", "load"):
        from continua import discovery

        return getattr(discovery, name)
    raise AttributeError(f"module 'continua' has no attribute {name!r}")
