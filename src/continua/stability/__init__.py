"""What an equation does in the long run: where it rests, turns, or never repeats."""

from continua.stability.closed_orbits import Cycle, NoCycle, cycle
from continua.stability.linearisation import eigenvalues, jacobian
from continua.stability.lyapunov import LyapunovExponents, largest_lyapunov_exponent, lyapunov_exponents
from continua.stability.steady_states import Equilibrium, equilibria

__all__ = [
    "Cycle",
    "Equilibrium",
    "LyapunovExponents",
    "NoCycle",
    "cycle",
    "eigenvalues",
    "equilibria",
    "jacobian",
    "largest_lyapunov_exponent",
    "lyapunov_exponents",
]
