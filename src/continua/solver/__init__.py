"""The driver: stepping, saving, exact derivatives, endings explained."""

from continua.solver.adjoints import Adjoint, Backsolve, Discrete, Forward, Implicit, Reversible
from continua.solver.choice import by_its_steps, by_structure
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
    "Adjoint",
    "Backsolve",
    "Controller",
    "Discrete",
    "Ending",
    "Ensemble",
    "Event",
    "Fixed",
    "Forward",
    "H211b",
    "Happened",
    "I",
    "Implicit",
    "Reversible",
    "Solution",
    "Stats",
    "Status",
    "SteadyState",
    "StepControl",
    "by_its_steps",
    "by_structure",
    "solve",
    "solve_ensemble",
    "steady_state",
]
