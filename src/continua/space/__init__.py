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
from continua.space.eikonal import TravelTimes, eikonal, signed_distance
from continua.space.grid import Axis, Grid

__all__ = [
    "Axis",
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
    "TravelTimes",
    "eikonal",
    "extend",
    "signed_distance",
]
