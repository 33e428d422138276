"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them.

And the functions of numbers and matrices that exponential methods are made of.
"""

from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.dependence import sparsity
from continua.calculus.phi_functions import doubled, phi, phi_of_matrix

__all__ = ["Band", "Compression", "band_of", "compression", "doubled", "phi", "phi_of_matrix", "sparsity"]
