"""The exceptions a user meets; each message is one line that names the argument, what came and the remedy.

ContinuaError
├── ArgumentError        (also a ValueError)   an argument has a value that cannot be used
├── ArgumentTypeError    (also a TypeError)    an argument has a type or structure that cannot be used
├── files.DataError      (also a ValueError)   a file or a table cannot be used
└── FailedSolve          (also a RuntimeError) a solve ended before its end time
"""

import difflib
from collections.abc import Iterable

import numpy as np


class ContinuaError(Exception):
    """The base of every error that this library raises on purpose."""


class ArgumentError(ContinuaError, ValueError):
    """An argument has a value, shape or dtype that cannot be used."""


class ArgumentTypeError(ContinuaError, TypeError):
    """An argument has a type or structure that cannot be used."""


class FailedSolve(ContinuaError, RuntimeError):
    """A solve ended before its end time; `solution` holds what was computed, its status and its statistics."""

    def __init__(self, message: str, solution: object = None) -> None:
        super().__init__(message)
        self.solution = solution


def short(value: object) -> str:
    """A value in at most sixty characters, for a message."""
    words = " ".join(repr(value).split())
    return words if len(words) <= 60 else words[:57] + "…"


def count(verb: str, name: str, value: object, most: int, least: int = 1) -> int:
    """An integer from `least` to `most`, or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise ArgumentError(
            f"`{name}` of `{verb}` must be an integer from {least} to {most}. Got {short(value)}. Use {least}."
        )
    return int(value)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that was probably meant, whatever its case; the first of equals."""
    by_lower = {candidate.lower(): candidate for candidate in reversed(list(names))}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def instead(name: str, names: Iterable[str]) -> str:
    """The remedy for a name that is none of these: the one that was probably meant, or all of them."""
    names = list(names)
    meant = nearest(name, names)
    return f"Did you mean `{meant}`?" if meant else f"Use {', '.join(names)}."


def one_of(verb: str, name: str, value: object, names: Iterable[str]) -> str:
    """A word that must be one of these, or an error that names the argument."""
    names = list(names)
    if value not in names:
        raise ArgumentError(
            f"`{name}` of `{verb}` must be one of {', '.join(names)}. Got {short(value)}. {instead(str(value), names)}"
        )
    return str(value)
