"""Where: grids, what stands beyond their faces, and the stencils, transforms and solvers on them."""

from continua.space.boundaries import (
    Boundaries,
    Boundary,
    Condition,
    Dirichlet,
    Neumann,
    Outside,
    Periodic,
    Robin,
    Symmetric,
    extend,
)
from continua.space.channels import ChannelStencil
from continua.space.coordinates import Cartesian, Coordinates, Cylindrical, Polar, Spherical
from continua.space.dictionary import KERNELS, KnownKernel
from continua.space.divergence import divergence_form
from continua.space.eigenbases import Basis, basis
from continua.space.eikonal import TravelTimes, eikonal, signed_distance
from continua.space.elliptic import (
    GMRES,
    ConjugateGradient,
    EllipticMethod,
    Modes,
    Multigrid,
    Transform,
    TransformThomas,
    biharmonic,
    clamped_plate,
    diffusion,
    eigenmodes,
    helmholtz,
    poisson,
)
from continua.space.evolution import Evolution, wide_halo
from continua.space.extremes import Dilation
from continua.space.flow import Flow
from continua.space.frozen import FrozenOrder
from continua.space.grid import Axis, Grid
from continua.space.lowerings import Convolution, Lowering, Separable, Shifts, Spectral
from continua.space.operators import Operator, kernel_of, operator_of
from continua.space.propagation import propagate
from continua.space.sparse import Affine, matrix_of, stencil_of
from continua.space.stencil import LocalOperator, Stencil
from continua.space.transforms import dct, dst, idct, idst

__all__ = [
    "GMRES",
    "KERNELS",
    "Affine",
    "Axis",
    "Basis",
    "Boundaries",
    "Boundary",
    "Cartesian",
    "ChannelStencil",
    "Condition",
    "ConjugateGradient",
    "Convolution",
    "Coordinates",
    "Cylindrical",
    "Dilation",
    "Dirichlet",
    "EllipticMethod",
    "Evolution",
    "Flow",
    "FrozenOrder",
    "Grid",
    "KnownKernel",
    "LocalOperator",
    "Lowering",
    "Modes",
    "Multigrid",
    "Neumann",
    "Operator",
    "Outside",
    "Periodic",
    "Polar",
    "Robin",
    "Separable",
    "Shifts",
    "Spectral",
    "Spherical",
    "Stencil",
    "Symmetric",
    "Transform",
    "TransformThomas",
    "TravelTimes",
    "basis",
    "biharmonic",
    "clamped_plate",
    "dct",
    "diffusion",
    "divergence_form",
    "dst",
    "eigenmodes",
    "eikonal",
    "extend",
    "helmholtz",
    "idct",
    "idst",
    "kernel_of",
    "matrix_of",
    "operator_of",
    "poisson",
    "propagate",
    "signed_distance",
    "stencil_of",
    "wide_halo",
]
