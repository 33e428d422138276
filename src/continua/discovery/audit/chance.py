"""Permutation tests: may the rows be white noise, may they be a random walk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from continua.discovery.audit.finding import Table, Vector

PERMUTATIONS = 299
AT_ONCE = 30  # orders that are looked at together
ENOUGH = 30  # orders that are as large end the count: p is far from any level
MOST_LAGS = 10
MOST_TERMS = 30  # of the library that is tried on increments
WALK_LEVELS = (0.01, 0.03, 0.01)  # the same for a random walk: mean, law, neighbours; the second sees most


def white_noise_chance(rows: Table) -> float:
    r"""The probability that rows in random order are as alike to their neighbours: high when they may be white noise.

    $$ Q = n^2 \sum_{k=1}^{K} \frac{\lVert C_k \rVert_F^2}{n - k}, \qquad C_k = \frac1n \sum_t z_t z_{t-k}^\top $$

    with z the states, whitened: the portmanteau of Ljung & Box, for one state, and Hosking. It is compared with the
    same of shuffled rows, not with χ², so that its level is exact however few the rows are. The same of normal scores
    sees a small law behind a large first row.

    Args:
        rows: [row, state], without gaps.

    Returns:
        The p-value of the two together, from 299 orders of the rows (always the same ones).

    Source: Ljung & Box, Biometrika 65 (1978) 297–303; Hosking, JASA 75 (1980) 602–608.
    """
    chance = _chance(_whitened(rows), _portmanteau)
    if chance > 1 / (1 + PERMUTATIONS):
        from scipy.stats import rankdata

        scores = ndtri((rankdata(rows, axis=0) - 0.5) / len(rows))
        chance = min(chance, _chance(_whitened(scores), _portmanteau))
    return min(1.0, 2 * chance)


def random_walk_chance(time: Vector, rows: Table) -> float:
    r"""The probability that increments in random order look as lawful: high when the record may be a random walk.

    Increments are divided by √Δt. Three tests share a level of .05: whether increments have a mean (Student's t),
    whether the states and the last increment tell the next one, with squares and products of states where there are
    rows enough, as a differential equation would, and whether increments alone tell it (portmanteau). The last two are
    compared with increments in random order.

    Args:
        time: [row].
        rows: [row, state], without gaps.

    Returns:
        The smallest p-value where none of the three rejects a random walk, else 0.
    """
    scale = np.sqrt(np.diff(time))[:, None]
    increments = np.diff(rows, axis=0) / scale
    tests: tuple[Callable[[], float], ...] = (
        lambda: _drift_chance(increments),
        lambda: _chance(increments, _Foretold(scale, _whitening(increments))),
        lambda: _chance(_whitened(increments), _portmanteau),
    )
    smallest = 1.0
    for test, level in zip(tests, WALK_LEVELS, strict=True):
        chance = test()
        if chance <= level:
            return 0.0
        smallest = min(smallest, chance)
    return smallest


Statistic = Callable[[NDArray[np.floating[Any]]], Vector]  # [order, row, state] ↦ [order]


def _chance(rows: Table, statistic: Statistic) -> float:
    """The share of orders of the rows in which the statistic is as large; 0 where they do not vary at all.

    Source for the early end: Besag & Clifford, Biometrika 78 (1991) 301–304.
    """
    if not rows.shape[1] or bool((np.ptp(rows, 0) <= 1e-9 * np.abs(rows).max(0)).all()):
        return 0.0
    random, here, as_large = np.random.default_rng(0), float(statistic(rows[None])[0]), 0
    for done in range(0, PERMUTATIONS, AT_ONCE):
        orders = [random.permutation(len(rows)) for _ in range(min(AT_ONCE, PERMUTATIONS - done))]
        counted = as_large + np.cumsum(statistic(rows[np.stack(orders)]) >= here * (1 - 1e-9))
        if counted[-1] >= ENOUGH:
            return ENOUGH / float(done + 1 + np.argmax(counted == ENOUGH))
        as_large = int(counted[-1])
    return (1 + as_large) / (1 + PERMUTATIONS)


def _whitened(rows: Table) -> Table:
    """[row, direction]: centred, uncorrelated, of variance one; directions without variance are left out."""
    return (rows - rows.mean(0)) @ _whitening(rows)


def _whitening(rows: Table) -> Table:
    """[state, direction]: what makes centred rows white."""
    centred = rows - rows.mean(0)
    spread = np.maximum(centred.std(0), np.finfo(float).tiny)
    _, sizes, directions = np.linalg.svd(centred / spread, full_matrices=False)
    kept = sizes > 1e-6 * sizes.max(initial=0.0)
    return directions[kept].T / sizes[kept] * np.sqrt(len(rows)) / spread[:, None]


def _portmanteau(z: NDArray[np.floating[Any]]) -> Vector:
    """[order] of [order, row, direction]."""
    n = z.shape[1]
    lags = range(1, max(min(MOST_LAGS, n // 5), 1) + 1)
    together = (np.matmul(z[:, k:].swapaxes(1, 2), z[:, :-k]) for k in lags)
    return np.sum([np.sum(c**2, (1, 2)) / (n - k) for k, c in zip(lags, together, strict=True)], 0)


@dataclass(frozen=True, eq=False)
class _Foretold:
    """How much of the increments a law of the states before them explains, summed over uncorrelated directions."""

    scale: Table  # √Δt [increment, 1]
    whitening: Table  # [state, direction], of the increments

    def __call__(self, increments: NDArray[np.floating[Any]]) -> Vector:
        """[order] of [order, increment, state]."""
        states = np.cumsum(increments * self.scale[None], 1)[:, :-1]
        states = states - states.mean(1, keepdims=True)
        states = states / np.maximum(states.std(1, keepdims=True), np.finfo(float).tiny)
        constant = np.ones((*states.shape[:2], 1))
        library = np.concatenate([constant, *_terms(states, increments[:, :-1])], 2)
        basis = np.linalg.qr(library)[0][..., 1:]  # without what the mean explains
        explained = np.matmul(basis.swapaxes(1, 2), increments[:, 1:] @ self.whitening)
        return np.sum(explained**2, (1, 2))


def _terms(states: NDArray[np.floating[Any]], before: NDArray[np.floating[Any]]) -> list[NDArray[np.floating[Any]]]:
    """As much of a law's library as a third of the rows can carry: states, their last increments, their products."""
    n, d = states.shape[1:]
    most = min(n // 3, MOST_TERMS)
    blocks, used = [states], d
    for width, block in ((d, lambda: before), (d * (d + 1) // 2, lambda: _products(states))):
        if used + width <= most:
            blocks.append(block())
            used += width
    return blocks


def _products(states: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    d = states.shape[2]
    return np.stack([states[..., i] * states[..., j] for i in range(d) for j in range(i, d)], -1)


def _drift_chance(increments: Table) -> float:
    """The chance of so large a mean in any state, by Student's t, times the number of states."""
    n, d = increments.shape
    deviation = increments.std(0, ddof=1)
    ratio = np.sqrt(n) * np.abs(increments.mean(0)) / np.where(deviation > 0, deviation, 1e-300)
    return min(1.0, 2 * d * float(stdtr(n - 1, -ratio).min()))
