"""Text into dates: one way of writing them in a column, nothing guessed about the order of day and month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import is_gap, number
from continua.files.wording import quoted

CLOCK = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<cut>[-/.])(?P<month>\d{1,2})(?P=cut)(?P<day>\d{1,2})" + CLOCK)
YEAR_LAST = re.compile(r"(?P<one>\d{1,2})(?P<cut>[-/.])(?P<two>\d{1,2})(?P=cut)(?P<year>\d{4})" + CLOCK)
MONTH = re.compile(r"(?P<year>\d{4})(?P<cut>[-/])(?P<month>\d{1,2})")
QUARTER = re.compile(r"(?P<year>\d{4})[- ]?[Qq](?P<quarter>[1-4])")
LAST_MONTH = 12
ISO_LENGTH = len("2016-07-31")


@dataclass(frozen=True, eq=False)
class Dates:
    """Instants (datetime64[us]), in UTC where the text told a zone; NaT for a gap; and what was assumed."""

    instants: NDArray[Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DateFault:
    """The row that keeps a column from being dates; what is wrong with it, and the remedy."""

    row: int
    fault: str


class _Moment(NamedTuple):
    form: str  # how it is written: "year-month-day", "day.month.year", …
    instant: datetime
    clock: bool  # whether a time of day is told

    @property
    def zoned(self) -> bool:
        return self.instant.tzinfo is not None


def dates_of(texts: Sequence[str]) -> Dates | DateFault | None:
    """The texts as dates; None where the first is none; else the first row that does not go with it."""
    start = next((row for row, text in enumerate(texts) if not is_gap(text)), None)
    if start is None:
        return None
    day_first, notes = True, ()
    if (found := YEAR_LAST.fullmatch(texts[start])) and found["cut"] != ".":
        order = _day_first(texts)
        if order is None:
            return DateFault(
                start, f"it cannot be told whether {quoted(texts[start])} starts with the day or the month"
            )
        day_first, notes = order, (f"Dates were read as {'day/month' if order else 'month/day'}/year.",)
    first = _moment(texts[start], day_first)
    return None if first is None else _dates(texts, first, texts[start], day_first, notes)


def is_date(text: str) -> bool:
    """Whether the text is a date in some way of writing."""
    return _moment(text, day_first=True) is not None or _moment(text, day_first=False) is not None


def _dates(
    texts: Sequence[str], first: _Moment, like: str, day_first: bool, notes: tuple[str, ...]
) -> Dates | DateFault:
    """Every text as an instant; all are written like the first, but the time of day may be left out (midnight)."""
    instants: list[datetime | None] = []
    clocks = set()
    for row, text in enumerate(texts):
        moment = _moment(text, day_first)
        if moment is not None and moment.form == first.form and moment.zoned == first.zoned:
            instants.append(moment.instant.replace(tzinfo=None))
            clocks.add(moment.clock)
        elif is_gap(text):
            instants.append(None)
        elif moment is not None or number(text) is not None or is_date(text):
            return DateFault(row, f"dates like {quoted(like)} are mixed with {quoted(text)}")
        else:
            return DateFault(row, f"{quoted(text)} is neither a number nor a date")
    if first.zoned:
        notes = (*notes, "Times with a zone were converted to UTC.")
    if len(clocks) > 1:
        notes = (*notes, "Dates without a time of day were read as midnight.")
    return Dates(np.array(instants, dtype="datetime64[us]"), notes)


def _day_first(texts: Sequence[str]) -> bool | None:
    """Whether 1/2/2020 is the first of February; None where no date of the column tells it."""
    pairs = [(int(found["one"]), int(found["two"])) for text in texts if (found := YEAR_LAST.fullmatch(text))]
    day_first = any(one > LAST_MONTH for one, _ in pairs)
    month_first = any(two > LAST_MONTH for _, two in pairs)
    return day_first if day_first or month_first else None


def _moment(text: str, day_first: bool) -> _Moment | None:
    """One text as a moment, in UTC where it tells a zone."""
    try:
        found = _iso(text) or _year_first(text) or _year_last(text, day_first) or _month(text)
        if found is None or found.instant.tzinfo is None:
            return found
        return _Moment(found.form, found.instant.astimezone(UTC), found.clock)
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> _Moment | None:
    """The common case, left to the standard library."""
    if text[4:5] != "-" or text[7:8] != "-" or text[ISO_LENGTH : ISO_LENGTH + 1] not in ("", "T", " "):
        return None
    try:
        return _Moment("year-month-day", datetime.fromisoformat(text), len(text) > ISO_LENGTH)
    except ValueError:
        return None


def _year_first(text: str) -> _Moment | None:
    found = YEAR_FIRST.fullmatch(text)
    if found is None:
        return None
    return _clocked(found, f"year{found['cut']}month{found['cut']}day", int(found["month"]), int(found["day"]))


def _year_last(text: str, day_first: bool) -> _Moment | None:
    found = YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    one, two = int(found["one"]), int(found["two"])
    month, day = (two, one) if day_first or found["cut"] == "." else (one, two)
    return _clocked(found, f"day{found['cut']}month{found['cut']}year", month, day)


def _clocked(found: re.Match[str], form: str, month: int, day: int) -> _Moment:
    if found["hour"] is None:
        return _Moment(form, datetime(int(found["year"]), month, day), clock=False)
    clock = f"{int(found['hour']):02}:{found['minute']}:{found['second'] or '00'}.{found['fraction'] or '0':0<6.6}"
    text = f"{int(found['year']):04}-{month:02}-{day:02}T{clock}{found['zone'] or ''}"
    return _Moment(form, datetime.fromisoformat(text), clock=True)


def _month(text: str) -> _Moment | None:
    if found := MONTH.fullmatch(text):
        return _Moment(f"year{found['cut']}month", datetime(int(found["year"]), int(found["month"]), 1), clock=False)
    if found := QUARTER.fullmatch(text):
        month = 3 * int(found["quarter"]) - 2
        return _Moment("quarter", datetime(int(found["year"]), month, 1), clock=False)
    return None
