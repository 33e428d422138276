"""Exponential smoothing, in the kind with the lowest AICc."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from continua.discovery.baselines.forecaster import Column, NotAvailable, Vector, normal_bounds
from continua.discovery.baselines.grid import Grid
from continua.discovery.baselines.innovations import TRENDS, smoothed
from continua.discovery.baselines.naive import Last
from continua.discovery.baselines.periods import FEWEST_CYCLES
from continua.discovery.baselines.seasonal import Seasonal

MOST_ROWS = 2000  # a smoother forgets what is older; it reads the last ones only
LONGEST_ESTIMATED = 24  # a longer season is decomposed, not searched for in as many unknowns
SMALLEST = 1e-24  # of the variance, below which residuals are rounding
STL_CYCLES = 13  # over which a long season may change; the number R's stlf takes
LARGEST_LOG = 700.0  # exp of more overflows


@dataclass(frozen=True)
class ETS(Seasonal):
    r"""Exponential smoothing: level, trend and season that follow the record, by maximum likelihood.

    $$ y_t = \ell_{t-1} + \phi b_{t-1} + s_{t-m} + \varepsilon_t, \quad
    \ell_t = \ell_{t-1} + \phi b_{t-1} + \alpha \varepsilon_t, \quad
    b_t = \phi b_{t-1} + \beta \varepsilon_t, \quad s_t = s_{t-m} + \gamma \varepsilon_t $$

    of y or, where all are positive, of log y (so that trend and season multiply); with a damped, a straight or no
    trend; with or without a season: the lowest AICc on the scale of y. A season longer than 24 rows is taken off by
    statsmodels' STL beforehand. Gaps are filled linearly. The last 2000 rows are read.

    Args:
        period: m, in steps of the median sampling; None to detect it in what is fitted.
        calendar: the unit of time, as for `SeasonalNaive`.

    Source: Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), chapters 2 and 6; STL:
    Cleveland, Cleveland, McRae & Terpenning, J. Off. Stat. 6 (1990) 3–73.
    """

    title = "ETS"

    def _on_grid(self, grid: Grid, period: int | None) -> Column | NotAvailable:
        recent = grid.last(MOST_ROWS)
        if recent.y.std() <= 1e-12 * np.abs(recent.y).max():
            return Last(grid.end, float(grid.y[-1]), 0.0)
        smoothers = list(_smoothers(recent, period or 1))
        if not smoothers:
            return NotAvailable("too few rows")
        return min(smoothers, key=lambda smoother: smoother.aicc)


@dataclass(frozen=True, eq=False)
class _Smoother(Column):
    """Smoothed to the last row; weights as in the state-space form above."""

    grid: Grid
    log: bool
    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    slope: float
    season: Vector  # [step of the period], the next one first; one zero where there is none
    sigma: float
    aicc: float

    @property
    def notes(self) -> tuple[str, ...]:
        season = f"{'multiplicative' if self.log else 'additive'} season of {len(self.season)} rows"
        trend = "straight trend" if self.phi == 1 else "damped trend"
        said = [(season, len(self.season) > 1), (trend, self.phi > 0), ("logarithms", self.log)]
        said.append((f"only the last {MOST_ROWS} rows", len(self.grid.y) == MOST_ROWS))
        return tuple(note for note, holds in said if holds)

    def outlook(self, times: Vector) -> tuple[Vector, Vector, Vector]:
        ahead = np.maximum(self.grid.ahead(times), 0)
        far = np.arange(1, int(np.ceil(ahead.max(initial=1))) + 1)
        damped = far if self.phi == 1 else self.phi * (1 - self.phi**far) / (1 - self.phi)
        expected = self.level + damped * self.slope + self.season[(far - 1) % len(self.season)]
        returns = (far % len(self.season) == 0) & (len(self.season) > 1)
        passed_on = self.alpha + self.beta * damped + self.gamma * returns
        deviation = self.sigma * np.sqrt(1 + np.concatenate([[0.0], np.cumsum(passed_on**2)[:-1]]))
        now = self.level + self.season[-1]
        expected = np.interp(ahead, np.arange(len(far) + 1), np.concatenate([[now], expected]))
        bounds = normal_bounds(expected, np.interp(ahead, far, deviation))
        if not self.log:
            return bounds
        middle, low, high = (np.exp(np.minimum(bound, LARGEST_LOG)) for bound in bounds)
        return middle, low, high


def _smoothers(grid: Grid, period: int) -> Iterable[_Smoother]:
    """Each kind that can be fitted: of y or log y, with a season or none, with a trend or none."""
    for log in (False, True) if (grid.y > 0).all() else (False,):
        y = np.log(grid.y) if log else grid.y
        jacobian = 2 * float(np.sum(np.log(grid.y))) if log else 0.0
        for m in {1, period} if FEWEST_CYCLES * period <= len(y) else {1}:
            taken_off = _decomposed(y, m) if m > LONGEST_ESTIMATED else np.zeros(len(y))
            for trend in TRENDS:
                found = _smoother(grid, log, y - taken_off, jacobian, trend, m, taken_off[-m:])
                if found is not None:
                    yield found


def _decomposed(y: Vector, m: int) -> Vector:
    """[row]: the season of STL."""
    from statsmodels.tsa.seasonal import STL

    return np.asarray(STL(y, period=m, seasonal=STL_CYCLES).fit().seasonal)


def _smoother(
    grid: Grid, log: bool, y: Vector, jacobian: float, trend: str, m: int, season: Vector
) -> _Smoother | None:
    """One kind, and its AICc with every first state and every seasonal one counted."""
    n, searched = len(y), m if m <= LONGEST_ESTIMATED else 1
    seasonal = (m > 1) * (m + 1) * (1 if searched == m else max(1, 2 * n / (m * STL_CYCLES)))
    unknowns = 3 + TRENDS[trend] + seasonal  # weight and first level, σ; the trend; the season
    unit = float(y.std())
    if n < unknowns + 3 or not unit > 0:
        return None
    found = smoothed((y - y.mean()) / unit, trend, searched)
    if found is None:
        return None
    squares = float(np.sum(found.innovations**2)) + n * SMALLEST  # an exact fit has no logarithm
    aicc = n * np.log(squares / n * unit**2) + jacobian + 2 * unknowns * n / (n - unknowns - 1)
    sigma = float(unit * np.sqrt(squares / (n - unknowns + 1)))
    states = float(y.mean() + unit * found.level), unit * found.slope, season + unit * found.season
    return _Smoother(grid, log, *found.weights, *states, sigma, float(aicc))
