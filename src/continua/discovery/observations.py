"""The measurements as the fit sees them: states in some order, time from zero, sizes for scaling."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from continua.files import Table

MOST_ROWS = 400  # beyond, rows are thinned


@dataclass(frozen=True, eq=False)
class Observations:
    """Measured states at increasing times.

    Args:
        time: [row], from 0.
        values: [row, state], NaN where nothing was measured.
        size: [state], the root mean square of each state.
        spread: [state], its standard deviation.
        rate: a typical |y'|/|y − mean|, in 1/time.
    """

    time: NDArray[np.float64]
    values: NDArray[np.float64]
    size: NDArray[np.float64]
    spread: NDArray[np.float64]
    rate: float

    @property
    def known(self) -> NDArray[np.bool_]:
        """[row, state]: where something was measured."""
        return np.isfinite(self.values)

    def ordered(self, order: tuple[int, ...]) -> "Observations":
        """The same with the states in another order."""
        columns = list(order)
        return replace(self, values=self.values[:, columns], size=self.size[columns], spread=self.spread[columns])

    def until(self, rows: int) -> "Observations":
        """The same, but nothing is known from row `rows` on."""
        values = self.values.copy()
        values[rows:] = np.nan
        return replace(self, values=values)

    def filled(self) -> NDArray[np.float64]:
        """The values, with gaps filled along straight lines."""
        columns = [np.interp(self.time, self.time[k], y[k]) for y, k in zip(self.values.T, self.known.T, strict=True)]
        return np.stack(columns, 1)


def longest_trajectory(table: Table) -> Table:
    """The longest trajectory of a table that has several, said aloud; laws are fitted to one at a time."""
    if table.trajectory is None or len(table.trajectory_names) < 2:
        return table
    number = int(np.argmax(np.bincount(table.trajectory)))
    rows = table.trajectory == number
    note = (
        f"Of {len(table.trajectory_names)} trajectories the longest, {table.trajectory_names[number]} with "
        f"{int(rows.sum())} rows, was fitted."
    )
    inputs = table.input_values if table.input_values is None else table.input_values[rows]
    return replace(
        table,
        time=table.time[rows],
        values=table.values[rows],
        input_values=inputs,
        trajectory=None,
        trajectory_names=(),
        notes=(*table.notes, note),
    )


def thinned(rows: int) -> slice:
    """Which of so many rows are kept."""
    return slice(None, None, -(-rows // MOST_ROWS))


def observe(table: Table) -> tuple[Observations, list[str]]:
    """The table's measurements, thinned where there are very many, and what was done, to be said aloud."""
    kept = thinned(len(table.time))
    notes = [f"kept every {kept.step}th of {len(table.time)} rows for the fit"] if kept.step > 1 else []
    return _measured(table.time[kept] - table.time[0], table.values[kept]), notes


def _measured(time: NDArray[np.float64], values: NDArray[np.float64]) -> Observations:
    size = np.sqrt(np.nanmean(values**2, 0))
    spread = np.nanstd(values, 0)
    spread = np.where(spread > 0, spread, np.where(size > 0, size, 1.0))
    rates = []
    for y, s in zip(values.T, spread, strict=True):
        known = np.isfinite(y)
        rates.append(np.sqrt(np.mean((np.diff(y[known]) / np.diff(time[known])) ** 2)) / s if known.sum() > 1 else 0.0)
    positive = [r for r in rates if r > 0]
    rate = float(np.exp(np.mean(np.log(positive)))) if positive else 1.0 / float(time[-1])
    return Observations(time, values, np.where(size > 0, size, 1.0), spread, rate)
