"""Rolling origins: fit what was known up to a row, forecast the rows behind it, compare with what came."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.discovery.baselines import (
    ETS,
    Fittable,
    Forecaster,
    NotAvailable,
    Outlook,
    Persistence,
    RollingErrors,
    SeasonalNaive,
    on_common_ground,
    rolling_errors,
    spaced_origins,
)
from continua.discovery.estimate import Estimate, refit
from continua.discovery.observations import Observations
from continua.files import Table

Vector = NDArray[np.floating]
Rows = NDArray[np.floating]  # [row, state]
HORIZONS = (1, 5)
LAW = "law"
ENOUGH = 0.5  # of the origins
ROUNDS = 2  # in which σ settles: what it weighs is known from the fit to all rows
MOST_ROWS = 3000  # that a baseline sees


@dataclass(frozen=True)
class Skill:
    """Forecasts some steps ahead: the root mean square error over all origins, of the law and of each baseline.

    Errors are in units of each state's spread. `model` is NaN where there is no law.
    """

    horizon: int
    origins: int
    model: float
    baselines: dict[str, float]

    @property
    def persistence(self) -> float:
        """The error of saying that nothing changes."""
        return self.baselines[Persistence.title]

    @property
    def rival(self) -> str:
        """The baseline with the smallest error."""
        return min(self.baselines, key=lambda name: self.baselines[name])

    @property
    def skill(self) -> float:
        """1 − (error of the law / error of the best baseline)²: 1 is perfect, 0 no better."""
        best = self.baselines[self.rival]
        return 1 - (self.model / best) ** 2 if best > 0 else float("nan")


@dataclass
class _Refitted(Fittable):
    """A law as one more forecaster: fitted anew to what is known, from where its last fit ended."""

    found: Estimate

    def fit(self, time: Vector, values: Rows) -> Forecaster | NotAvailable:
        """The rows that are given are the first ones of the record."""
        data = self.found.shooting.data
        last = data.pieces[-1]
        again = refit(self.found, data.until(last.start + len(time)), rounds=ROUNDS)
        if again is None:
            return NotAvailable("it diverges")
        return _Path(data.time[last], again.fitted[last][:, data.measured])


@dataclass(frozen=True)
class _Path(Forecaster):
    time: NDArray[np.float64]
    states: NDArray[np.float64]

    def forecast(self, times: Vector) -> Outlook:
        """The rows of these times."""
        rows = self.states[np.searchsorted(self.time, times)]
        return Outlook(rows, rows, rows)


@dataclass(frozen=True)
class _OnAllRows(Fittable):
    """A baseline that sees every row of the table up to the origin, also where the law's rows were thinned."""

    baseline: Fittable
    time: NDArray[np.float64]
    values: NDArray[np.float64]

    def fit(self, time: Vector, values: Rows) -> Forecaster | NotAvailable:
        """The rows until the last of `time`, but no more than are worth their time."""
        end = int(np.searchsorted(self.time, time[-1], "right"))
        known = slice(max(end - MOST_ROWS, 0), end)
        return self.baseline.fit(self.time[known], self.values[known])


def baselines(calendar: str | None) -> dict[str, Fittable]:
    """What a law has to beat."""
    found = (Persistence(), SeasonalNaive(calendar=calendar), ETS(calendar=calendar))
    return {one.title: one for one in found}


def rolling_origins(
    data: Observations, table: Table, found: Estimate | None = None, order: tuple[int, ...] | None = None
) -> list[Skill]:
    """The skill at each horizon, of the law where there is one, and of every baseline that the record allows.

    Args:
        data: the measurements of the fit. Of several trajectories the last is forecast; a law is fitted to all others.
        table: all rows, the newest of which the baselines see.
        found: the law.
        order: of the table's states, in which the law has them.
    """
    data = data if found is None else found.shooting.data
    last, piece, measured = data.pieces[-1], table.pieces[-1], data.measured
    time, values = data.time[last], data.values[last][:, measured]
    fewest = 4 if found is None or len(data.pieces) > 1 else -(-(found.free + 2) // values.shape[1]) + 1
    origins = spaced_origins(len(time), fewest)
    columns = list(range(len(table.states)) if order is None else order)
    whole = (table.time[piece] - table.time[0], table.values[piece][:, columns])
    forecasters: dict[str, Fittable] = {
        name: _OnAllRows(one, *whole) for name, one in baselines(table.calendar).items()
    }
    if found is not None:
        forecasters[LAW] = _Refitted(found)
    if not origins:
        return []
    errors = {name: rolling_errors(one, time, values, HORIZONS, origins) for name, one in forecasters.items()}
    common = on_common_ground({name: e for name, e in errors.items() if name == LAW or _mostly_there(e)})
    skills = []
    for i, horizon in enumerate(HORIZONS):
        at = {name: float(column[i]) for name, column in common.items() if np.isfinite(column[i])}
        law = at.pop(LAW, float("nan"))
        count = sum(origin + horizon <= len(time) for origin in origins)
        if count and at and (found is None or np.isfinite(law)):
            skills.append(Skill(horizon, count, law, at))
    return skills


def _mostly_there(errors: RollingErrors) -> bool:
    """Whether a baseline forecast from most origins; one that seldom can would leave little to compare."""
    return bool(np.isfinite(errors.scaled).any((1, 2)).mean() > ENOUGH)
