r"""Cholesky of a banded matrix with an arrow head: eliminate the states, and keep the Schur complement.

$$ \begin{pmatrix} H & C \\ C^\top & T \end{pmatrix}, \qquad H = L L^\top, \quad Z = L^{-1} C, \quad S = T - Z^\top Z $$

H is block-tridiagonal; LAPACK's banded routines factor it in O(N d³) and make Z in O(N d² p), which is fast where calls
for each d × d block are not.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import get_lapack_funcs

from continua.discovery.sparse.trajectories import Floats

_factored, _substituted, _whole, _solved = get_lapack_funcs(("pbtrf", "tbtrs", "potrf", "potrs"), dtype=np.float64)


class Arrow(NamedTuple):
    """band [band, unknown] of H, coupling [coefficient, unknown], corner [coefficient, coefficient], both gradients."""

    band: Floats
    coupling: Floats
    corner: Floats
    gradient: Floats
    corner_gradient: Floats


class Reduced(NamedTuple):
    """After the states are eliminated: S, its gradient, and what is needed to find the states again."""

    schur: Floats
    gradient: Floats
    factor: Floats
    columns: Floats

    def states(self, change: Floats) -> Floats:
        """The step of the eliminated unknowns for a step of the coefficients."""
        right = -(self.columns[:, 0] + self.columns[:, 1:] @ change)
        solved, _ = _substituted(self.factor, right[:, None], uplo="L", trans="T")
        return solved[:, 0]


def reduced(arrow: Arrow, damping: Floats | float = 0.0) -> Reduced | None:
    """Eliminate the states; None where H + damping is not numerically positive definite."""
    band = np.array(arrow.band, order="F")
    band[0] += damping
    factor, fault = _factored(band, lower=1, overwrite_ab=1)
    if fault:
        return None
    right = np.concatenate([arrow.gradient[None], arrow.coupling]).T
    columns, fault = _substituted(factor, right, uplo="L")
    if fault or not np.isfinite(columns).all():
        return None
    product = columns.T @ columns
    return Reduced(arrow.corner - product[1:, 1:], arrow.corner_gradient - product[1:, 0], factor, columns)


def solve_definite(matrix: Floats, right: Floats) -> Floats:
    """matrix⁻¹ right for a positive definite matrix; directions that are lost in rounding get nothing.

    The matrix is brought to unit diagonal first, so that units play no part.
    """
    if not len(matrix):
        return np.zeros_like(right)
    diagonal = np.diag(matrix)
    usable = (diagonal > 0) & np.isfinite(diagonal)
    size = np.where(usable, 1 / np.sqrt(np.where(usable, diagonal, 1.0)), 0.0)
    outer = size if right.ndim == 1 else size[:, None]
    # Off the diagonal of 1 nothing definite is larger than 1; what is, comes from rounding or overflow.
    scaled = np.clip(np.nan_to_num(matrix * size[:, None] * size), -1.0, 1.0)
    small = np.nan_to_num(right * outer)
    factor, fault = _whole(scaled + 1e-13 * np.eye(len(scaled)), lower=1)
    solved = _solved(factor, small, lower=1)[0] if not fault else _pseudo_solved(scaled, small)
    return np.nan_to_num(solved * outer, posinf=0.0, neginf=0.0)


def _pseudo_solved(scaled: Floats, right: Floats) -> Floats:
    values, vectors = np.linalg.eigh(scaled)
    kept = values > 1e-11 * max(float(values[-1]), 1e-300)
    inverse = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    return vectors @ ((inverse if right.ndim == 1 else inverse[:, None]) * (vectors.T @ right))
