"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them.

And the functions of numbers and matrices that exponential methods are made of.
"""

from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.computation_graph import Graph, Node, graph
from continua.calculus.curvature import gaussian_curvature, ricci, riemann, scalar_curvature
from continua.calculus.dependence import sparsity
from continua.calculus.derivatives import derivative, directional, gradient, hessian, hvp, jacobian
from continua.calculus.forward_laplacian import laplacian
from continua.calculus.gradient_check import GradientCheck, check_gradient
from continua.calculus.metrics import christoffel, covariant_divergence, laplace_beltrami, metric
from continua.calculus.phi_functions import doubled, phi, phi_of_matrix
from continua.calculus.point_sets import even_points
from continua.calculus.root_search import Ends, levenberg_marquardt
from continua.calculus.stationary import Extremum, extrema, stationary_points
from continua.calculus.taylor_polynomial import Taylor, taylor
from continua.calculus.trace_estimates import Estimate, estimate_divergence, estimate_laplacian, estimate_trace
from continua.calculus.vector_fields import curl, divergence

__all__ = [
    "Band",
    "Compression",
    "Ends",
    "Estimate",
    "Extremum",
    "GradientCheck",
    "Graph",
    "Node",
    "Taylor",
    "band_of",
    "check_gradient",
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
    "extrema",
    "gaussian_curvature",
    "gradient",
    "graph",
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
    "stationary_points",
    "taylor",
]
