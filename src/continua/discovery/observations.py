"""The measurements as the fit sees them: states in some order, trajectories, inputs, and sizes for scaling."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline

from continua.discovery.thinning import fitted_rows, said_of
from continua.files import Table

FEWEST_FOR_SPLINE = 6


@dataclass(frozen=True, eq=False)
class Observations:
    """Measured states at increasing times, of one trajectory or of several.

    Args:
        time: [row], from 0, increasing within each trajectory.
        values: [row, state], NaN where nothing was measured; a hidden state is NaN throughout.
        guess: [row, state], where a search begins: the values with gaps filled, and estimates of hidden states.
        size: [state], the root mean square of each state.
        spread: [state], its standard deviation.
        rate: a typical |y'|/|y − mean|, in 1/time.
        inputs: [row, input].
        pieces: the rows of each trajectory, in their order.
    """

    time: NDArray[np.float64]
    values: NDArray[np.float64]
    guess: NDArray[np.float64]
    size: NDArray[np.float64]
    spread: NDArray[np.float64]
    rate: float
    inputs: NDArray[np.float64]
    pieces: tuple[slice, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """[row, state]: where something was measured."""
        return np.isfinite(self.values)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[state]: which states are measured at all."""
        return self.known.any(0)

    def ordered(self, order: tuple[int, ...]) -> "Observations":
        """The same with the states in another order."""
        c = list(order)
        return replace(self, values=self.values[:, c], guess=self.guess[:, c], size=self.size[c], spread=self.spread[c])

    def driven_by(self, order: tuple[int, ...]) -> "Observations":
        """The same with some of the inputs, in another order."""
        return replace(self, inputs=self.inputs[:, list(order)])

    def until(self, rows: int) -> "Observations":
        """The same, but nothing is known from row `rows` on."""
        values = self.values.copy()
        values[rows:] = np.nan
        return replace(self, values=values)

    def with_velocities(self) -> "Observations":
        """The states, then the slope of each as a hidden state."""
        slopes = np.concatenate([slopes_of(self.time[p], self.guess[p]) for p in self.pieces])
        size = np.sqrt((slopes**2).mean(0))
        size = np.where(size > 0, size, self.spread * self.rate)
        return replace(
            self,
            values=np.concatenate([self.values, np.full_like(slopes, np.nan)], 1),
            guess=np.concatenate([self.guess, slopes], 1),
            size=np.concatenate([self.size, size]),
            spread=np.concatenate([self.spread, size]),
        )


def slopes_of(time: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[row, state]: the slopes of smoothing splines, by generalised cross-validation."""
    if len(time) < FEWEST_FOR_SPLINE:
        return np.gradient(values, time, axis=0) if len(time) > 1 else np.zeros_like(values)
    unit = (time - time[0]) / np.diff(time).mean()
    slopes = [make_smoothing_spline(unit, y).derivative()(unit) for y in values.T]
    return np.stack(slopes, 1) / np.diff(time).mean()


def observe(table: Table) -> tuple[Observations, list[str]]:
    """The table's measurements, fewer where there are very many, and what was done, to be said aloud."""
    kept, rows = fitted_rows(table), len(table.time)
    time, values = table.time[kept] - table.time[0], table.values[kept]
    number = np.zeros(rows, int) if table.trajectory is None else table.trajectory
    ends = np.flatnonzero(np.diff(number[kept])) + 1
    pieces = tuple(itertools.starmap(slice, itertools.pairwise([0, *ends.tolist(), len(kept)])))
    return _measured(time, values, table.input_values[kept], pieces), said_of(kept, table)


def _measured(
    time: NDArray[np.float64], values: NDArray[np.float64], inputs: NDArray[np.float64], pieces: tuple[slice, ...]
) -> Observations:
    size = np.sqrt(np.nanmean(values**2, 0))
    spread = np.nanstd(values, 0)
    spread = np.where(spread > 0, spread, np.where(size > 0, size, 1.0))
    rates = [_rate(time, y, pieces) / s for y, s in zip(values.T, spread, strict=True)]
    positive = [r for r in rates if r > 0]
    rate = float(np.exp(np.mean(np.log(positive)))) if positive else 1.0 / float(time[-1] - time[0])
    guess = np.concatenate([filled(time[p], values[p], values) for p in pieces])
    return Observations(time, values, guess, np.where(size > 0, size, 1.0), spread, rate, inputs, pieces)


def _rate(time: NDArray[np.float64], values: NDArray[np.float64], pieces: tuple[slice, ...]) -> float:
    """The root mean square slope between known neighbours."""
    slopes = []
    for piece in pieces:
        t, y = time[piece], values[piece]
        known = np.isfinite(y)
        slopes.append(np.diff(y[known]) / np.diff(t[known]))
    together = np.concatenate(slopes)
    return float(np.sqrt(np.mean(together**2))) if len(together) else 0.0


def filled(
    time: NDArray[np.float64], values: NDArray[np.float64], everywhere: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The values of a trajectory, with gaps filled along straight lines; by the overall mean where all is a gap."""
    columns = []
    for y, every in zip(values.T, everywhere.T, strict=True):
        known = np.isfinite(y)
        columns.append(np.interp(time, time[known], y[known]) if known.any() else np.full(len(y), np.nanmean(every)))
    return np.stack(columns, 1)
