"""Errors on rolling origins: fit what was known up to a row, forecast the rows behind it, compare with what came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.discovery.baselines.forecaster import Fittable, NotAvailable, Table, Vector


@dataclass(frozen=True, eq=False)
class RollingErrors:
    """Errors of one forecaster at every origin and horizon.

    Args:
        horizons: [horizon], in rows.
        origins: [origin], how many rows were known.
        scaled: [origin, horizon, state], (forecast − measurement)/spread; NaN where there is none of either.
        reason: why the forecaster was not available at the last origin that it missed; None where it missed none.
    """

    horizons: tuple[int, ...]
    origins: tuple[int, ...]
    scaled: NDArray[np.floating[Any]]
    reason: str | None

    @property
    def rms(self) -> Vector:
        """[horizon]: the root mean square over origins and states, in spreads; NaN where nothing was forecast."""
        return root_mean_square(self.scaled)


def root_mean_square(scaled: NDArray[np.floating[Any]]) -> Vector:
    """[horizon] of [origin, horizon, state], without the NaN; NaN where nothing else is there."""
    known = np.isfinite(scaled)
    count = known.sum((0, 2))
    total = (np.where(known, scaled, 0.0) ** 2).sum((0, 2))
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)


def rolling_errors(
    forecaster: Fittable, time: Vector, values: Table, horizons: Sequence[int], origins: Sequence[int]
) -> RollingErrors:
    """Fit the first rows, forecast those behind them, and compare; anew at every origin.

    Args:
        forecaster: a baseline, or anything with such a `fit`.
        time: [row].
        values: [row, state], NaN where nothing was measured.
        horizons: how many rows ahead.
        origins: how many rows are known; each from 1 to rows − 1.

    Returns:
        Errors in units of each state's standard deviation over the whole record.
    """
    spread = _spread(values)
    scaled = np.full((len(origins), len(horizons), values.shape[1]), np.nan)
    reason = None
    for i, origin in enumerate(origins):
        inside = [(j, origin + h - 1) for j, h in enumerate(horizons) if origin + h <= len(time)]
        fitted = forecaster.fit(time[:origin], values[:origin])
        if isinstance(fitted, NotAvailable):
            reason = fitted.reason
        elif inside:
            at, rows = ([pair[k] for pair in inside] for k in (0, 1))
            scaled[i, at] = (fitted.forecast(time[rows]).expected - values[rows]) / spread
    return RollingErrors(tuple(horizons), tuple(int(o) for o in origins), scaled, reason)


def _spread(values: Table) -> Vector:
    """[state]: the standard deviation; 1 where it is zero or unknown."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
    return np.where(spread > 0, spread, 1.0)


def on_common_ground(errors: Mapping[str, RollingErrors]) -> dict[str, Vector]:
    """The root mean square [horizon] of each forecaster over what all of those that ever were available forecast."""
    there = {name: e for name, e in errors.items() if np.isfinite(e.scaled).any()}
    if not there:
        return {}
    common = np.logical_and.reduce([np.isfinite(e.scaled) for e in there.values()])
    return {name: root_mean_square(np.where(common, e.scaled, np.nan)) for name, e in there.items()}


def spaced_origins(rows: int, fewest: int, most: int = 8) -> tuple[int, ...]:
    """At most `most` origins, evenly over the second half of the record, none before `fewest` rows are known."""
    first = max(rows // 2, fewest)
    return tuple(int(o) for o in np.unique(np.linspace(first, rows - 1, most).astype(int))) if first < rows else ()
