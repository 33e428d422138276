"""The lines of a written system: what stands left of each = names a state, the rest is its slope."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from continua.core import ArgumentError, ArgumentTypeError
from continua.show import CONSTANTS, is_word, names_in, printable

Found = TypeVar("Found")

MOST = 100  # equations
LONGEST_TEXT = 100_000  # characters
LONGEST_LEFT = 1_000

LEFT = re.compile(r"d\s*\(\s*(\w+)\s*\)\s*/\s*dt|d\s*(\w+?)\s*/\s*dt|(\w+)\s*['′’]")
HIGHER = re.compile(r"d\s*(\^|\*\*|²|2).*|\w+\s*(['′’]{2,}|″)")


@dataclass(frozen=True)
class EquationLine:
    """One line: its number, its text without comment, the state, and where its right-hand side starts."""

    number: int
    text: str
    state: str
    start: int

    def side(self, read: Callable[[str, int], Found]) -> Found:
        """What `read(text, start)` makes of the right-hand side; its error gets the number of the line."""
        try:
            return read(self.text, self.start)
        except ArgumentError as error:
            raise ArgumentError(f"Line {self.number}, {error}") from None


def equation_lines(text: str) -> list[EquationLine]:
    """The lines that hold equations, at least one; no state twice."""
    if not isinstance(text, str):
        raise ArgumentTypeError(f'`text` must be text. Got {type(text).__name__}. Use "dx/dt = a*x".')
    if len(text) > LONGEST_TEXT:
        raise ArgumentError(f"Equations may have {LONGEST_TEXT} characters. Got {len(text)}. Use fewer, or a function.")
    numbered = [(i, line.partition("#")[0]) for i, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1)]
    lines = [_equation_line(i, line) for i, line in numbered if line.strip()]
    if not lines or len(lines) > MOST:
        raise ArgumentError(f"`text` must hold 1 … {MOST} equations. Got {len(lines)}. Use lines such as dx/dt = a*x.")
    seen: dict[str, int] = {}
    for line in lines:
        if line.state in seen:
            raise ArgumentError(
                f"Line {line.number}: the slope of `{line.state}` is already given in line {seen[line.state]}. "
                "Use one equation for each state."
            )
        seen[line.state] = line.number
    return lines


def _equation_line(number: int, line: str) -> EquationLine:
    left, sign, _ = line.partition("=")
    found = LEFT.fullmatch(left.strip()) if sign and len(left) <= LONGEST_LEFT else None
    state = next((group for group in found.groups() if group), "") if found else ""
    if is_word(state):
        return EquationLine(number, line, state, len(left) + 1)
    shown = printable(line.strip()[:40])
    if sign and HIGHER.fullmatch(left.strip()[:40]):
        remedy = "Write a second-order equation as two: x' = v and v' = …"
    else:
        remedy = "Use dx/dt = …, d x/dt = …, d(x)/dt = … or x' = …, where x is one word."
    raise ArgumentError(f"Line {number} must be an equation for the slope of a state. Got `{shown}`. {remedy}")


def unnamed(lines: Sequence[EquationLine], known: Iterable[str]) -> list[str]:
    """The names on the right that stand neither for these, nor for the time, nor for a constant."""
    taken = {*known, "t", *CONSTANTS}
    found = [name for line in lines for name in line.side(names_in)]
    return [name for name in dict.fromkeys(found) if name not in taken]
