"""What the name of a column says about time: whether it is the time, and in which unit."""

import re
from collections.abc import Mapping, Sequence

UNITS = {
    "nanosecond": ("ns", "nanosecond", "nanoseconds"),
    "microsecond": ("us", "µs", "μs", "microsecond", "microseconds"),
    "millisecond": ("ms", "msec", "millisecond", "milliseconds"),
    "second": ("s", "sec", "secs", "second", "seconds"),
    "minute": ("min", "mins", "minute", "minutes"),
    "hour": ("h", "hr", "hrs", "hour", "hours"),
    "day": ("d", "day", "days"),
    "week": ("w", "wk", "week", "weeks"),
    "month": ("mo", "month", "months"),
    "year": ("y", "yr", "yrs", "a", "year", "years"),
}
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
# Names of several words, with their unit where they tell it.
PHRASES = {
    "decimal date": "year",
    "decimal year": "year",
    "fractional year": "year",
    "date time": None,
    "elapsed time": None,
    "time elapsed": None,
    "time stamp": None,
}
CLOCK_NAMES = ("time", "datetime", "date", "timestamp", "times", "dates")
CALENDAR_NAMES = ("date", "dates", "datetime", "month", "months", "period", "yyyymm", "yyyymmdd")
SHORTEST_UNIT_NAME = 3  # "s" or "h" alone is more likely a state
AMBIGUOUS_NAMES = ("min", "mins")  # alone, a minimum
NAME = re.compile(r"([a-zµμ]+)(?:[\s_]*[/,]?\s*([a-zµμ]+))?")


def column_named_like_time(names: Sequence[str], units: Mapping[str, str]) -> str | None:
    """The column whose name says that it is the time."""
    ranks = ((_rank(name, units.get(name)), place, name) for place, name in enumerate(names))
    ranked = [(rank, place, name) for rank, place, name in ranks if rank is not None]
    return min(ranked)[2] if ranked else None


def is_calendar_word(name: str) -> bool:
    """Whether a name is that of a date or of a unit of time, such as "month"."""
    words = _words(name)
    return words is not None and (words[0] in CLOCK_NAMES + CALENDAR_NAMES or _is_unit_name(words[0]))


def may_be_digits(name: str) -> bool:
    """Whether whole numbers below such a name may be dates, such as 195803."""
    words = _words(name)
    return words is not None and words[0] in CALENDAR_NAMES


def unit_of_time(name: str, unit: str | None) -> str | None:
    """The unit that a column's header tells, such as "second" for "t [s]", "time_s" or "Seconds"."""
    if unit is not None:
        return UNIT_OF.get(unit.lower())
    if (phrase := _phrase(name)) in PHRASES:
        return PHRASES[phrase]
    words = _words(name)
    if words is None:
        return None
    if words[1]:
        return UNIT_OF.get(words[1])
    return UNIT_OF.get(words[0]) if len(words[0]) >= SHORTEST_UNIT_NAME else None


def _words(name: str) -> tuple[str, str | None] | None:
    found = NAME.fullmatch(name.lower().strip())
    return (found[1], found[2]) if found else None


def _phrase(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _rank(name: str, unit: str | None) -> int | None:
    """How surely a name means time: 0 for words like "time", 1 for "t", 2 for a unit; None for no."""
    if _phrase(name) in PHRASES:
        return 0
    words = _words(name)
    if words is None:
        return None
    word, suffix = words
    if suffix is not None and suffix not in UNIT_OF:
        return None
    if word in CLOCK_NAMES:
        return 0
    if word == "t":  # "T [K]" is a temperature
        return 1 if unit is None or unit.lower() in UNIT_OF else None
    return 2 if _is_unit_name(word) and suffix is None else None


def _is_unit_name(word: str) -> bool:
    return word in UNIT_OF and len(word) >= SHORTEST_UNIT_NAME and word not in AMBIGUOUS_NAMES
