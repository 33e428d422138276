"""The time axis of a table: which column it is, and its cells as increasing numbers with a unit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import cell_text, numbers
from continua.files.errors import DataError
from continua.files.raw_table import Cells, RawTable, is_gap
from continua.files.wording import quoted

UNITS = {
    "millisecond": ("ms", "millisecond", "milliseconds"),
    "second": ("s", "sec", "secs", "second", "seconds"),
    "minute": ("min", "mins", "minute", "minutes"),
    "hour": ("h", "hr", "hrs", "hour", "hours"),
    "day": ("d", "day", "days"),
    "week": ("w", "wk", "week", "weeks"),
    "month": ("mo", "month", "months"),
    "year": ("y", "yr", "yrs", "a", "year", "years"),
}
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
CLOCK_NAMES = ("time", "datetime", "date", "timestamp", "times", "dates")
CALENDAR_NAMES = ("date", "dates", "datetime", "month", "months", "period", "yyyymm", "yyyymmdd")
SHORTEST_UNIT_NAME = 3  # "s" or "h" alone is more likely a state
NAME = re.compile(r"([a-z]+)(?:[\s_]*[\[(/,]?\s*([a-z]+)\s*[\])]?)?")

MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
DIGITS = re.compile(r"\d{6}|\d{8}")

DAYS_A_YEAR = 365.25
# A span longer than two of a unit is told in that unit.
SPANS = (("year", DAYS_A_YEAR * 86400.0), ("day", 86400.0), ("hour", 3600.0), ("second", 1.0))


@dataclass(frozen=True)
class TimeAxis:
    """Times as numbers, NaN for a gap, their unit where it is known, and what was assumed."""

    name: str
    values: NDArray[np.float64]
    calendar: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Dates:
    instants: NDArray[Any]  # NaT for a gap
    zoned: bool = False


def row_numbers(raw: RawTable) -> TimeAxis:
    """The row number, from 0, as time."""
    note = "No time column was found: the row number is the time, so rates are per row."
    return TimeAxis("row", np.arange(raw.rows, dtype=np.float64), None, (note,))


def column_named_like_time(names: Sequence[str]) -> str | None:
    """The column whose name says that it is the time."""
    ranked = [(rank, place, name) for place, name in enumerate(names) if (rank := _rank(name)) is not None]
    return min(ranked)[2] if ranked else None


def monotone_column(raw: RawTable, names: Sequence[str]) -> str | None:
    """The first column of numbers or dates without gaps that always grows or always falls, if another is left."""
    for name in names if len(raw.names) > 1 else ():
        cells = raw.columns[raw.names.index(name)]
        dates = _dates(cells, name)
        values = numbers(cells).values if dates is None else _from_dates(dates, name).values
        if bool(np.all(values[1:] > values[:-1])) or bool(np.all(values[1:] < values[:-1])):
            return name
    return None


def time_axis(raw: RawTable, name: str) -> TimeAxis:
    """The named column as time: numbers as they are, dates as decimal years, days, hours or seconds."""
    cells = raw.columns[raw.names.index(name)]
    dates = _dates(cells, name)
    if dates is not None:
        return _from_dates(dates, name)
    column = numbers(cells)
    for row in column.text_rows:
        text = quoted(cell_text(cells, int(row)))
        if column.is_text and _parsed(cell_text(cells, int(row))) is not None:
            continue  # a good date: the row that spoils the column is another
        raise DataError(
            f"{raw.source}, {raw.place(int(row))}, time column `{name}`: {text} is neither a number nor a date. "
            "Use numbers or dates like 2016-07-31, or another column with `time`."
        )
    return TimeAxis(name, column.values, _unit(name))


def _words(name: str) -> tuple[str, str | None] | None:
    found = NAME.fullmatch(name.lower().strip())
    return (found[1], found[2]) if found else None


def _rank(name: str) -> int | None:
    """How surely a name means time: 0 for words like "time", 1 for "t", 2 for a unit; None for no."""
    words = _words(name)
    if words is None:
        return None
    word, unit = words
    if unit is not None and unit not in UNIT_OF:
        return None
    if word in CLOCK_NAMES:
        return 0
    if word == "t":
        return 1
    return 2 if word in UNIT_OF and len(word) >= SHORTEST_UNIT_NAME and unit is None else None


def _unit(name: str) -> str | None:
    """The unit that a column's name tells, such as "second" for "t [s]"."""
    words = _words(name)
    if words is None:
        return None
    if words[1]:
        return UNIT_OF.get(words[1])
    return UNIT_OF.get(words[0]) if len(words[0]) >= SHORTEST_UNIT_NAME else None


