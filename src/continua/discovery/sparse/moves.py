r"""Which term to drop, add or swap: read off the quadratic model that a fit leaves behind.

With the states eliminated, the sum of squares around a fit is a quadratic with the Schur complement S as its matrix.
The best sum of squares on any other support follows from S and the gradient alone: a drop costs Wald's statistic, an
addition gains Rao's score, and a swap is the two at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from continua.discovery.sparse.arrow import solve_definite
from continua.discovery.sparse.joint import JointFit, Mask
from continua.discovery.sparse.trajectories import Floats

INDEPENDENCE = 1e-7  # a term that the others explain up to this share is no candidate


class Move(NamedTuple):
    """fall: of the criterion, as predicted; mask and theta of the new support."""

    fall: float
    mask: Mask
    theta: Floats


class Quadratic:
    """The quadratic model, in coefficients of unit curvature."""

    def __init__(self, fit: JointFit) -> None:
        diagonal = np.diag(fit.schur)
        usable = diagonal > 1e-12 * max(float(diagonal.max(initial=0.0)), 1e-300)
        self.size = np.where(usable, 1 / np.sqrt(np.where(usable, diagonal, 1.0)), 0.0)
        self.matrix = fit.schur * self.size[:, None] * self.size
        scaled = np.where(usable, fit.theta / np.where(usable, self.size, 1.0), 0.0)
        self.right = self.matrix @ scaled - fit.gradient * self.size
        self.mask, self.usable = fit.mask, usable

    def minimum(self, support: np.ndarray) -> tuple[float, Floats]:
        """(fall of the sum of squares below that of no terms, theta) of the best point on a support."""
        own = solve_definite(self.matrix[np.ix_(support, support)], self.right[support])
        theta = np.zeros(len(self.right))
        theta[support] = own * self.size[support]
        return float(self.right[support] @ own), theta

    def additions(self, support: np.ndarray, candidates: np.ndarray) -> Floats:
        """The gain of each candidate beside a support; 0 for one that the support explains."""
        inner = solve_definite(self.matrix[np.ix_(support, support)], self.matrix[np.ix_(support, candidates)])
        own = solve_definite(self.matrix[np.ix_(support, support)], self.right[support])
        left = 1 - np.sum(self.matrix[np.ix_(support, candidates)] * inner, 0)
        slope = self.right[candidates] - self.matrix[np.ix_(candidates, support)] @ own
        return np.where(left > INDEPENDENCE, slope**2 / np.maximum(left, INDEPENDENCE), 0.0)


def wald(fit: JointFit) -> Floats:
    """[free coefficient]: θ²/variance, what dropping each would add to the sum of squares."""
    covariance = solve_definite(fit.schur[np.ix_(fit.mask, fit.mask)], np.eye(fit.count))
    return fit.theta[fit.mask] ** 2 / np.maximum(np.diag(covariance), 1e-300)


def neighbours(fit: JointFit, required: Mask, prices: Floats, most: int) -> list[Move]:
    """The most promising supports one drop, one addition or one swap away, best first.

    Args:
        fit: where the quadratic model holds.
        required: [coefficient], which may not be dropped.
        prices: [coefficient], what each adds to the criterion.
        most: how many.
    """
    model = Quadratic(fit)
    active = np.flatnonzero(fit.mask)
    base = model.minimum(active)[0] - prices[active].sum()
    candidates = np.flatnonzero(model.usable & ~fit.mask)
    found = _supports(model, active, candidates, required, prices)
    ranked = sorted(((fall - prices[support].sum() - base, tuple(support)) for fall, support in found), reverse=True)
    return [_move(model, np.array(support, int), fall) for fall, support in ranked[:most]]


def _supports(
    model: Quadratic, active: np.ndarray, candidates: np.ndarray, required: Mask, prices: Floats
) -> Iterator[tuple[float, np.ndarray]]:
    """(fall, support) of every neighbour."""
    for dropped in [None, *(j for j in active if not required[j])]:
        kept = active if dropped is None else active[active != dropped]
        fall, _ = model.minimum(kept)
        if dropped is not None:
            yield fall, kept
        if len(candidates):
            gains = model.additions(kept, candidates)
            for place in np.argsort(prices[candidates] - gains)[:3]:
                yield fall + float(gains[place]), np.sort(np.append(kept, candidates[place]))


def _move(model: Quadratic, support: np.ndarray, fall: float) -> Move:
    mask = np.zeros(len(model.mask), bool)
    mask[support] = True
    return Move(fall, mask, model.minimum(support)[1])
