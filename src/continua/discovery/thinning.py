"""Which rows of a long record a law is fitted to, and which ones its terms are searched in."""

import numpy as np
from numpy.typing import NDArray

from continua.files import Table

MOST_FITTED = 400  # rows; beyond, they are thinned
MOST_DRIVEN = 20_000  # what an input does between rows is lost by thinning: a stretch is kept
FEWEST_A_TRAJECTORY = 20  # rows in which terms are searched
SEEN = 0.95  # the share of a record's variation that its samples must show
SAMPLES_A_PERIOD = 8  # of the fastest part of that
SMOOTHED = 33  # lines of a spectrum
ABOVE_NOISE = 3.0  # times the noise floor: less than that is not taken for variation


def fitted_rows(table: Table) -> NDArray[np.intp]:
    """The rows that the fit uses: of a long table every so many, or a stretch where so few would not show how it moves.

    The stretch of a driven record is where its inputs vary most, that of any other its end.
    """
    rows = len(table.time)
    if table.inputs:
        if rows <= MOST_DRIVEN:
            return np.arange(rows)
        piece = max(table.pieces, key=lambda p: p.stop - p.start)
        length = min(MOST_DRIVEN, piece.stop - piece.start)
        return piece.start + _liveliest(table.input_values[piece], length) + np.arange(length)
    step = -(-rows // MOST_FITTED)
    widest = min(step, _widest_step(table)) if step > 1 else 1
    if widest == step:
        return np.concatenate([np.arange(p.start, p.stop, step) for p in table.pieces])
    share = max(MOST_FITTED // len(table.pieces), 2)
    return np.concatenate([_ending(p, widest, share) for p in table.pieces])


def said_of(kept: NDArray[np.intp], table: Table) -> list[str]:
    """What was left out, to be said aloud."""
    rows = len(table.time)
    if len(kept) == rows:
        return []
    if table.inputs:
        return [
            f"used rows {kept[0] + 1} to {kept[-1] + 1} of {rows}, where the inputs vary most, for the fit of the law"
        ]
    step = int(kept[1] - kept[0])
    every = f"every {step}{_ordinal(step)} row" if step > 1 else "all rows"
    if len(kept) >= len(range(0, rows, step)):
        return [f"used {every} of {rows} for the fit of the law"]
    where = f"from {kept[0] + 1} to {kept[-1] + 1}" if len(table.pieces) == 1 else "at the end of each trajectory"
    return [f"used {every} {where} of {rows} for the fit of the law: rows further apart would not show how it moves"]


def searched_rows(table: Table, most: int) -> list[slice]:
    """The rows in which terms are searched: the beginnings of trajectories, or where inputs vary most.

    What is sampled far more often than it moves is thinned, so that the rows cover more of it.
    """
    share = max(most // len(table.pieces), FEWEST_A_TRAJECTORY)
    longest = max(piece.stop - piece.start for piece in table.pieces)
    step = 1 if table.inputs or longest <= share else max(_widest_step(table) // 2, 1)
    found = []
    for piece in table.pieces[: most // FEWEST_A_TRAJECTORY]:
        rows = piece.stop - piece.start
        every = min(step, max(rows // share, 1))
        length = min(rows, share * every)
        first = piece.start + (_liveliest(table.input_values[piece], length) if table.inputs else 0)
        found.append(slice(first, first + length, every))
    return found


def _ending(piece: slice, step: int, count: int) -> NDArray[np.intp]:
    """The last rows of a trajectory, so many apart."""
    last = piece.stop - 1
    return last - step * np.arange(min(count, (last - piece.start) // step + 1))[::-1]


def _liveliest(inputs: NDArray[np.float64], length: int) -> int:
    """Where a stretch of so many rows begins, in which the inputs vary most."""
    scaled = (inputs - inputs.mean(0)) / np.maximum(inputs.std(0), 1e-300)
    sums = np.concatenate([[0.0], np.cumsum((scaled**2).sum(1))])
    return int(np.argmax(sums[length:] - sums[:-length]))


def _widest_step(table: Table) -> int:
    """How far apart rows may be and still show the variation of every state, in the longest trajectory."""
    piece = max(table.pieces, key=lambda p: p.stop - p.start)
    return min(_widest(y) for y in table.values[piece].T)


def _widest(y: NDArray[np.float64]) -> int:
    """The same for one state: its spectrum, without what noise spreads evenly over all frequencies."""
    known = np.isfinite(y)
    rows = np.arange(len(y))
    if len(y) < 2 * SMOOTHED or known.sum() < len(y) / 2:
        return len(y)
    y = np.interp(rows, rows[known], y[known])
    y = y - np.polynomial.Polynomial.fit(rows, y, 1)(rows)
    power = np.abs(np.fft.rfft(y / max(np.abs(y).max(), 1e-300) * np.hanning(len(y))))[1:] ** 2
    smooth = np.convolve(power, np.full(SMOOTHED, 1 / SMOOTHED), "same")
    floor = np.median(smooth[len(smooth) // 2 :])
    power = np.where(smooth > ABOVE_NOISE * floor, power, 0.0)
    if not power.sum() > 0:
        return len(y)
    fastest = 1 + int(np.searchsorted(np.cumsum(power), SEEN * power.sum()))
    return max(int(len(y) / (fastest * SAMPLES_A_PERIOD)), 1)


def _ordinal(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
