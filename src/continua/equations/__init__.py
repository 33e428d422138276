"""What is solved: equations as PyTrees of their parameters, and the named classical systems."""

from continua.equations.equation import ODE, Equation, ParameterInfo, parameter, parameter_values, parameters_of
from continua.equations.growth import ExponentialDecay, Logistic
from continua.equations.linear import Linear
from continua.equations.lorenz import Lorenz
from continua.equations.oscillators import Duffing, HarmonicOscillator, Pendulum, VanDerPol
from continua.equations.populations import SIR, LotkaVolterra
from continua.equations.robertson import Robertson
from continua.equations.scaled import Scaled

__all__ = [
    "ODE",
    "SIR",
    "Duffing",
    "Equation",
    "ExponentialDecay",
    "HarmonicOscillator",
    "Linear",
    "Logistic",
    "Lorenz",
    "LotkaVolterra",
    "ParameterInfo",
    "Pendulum",
    "Robertson",
    "Scaled",
    "VanDerPol",
    "parameter",
    "parameter_values",
    "parameters_of",
]
