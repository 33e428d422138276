"""Elliptic equations: what is in balance."""

from continua.space.elliptic.direct import Transform, TransformThomas
from continua.space.elliptic.krylov import GMRES, ConjugateGradient
from continua.space.elliptic.membranes import Modes, eigenmodes
from continua.space.elliptic.method import EllipticMethod
from continua.space.elliptic.multigrid import Multigrid
from continua.space.elliptic.plates import biharmonic, clamped_plate
from continua.space.elliptic.problems import diffusion, helmholtz, poisson

__all__ = [
    "GMRES",
    "ConjugateGradient",
    "EllipticMethod",
    "Modes",
    "Multigrid",
    "Transform",
    "TransformThomas",
    "biharmonic",
    "clamped_plate",
    "diffusion",
    "eigenmodes",
    "helmholtz",
    "poisson",
]
