"""How equations are advanced: one step of each method."""

from continua.methods.bogacki_shampine3 import BogackiShampine3
from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, ImplicitTableau
from continua.methods.dop853 import DOP853
from continua.methods.dormand_prince5 import DormandPrince5
from continua.methods.euler import Euler
from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta
from continua.methods.heun import Heun
from continua.methods.implicit_euler import ImplicitEuler
from continua.methods.jacobians import Banded, Coloured, Dense, Given, Jacobian, MatrixFree
from continua.methods.kvaerno5 import Kvaerno5
from continua.methods.method import Method, Slope, Step
from continua.methods.midpoint import Midpoint
from continua.methods.power_iteration import spectral_radius
from continua.methods.projected import Projected
from continua.methods.rk4 import RK4
from continua.methods.rkc import RKC
from continua.methods.rodas5p import Rodas5P
from continua.methods.rosenbrock import Rosenbrock, RosenbrockTableau
from continua.methods.rosenbrock23 import Rosenbrock23
from continua.methods.ssprk3 import SSPRK3
from continua.methods.trapezoidal import Trapezoidal
from continua.methods.tsit5 import Tsit5
from continua.methods.vern7 import Vern7

__all__ = [
    "DOP853",
    "RK4",
    "RKC",
    "SSPRK3",
    "Banded",
    "BogackiShampine3",
    "ButcherTableau",
    "Coloured",
    "Dense",
    "DiagonallyImplicitRungeKutta",
    "DormandPrince5",
    "Euler",
    "ExplicitRungeKutta",
    "Given",
    "Heun",
    "ImplicitEuler",
    "ImplicitTableau",
    "Jacobian",
    "Kvaerno5",
    "MatrixFree",
    "Method",
    "Midpoint",
    "Projected",
    "Rodas5P",
    "Rosenbrock",
    "Rosenbrock23",
    "RosenbrockTableau",
    "Slope",
    "Step",
    "Trapezoidal",
    "Tsit5",
    "Vern7",
    "spectral_radius",
]
