"""The driver: stepping, saving, exact derivatives, endings explained."""

from continua.solver.choice import by_its_steps
from continua.solver.driver import solve
from continua.solver.ensemble import Ensemble, solve_ensemble
from continua.solver.events import Event, Happened
from continua.solver.post_mortem import Ending, Status
from continua.solver.solution import Solution, Stats
from continua.solver.steady_state import SteadyState, steady_state
from continua.solver.step_control import PI, PID, Adaptive, Controller, Fixed, H211b, I, StepControl

__all__ = [
    "PI",
    "PID",
    "Adaptive",
    "Controller",
    "Ending",
    "Ensemble",
    "Event",
    "Fixed",
    "H211b",
    "Happened",
    "I",
    "Solution",
    "Stats",
    "Status",
    "SteadyState",
    "StepControl",
    "by_its_steps",
    "solve",
    "solve_ensemble",
    "steady_state",
]
