"""Sparse laws: which terms of a library a record supports, by joint estimation of states and coefficients."""

from continua.discovery.sparse.choice import ScoredLaw, best_law
from continua.discovery.sparse.criterion import Penalty, corrected_aic, extended_bic
from continua.discovery.sparse.identification import sparse_law
from continua.discovery.sparse.law import RivalLaw, SparseLaw
from continua.discovery.sparse.library import Library
from continua.discovery.sparse.simulation import SparseField, reproduction, simulate
from continua.discovery.sparse.smoothing import smoothed_states
from continua.discovery.sparse.trajectories import Trajectory
from continua.discovery.sparse.wanted import Forbidden, Known, confirm, holding

__all__ = [
    "Forbidden",
    "Known",
    "Library",
    "Penalty",
    "RivalLaw",
    "ScoredLaw",
    "SparseField",
    "SparseLaw",
    "Trajectory",
    "best_law",
    "confirm",
    "corrected_aic",
    "extended_bic",
    "holding",
    "reproduction",
    "simulate",
    "smoothed_states",
    "sparse_law",
]
