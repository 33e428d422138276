"""What a record can tell before anything is fitted: sampling, noise, columns, and whether there is a law to seek."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from continua.discovery.baselines import shortest_period

Vector = NDArray[np.floating[Any]]
Table = NDArray[np.floating[Any]]  # [row, state]
Severity = Literal["note", "warning", "refusal"]
SEVERITIES: tuple[Severity, ...] = ("refusal", "warning", "note")

ROWS_A_PERIOD = 8  # with fewer, cubic interpolation between rows is off by more than 1 %
MOST_JUMP = 0.5  # of the range of a state, from one row to the next
COLLINEAR = 0.995  # correlation
MUCH_NOISE = 0.5  # of the spread of a state
MOST_NAMED = 4
MANY_GAPS = 0.2  # of the cells
TREND = 0.5  # of the variance

PERMUTATIONS = 299
AT_ONCE = 30  # orders that are looked at together
ENOUGH = 30  # orders that are as large end the count: p is far from any level
MOST_TESTED = 2000  # rows; noise shows itself in as many
FEWEST_TESTED = 8  # rows; with fewer, orders of the rows are too few to tell chance
MOST_LAGS = 10
MOST_TERMS = 30  # of the library that is tried on increments
NOISE_LEVEL = 0.05  # p below which rows are not white noise
WALK_LEVELS = (0.01, 0.03, 0.01)  # the same for a random walk: mean, law, neighbours; the second sees most


@dataclass(frozen=True)
class Finding:
    """One thing to know about a record before a law is sought in it.

    Args:
        kind: one of few_rows, constant, collinear, gaps, irregular, coarse_sampling, noise, trend, looks_like_noise,
            looks_like_random_walk.
        severity: "note"; "warning": the law may be wrong for it; "refusal": no law can be supported.
        message: one line that names the states and the numbers.
        remedy: one line: what to do.
        states: the names concerned.
        amount: the number behind it: a ratio, a share, a correlation or a p-value, as the message says.
    """

    kind: str
    severity: Severity
    message: str
    remedy: str
    states: tuple[str, ...] = ()
    amount: float = float("nan")


def audit(time: Vector, values: Table, names: Sequence[str], calendar: str | None = None) -> tuple[Finding, ...]:
    """Look at a record before any fit.

    Args:
        time: [row], strictly increasing.
        values: [row, state], NaN where nothing was measured.
        names: of the states.
        calendar: the unit of time, such as "year", where it is known; it only words the messages.

    Returns:
        Findings, the gravest first; none where nothing stands out. The same for the same record; nothing is raised or
        warned about.

    Example:
        >>> rows = np.random.default_rng(1).standard_normal((60, 1))
        >>> [finding.kind for finding in audit(np.arange(60.0), rows, ["x"]) if finding.severity == "refusal"]
        ['looks_like_noise']
    """
    time, values = np.asarray(time, float), np.where(np.isfinite(values), values, np.nan)
    with np.errstate(all="ignore"):
        findings = list(_findings(time, values, tuple(names), calendar or "time"))
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _findings(time: Vector, values: Table, names: tuple[str, ...], unit: str) -> Iterator[Finding]:
    yield from _gaps(time, values, names, unit)
    steady = [i for i, y in enumerate(values.T) if _is_constant(y)]
    yield from (_constant(names[i], values[:, i]) for i in steady)
    moving = [i for i in range(len(names)) if i not in steady]
    if not moving:
        return
    values, names = values[:, moving], tuple(names[i] for i in moving)
    values = _scaled(values)
    yield from _few_rows(values, names)
    yield from _collinear(values, names)
    yield from _trends(time, values, names)
    lost = list(_nothing_to_find(time, values, names))
    yield from lost
    yield from _coarse(time, values, names)
    if not any(finding.severity == "refusal" for finding in lost):
        yield from _noise(time, values, names)


def _scaled(values: Table) -> Table:
    """In units of each state's largest value: squares of very large and very small numbers are numbers too."""
    return values / np.nanmax(np.abs(values), 0)


def _spread(y: Vector) -> float:
    return float(np.std(y[np.isfinite(y)]))


def _share(amount: float) -> str:
    return f"{100 * amount:.2g} %" if amount < 0.995 else f"{100 * amount:.0f} %"


# Rows and columns


