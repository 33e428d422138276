"""Whether rows are close enough for what changes, and how far noise takes them off it."""

from collections.abc import Iterator

import numpy as np

from continua.discovery.audit.finding import Finding, Table, Vector, share_text
from continua.discovery.baselines import shortest_period

ROWS_A_PERIOD = 8  # with fewer, cubic interpolation between rows is off by more than 1 %
MOST_JUMP = 0.5  # of the range of a state, from one row to the next
MUCH_NOISE = 0.5  # of the spread of a state
MOST_NAMED = 4
FEWEST_JUMPS = 8  # from row to row, before one of them stands out


def coarse(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """Rows farther apart than the fastest mode allows."""
    factors = [max(_too_few_rows_a_period(time, y), _jump(y)) for y in values.T]
    worst = int(np.argmax(factors))
    if factors[worst] > 1:
        message = f"sampling is {factors[worst]:.2g}× too coarse for the fastest mode, seen in {names[worst]}"
        remedy = (
            f"Sample so that its fastest period has {ROWS_A_PERIOD} rows; fast terms of a law are not to be trusted."
        )
        concerned = tuple(name for name, factor in zip(names, factors, strict=True) if factor > 1)
        grave = "warning" if factors[worst] >= 2 else "note"
        yield Finding("coarse_sampling", grave, message, remedy, concerned, float(factors[worst]))


def _too_few_rows_a_period(time: Vector, y: Vector) -> float:
    """How many times too few rows the shortest period has that noise does not show; 0 where there is none."""
    known = np.isfinite(y)
    shortest = shortest_period(time[known], y[known])
    return 0.0 if shortest is None else ROWS_A_PERIOD / shortest


def _jump(y: Vector) -> float:
    """The same for a fall within a row, as of a mode that decays: two rows a time constant are wanted; 0 for noise."""
    known = y[np.isfinite(y)]
    jumps = np.abs(np.diff(known))
    if len(jumps) < FEWEST_JUMPS:
        return 0.0
    largest = float(jumps.max() / np.ptp(known))
    usual = float(np.median(jumps) / np.ptp(known))
    return -2 * np.log(max(1 - largest, 1e-3)) if largest > max(MOST_JUMP, 8 * usual) else 0.0


def noise(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """How far rows lie off their neighbours."""
    shares = {name: noise_level(time, y) / _spread(y) for name, y in zip(names, values.T, strict=True)}
    known = {name: min(share, 1.0) for name, share in shares.items() if np.isfinite(share)}
    loud = {name: share for name, share in known.items() if share > MUCH_NOISE}
    if loud:
        message = f"rows lie off their neighbours by {_each(loud)}: noise, or a mode too fast for the sampling"
        yield Finding("noise", "warning", message, "Sample more often, or average.", tuple(loud), max(loud.values()))
    elif known:
        remedy = "Nothing need be done; what is smaller than the noise cannot be found."
        yield Finding("noise", "note", f"noise is at most {_each(known)}", remedy, tuple(known), max(known.values()))


def _each(shares: dict[str, float]) -> str:
    """The largest few, by name."""
    largest = sorted(shares, key=lambda name: -shares[name])[:MOST_NAMED]
    more = f" and less of {len(shares) - MOST_NAMED} more" if len(shares) > MOST_NAMED else ""
    return ", ".join(f"{share_text(shares[name])} of the spread of {name}" for name in largest) + more


def _spread(y: Vector) -> float:
    return float(np.std(y[np.isfinite(y)]))


def noise_level(time: Vector, y: Vector) -> float:
    r"""The standard deviation of noise, from how far rows lie off the line and the cubic through their neighbours.

    $$ \sigma^2 = \min_{q \in \{1, 2\}} \overline{\Big(y_i - \sum_{j} w_{ij} y_j\Big)^2 \Big/
    \Big(1 + \sum_j w_{ij}^2\Big)} $$

    with Lagrange weights w of the q rows on either side. What changes faster than the rows follow counts as noise, so
    it is an upper bound.

    Args:
        time: [row], strictly increasing.
        y: [row], NaN where nothing was measured.

    Returns:
        σ in the unit of y; NaN with fewer than five measurements.

    Source: Gasser, Sroka & Jennen-Steinmetz, Biometrika 73 (1986) 625–633 (q = 1).
    """
    known = np.isfinite(y)
    t, y = time[known], y[known]
    return min(_off_neighbours(t, y, q) for q in (1, 2)) if len(y) >= 5 else float("nan")


def _off_neighbours(t: Vector, y: Vector, q: int) -> float:
    windows = np.lib.stride_tricks.sliding_window_view
    around = [j for j in range(2 * q + 1) if j != q]
    ts, ys = windows(t, 2 * q + 1), windows(y, 2 * q + 1)
    weights = np.ones((len(ts), len(around)))
    for column, j in enumerate(around):
        for k in around:
            if k != j:
                weights[:, column] *= (ts[:, q] - ts[:, k]) / (ts[:, j] - ts[:, k])
    off = ys[:, q] - (weights * ys[:, around]).sum(1)
    return float(np.sqrt(np.mean(off**2 / (1 + (weights**2).sum(1)))))
