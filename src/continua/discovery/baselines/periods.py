"""Periods: lines of the spectrum that red noise does not show, at lags at which a record is like itself."""

from typing import Any

import numpy as np
from scipy.special import betaincc

from continua.discovery.baselines.forecaster import NotAvailable, Vector
from continua.discovery.baselines.grid import Grid, regular_grid

FEWEST_CYCLES = 2  # before a period is believed
NEIGHBOURS = 8  # frequencies on either side that a line must stand out from
FALSE_ALARM = 0.01  # probability that noise shows a period
SEASONS_A_YEAR = (4, 12, 52)


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
    return None if isinstance(grid, NotAvailable) else period_on(grid, calendar)


def period_on(grid: Grid, calendar: str | None) -> int | None:
    """`detect_period` of a state that stands on its grid."""
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
    chances = np.stack([(1 - shares) ** (frequencies - 1), _beta_above(2, max(frequencies - 2, 1), shares + harmonic)])
    at = int(np.argmin(chances.min(0)))
    return at + 1 if 2 * frequencies * chances[:, at].min() < FALSE_ALARM else None


def _beta_above(a: int, b: int, share: Any) -> Any:
    """The chance of a larger share under the beta distribution; rounding may have made it more than the whole."""
    return betaincc(a, b, np.minimum(share, 1.0))


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
    chance = _beta_above(len(line), len(shares) - len(line), line.sum())  # shares of noise are uniform on the simplex
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
