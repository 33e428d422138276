"""Forecasts that repeat what was: the last measurement, or the last cycle."""

from dataclasses import dataclass

import numpy as np

from continua.discovery.baselines.forecaster import Baseline, Column, NotAvailable, Vector, normal_bounds
from continua.discovery.baselines.grid import Grid
from continua.discovery.baselines.seasonal import Seasonal


@dataclass(frozen=True)
class Persistence(Baseline):
    r"""The last measurement stays: the best forecast of a random walk.

    $$ \hat y(t + h) = y(t), \qquad \operatorname{var} = s^2 h, \qquad
    s^2 = \frac{\sum (\Delta y)^2}{\sum \Delta t} $$

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., sections 5.2 and 5.5.
    """

    title = "persistence"

    def _column(self, time: Vector, y: Vector) -> Column | NotAvailable:
        span = time[-1] - time[0]
        rate = np.sqrt(np.sum(np.diff(y) ** 2) / span) if span > 0 else 0.0
        return Last(float(time[-1]), float(y[-1]), float(rate))


@dataclass(frozen=True)
class Last(Column):
    """The last measurement, at its time."""

    time: float
    value: float
    rate: float  # deviation after one unit of time

    def outlook(self, times: Vector) -> tuple[Vector, Vector, Vector]:
        """The same for ever, less and less sure."""
        return normal_bounds(np.full(len(times), self.value), self.rate * np.sqrt(np.maximum(times - self.time, 0)))


@dataclass(frozen=True)
class SeasonalNaive(Seasonal):
    r"""What was measured one period earlier comes again.

    $$ \hat y(n + h) = y(n + h - m k), \qquad k = \lceil h / m \rceil, \qquad
    \operatorname{var} = k\, \overline{(y_i - y_{i-m})^2} $$

    Args:
        period: m, in steps of the median sampling; None to detect it in what is fitted.
        calendar: the unit of time, such as "year", where it is known: monthly rows are then tried for a year first.

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., sections 5.2 and 5.5.
    """

    title = "seasonal-naive"

    def _on_grid(self, grid: Grid, period: int | None) -> Column | NotAvailable:
        if period is None or not 0 < period < len(grid.y):
            return NotAvailable("no period" if period is None else "the record is shorter than its period")
        again = grid.y[period:] - grid.y[:-period]
        return _LastCycle(grid, period, float(np.sqrt(np.mean(again**2))))


@dataclass(frozen=True, eq=False)
class _LastCycle(Column):
    grid: Grid
    period: int
    deviation: float  # of what comes one period later

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"period {self.period} rows",)

    def outlook(self, times: Vector) -> tuple[Vector, Vector, Vector]:
        ahead = self.grid.ahead(times)
        whole = np.floor(ahead).astype(int)
        cycle = self.grid.y[-self.period :]
        near, far = (cycle[(whole + i) % self.period] for i in (-1, 0))
        cycles = np.maximum(np.ceil(ahead / self.period - 1e-9), 0)
        return normal_bounds(near + (ahead - whole) * (far - near), self.deviation * np.sqrt(cycles))
