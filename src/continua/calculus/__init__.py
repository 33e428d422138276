"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them.

Limits and integrals with their errors, formulas with the steps that lead to them, and the functions of numbers and
matrices that exponential methods are made of.
"""

from continua.calculus.array_functions import ARRAY_FUNCTIONS
from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.curves import arc_length, area_between, surface_of_revolution, volume_of_revolution
from continua.calculus.dependence import sparsity
from continua.calculus.derivations import Derivation, antiderivative, differentiate
from continua.calculus.limits import Limit, limit
from continua.calculus.phi_functions import doubled, phi, phi_of_matrix
from continua.calculus.quadrature import Integral, Outcome, integrate
from continua.calculus.quasi_monte_carlo import QuasiMonteCarlo
from continua.calculus.symbolic import to_jax, to_symbolic

__all__ = [
    "ARRAY_FUNCTIONS",
    "Band",
    "Compression",
    "Derivation",
    "Integral",
    "Limit",
    "Outcome",
    "QuasiMonteCarlo",
    "antiderivative",
    "arc_length",
    "area_between",
    "band_of",
    "compression",
    "differentiate",
    "doubled",
    "integrate",
    "limit",
    "phi",
    "phi_of_matrix",
    "sparsity",
    "surface_of_revolution",
    "to_jax",
    "to_symbolic",
    "volume_of_revolution",
]
