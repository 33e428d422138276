"""What every forecast without a law is made of: fitted to each state's own past, asked for times behind it."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Vector = NDArray[np.floating[Any]]
Table = NDArray[np.floating[Any]]  # [row, state]

BAND = float(ndtri(0.975))  # 95 % of measurements


@dataclass(frozen=True)
class NotAvailable:
    """A baseline that this record does not allow, and why, in a clause for a table."""

    reason: str


class Outlook(NamedTuple):
    """Measurements to be expected: the forecast, and the bounds of 95 % of measurements, each [row, state]."""

    expected: Table
    lower: Table
    upper: Table

    @property
    def deviation(self) -> Table:
        """[row, state]: the standard deviation of which the band is ±1.96, as wide as the band."""
        return (self.upper - self.lower) / (2 * BAND)


@runtime_checkable
class Forecaster(Protocol):
    """What was fitted: asked for times after the last row, in the time of the data."""

    def forecast(self, times: Vector) -> Outlook:
        """The outlook at `times` [row]."""
        ...


@runtime_checkable
class Fittable(Protocol):
    """What `rolling_errors` fits anew at every origin: a baseline, or a law's refit behind the same face."""

    def fit(self, time: Vector, values: Table) -> Forecaster | NotAvailable:
        """Fit `values` [row, state] at `time` [row], all that is known."""
        ...


class Baseline(ABC):
    """A forecast made of each state's own past."""

    title: ClassVar[str]

    def fit(self, time: Vector, values: Table) -> "Fitted | NotAvailable":
        """Fit each state by itself.

        Args:
            time: [row], strictly increasing.
            values: [row, state], NaN where nothing was measured.

        Returns:
            What forecasts, or why there is no such forecast. Nothing is raised or warned about.
        """
        columns = []
        for y in np.asarray(values, float).T:
            known = np.isfinite(y)
            if not known.any():
                return NotAvailable("a state has no measurement")
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                column = self._column(np.asarray(time, float)[known], y[known])
            if isinstance(column, NotAvailable):
                return column
            columns.append(column)
        return Fitted(tuple(columns))

    @abstractmethod
    def _column(self, time: Vector, y: Vector) -> "Column | NotAvailable":
        """The same for one state, from its measurements alone."""


class Column(ABC):
    """The fitted baseline of one state."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or chosen, a clause each."""
        return ()

    @abstractmethod
    def outlook(self, times: Vector) -> tuple[Vector, Vector, Vector]:
        """(expected, lower, upper), each [row]."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A baseline fitted to each state."""

    columns: tuple[Column, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or chosen, a clause each."""
        return tuple(dict.fromkeys(note for column in self.columns for note in column.notes))

    def forecast(self, times: Vector) -> Outlook:
        """The outlook at `times` [row], after the last row."""
        with np.errstate(all="ignore"):
            ahead = [column.outlook(np.asarray(times, float)) for column in self.columns]
        return Outlook(*(np.stack(parts, 1) for parts in zip(*ahead, strict=True)))


def normal_bounds(expected: Vector, deviation: Vector) -> tuple[Vector, Vector, Vector]:
    """(expected, lower, upper), each [row], of normal measurements."""
    return expected, expected - BAND * deviation, expected + BAND * deviation
