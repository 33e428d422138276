"""The one exception of this room."""

from continua.core import ContinuaError


class DataError(ContinuaError, ValueError):
    """A file or a table cannot be used; the message is one line: what, where, and the remedy."""
