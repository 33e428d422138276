"""The exceptions a user meets; each message is one line that names the argument, what came and the remedy.

ContinuaError
├── ArgumentError        (also a ValueError)   an argument has a value that cannot be used
├── ArgumentTypeError    (also a TypeError)    an argument has a type or structure that cannot be used
├── files.DataError      (also a ValueError)   a file or a table cannot be used
└── FailedSolve          (also a RuntimeError) a solve ended before its end time
"""


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
