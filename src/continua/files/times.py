"""The time axis of a table: which column it is, and its cells as numbers with a unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import cell_text, numbers, plain_text
from continua.files.dates import DateFault, Dates, dates_of, is_date
from continua.files.errors import DataError
from continua.files.raw_table import Cells, RawTable
from continua.files.time_names import may_be_digits, unit_of_time
from continua.files.trajectories import Grouping, is_monotone, rows_counted
from continua.files.wording import quoted

SIX_DIGITS, EIGHT_DIGITS = (1e5, 1e6), (1e7, 1e8)
DAYS_A_YEAR = 365.25
# A span longer than two of a unit is told in that unit.
SPANS = (("year", DAYS_A_YEAR * 86400.0), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0))


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """Times as numbers, NaN for a gap, their unit where it is known, and what was assumed.

    `calendar` is the unit as a word, None where it is not one of `UNITS`; `unit` is how the header writes it.
    """

    name: str
    values: NDArray[np.float64]
    calendar: str | None
    unit: str | None = None
    notes: tuple[str, ...] = ()

    def saying(self, *notes: str) -> "TimeAxis":
        """The same with other notes."""
        return replace(self, notes=notes)


def row_numbers(raw: RawTable, grouping: Grouping | None) -> TimeAxis:
    """The row number, from 0 in each trajectory, as time."""
    values = rows_counted(raw.rows, grouping)
    note = "No time column was found: the row number is the time, so rates are per row."
    return TimeAxis("row", values, None, notes=(note,))


def monotone_column(raw: RawTable, names: Sequence[str], grouping: Grouping | None) -> str | None:
    """The first column of numbers or dates without gaps that always grows or always falls, if another is left."""
    for name in names if len(raw.names) > 1 else ():
        cells = raw.cells(name)
        dates = _dates(cells, name)
        values = axis_of_dates(dates, name).values if isinstance(dates, Dates) else numbers(cells).values
        if is_monotone(values, grouping):
            return name
    return None


def dated_column(raw: RawTable, names: Sequence[str]) -> str | None:
    """The first column that holds dates."""
    return next((name for name in names if isinstance(_dates(raw.cells(name), name), Dates)), None)


def time_axis(raw: RawTable, name: str) -> TimeAxis:
    """The named column as time: numbers as they are, dates as decimal years, days, hours or seconds."""
    cells = raw.cells(name)
    dates = _dates(cells, name)
    if isinstance(dates, Dates):
        return axis_of_dates(dates, name)
    if isinstance(dates, DateFault):
        raise _unusable(raw, name, dates.row, dates.fault)
    column = numbers(cells)
    if column.text_rows.size:
        row = int(column.text_rows[0])
        text = cell_text(cells, row)
        mixed = is_date(text) and not column.is_text
        fault = f"{quoted(text)} is mixed with numbers" if mixed else f"{quoted(text)} is neither a number nor a date"
        raise _unusable(raw, name, row, fault)
    calendar = unit_of_time(name, raw.units.get(name))
    return TimeAxis(name, column.values, calendar, raw.units.get(name, calendar))


def _unusable(raw: RawTable, name: str, row: int, fault: str) -> DataError:
    return DataError(
        f"{raw.where(row)}, time column `{name}`: {fault}. "
        "Use numbers or dates that are all like 2016-07-31, or another column with `time`."
    )


def _dates(cells: Cells, name: str) -> Dates | DateFault | None:
    """The column as dates, None where it is not one."""
    if isinstance(cells, list):
        return dates_of(cells)
    if cells.dtype.kind == "M":
        return Dates(cells.astype("datetime64[us]"))
    return _digits(np.asarray(cells, dtype=np.float64)) if may_be_digits(name) else None


def _digits(values: NDArray[np.float64]) -> Dates | DateFault | None:
    """Numbers such as 195803 or 19580329 as dates, None where most are neither."""
    told = np.flatnonzero(~np.isnan(values))
    if told.size == 0:
        return None
    digits = values[told]
    short, long = (_parts(digits, bounds) for bounds in (SIX_DIGITS, EIGHT_DIGITS))
    dated = short[1] | long[1]
    if np.count_nonzero(dated) * 2 <= told.size:
        return None
    first = int(np.argmax(dated))
    instants, good = short if short[1][first] else long
    if not good.all():
        bad = int(np.argmin(good))
        like, other = (quoted(plain_text(float(digits[row]))) for row in (first, bad))
        return DateFault(int(told[bad]), f"dates like {like} are mixed with {other}")
    moments = np.full(values.shape, np.datetime64("NaT", "us"))
    moments[told] = instants
    return Dates(moments)


def _parts(digits: NDArray[np.float64], bounds: tuple[float, float]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Year, month and perhaps day from whole numbers within bounds: the dates, and which are dates at all."""
    whole = (digits >= bounds[0]) & (digits < bounds[1]) & (digits == np.floor(digits))
    number = np.where(whole, digits, 0).astype(np.int64)
    if bounds == SIX_DIGITS:
        number = number * 100 + 1
    year, month, day = number // 10000, number // 100 % 100, number % 100
    known = whole & (month >= 1) & (month <= 12) & (year >= 1)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(known, day - 1, 0).astype("timedelta64[D]")
    good = known & (day >= 1) & (days.astype("datetime64[M]") == months)
    return days.astype("datetime64[us]"), good


def axis_of_dates(dates: Dates, name: str) -> TimeAxis:
    """Dates as numbers, in the unit that suits their span."""
    known = dates.instants[~np.isnat(dates.instants)]
    if known.size == 0:
        return TimeAxis(name, np.full(dates.instants.shape, np.nan), None)
    first, last = known.min(), known.max()
    span = float((last - first) / np.timedelta64(1, "s"))
    unit, seconds = next((u, s) for u, s in SPANS if span > 2 * s or u == "second")
    if unit == "year" and bool(np.all(known == known.astype("datetime64[M]"))):
        note = f"The months in `{name}` became decimal years, each month a twelfth."
        return TimeAxis(name, _monthly_years(dates.instants), "year", "year", (*dates.notes, note))
    if unit == "year":
        origin, start = np.datetime64("2000-01-01", "us"), 2000.0
        note = f"The dates in `{name}` became decimal years of 365.25 days (2000.0 is 2000-01-01)."
    else:
        origin, start = first, 0.0
        note = f"The dates in `{name}` became {unit}s since {_told(first)}."
    values = start + (dates.instants - origin) / np.timedelta64(1, "s") / seconds
    return TimeAxis(name, np.asarray(values, dtype=np.float64), unit, unit, (*dates.notes, note))


def _monthly_years(instants: NDArray[Any]) -> NDArray[np.float64]:
    """1949-02 as 1949 + 1/12, NaN for a gap."""
    months = instants.astype("datetime64[M]").astype(np.int64)
    return np.where(np.isnat(instants), np.nan, 1970.0 + months / 12.0)


def _told(instant: np.datetime64) -> str:
    """2016-07-01, with the time of day where it is not midnight."""
    text = str(instant.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00").replace("T", " ")
