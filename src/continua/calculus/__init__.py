"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them.

And the functions of numbers and matrices that exponential methods are made of.
"""

from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.curvature import gaussian_curvature, ricci, riemann, scalar_curvature
from continua.calculus.dependence import sparsity
from continua.calculus.derivatives import derivative, directional, gradient, hessian, hvp, jacobian
from continua.calculus.even_points import even_points
from continua.calculus.laplacian import laplacian
from continua.calculus.levenberg_marquardt import Ends, levenberg_marquardt
from continua.calculus.metrics import christoffel, covariant_divergence, laplace_beltrami, metric
from continua.calculus.phi_functions import doubled, phi, phi_of_matrix
from continua.calculus.taylor import Taylor, taylor
from continua.calculus.trace_estimates import Estimate, estimate_divergence, estimate_laplacian, estimate_trace
from continua.calculus.vector_fields import curl, divergence

__all__ = [
    "Band",
    "Compression",
    "Ends",
    "Estimate",
    "Taylor",
    "band_of",
    "christoffel",
    "compression",
    "covariant_divergence",
    "curl",
    "derivative",
    "directional",
    "divergence",
    "doubled",
    "estimate_divergence",
    "estimate_laplacian",
    "estimate_trace",
    "even_points",
    "gaussian_curvature",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "laplace_beltrami",
    "laplacian",
    "levenberg_marquardt",
    "metric",
    "phi",
    "phi_of_matrix",
    "ricci",
    "riemann",
    "scalar_curvature",
    "sparsity",
    "taylor",
]
