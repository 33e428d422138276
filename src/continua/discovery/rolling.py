"""Rolling origins: fit what was known up to a row, forecast the rows behind it, compare with what came."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.discovery.estimate import Estimate, refit

HORIZONS = (1, 5)
MOST_ORIGINS = 8


@dataclass(frozen=True)
class Skill:
    """Forecasts some steps ahead: the root mean square error over all origins, of the law and of persistence.

    Errors are in units of each state's spread; `skill` is 1 − (error of the law / error of persistence)².
    """

    horizon: int
    origins: int
    model: float
    persistence: float

    @property
    def skill(self) -> float:
        """1 is perfect, 0 no better than persistence."""
        return 1 - (self.model / self.persistence) ** 2 if self.persistence > 0 else float("nan")


def rolling_origins(found: Estimate) -> list[Skill]:
    """The skill at each horizon; the law is fitted anew at every origin, from what was known there alone."""
    data = found.shooting.data
    rows, states = data.values.shape
    fewest = -(-(found.free + 2) // states) + 1
    origins = np.unique(np.linspace(max(rows // 2, fewest), rows - 1, MOST_ORIGINS).astype(int))
    errors: dict[int, list[tuple[NDArray, NDArray]]] = {h: [] for h in HORIZONS}
    warm = found
    for origin in origins[origins >= fewest]:
        again = refit(warm, data.until(int(origin)))
        if again is None:
            continue
        warm = again
        last = _last_known(data.values[:origin])
        for horizon in HORIZONS:
            row = origin + horizon - 1
            if row < rows:
                truth = data.values[row]
                errors[horizon].append(((again.fitted[row] - truth) / data.spread, (last - truth) / data.spread))
    return [Skill(h, len(e), _rms([a for a, _ in e]), _rms([b for _, b in e])) for h, e in errors.items() if e]


def _last_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[state]: the last measurement of each state."""
    return np.array([y[np.isfinite(y)][-1] if np.isfinite(y).any() else np.nan for y in values.T])


def _rms(rows: list[NDArray[np.float64]]) -> float:
    return float(np.sqrt(np.nanmean(np.square(np.stack(rows)))))
