"""What a user of estimators hands over, an array, a list of trajectories or a data frame, as names and trajectories."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, ArgumentTypeError
from continua.files import read_table


class Samples(NamedTuple):
    """Columns by name, None where they have none; and of each trajectory t [row] and y [row, state]."""

    names: tuple[str, ...] | None
    trajectories: list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def samples(X: Any, t: Any, columns: Sequence[str] | None = None) -> Samples:
    """One trajectory or several, with their times.

    Args:
        X: [row, state], a data frame, or a list of either.
        t: the sampling interval; the times [row], for a list of trajectories perhaps a list of those; of data frames
            also the name of the time column, or None to have it found.
        columns: of a data frame, those to take; all others but the time unless given.

    Raises:
        ArgumentError: there are no times, or they do not fit.
        DataError: a data frame has no such columns.
    """
    several = is_several(X)
    if t is None or isinstance(t, str):
        return _from_frames(X, t, columns)
    pieces = list(X) if several else [X]
    if several and isinstance(t, list | tuple) and any(np.ndim(one) for one in t):
        if len(t) != len(pieces):
            raise ArgumentError(f"`t` must have one entry for each trajectory. Got {len(t)} for {len(pieces)}.")
        times = list(t)
    else:
        times = [t] * len(pieces)
    found = [states_of(piece, columns) for piece in pieces]
    if len({y.shape[1] for y in found}) > 1:
        raise ArgumentError(f"`X` must have the same states everywhere. Got {[y.shape[1] for y in found]} columns.")
    return Samples(names_of(pieces[0]), [(_times(one, len(y)), y) for one, y in zip(times, found, strict=True)])


def is_several(X: Any) -> bool:
    """Whether it is a list of trajectories, not a table written as a list of rows."""
    return isinstance(X, list | tuple) and len(X) > 0 and (is_frame(X[0]) or np.ndim(X[0]) == 2)


def is_frame(X: Any) -> bool:
    """Whether its columns have names."""
    return isinstance(X, Mapping) or hasattr(X, "columns")


def names_of(X: Any) -> tuple[str, ...] | None:
    """The names of the columns, or None."""
    return tuple(map(str, X if isinstance(X, Mapping) else X.columns)) if is_frame(X) else None


def states_of(X: Any, columns: Sequence[str] | None = None) -> NDArray[np.float64]:
    """[row, state] of an array or of the columns of a data frame.

    Raises:
        ArgumentError: it has no rows and columns, or lacks one of them.
        ArgumentTypeError: it does not hold numbers.
    """
    if is_frame(X):
        names = names_of(X) if columns is None else columns
        missing = [name for name in names or () if name not in (names_of(X) or ())]
        if missing:
            raise ArgumentError(f"`X` must have the column `{missing[0]}`. Got {', '.join(names_of(X) or ())}.")
        X = [np.asarray(X[name]) for name in names or ()]
        X = np.stack(X, 1) if X else np.zeros((0, 0))
    try:
        y = np.asarray(X, float)
    except (TypeError, ValueError):
        raise ArgumentTypeError("`X` must hold numbers. Use NaN where nothing was measured.") from None
    if y.ndim != 2 or not y.size:
        raise ArgumentError(f"`X` must be [row, state]. Got shape {y.shape}. Use X.reshape(-1, 1) for a single state.")
    return y


def _from_frames(X: Any, t: str | None, columns: Sequence[str] | None) -> Samples:
    if not is_frame(X[0] if is_several(X) else X):
        raise ArgumentError(
            "`t` must be given with an array. Use the sampling interval, as t=0.02, or the times [row]."
        )
    table = read_table(X, t, columns)
    return Samples(table.states, [(table.time[piece], table.values[piece]) for piece in table.pieces])


def _times(t: Any, rows: int) -> NDArray[np.float64]:
    """The times [row] of an interval or of themselves."""
    times = np.asarray(t, float)
    if times.ndim == 0:
        if not times > 0:
            raise ArgumentError(f"`t` must be positive as a sampling interval. Got {t}. Use t=0.02.")
        return times * np.arange(rows, dtype=float)
    if times.shape != (rows,):
        raise ArgumentError(f"`t` must have one time for each row of `X`. Got shape {times.shape} for {rows} rows.")
    return times
