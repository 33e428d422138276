"""What is solved: equations as PyTrees of their parameters, and the named classical systems."""

from continua.equations.brownian_path import BrownianPath
from continua.equations.canonical_terms import canonical, parse_term
from continua.equations.equation import ODE, Equation, ParameterInfo, parameter, parameter_values, parameters_of
from continua.equations.equation_file import WrittenParameter, WrittenSystem, read_equation
from continua.equations.gradient_flow import GradientFlow
from continua.equations.growth import ExponentialDecay, Logistic
from continua.equations.lagrangian import EulerLagrange, Geodesic
from continua.equations.linear import Linear
from continua.equations.lorenz import Lorenz
from continua.equations.oscillators import Duffing, HarmonicOscillator, Pendulum, VanDerPol
from continua.equations.partitioned import Partitioned, SecondOrder, SeparableHamiltonian
from continua.equations.populations import SIR, LotkaVolterra
from continua.equations.robertson import Robertson
from continua.equations.scaled import Scaled
from continua.equations.spatial import Spatial
from continua.equations.split import Diagonal, LinearTerm, Matrix, SplitODE
from continua.equations.stochastic import (
    SDE,
    DiagonalNoise,
    Driven,
    GeneralNoise,
    GeometricBrownianMotion,
    Interpretation,
    Noise,
    OrnsteinUhlenbeck,
    Reinterpreted,
    ScalarNoise,
    Stochastic,
)
from continua.equations.written import Written
from continua.show import parse, python_text

__all__ = [
    "ODE",
    "SDE",
    "SIR",
    "BrownianPath",
    "Diagonal",
    "DiagonalNoise",
    "Driven",
    "Duffing",
    "Equation",
    "EulerLagrange",
    "ExponentialDecay",
    "GeneralNoise",
    "Geodesic",
    "GeometricBrownianMotion",
    "GradientFlow",
    "HarmonicOscillator",
    "Interpretation",
    "Linear",
    "LinearTerm",
    "Logistic",
    "Lorenz",
    "LotkaVolterra",
    "Matrix",
    "Noise",
    "OrnsteinUhlenbeck",
    "ParameterInfo",
    "Partitioned",
    "Pendulum",
    "Reinterpreted",
    "Robertson",
    "ScalarNoise",
    "Scaled",
    "SecondOrder",
    "SeparableHamiltonian",
    "Spatial",
    "SplitODE",
    "Stochastic",
    "VanDerPol",
    "Written",
    "WrittenParameter",
    "WrittenSystem",
    "canonical",
    "parameter",
    "parameter_values",
    "parameters_of",
    "parse",
    "parse_term",
    "python_text",
    "read_equation",
]
