"""continua: write a differential equation once; then solve it, differentiate it, learn it."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continua import calculus as calculus
    from continua import discovery as discovery
    from continua import equations as equations
    from continua import estimators as estimators
    from continua import methods as methods
    from continua import models as models
    from continua import optim as optim
    from continua import solver as solver
    from continua import space as space
    from continua import stability as stability
    from continua import train as train
    from continua.core import ContinuaError, configure
    from continua.discovery import Model, fit, load
    from continua.equations import ODE
    from continua.optim import minimise
    from continua.solver import Ensemble, Solution, Status, solve, solve_ensemble

__version__ = "0.1.0"
__all__ = [
    "ODE",
    "ContinuaError",
    "Ensemble",
    "Model",
    "Solution",
    "Status",
    "configure",
    "fit",
    "load",
    "minimise",
    "solve",
    "solve_ensemble",
]

ROOMS = (
    *("calculus", "discovery", "equations", "estimators", "methods", "models", "optim", "solver", "space"),
    *("stability", "train"),
)
HOMES = {
    "ContinuaError": "core",
    "Ensemble": "solver",
    "Model": "discovery",
    "ODE": "equations",
    "Solution": "solver",
    "Status": "solver",
    "configure": "core",
    "fit": "discovery",
    "load": "discovery",
    "minimise": "optim",
    "solve": "solver",
    "solve_ensemble": "solver",
}


def __getattr__(name: str) -> Any:
    """Every name and room is imported when it is first asked for: JAX, scipy, polars and matplotlib take their time."""
    if name in ROOMS:
        return importlib.import_module(f"continua.{name}")
    if name not in HOMES:
        raise AttributeError(f"module 'continua' has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"continua.{HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *ROOMS])