def _dates(cells: Cells, name: str) -> _Dates | None:
    """The column as dates, None where it is not one."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return _Dates(cells.astype("datetime64[us]"))
    words = _words(name)
    compact = words is not None and words[0] in CALENDAR_NAMES
    if isinstance(cells, np.ndarray) and not compact:
        return None
    texts = _integers(cells) if isinstance(cells, np.ndarray) else cells
    filled = [text for text in texts if not is_gap(text)]
    if not filled:
        return None
    if compact and all(DIGITS.fullmatch(text) for text in filled):
        return _all_parsed([text if is_gap(text) else _dashed(text) for text in texts])
    return _all_parsed(texts)


def _integers(cells: NDArray[np.generic]) -> list[str]:
    """Whole numbers as text, so that 195803 in memory reads as it does in a file."""
    values = np.asarray(cells, dtype=np.float64)
    whole = np.isfinite(values) & (np.abs(values) < 1e9)
    return [
        str(int(v)) if ok and v == int(v) else ("" if np.isnan(v) else "text")
        for v, ok in zip(values, whole, strict=True)
    ]


def _dashed(digits: str) -> str:
    """195803 as 1958-03 and 19580329 as 1958-03-29."""
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:]) if part)


def _all_parsed(texts: Sequence[str]) -> _Dates | None:
    """Every cell as an instant, None where one is no date."""
    parsed: list[datetime | None] = []
    for text in texts:
        instant = None if is_gap(text) else _parsed(text)
        if instant is None and not is_gap(text):
            return None
        parsed.append(instant)
    zoned = any(instant is not None and instant.tzinfo is not None for instant in parsed)
    plain = [None if instant is None else instant.replace(tzinfo=None) for instant in parsed]
    return _Dates(np.array(plain, dtype="datetime64[us]"), zoned)


def _parsed(text: str) -> datetime | None:
    """A date, a date with a time of day, or a month; in UTC where the text tells a zone."""
    try:
        if month := MONTH.fullmatch(text):
            return datetime(int(month[1]), int(month[2]), 1)
        if not INSTANT.fullmatch(text):
            return None
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        return None


def _from_dates(dates: _Dates, name: str) -> TimeAxis:
    """Dates as numbers, in the unit that suits their span."""
    notes = ("Times with a zone were converted to UTC.",) if dates.zoned else ()
    known = dates.instants[~np.isnat(dates.instants)]
    if known.size == 0:
        return TimeAxis(name, np.full(dates.instants.shape, np.nan), None)
    first, last = known.min(), known.max()
    span = float((last - first) / np.timedelta64(1, "s"))
    unit, seconds = next((u, s) for u, s in SPANS if span > 2 * s or u == "second")
    if unit == "year" and bool(np.all(known == known.astype("datetime64[M]"))):
        note = f"The months in `{name}` became decimal years, each month a twelfth."
        return TimeAxis(name, _monthly_years(dates.instants), "year", (*notes, note))
    if unit == "year":
        origin, start = np.datetime64("2000-01-01", "us"), 2000.0
        note = f"The dates in `{name}` became decimal years of 365.25 days (2000.0 is 2000-01-01)."
    else:
        origin, start = first, 0.0
        note = f"The dates in `{name}` became {unit}s since {_told(first)}."
    values = start + (dates.instants - origin) / np.timedelta64(1, "s") / seconds
    return TimeAxis(name, np.asarray(values, dtype=np.float64), unit, (*notes, note))


def _monthly_years(instants: NDArray[Any]) -> NDArray[np.float64]:
    """1949-02 as 1949 + 1/12, NaN for a gap."""
    months = instants.astype("datetime64[M]").astype(np.int64)
    return np.where(np.isnat(instants), np.nan, 1970.0 + months / 12.0)


def _told(instant: np.datetime64) -> str:
    """2016-07-01, with the time of day where it is not midnight."""
    text = str(instant.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00").replace("T", " ")
