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
from continua.space.elliptic import (
    GMRES,
    ConjugateGradient,
    EllipticMethod,
    Multigrid,
    Transform,
    TransformThomas,
    diffusion,
    helmholtz,
    poisson,
)
from continua.space.grid import Axis, Grid
from continua.space.transforms import dct, dst, idct, idst

__all__ = [
    "GMRES",
    "Axis",
    "Basis",
    "Boundaries",
    "Boundary",
    "Cartesian",
    "Condition",
    "ConjugateGradient",
    "Coordinates",
    "Cylindrical",
    "Dirichlet",
    "EllipticMethod",
    "Grid",
    "Multigrid",
    "Neumann",
    "Outside",
    "Periodic",
    "Polar",
    "Robin",
    "Spherical",
    "Symmetric",
    "Transform",
    "TransformThomas",
    "basis",
    "dct",
    "diffusion",
    "dst",
    "extend",
    "helmholtz",
    "idct",
    "idst",
    "poisson",
]
