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
from continua.space.eigenbases import Basis, basis
from continua.space.grid import Axis, Grid
from continua.space.transforms import dct, dst, idct, idst

__all__ = [
    "Axis",
    "Basis",
    "Boundaries",
    "Boundary",
    "Cartesian",
    "Condition",
    "Coordinates",
    "Cylindrical",
    "Dirichlet",
    "Grid",
    "Neumann",
    "Outside",
    "Periodic",
    "Polar",
    "Robin",
    "Spherical",
    "Symmetric",
    "basis",
    "dct",
    "dst",
    "extend",
    "idct",
    "idst",
]
