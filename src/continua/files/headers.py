"""Headers such as "speed [m/s]": a name and a unit."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# Round brackets need a blank before them: "x(t)" is a name. Digits alone are an index: "x[0]".
SQUARE = re.compile(r"(?P<name>.*[^\s_])[\s_]*\[(?P<unit>[^\[\]]*)\]")
ROUND = re.compile(r"(?P<name>.*[^\s_])[\s_]+\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)")
NO_UNIT = ("", "-", "–", "—")  # dimensionless


@dataclass(frozen=True)
class Header:
    """A column's header, its name without the unit, and the unit."""

    full: str
    name: str
    unit: str | None


def headers_of(names: Sequence[str]) -> tuple[Header, ...]:
    """The headers of a table; where two would share a name, both keep their full text as their name."""
    headers = [_header(name) for name in names]
    shared = Counter(header.name for header in headers)
    return tuple(h if shared[h.name] == 1 else Header(h.full, h.full, h.unit) for h in headers)


def _header(text: str) -> Header:
    found = SQUARE.fullmatch(text) or ROUND.fullmatch(text)
    if found is None or found["unit"].strip().isdigit() or text.startswith(("[", "(")):
        return Header(text, text, None)
    unit = found["unit"].strip()
    return Header(text, found["name"], None if unit in NO_UNIT else unit)
