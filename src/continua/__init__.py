"""continua: write a differential equation once; then solve it, differentiate it, learn it."""

from continua.equations import ODE
from continua.solver import Solution, Status, solve

__version__ = "0.1.0"
__all__ = ["ODE", "Solution", "Status", "solve"]
