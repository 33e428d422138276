"""Dates that are spread over columns: a year, a month, perhaps a day and an hour."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import numbers, plain_text
from continua.files.dates import Dates
from continua.files.errors import DataError
from continua.files.raw_table import RawTable
from continua.files.times import TimeAxis, axis_of_dates
from continua.files.trajectories import Grouping, is_monotone
from continua.files.wording import listed

# Least and most of each part of a date; at least the first two have to be there.
PARTS = {"year": (1, 9999), "month": (1, 12), "day": (1, 31), "hour": (0, 23)}
FEWEST_PARTS = 2


def calendar_columns(raw: RawTable, names: Sequence[str], trajectories: Grouping | None) -> list[str]:
    """The columns named year, month, day, hour as far as they hold such numbers; none where the year alone tells."""
    by_lower = {name.lower(): name for name in reversed(names)}
    found: list[str] = []
    for part, bounds in PARTS.items():
        if part not in by_lower or not _holds(raw, by_lower[part], bounds):
            break
        found.append(by_lower[part])
    if len(found) < FEWEST_PARTS or is_monotone(np.asarray(raw.cells(found[0]), np.float64), trajectories):
        return []
    return found


def calendar_axis(raw: RawTable, columns: Sequence[str]) -> TimeAxis:
    """The dates that the columns make together as time; a gap in one is a gap."""
    parts = [np.asarray(raw.cells(name), np.float64) for name in columns]
    told = ~np.any(np.isnan(parts), axis=0)
    year, month, day, hour = ([_whole(part, told) for part in parts] + [np.ones_like(told, np.int64)] * 2)[:4]
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    instants = months.astype("datetime64[us]")
    if len(parts) > FEWEST_PARTS:
        instants = instants + (day - 1).astype("timedelta64[D]")
        _refuse_other_months(raw, columns[2], told & (instants.astype("datetime64[M]") != months))
    if len(parts) == len(PARTS):
        instants = instants + hour.astype("timedelta64[h]")
    instants[~told] = np.datetime64("NaT", "us")
    axis = axis_of_dates(Dates(instants), columns[0])
    return axis.saying(f"The time was put together from the columns {listed(columns)}.", *axis.notes)


def _refuse_other_months(raw: RawTable, name: str, beyond: NDArray[np.bool_]) -> None:
    if beyond.any():
        row = int(np.argmax(beyond))
        day = plain_text(float(raw.cells(name)[row]))
        raise DataError(f"{raw.where(row)}, column `{name}`: the month has no day {day}. Correct the date.")


def _whole(part: NDArray[np.float64], told: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(told, part, 1).astype(np.int64)


def _holds(raw: RawTable, name: str, bounds: tuple[int, int]) -> bool:
    """Whether the column holds whole numbers within bounds, and perhaps gaps."""
    values = numbers(raw.cells(name)).values if isinstance(raw.cells(name), np.ndarray) else np.array([np.inf])
    told = values[~np.isnan(values)]
    return told.size > 0 and bool(np.all((told >= bounds[0]) & (told <= bounds[1]) & (told == np.floor(told))))
