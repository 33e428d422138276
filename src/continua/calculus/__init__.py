"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them."""

from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.dependence import sparsity

__all__ = ["Band", "Compression", "band_of", "compression", "sparsity"]
