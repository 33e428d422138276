"""The driver: stepping, saving, exact derivatives, endings explained."""

from continua.solver.choice import by_its_steps
from continua.solver.driver import solve
from continua.solver.ensemble import Ensemble, solve_ensemble
from continua.solver.post_mortem import Ending, Status
from continua.solver.solution import Solution, Stats
from continua.solver.step_control import Adaptive, Fixed, StepControl

__all__ = [
    "Adaptive",
    "Ending",
    "Ensemble",
    "Fixed",
    "Solution",
    "Stats",
    "Status",
    "StepControl",
    "by_its_steps",
    "solve",
    "solve_ensemble",
]
