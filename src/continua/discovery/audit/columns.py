"""Gaps, steps, and columns that stand still, follow from each other, grow, or are too many for their rows."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from continua.discovery.audit.finding import Finding, Table, Vector, is_constant, scaled, share_text

COLLINEAR = 0.995  # correlation
MANY_GAPS = 0.2  # of the cells
TREND = 0.5  # of the variance


def gaps(time: Vector, values: Table, names: tuple[str, ...], unit: str) -> Iterator[Finding]:
    """How much is missing and where, and whether steps are equal."""
    missing = np.isnan(values)
    if missing.any():
        share, concerned = float(missing.mean()), tuple(names[i] for i in np.flatnonzero(missing.any(0)))
        longest = max(_longest_run(column) for column in missing.T)
        message = f"{share_text(share)} of the cells are gaps, up to {longest} rows in a row, in {', '.join(concerned)}"
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


def constant(name: str, y: Vector) -> Finding:
    """A state that stands still, or was never measured."""
    known = y[np.isfinite(y)]
    message = f"{name} is constant ({known[0]:.4g})" if len(known) else f"{name} has no measurement"
    return Finding("constant", "warning", message, "Leave it out with `states`.", (name,), float(len(known)))


def few_rows(values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """Fewer numbers than linear dynamics has unknowns, or hardly more."""
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


def collinear(values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """States of which the data says the same."""
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
    if len(names) < 3 or len(whole) < 4 * len(names) or any(is_constant(y) for y in whole.T):
        return
    eigenvalues, vectors = np.linalg.eigh(np.corrcoef(scaled(whole).T))
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


def trends(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    """States that grow or fall along a straight line."""
    for name, y in zip(names, values.T, strict=True):
        known = np.isfinite(y)
        share = _correlation(time[known], y[known]) ** 2
        if share > TREND and known.sum() > 3:
            message = f"{name} is not stationary: a straight line explains {share_text(share)} of its variance"
            remedy = "A law must explain the growth; a forecast goes where no data was."
            yield Finding("trend", "note", message, remedy, (name,), share)
