r"""Smooth starts: the Whittaker smoother, its strength chosen by generalised cross-validation.

$$ \min_x \sum_k w_k (x_k - y_k)^2 + \lambda \sum_k (\Delta^3 x)_k^2 $$

with third divided differences on the times as they are. The trace in the criterion is estimated with random signs.
Sources: Eilers, Anal. Chem. 75 (2003) 3631; Golub, Heath & Wahba, Technometrics 21 (1979) 215; Hutchinson (1990).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

from continua.core import ArgumentError
from continua.discovery.sparse.trajectories import Floats, Record, Trajectory

STRENGTHS = np.logspace(-3, 8, 45)
PROBES = 12
CAUTION = 1.4  # the plain criterion now and then takes noise for signal: Cummins, Filloon & Nychka, JASA 96 (2001)
LEAST_ROWS = 7  # fewer are left as they are


def smoothed(record: Record, seed: int = 0) -> tuple[Floats, Floats]:
    """([row, state] the smooth states, [state] the standard deviation of what was smoothed away).

    Deterministic for a seed. A trajectory that is too short for a cross-validation stays as it is, gaps filled.
    """
    states, squares, freedom = record.filled(), np.zeros(record.y.shape[1]), np.zeros(record.y.shape[1])
    for piece in record.pieces:
        for i in range(states.shape[1]):
            known = record.known[piece, i]
            if known.sum() < LEAST_ROWS:
                continue
            column, square, left = _smooth(record.time[piece], states[piece, i], known, seed)
            states[piece, i] = column
            squares[i] += square
            freedom[i] += left
    deviation = np.sqrt(squares / np.maximum(freedom, 1e-9))
    return states, np.where(freedom > 0, deviation, 0.1 * record.spread)


def smoothed_states(trajectories: Sequence[Any], seed: int = 0) -> list[Floats]:
    """[row, state] of each trajectory, smooth and without gaps, in the units of the data.

    Args:
        trajectories: as for `sparse_law`; each needs two rows.
        seed: of the random signs.

    Raises:
        ArgumentError: a trajectory of a single row, or a state that was never measured.
    """
    pieces = [Trajectory.of(given) for given in trajectories]
    record = Record.of(pieces, 0)
    if record is None or any(len(piece.t) < 2 for piece in pieces):
        raise ArgumentError("Every trajectory needs two rows, and every state a measurement. Leave the others out.")
    states = smoothed(record, seed)[0] * record.unit
    return [states[piece] for piece in record.pieces]


def _smooth(time: Floats, y: Floats, known: np.ndarray, seed: int) -> tuple[Floats, float, float]:
    """(smooth values, residual sum of squares, residual degrees of freedom) of one column."""
    penalty, weight, count = _roughness(time), known.astype(float), int(known.sum())
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (len(y), PROBES))
    columns = np.concatenate([(weight * y)[:, None], weight[:, None] * signs], 1)
    best, least = (y, 0.0, 1e-9), np.inf
    for strength in STRENGTHS:
        band = strength * penalty
        band[-1] += weight
        try:
            solved = cho_solve_banded((cholesky_banded(band), False), columns)
        except LinAlgError:
            continue
        square = float(np.sum(weight * (solved[:, 0] - y) ** 2))
        left = count - float(np.mean(np.sum(signs * solved[:, 1:], 0)))
        trusted = count - CAUTION * (count - left)
        score = square / max(trusted, 1e-3) ** 2
        if score < least and trusted > 0.02 * count:
            best, least = (solved[:, 0], square, left), score
    return best


def _roughness(time: Floats) -> Floats:
    """DᵀD of third divided differences, as an upper band of four rows; the mean spacing is the unit."""
    rows = len(time)
    difference = np.zeros((4, rows - 3))  # difference[j, k] multiplies sample k + j
    for j in range(4):
        others = [np.arange(rows - 3) + m for m in range(4) if m != j]
        own = time[np.arange(rows - 3) + j]
        difference[j] = 6 / np.prod([own - time[other] for other in others], 0)
    difference *= np.mean(np.diff(time)) ** 3
    # A divided difference over a wide gap is small; weighting by the gap makes the sum an integral of x'''².
    difference *= np.sqrt(np.maximum(time[3:] - time[:-3], 0) / (3 * np.mean(np.diff(time))))
    band = np.zeros((4, rows))
    for a in range(4):
        for b in range(a, 4):
            band[3 - (b - a), b : rows - 3 + b] += difference[a] * difference[b]
    return band