def _gaps(time: Vector, values: Table, names: tuple[str, ...], unit: str) -> Iterator[Finding]:
    missing = np.isnan(values)
    if missing.any():
        share, concerned = float(missing.mean()), tuple(names[i] for i in np.flatnonzero(missing.any(0)))
        longest = max(_longest_run(column) for column in missing.T)
        message = f"{_share(share)} of the cells are gaps, up to {longest} rows in a row, in {', '.join(concerned)}"
        remedy = "Nothing need be done where gaps are short; a law is not checked inside them."
        yield Finding("gaps", "warning" if share > MANY_GAPS else "note", message, remedy, concerned, share)
    steps = np.diff(time)
    if len(steps) and steps.max() > 1.5 * np.median(steps):
        shortest, middle, widest = steps.min(), np.median(steps), steps.max()
        message = f"steps run from {shortest:.3g} to {widest:.3g} {unit} (median {middle:.3g})"
        yield Finding(
            "irregular", "note", message, "Baselines that need equal steps may be missing.", (), float(widest / middle)
        )


def _longest_run(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return int(max(edges[1::2] - edges[::2], default=0))


def _is_constant(y: Vector) -> bool:
    known = y[np.isfinite(y)]
    return len(known) < 2 or bool(np.ptp(known) <= max(1e-12 * np.abs(known).max(), np.finfo(float).tiny))


def _constant(name: str, y: Vector) -> Finding:
    known = y[np.isfinite(y)]
    message = f"{name} is constant ({known[0]:.4g})" if len(known) else f"{name} has no measurement"
    return Finding("constant", "warning", message, "Leave it out with `states`.", (name,), float(len(known)))


def _few_rows(values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    states = len(names)
    numbers, unknowns = int(np.isfinite(values).sum()), states * (states + 3)  # linear dynamics, starts and σ
    if numbers <= unknowns:
        message = f"{numbers} numbers cannot determine even linear dynamics of {_counted(states)} ({unknowns} unknowns)"
        yield Finding("few_rows", "refusal", message, "Use more rows, or fewer states with `states`.", names, numbers)
    elif numbers < 3 * unknowns:
        message = f"{numbers} numbers are few for linear dynamics of {_counted(states)} ({unknowns} unknowns)"
        remedy = "Trust only laws with few parameters, or use more rows."
        yield Finding("few_rows", "warning", message, remedy, names, numbers)


def _counted(states: int) -> str:
    return f"{states} state{'s' * (states != 1)}"


def _collinear(values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    remedy = "The data cannot tell their effects apart: leave one out with `states`, or combine them."
    found = False
    for (i, x), (j, y) in combinations(enumerate(values.T), 2):
        both = np.isfinite(x) & np.isfinite(y)
        r = abs(_correlation(x[both], y[both])) if both.sum() > 3 else 0.0
        if r > COLLINEAR:
            found = True
            message = f"{names[i]} and {names[j]} are collinear ({_thousandths(r)})"
            yield Finding("collinear", "warning", message, remedy, (names[i], names[j]), r)
    if not found:
        yield from _dependent(values, names)


def _dependent(values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """Several columns of which one is a sum of the others."""
    whole = values[np.isfinite(values).all(1)]
    if len(names) < 3 or len(whole) < 4 * len(names) or any(_is_constant(y) for y in whole.T):
        return
    eigenvalues, vectors = np.linalg.eigh(np.corrcoef(_scaled(whole).T))
    weights = np.abs(vectors[:, 0])
    if eigenvalues[0] >= 1 - COLLINEAR:
        return
    r = float(np.sqrt(max(1 - eigenvalues[0] / weights.max() ** 2, 0)))
    concerned = tuple(name for name, weight in zip(names, weights, strict=True) if weight > 0.1)
    message = f"{', '.join(concerned)} are linearly dependent ({_thousandths(r)}): a sum of them is nearly constant"
    remedy = "Leave one out with `states`: it follows from the others."
    yield Finding("collinear", "warning", message, remedy, concerned, r)


def _correlation(x: Vector, y: Vector) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else 0.0


def _thousandths(r: float) -> str:
    """Never 1.000 for what is a little less."""
    return f"{np.floor(1000 * r) / 1000:.3f}".removeprefix("0")


def _trends(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    for name, y in zip(names, values.T, strict=True):
        known = np.isfinite(y)
        share = _correlation(time[known], y[known]) ** 2
        if share > TREND and known.sum() > 3:
            message = f"{name} is not stationary: a straight line explains {_share(share)} of its variance"
            remedy = "A law must explain the growth; a forecast goes where no data was."
            yield Finding("trend", "note", message, remedy, (name,), share)


# Sampling and noise


def _coarse(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
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
    if len(jumps) < FEWEST_TESTED:
        return 0.0
    largest = float(jumps.max() / np.ptp(known))
    usual = float(np.median(jumps) / np.ptp(known))
    return -2 * np.log(max(1 - largest, 1e-3)) if largest > max(MOST_JUMP, 8 * usual) else 0.0


def _noise(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
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
    return ", ".join(f"{_share(shares[name])} of the spread of {name}" for name in largest) + more


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


# Is there anything to find


def _nothing_to_find(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    whole = np.isfinite(values).all(1)
    rows, times = values[whole][-MOST_TESTED:], time[whole][-MOST_TESTED:]
    if len(rows) < FEWEST_TESTED or any(_is_constant(y) for y in rows.T):
        return
    rows = _scaled(rows)
    chance = white_noise_chance(rows)
    if chance > NOISE_LEVEL:
        message = f"the record cannot be told from white noise (p = {chance:.2g}): no row says anything about the next"
        remedy = "No equation is supported by this data; sample more often if the process is faster than the rows."
        yield Finding("looks_like_noise", "refusal", message, remedy, names, chance)
        return
    chance = random_walk_chance(times, rows)
    if chance > 0:
        message = (
            f"the record cannot be told from a random walk (p = {chance:.2g}): no row says where the next one goes"
        )
        remedy = "No equation is supported by this data; persistence is the forecast to use."
        yield Finding("looks_like_random_walk", "refusal", message, remedy, names, chance)
        return
    for i, name in enumerate(names if len(names) > 1 else ()):
        chance = white_noise_chance(rows[:, i : i + 1])
        if chance > NOISE_LEVEL:
            message = f"{name} by itself cannot be told from white noise (p = {chance:.2g})"
            yield Finding(
                "looks_like_noise", "warning", message, "Leave it out with `states` if it is.", (name,), chance
            )


def white_noise_chance(rows: Table) -> float:
    r"""The probability that rows in random order are as alike to their neighbours: high when they may be white noise.

    $$ Q = n^2 \sum_{k=1}^{K} \frac{\lVert C_k \rVert_F^2}{n - k}, \qquad C_k = \frac1n \sum_t z_t z_{t-k}^\top $$

    with z the states, whitened: the portmanteau of Ljung & Box, for one state, and Hosking. It is compared with the
    same of shuffled rows, not with χ², so that its level is exact however few the rows are. The same of normal scores
    sees a small law behind a large first row.

    Args:
        rows: [row, state], without gaps.

    Returns:
        The p-value of the two together, from 299 orders of the rows (always the same ones).

    Source: Ljung & Box, Biometrika 65 (1978) 297–303; Hosking, JASA 75 (1980) 602–608.
    """
    chance = _chance(_whitened(rows), _portmanteau)
    if chance > 1 / (1 + PERMUTATIONS):
        scores = norm.ppf((rankdata(rows, axis=0) - 0.5) / len(rows))
        chance = min(chance, _chance(_whitened(scores), _portmanteau))
    return min(1.0, 2 * chance)


def random_walk_chance(time: Vector, rows: Table) -> float:
    r"""The probability that increments in random order look as lawful: high when the record may be a random walk.

    Increments are divided by √Δt. Three tests share a level of .05: whether increments have a mean (Student's t),
    whether the states and the last increment tell the next one, with squares and products of states where there are
    rows enough, as a differential equation would, and whether increments alone tell it (portmanteau). The last two are
    compared with increments in random order.

    Args:
        time: [row].
        rows: [row, state], without gaps.

    Returns:
        The smallest p-value where none of the three rejects a random walk, else 0.
    """
    scale = np.sqrt(np.diff(time))[:, None]
    increments = np.diff(rows, axis=0) / scale
    tests: tuple[Callable[[], float], ...] = (
        lambda: _drift_chance(increments),
        lambda: _chance(increments, _Foretold(scale, _whitening(increments))),
        lambda: _chance(_whitened(increments), _portmanteau),
    )
    smallest = 1.0
    for test, level in zip(tests, WALK_LEVELS, strict=True):
        chance = test()
        if chance <= level:
            return 0.0
        smallest = min(smallest, chance)
    return smallest


Statistic = Callable[[NDArray[np.floating[Any]]], Vector]  # [order, row, state] ↦ [order]


def _chance(rows: Table, statistic: Statistic) -> float:
    """The share of orders of the rows in which the statistic is as large; 0 where they do not vary at all.

    Source for the early end: Besag & Clifford, Biometrika 78 (1991) 301–304.
    """
    if not rows.shape[1] or bool((np.ptp(rows, 0) <= 1e-9 * np.abs(rows).max(0)).all()):
        return 0.0
    random, here, as_large = np.random.default_rng(0), float(statistic(rows[None])[0]), 0
    for done in range(0, PERMUTATIONS, AT_ONCE):
        orders = [random.permutation(len(rows)) for _ in range(min(AT_ONCE, PERMUTATIONS - done))]
        counted = as_large + np.cumsum(statistic(rows[np.stack(orders)]) >= here * (1 - 1e-9))
        if counted[-1] >= ENOUGH:
            return ENOUGH / float(done + 1 + np.argmax(counted == ENOUGH))
        as_large = int(counted[-1])
    return (1 + as_large) / (1 + PERMUTATIONS)


def _whitened(rows: Table) -> Table:
    """[row, direction]: centred, uncorrelated, of variance one; directions without variance are left out."""
    return (rows - rows.mean(0)) @ _whitening(rows)


def _whitening(rows: Table) -> Table:
    """[state, direction]: what makes centred rows white."""
    centred = rows - rows.mean(0)
    spread = np.maximum(centred.std(0), np.finfo(float).tiny)
    _, sizes, directions = np.linalg.svd(centred / spread, full_matrices=False)
    kept = sizes > 1e-6 * sizes.max(initial=0.0)
    return directions[kept].T / sizes[kept] * np.sqrt(len(rows)) / spread[:, None]


def _portmanteau(z: NDArray[np.floating[Any]]) -> Vector:
    """[order] of [order, row, direction]."""
    n = z.shape[1]
    lags = range(1, max(min(MOST_LAGS, n // 5), 1) + 1)
    together = (np.matmul(z[:, k:].swapaxes(1, 2), z[:, :-k]) for k in lags)
    return np.sum([np.sum(c**2, (1, 2)) / (n - k) for k, c in zip(lags, together, strict=True)], 0)


@dataclass(frozen=True, eq=False)
class _Foretold:
    """How much of the increments a law of the states before them explains, summed over uncorrelated directions."""

    scale: Table  # √Δt [increment, 1]
    whitening: Table  # [state, direction], of the increments

    def __call__(self, increments: NDArray[np.floating[Any]]) -> Vector:
        """[order] of [order, increment, state]."""
        states = np.cumsum(increments * self.scale[None], 1)[:, :-1]
        states = states - states.mean(1, keepdims=True)
        states = states / np.maximum(states.std(1, keepdims=True), np.finfo(float).tiny)
        constant = np.ones((*states.shape[:2], 1))
        library = np.concatenate([constant, *_terms(states, increments[:, :-1])], 2)
        basis = np.linalg.qr(library)[0][..., 1:]  # without what the mean explains
        explained = np.matmul(basis.swapaxes(1, 2), increments[:, 1:] @ self.whitening)
        return np.sum(explained**2, (1, 2))


def _terms(states: NDArray[np.floating[Any]], before: NDArray[np.floating[Any]]) -> list[NDArray[np.floating[Any]]]:
    """As much of a law's library as a third of the rows can carry: states, their last increments, their products."""
    n, d = states.shape[1:]
    most = min(n // 3, MOST_TERMS)
    blocks, used = [states], d
    for width, block in ((d, lambda: before), (d * (d + 1) // 2, lambda: _products(states))):
        if used + width <= most:
            blocks.append(block())
            used += width
    return blocks


def _products(states: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    d = states.shape[2]
    return np.stack([states[..., i] * states[..., j] for i in range(d) for j in range(i, d)], -1)


def _drift_chance(increments: Table) -> float:
    """The chance of so large a mean in any state, by Student's t, times the number of states."""
    n, d = increments.shape
    deviation = increments.std(0, ddof=1)
    ratio = np.sqrt(n) * np.abs(increments.mean(0)) / np.where(deviation > 0, deviation, 1e-300)
    return min(1.0, 2 * d * float(student.sf(ratio, n - 1).min()))
