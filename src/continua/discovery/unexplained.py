"""What `fit` returns where no law is supported: what was tried, why it is not believed, and the best baseline."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.core import in_double_precision
from continua.discovery.audit import Finding
from continua.discovery.baselines import NotAvailable
from continua.discovery.forecasting import Forecast, times_ahead
from continua.discovery.model import Rival
from continua.discovery.rolling import Skill, baselines
from continua.discovery.saving import Saved

NO_EQUATION = "no equation supported by this data"


@dataclass(frozen=True, eq=False)
class Unexplained(Saved):
    """No law: `equation` and `field` are None, `forecast` is that of the best baseline.

    Args:
        reasons: why, the gravest first, a sentence each.
        states: the names of the states.
        time: [row], the times of the data.
        values: [row, state], the data; NaN for gaps.
        rivals: the laws that were tried all the same, best first.
        skills: of the baselines, on rolling origins.
        time_name: the name of the time column.
        unit: of time, such as "year", or "time".
        calendar: the same, or None where it is not known.
        findings: what the audit of the record said.
        notes: what was read, assumed and dropped.
        source: the file's name.
    """

    reasons: tuple[str, ...]
    states: tuple[str, ...]
    time: NDArray[np.float64]
    values: NDArray[np.float64]
    rivals: tuple[Rival, ...]
    skills: tuple[Skill, ...]
    time_name: str
    unit: str
    calendar: str | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    source: str

    law = NO_EQUATION
    equation = None
    field = None

    @property
    def terms(self) -> dict[str, dict[str, float]]:
        """None."""
        return {}

    @property
    def parameters(self) -> dict[str, float]:
        """None."""
        return {}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """None."""
        return {}

    @property
    def baseline(self) -> str:
        """The baseline that forecast the record best, by the geometric mean of its errors at all horizons."""
        names = [name for name in (self.skills[0].baselines if self.skills else {}) if self._everywhere(name)]
        return min(names, key=lambda name: np.prod([s.baselines[name] for s in self.skills]), default="persistence")

    def _everywhere(self, name: str) -> bool:
        return all(name in skill.baselines for skill in self.skills)

    @in_double_precision
    def forecast(self, h: Any) -> Forecast:
        """The baseline's forecast; `h` as for `Model.forecast`."""
        times = times_ahead(h, self.time)
        fitted = baselines(self.calendar)[self.baseline].fit(self.time, self.values)
        if isinstance(fitted, NotAvailable):
            fitted = baselines(self.calendar)["persistence"].fit(self.time, self.values)
        assert not isinstance(fitted, NotAvailable)  # persistence always is
        ahead = fitted.forecast(times)
        return Forecast(times, self.states, *(np.asarray(part, float) for part in ahead))
