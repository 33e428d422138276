r"""Starts from the weak form: integrals against bumps need no derivative of the data.

$$ -\int \dot\psi\, x_i \, dt = \sum_j \theta_{ij} \int \psi\, \phi_j(x) \, dt, \qquad \psi = (1 - s^2)^6 $$

Source: Messenger & Bortz, Multiscale Model. Simul. 19 (2021) 1474.
"""

from typing import NamedTuple

import numpy as np

from continua.discovery.sparse.arrow import solve_definite
from continua.discovery.sparse.joint import Mask
from continua.discovery.sparse.trajectories import Floats, Record

POWER = 6
STRIDE = 3
SHARES = (60, 30)  # half a bump is this part of the rows
LEAST_HALVES = (4, 8)
RIDGE = 1e-9
INDEPENDENT = 3.0  # overlapping bumps: this many rows are worth one


class WeakForm(NamedTuple):
    """integrals [bump, term] of the terms, and slopes [bump, state], what they should add up to."""

    integrals: Floats
    slopes: Floats
    worth: float

    @property
    def _unit(self) -> Floats:
        return np.linalg.norm(self.integrals, axis=0) + 1e-300

    def coefficients(self, mask: Mask) -> Floats:
        """[coefficient]: least squares with a slight ridge, for each state on its own terms."""
        theta = np.zeros(mask.shape)
        for i, free in enumerate(mask.reshape(self.slopes.shape[1], -1)):
            own = i * len(free) + np.flatnonzero(free)
            if len(own):
                columns = (self.integrals / self._unit)[:, free]
                gram = columns.T @ columns + 1e-6 * np.eye(len(own))
                theta[own] = solve_definite(gram, columns.T @ self.slopes[:, i]) / self._unit[free]
        return theta

    def support(self, allowed: Mask, required: Mask) -> Mask:
        """[coefficient]: backward elimination for each state, the best of the path by BIC."""
        shape = (self.slopes.shape[1], -1)
        rows = zip(self.slopes.T, allowed.reshape(shape), required.reshape(shape), strict=True)
        return np.concatenate([self._eliminated(slope, free, kept) for slope, free, kept in rows])

    def _eliminated(self, slope: Floats, free: Mask, kept: Mask) -> Mask:
        columns, active = self.integrals / self._unit, list(np.flatnonzero(free))
        best, least = free.copy(), np.inf
        while active:
            own = columns[:, active]
            inverse = np.linalg.inv(own.T @ own + RIDGE * np.eye(len(active)))
            theta = inverse @ (own.T @ slope)
            square = float(np.sum((slope - own @ theta) ** 2))
            score = self.worth * np.log(square + 1e-300) + np.log(self.worth) * len(active)
            if score < least:
                least, best = score, np.isin(np.arange(len(free)), active)
            evidence = np.where(kept[active], np.inf, theta**2 / np.diag(inverse))
            if not np.isfinite(evidence).any():
                break
            active.pop(int(np.argmin(evidence)))
        return best


def weak_form(record: Record, states: Floats, terms: Floats) -> WeakForm | None:
    """Over all trajectories; None where they are too short for any bump.

    Args:
        record: for its times.
        states: [row, state], smooth.
        terms: [row, term], at those states.
    """
    integrals, slopes = [], []
    for piece in record.pieces:
        time, rows = record.time[piece], piece.stop - piece.start
        weight = np.gradient(time)
        for half in {max(least, rows // share) for least, share in zip(LEAST_HALVES, SHARES, strict=True)}:
            for centre in range(half, rows - half, STRIDE):
                near = slice(centre - half, centre + half + 1)
                first, last = time[near][0], time[near][-1]
                s = (2 * time[near] - first - last) / (last - first)
                bump = (1 - s**2) ** POWER * weight[near]
                tilt = -4 * POWER * s * (1 - s**2) ** (POWER - 1) / (last - first) * weight[near]
                size = np.sqrt(np.sum(tilt**2 / weight[near]))
                integrals.append(bump @ terms[piece][near] / size)
                slopes.append(-tilt @ states[piece][near] / size)
    if not integrals:
        return None
    found = np.stack(integrals), np.stack(slopes)
    return WeakForm(*found, max(len(states) / INDEPENDENT, 3.0)) if all(np.isfinite(x).all() for x in found) else None
