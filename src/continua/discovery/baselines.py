"""Forecasts that know no law, for a law to beat: persistence, seasonal-naive and exponential smoothing."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm

Vector = NDArray[np.floating[Any]]
Table = NDArray[np.floating[Any]]  # [row, state]

BAND = float(norm.ppf(0.975))  # 95 % of measurements
MOST_ROWS = 2000  # a smoother forgets what is older; it reads the last ones only
MOST_OFF = 0.25  # of a step, by which a time may miss the regular grid: months differ by 10 %
FEWEST_CYCLES = 2  # before a period is believed
LONGEST_ESTIMATED = 24  # a longer season is decomposed, not searched for in as many unknowns
NEIGHBOURS = 8  # frequencies on either side that a line must stand out from
FALSE_ALARM = 0.01  # probability that noise shows a period
SEASONS_A_YEAR = (4, 12, 52)
SMALLEST = 1e-24  # of the variance, below which residuals are rounding
STL_CYCLES = 13  # over which a long season may change; the number R's stlf takes
TRENDS = {"": 0, "straight": 2, "damped": 3}  # and their unknowns: weight, first slope, damping
WEIGHTS = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping_trend")
DAMPING = (0.8, 0.98)  # Hyndman et al.: less forgets at once, more is straight
LARGEST_LOG = 700.0  # exp of more overflows


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


# Persistence


@dataclass(frozen=True)
class Persistence(Baseline):
    r"""The last measurement stays: the best forecast of a random walk.

    $$ \hat y(t + h) = y(t), \qquad \operatorname{var} = s^2 h, \qquad
    s^2 = \frac{\sum (\Delta y)^2}{\sum \Delta t} $$

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., sections 5.2 and 5.5.
    """

    title = "persistence"

    def _column(self, time: Vector, y: Vector) -> "Column | NotAvailable":
        span = time[-1] - time[0]
        rate = np.sqrt(np.sum(np.diff(y) ** 2) / span) if span > 0 else 0.0
        return _Last(float(time[-1]), float(y[-1]), float(rate))


@dataclass(frozen=True)
class _Last(Column):
    time: float
    value: float
    rate: float  # deviation after one unit of time

    def outlook(self, times: Vector) -> tuple[Vector, Vector, Vector]:
        return _normal(np.full(len(times), self.value), self.rate * np.sqrt(np.maximum(times - self.time, 0)))


def _normal(expected: Vector, deviation: Vector) -> tuple[Vector, Vector, Vector]:
    return expected, expected - BAND * deviation, expected + BAND * deviation


# The grid that seasons are counted on


@dataclass(frozen=True, eq=False)
class Grid:
    """One state on equal steps: `y[i]` at `start + i step`, up to the last measurement; gaps are filled linearly."""

    start: float
    step: float
    y: Vector

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


# Periods


def detect_period(time: Vector, y: Vector, calendar: str | None = None) -> int | None:
    r"""The period of one state, in steps of its median sampling, or None where noise would show it as well.

    The periodogram of the detrended record is divided by the spectrum of first-order autoregressive (red) noise with
    the same first autocorrelation; its largest share g belongs to a period when Fisher's test says
    $2 K (1 - g)^{K - 1} < 0.01$ for K frequencies (or the like for a line with its first harmonic), and when the
    record correlates with itself one period later, more than in between. A year of months, quarters or weeks is
    tried first, where the unit of time is known.

    Args:
        time: [row], strictly increasing.
        y: [row], NaN where nothing was measured.
        calendar: the unit of time, such as "year", where it is known.

    Returns:
        The period in steps, at least 2 and at most half of the record; None also for irregular sampling.

    Source: Fisher, Proc. R. Soc. A 125 (1929) 54–59; red noise as in Torrence & Compo, BAMS 79 (1998) 61–78.
    """
    known = np.isfinite(y)
    grid = regular_grid(time[known], y[known])
    return None if isinstance(grid, NotAvailable) else _period(grid, calendar)


def _period(grid: Grid, calendar: str | None) -> int | None:
    y = _detrended(grid.y)
    if len(y) < 4 * FEWEST_CYCLES or not y.std() > 1e-9:
        return None
    correlation = _autocorrelation(y)
    year = _year(grid.step, calendar)
    if year is not None and _has_season(y, correlation, year):
        return year
    cycles = _significant(_shares(y, correlation[1]))
    return None if cycles is None else _refined(correlation, len(y), cycles)


def shortest_period(time: Vector, y: Vector) -> float | None:
    """The period, in steps, of the fastest line that noise does not show by itself; None where there is none.

    A line stands out from red noise, as in `detect_period`, and from the frequencies around it, for the red noise of a
    record with noise of its own is too low where it is fast.

    Args:
        time: [row], strictly increasing.
        y: [row], measured at those times.
    """
    grid = regular_grid(time, y)
    if isinstance(grid, NotAvailable) or len(grid.y) < 4 * FEWEST_CYCLES:
        return None
    rest = _detrended(grid.y)
    if not rest.std() > 1e-9:
        return None
    shares = _shares(rest, _autocorrelation(rest)[1])
    chance = np.maximum((1 - shares) ** (len(shares) - 1), _chance_among_neighbours(shares))
    lines = np.flatnonzero(len(shares) * chance < FALSE_ALARM)
    return len(rest) / float(lines[-1] + 1) if len(lines) else None


def _significant(shares: Vector) -> int | None:
    """The number of cycles that noise does not show: of one line, or of a line and its first harmonic together."""
    frequencies = len(shares)
    harmonic = np.zeros(frequencies)
    harmonic[: frequencies // 2] = shares[1::2][: frequencies // 2]
    chances = np.stack([(1 - shares) ** (frequencies - 1), beta.sf(shares + harmonic, 2, max(frequencies - 2, 1))])
    at = int(np.argmin(chances.min(0)))
    return at + 1 if 2 * frequencies * chances[:, at].min() < FALSE_ALARM else None


def _chance_among_neighbours(shares: Vector) -> Vector:
    """[frequency]: the chance of a share so much larger than those around it, by the F distribution with (2, 2m)."""
    ends = np.concatenate([[0.0], np.cumsum(shares)])
    at = np.arange(len(shares))
    low, high = np.maximum(at - NEIGHBOURS, 0), np.minimum(at + NEIGHBOURS + 1, len(shares))
    m = np.maximum(high - low - 1, 1)
    around = np.maximum(ends[high] - ends[low] - shares, 1e-300) / m
    return (1 + shares / around / m) ** -m.astype(float)


def _detrended(y: Vector) -> Vector:
    """Without its parabola, in units of the largest: growth would look like a cycle as long as the record."""
    x, y = np.linspace(-1, 1, len(y)), y / max(np.abs(y).max(), np.finfo(float).tiny)
    return y - np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyfit(x, y, 2))


def _autocorrelation(y: Vector) -> Vector:
    """[lag], up to the longest period; each divided by the number of its pairs, so that a pure cycle returns to one."""
    n = len(y)
    spectrum = np.abs(np.fft.rfft(y, 2 * n)) ** 2
    lags = np.arange(n // FEWEST_CYCLES + 2)
    covariance = np.fft.irfft(spectrum, 2 * n)[lags] / (n - lags)
    return covariance / covariance[0]


def _shares(y: Vector, first: float) -> Vector:
    """[frequency], from one cycle in the record on: each one's share of the power, relative to red noise."""
    n = len(y)
    frequencies = np.arange(1, (n - 1) // 2 + 1)
    power = np.abs(np.fft.rfft(y)[frequencies]) ** 2
    phi = np.clip(first, 0, 1 - 1 / n)
    power *= 1 - 2 * phi * np.cos(2 * np.pi * frequencies / n) + phi**2
    return power / power.sum()


def _year(step: float, calendar: str | None) -> int | None:
    """How many steps a year has, where they are months, quarters or weeks."""
    if calendar == "month":
        return 12 if abs(step - 1) < 0.02 else None
    steps = SEASONS_A_YEAR if calendar == "year" else ()
    return next((m for m in steps if abs(1 / step / m - 1) < 0.02), None)


def _has_season(y: Vector, correlation: Vector, period: int) -> bool:
    """Whether a period that is known beforehand and its harmonics hold more power than chance gives them."""
    cycles = len(y) // period
    if cycles < FEWEST_CYCLES:
        return False
    shares = _shares(y[-cycles * period :], correlation[1])
    line = shares[cycles - 1 :: cycles]
    chance = beta.sf(line.sum(), len(line), len(shares) - len(line))  # shares of noise are uniform on the simplex
    return bool(chance < FALSE_ALARM) and _returns(correlation, period, len(y))


def _refined(correlation: Vector, rows: int, cycles: int) -> int | None:
    """The lag at which the record is most like itself, near the period of so many cycles or up to four such periods.

    The strongest line may be a harmonic: relative to red noise, that of a sharp wave often is.
    """
    likeness = _over_several(correlation)
    found = [_nearby(likeness, rows, cycles / multiple) for multiple in (1, 2, 3, 4)]
    periods = [p for p in found if p is not None and _returns(correlation, p, rows)]
    best = max((likeness[p] for p in periods), default=0.0)
    return next((p for p in periods if likeness[p] > best - max(0.05, 2 / np.sqrt(rows))), None)


def _over_several(correlation: Vector) -> Vector:
    """[lag]: the mean correlation one, two and three such lags later, as far as the record goes: a sharper peak."""
    lags = np.arange(len(correlation))
    within = [m * lags < len(correlation) for m in (1, 2, 3)]
    total = sum(np.where(inside, correlation[m * lags * inside], 0.0) for m, inside in enumerate(within, 1))
    return total / np.sum(within, 0)


def _nearby(likeness: Vector, rows: int, cycles: float) -> int | None:
    shortest = max(int(np.floor(rows / (cycles + 0.6))), 2)
    longest = min(int(np.ceil(rows / max(cycles - 0.6, 0.5))), rows // FEWEST_CYCLES)
    return shortest + int(np.argmax(likeness[shortest : longest + 1])) if shortest <= longest else None


def _returns(correlation: Vector, period: int, rows: int) -> bool:
    """Whether the record is like itself one period later, significantly, and less so in between."""
    return bool(correlation[period] > max(2 / np.sqrt(rows), correlation[1:period].min() + 0.1))


# Seasonal-naive


@dataclass(frozen=True)
class SeasonalNaive(Baseline):
    r"""What was measured one period earlier comes again.

    $$ \hat y(n + h) = y(n + h - m k), \qquad k = \lceil h / m \rceil, \qquad
    \operatorname{var} = k\, \overline{(y_i - y_{i-m})^2} $$

    Args:
        period: m, in steps of the median sampling; None to detect it in what is fitted.
        calendar: the unit of time, such as "year", where it is known: monthly rows are then tried for a year first.

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., sections 5.2 and 5.5.
    """

    title = "seasonal-naive"
    period: int | None = None
    calendar: str | None = None

    def _column(self, time: Vector, y: Vector) -> "Column | NotAvailable":
        grid = regular_grid(time, y)
        if isinstance(grid, NotAvailable):
            return grid
        period = _period(grid, self.calendar) if self.period is None else self.period
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
        return _normal(near + (ahead - whole) * (far - near), self.deviation * np.sqrt(cycles))


# Exponential smoothing


@dataclass(frozen=True)
class ETS(Baseline):
    r"""Exponential smoothing: level, trend and season that follow the record, by maximum likelihood.

    $$ y_t = \ell_{t-1} + \phi b_{t-1} + s_{t-m} + \varepsilon_t, \quad
    \ell_t = \ell_{t-1} + \phi b_{t-1} + \alpha \varepsilon_t, \quad
    b_t = \phi b_{t-1} + \beta \varepsilon_t, \quad s_t = s_{t-m} + \gamma \varepsilon_t $$

    of y or, where all are positive, of log y (so that trend and season multiply); with a damped, a straight or no
    trend; with or without a season: the lowest AICc on the scale of y. A season longer than 24 rows is taken off by
    STL beforehand. Gaps are filled linearly. The last 2000 rows are read.

    Args:
        period: m, in steps of the median sampling; None to detect it in what is fitted.
        calendar: the unit of time, as for `SeasonalNaive`.

    Source: Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), chapters 2 and 6; STL:
    Cleveland, Cleveland, McRae & Terpenning, J. Off. Stat. 6 (1990) 3–73; both as statsmodels has them.
    """

    title = "ETS"
    period: int | None = None
    calendar: str | None = None

    def _column(self, time: Vector, y: Vector) -> "Column | NotAvailable":
        grid = regular_grid(time, y)
        if isinstance(grid, NotAvailable):
            return grid
        period = _period(grid, self.calendar) if self.period is None else self.period
        recent = grid.last(MOST_ROWS)
        if recent.y.std() <= 1e-12 * np.abs(recent.y).max():
            return _Last(float(time[-1]), float(y[-1]), 0.0)
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
        bounds = _normal(expected, np.interp(ahead, far, deviation))
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
    result = _fitted((y - y.mean()) / unit, trend, searched)
    if result is None:
        return None
    (alpha, beta, gamma, phi), (level, slope, last), residuals = result
    squares = float(np.sum(residuals**2)) + n * SMALLEST  # an exact fit has no logarithm
    aicc = n * np.log(squares / n * unit**2) + jacobian + 2 * unknowns * n / (n - unknowns - 1)
    sigma = float(unit * np.sqrt(squares / (n - unknowns + 1)))
    states = float(y.mean() + unit * level), unit * slope, season + unit * last
    return _Smoother(grid, log, alpha, beta, gamma, phi, *states, sigma, float(aicc))


def _fitted(y: Vector, trend: str, m: int) -> Any:
    """((α, β, γ, φ), (last level, slope, season), residuals), or None where statsmodels finds nothing finite."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    damped = trend == "damped"
    options: dict[str, Any] = {"trend": "add", "damped_trend": damped} if trend else {}
    options |= {"seasonal": "add", "seasonal_periods": m} if m > 1 else {}
    options |= {"bounds": {"damping_trend": DAMPING}} if damped else {}
    try:
        result: Any = ExponentialSmoothing(y, initialization_method="estimated", **options).fit()
    except (ArithmeticError, IndexError, ValueError):
        return None
    of = {name: float(np.nan_to_num(value)) for name, value in result.params.items() if name in WEIGHTS}
    alpha, phi = of["smoothing_level"], of["damping_trend"] if damped else float(trend == "straight")
    slope = float(result.trend[-1]) if trend else 0.0
    season = np.asarray(result.season[-m:]) if m > 1 else np.zeros(1)
    weights = (alpha, alpha * of["smoothing_trend"], of["smoothing_seasonal"], phi)
    if not np.isfinite([*weights, slope, *season, result.level[-1], result.sse]).all():
        return None
    return weights, (float(result.level[-1]), slope, season), np.asarray(result.resid)


# Rolling origins


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
