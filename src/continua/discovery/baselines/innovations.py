r"""Exponential smoothing by maximum likelihood: its weights are searched for, its first states follow from them.

The states follow the innovations, which turns the equations of `ETS` into one between shifts L of the record,

$$ A(L)\, y_t = M(L)\, \varepsilon_t, \quad A = (1 - \phi L)(1 - L^m), \quad
M = A \left(1 + \frac{\alpha L + \phi \beta L / (1 - \phi L)}{1 - L} + \frac{\gamma L^m}{1 - L^m}\right) $$

(without the factor of φ where there is no trend). Given the weights, every innovation is linear in what was before the
record, so that this is eliminated by linear least squares, and one to four weights are left to search for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.optimize import least_squares

from continua.discovery.baselines.forecaster import Vector

TRENDS = {"": 0, "straight": 2, "damped": 3}  # and their unknowns: weight, first slope, damping
DAMPING = (0.8, 0.98)  # Hyndman et al.: less forgets at once, more is straight
STARTS = {"alpha": (0.02, 0.2, 0.5, 0.8, 0.99), "beta": (0.02, 0.3), "gamma": (0.02, 0.3), "phi": (0.9, 0.97)}
LOWEST, HIGHEST = 0.0, 1.0
WEIGHTS_ACCURACY = 1e-4  # of the search; a forecast is far less certain

(_tbtrs,) = get_lapack_funcs(("tbtrs",), dtype=float)  # triangular banded systems


class Weights(NamedTuple):
    """α of the level, β of the slope, γ of the season; φ is 0 without a trend, 1 with a straight one."""

    alpha: float
    beta: float
    gamma: float
    phi: float


@dataclass(frozen=True, eq=False)
class Smoothed:
    """The most likely weights, the states after the last row, and what every row added."""

    weights: Weights
    level: float
    slope: float
    season: Vector  # [step of the period], the next one first; one zero where there is none
    innovations: Vector  # [row]


def smoothed(y: Vector, trend: str, m: int) -> Smoothed | None:
    """The smoother of one kind with the smallest sum of squared innovations, or None where the record has none.

    Args:
        y: [row], about one in size.
        trend: one of `TRENDS`.
        m: rows of a season, 1 for none.
    """
    names = ["alpha", *(["beta"] if trend else []), *(["gamma"] if m > 1 else []), *(["phi"] * (trend == "damped"))]
    straight = float(trend == "straight")

    def innovations(shares: Iterable[float]) -> Vector:
        return _innovations(y, _weights(dict(zip(names, shares, strict=True)), straight), m)

    starts = product(*(STARTS[name] for name in names))
    first = min(starts, key=lambda start: float(np.sum(innovations(start) ** 2)))
    low, high = zip(*(DAMPING if name == "phi" else (LOWEST, HIGHEST) for name in names), strict=True)
    found = least_squares(
        innovations, first, bounds=(low, high), method="dogbox", xtol=WEIGHTS_ACCURACY, ftol=1e-8, gtol=1e-8
    )
    weights = _weights(dict(zip(names, map(float, found.x), strict=True)), straight)
    result = _with_states(y, weights, innovations(found.x), m)
    return result if np.isfinite([result.level, result.slope, *result.season, found.cost]).all() else None


def _weights(shares: dict[str, float], straight: float) -> Weights:
    """β is a share of α, γ of what α leaves: every row then has a share of the states, none more than the whole."""
    alpha = shares["alpha"]
    beta, gamma = alpha * shares.get("beta", 0.0), (1 - alpha) * shares.get("gamma", 0.0)
    return Weights(alpha, beta, gamma, shares.get("phi", straight))


def _innovations(y: Vector, weights: Weights, m: int) -> Vector:
    """[row]: M ε = A y, with what was before the first row as free as the order of A."""
    differences, moving = _polynomials(weights, m)
    n, order = len(y), len(differences) - 1
    right = np.zeros((n, 2))
    right[:, 0] = np.convolve(differences, y)[:n]
    right[0, 1] = 1.0
    solved = _divided(right, moving)
    before = np.zeros((n, order))
    for k in range(order):
        before[k:, k] = solved[: n - k, 1]
    known, _ = np.linalg.qr(before)
    return solved[:, 0] - known @ (known.T @ solved[:, 0])


def _polynomials(weights: Weights, m: int) -> tuple[Vector, Vector]:
    """The coefficients of A and of M, from 1 on."""
    alpha, beta, gamma, phi = weights
    undamped = np.zeros(m + 1)  # 1 - L^m, and what the level and the season add to it
    undamped[0], undamped[m] = 1.0, -1.0
    followed = undamped.copy()
    followed[1:] += alpha
    followed[m] += gamma
    if not phi:
        return undamped, followed
    differences, moving = (np.convolve([1.0, -phi], factor) for factor in (undamped, followed))
    moving[1 : m + 1] += phi * beta
    return differences, moving


def _divided(right: Vector, polynomial: Vector) -> Vector:
    """[row] or [row, column]: x of P(L) x = r, with nothing before the first row."""
    solved, _ = _tbtrs(np.broadcast_to(polynomial[:, None], (len(polynomial), len(right))), right, uplo="L")
    return solved


def _with_states(y: Vector, weights: Weights, innovations: Vector, m: int) -> Smoothed:
    """The states that the innovations left behind, on top of the first ones, which tell what is left of the record."""
    alpha, beta, gamma, phi = weights
    n, rows = len(y), np.arange(len(y))
    slopes = _divided(beta * innovations, np.array([1.0, -phi]))
    passed_on = phi * np.concatenate([[0.0], slopes[:-1]])
    levels = np.cumsum(alpha * innovations + passed_on)
    seasons = _divided(gamma * innovations, _polynomials(Weights(0.0, 0.0, 0.0, 0.0), m)[0])
    expected = passed_on + np.concatenate([[0.0], levels[:-1]]) + np.concatenate([np.zeros(m), seasons[:-m]])
    damped = np.cumsum(phi ** (rows + 1.0))
    steps = (rows[:, None] % m == np.arange(m)) * float(m > 1)
    first, *_ = np.linalg.lstsq(np.column_stack([np.ones(n), damped, steps]), y - innovations - expected)
    level = first[0] + damped[-1] * first[1] + levels[-1]
    season = np.roll(first[2:], -(n % m)) + seasons[-m:]
    return Smoothed(weights, float(level), float(phi**n * first[1] + slopes[-1]), season, innovations)
