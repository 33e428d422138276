"""How equations are advanced: one step of each method."""

from continua.methods.additive import AdditiveRungeKutta
from continua.methods.bogacki_shampine3 import BogackiShampine3
from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, ImplicitTableau
from continua.methods.dop853 import DOP853
from continua.methods.dormand_prince5 import DormandPrince5
from continua.methods.euler import Euler
from continua.methods.euler_maruyama import EulerMaruyama
from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta
from continua.methods.exponential import ETD1, ETDRK4, Exponential, zero_order_hold
from continua.methods.extragradient import Extragradient
from continua.methods.from_diffrax import FromDiffrax
from continua.methods.heun import Heun
from continua.methods.implicit_euler import ImplicitEuler
from continua.methods.jacobians import Banded, Coloured, Dense, Given, Jacobian, MatrixFree
from continua.methods.kencarp3 import KenCarp3
from continua.methods.kencarp4 import KenCarp4
from continua.methods.kvaerno5 import Kvaerno5
from continua.methods.method import Method, Part, Slope, Step
from continua.methods.midpoint import Midpoint
from continua.methods.milstein import Milstein
from continua.methods.power_iteration import spectral_radius
from continua.methods.projected import Projected
from continua.methods.rk4 import RK4
from continua.methods.rkc import RKC
from continua.methods.rodas5p import Rodas5P
from continua.methods.rosenbrock import Rosenbrock, RosenbrockTableau
from continua.methods.rosenbrock23 import Rosenbrock23
from continua.methods.splitting import Lie, Splitting, Strang
from continua.methods.sra1 import SRA1
from continua.methods.ssprk3 import SSPRK3
from continua.methods.stability import growth_factor, stability_limit
from continua.methods.stochastic_heun import StochasticHeun
from continua.methods.stochastic_step import StochasticMethod
from continua.methods.substeps import Substeps
from continua.methods.switching import Switching
from continua.methods.symplectic import Symplectic, SymplecticEuler, Verlet, Yoshida4, Yoshida6
from continua.methods.trapezoidal import Trapezoidal
from continua.methods.tsit5 import Tsit5
from continua.methods.vern7 import Vern7

__all__ = [
    "DOP853",
    "ETD1",
    "ETDRK4",
    "RK4",
    "RKC",
    "SRA1",
    "SSPRK3",
    "AdditiveRungeKutta",
    "Banded",
    "BogackiShampine3",
    "ButcherTableau",
    "Coloured",
    "Dense",
    "DiagonallyImplicitRungeKutta",
    "DormandPrince5",
    "Euler",
    "EulerMaruyama",
    "ExplicitRungeKutta",
    "Exponential",
    "Extragradient",
    "FromDiffrax",
    "Given",
    "Heun",
    "ImplicitEuler",
    "ImplicitTableau",
    "Jacobian",
    "KenCarp3",
    "KenCarp4",
    "Kvaerno5",
    "Lie",
    "MatrixFree",
    "Method",
    "Midpoint",
    "Milstein",
    "Part",
    "Projected",
    "Rodas5P",
    "Rosenbrock",
    "Rosenbrock23",
    "RosenbrockTableau",
    "Slope",
    "Splitting",
    "Step",
    "StochasticHeun",
    "StochasticMethod",
    "Strang",
    "Substeps",
    "Switching",
    "Symplectic",
    "SymplecticEuler",
    "Trapezoidal",
    "Tsit5",
    "Verlet",
    "Vern7",
    "Yoshida4",
    "Yoshida6",
    "growth_factor",
    "spectral_radius",
    "stability_limit",
    "zero_order_hold",
]
