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
from continua.space.coordinates import Cartesian, Coordinates, Cylindrical, Polar, Spherical
from continua.space.divergence import diffusion
from continua.space.evolution import Evolution, wide_halo
from continua.space.flow import Flow
from continua.space.grid import Axis, Grid
from continua.space.lowerings import Lowering, Shifts
from continua.space.operators import Operator, kernel_of, operator_of
from continua.space.sparse import Affine, matrix_of, stencil_of
from continua.space.stencil import LocalOperator, Stencil

__all__ = [
    "Affine",
    "Axis",
    "Boundaries",
    "Boundary",
    "Cartesian",
    "Condition",
    "Coordinates",
    "Cylindrical",
    "Dirichlet",
    "Evolution",
    "Flow",
    "Grid",
    "LocalOperator",
    "Lowering",
    "Neumann",
    "Operator",
    "Outside",
    "Periodic",
    "Polar",
    "Robin",
    "Shifts",
    "Spherical",
    "Stencil",
    "Symmetric",
    "diffusion",
    "extend",
    "kernel_of",
    "matrix_of",
    "operator_of",
    "stencil_of",
    "wide_halo",
]
