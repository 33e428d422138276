"""Derivatives and their structure: which entries of a Jacobian can differ from zero, and how few products show them.

Limits and integrals with their errors, formulas with the steps that lead to them, and the functions of numbers and
matrices that exponential methods are made of.
"""

from continua.calculus.array_functions import ARRAY_FUNCTIONS
from continua.calculus.colouring import Band, Compression, band_of, compression
from continua.calculus.computation_graph import Graph, Node, graph
from continua.calculus.curvature import gaussian_curvature, ricci, riemann, scalar_curvature
from continua.calculus.curves import arc_length, area_between, surface_of_revolution, volume_of_revolution
from continua.calculus.dependence import sparsity
from continua.calculus.derivations import Derivation, antiderivative, differentiate
from continua.calculus.derivatives import derivative, directional, gradient, hessian, hvp, jacobian
from continua.calculus.forward_laplacian import laplacian
from continua.calculus.gradient_check import GradientCheck, check_gradient
from continua.calculus.lanczos import Extremes, extreme_eigenvalues
from continua.calculus.limits import Limit, limit
from continua.calculus.metrics import christoffel, covariant_divergence, laplace_beltrami, metric
from continua.calculus.phi_functions import doubled, phi, phi_of_matrix
from continua.calculus.point_sets import even_points
from continua.calculus.quadrature import Integral, Outcome, integrate
from continua.calculus.quasi_monte_carlo import QuasiMonteCarlo
from continua.calculus.root_search import Ends, levenberg_marquardt
from continua.calculus.stationary import Extremum, extrema, stationary_points
from continua.calculus.symbolic import to_jax, to_symbolic
from continua.calculus.taylor_polynomial import Taylor, taylor
from continua.calculus.trace_estimates import Estimate, estimate_divergence, estimate_laplacian, estimate_trace
from continua.calculus.vector_fields import curl, divergence

__all__ = [
    "ARRAY_FUNCTIONS",
    "Band",
    "Compression",
    "Derivation",
    "Ends",
    "Estimate",
    "Extremes",
    "Extremum",
    "GradientCheck",
    "Graph",
    "Integral",
    "Limit",
    "Node",
    "Outcome",
    "QuasiMonteCarlo",
    "Taylor",
    "antiderivative",
    "arc_length",
    "area_between",
    "band_of",
    "check_gradient",
    "christoffel",
    "compression",
    "covariant_divergence",
    "curl",
    "derivative",
    "differentiate",
    "directional",
    "divergence",
    "doubled",
    "estimate_divergence",
    "estimate_laplacian",
    "estimate_trace",
    "even_points",
    "extrema",
    "extreme_eigenvalues",
    "gaussian_curvature",
    "gradient",
    "graph",
    "hessian",
    "hvp",
    "integrate",
    "jacobian",
    "laplace_beltrami",
    "laplacian",
    "levenberg_marquardt",
    "limit",
    "metric",
    "phi",
    "phi_of_matrix",
    "ricci",
    "riemann",
    "scalar_curvature",
    "sparsity",
    "stationary_points",
    "surface_of_revolution",
    "taylor",
    "to_jax",
    "to_symbolic",
    "volume_of_revolution",
]
