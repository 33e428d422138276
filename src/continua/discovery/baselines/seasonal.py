"""What forecasts with a season have in common: a regular grid, and a period that is given or found."""

from abc import abstractmethod
from dataclasses import dataclass

from continua.discovery.baselines.forecaster import Baseline, Column, NotAvailable, Vector
from continua.discovery.baselines.grid import Grid, regular_grid
from continua.discovery.baselines.periods import period_on


@dataclass(frozen=True)
class Seasonal(Baseline):
    """A baseline with a season.

    Args:
        period: in steps of the median sampling; None to detect it in what is fitted.
        calendar: the unit of time, such as "year", where it is known: monthly rows are then tried for a year first.
    """

    period: int | None = None
    calendar: str | None = None

    def _column(self, time: Vector, y: Vector) -> Column | NotAvailable:
        grid = regular_grid(time, y)
        if isinstance(grid, NotAvailable):
            return grid
        return self._on_grid(grid, period_on(grid, self.calendar) if self.period is None else self.period)

    @abstractmethod
    def _on_grid(self, grid: Grid, period: int | None) -> Column | NotAvailable:
        """One state on its grid; its period, where it has one."""
