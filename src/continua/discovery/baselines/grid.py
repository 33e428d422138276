"""The grid that seasons are counted on."""

from dataclasses import dataclass

import numpy as np

from continua.discovery.baselines.forecaster import NotAvailable, Vector

MOST_OFF = 0.25  # of a step, by which a time may miss the regular grid: months differ by 10 %


@dataclass(frozen=True, eq=False)
class Grid:
    """One state on equal steps: `y[i]` at `start + i step`, up to the last measurement; gaps are filled linearly."""

    start: float
    step: float
    y: Vector

    @property
    def end(self) -> float:
        """The time of the last measurement."""
        return self.start + (len(self.y) - 1) * self.step

    def ahead(self, times: Vector) -> Vector:
        """[row]: steps from the last measurement to `times`."""
        return (times - self.start) / self.step - (len(self.y) - 1)

    def last(self, rows: int) -> "Grid":
        """The same without what is older than the last `rows` steps."""
        dropped = max(len(self.y) - rows, 0)
        return Grid(self.start + dropped * self.step, self.step, self.y[dropped:])


def regular_grid(time: Vector, y: Vector) -> Grid | NotAvailable:
    """Measurements on the grid of their median step, where every time falls near it and most of it is known.

    Each interval is rounded by itself, so that months of 28 to 31 days stay months over a century.

    Args:
        time: [row], strictly increasing.
        y: [row], measured at those times.
    """
    if len(time) < 2:
        return NotAvailable("fewer than two measurements")
    intervals = np.diff(time) / np.median(np.diff(time))
    steps = np.maximum(np.rint(intervals), 1)
    if np.abs(intervals - steps).max() > MOST_OFF:
        return NotAvailable("sampling is irregular")
    places = np.concatenate([[0], np.cumsum(steps)]).astype(int)
    if places[-1] + 1 > 2 * len(time):
        return NotAvailable("more than half of the rows are gaps")
    filled = np.interp(np.arange(places[-1] + 1), places, y)
    return Grid(float(time[0]), float((time[-1] - time[0]) / places[-1]), filled)
