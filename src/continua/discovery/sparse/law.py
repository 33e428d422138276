"""A sparse law as the caller sees it: in the units of the data, with how sure it is and what stands beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.discovery.sparse.library import Library
from continua.discovery.sparse.trajectories import Floats


@dataclass(frozen=True)
class RivalLaw:
    """Another support: state → its terms, and how far its criterion is behind the best."""

    terms: dict[str, tuple[str, ...]]
    behind: float


@dataclass(frozen=True, eq=False)
class SparseLaw:
    r"""$x_i' = \sum_j \theta_{ij} \phi_j(x, u)$ with few coefficients that are not 0; everything in the data's units.

    Args:
        library: the terms φ.
        coefficients: θ [state, term].
        support: [state, term], which were estimated; the others are 0, or known beforehand.
        covariance: of the free coefficients, in the order of `coefficients[support]`.
        sigma: [state], the standard deviation of the measurement noise (at the root mean square of the state, where
            it is proportional).
        proportional: [state], whether the noise grows with the state.
        states: of each trajectory, [row, state], the estimated states without noise.
        criterion: −2 log L + penalty, lower is better; comparable among libraries on the same data.
        rivals: other supports within 6 of the criterion, best first.
        substeps: Runge–Kutta steps used in a sampling interval.
        fits: how many supports were fitted.
    """

    library: Library
    coefficients: Floats
    support: NDArray[np.bool_]
    covariance: Floats
    sigma: Floats
    proportional: NDArray[np.bool_]
    states: tuple[Floats, ...]
    criterion: float
    rivals: tuple[RivalLaw, ...]
    substeps: int
    fits: int

    @property
    def standard_errors(self) -> Floats:
        """[state, term]: of the free coefficients, 0 elsewhere; conditional on the support."""
        errors = np.zeros_like(self.coefficients)
        errors[self.support] = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def terms(self) -> dict[str, dict[str, float]]:
        """Of each state, {term in Python syntax: coefficient}."""
        return {
            state: {term: float(c) for term, c, free in zip(self.library.terms, row, frees, strict=True) if free or c}
            for state, row, frees in zip(self.library.states, self.coefficients, self.support, strict=True)
        }
