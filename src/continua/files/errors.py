"""The one exception of this room."""


class DataError(ValueError):
    """A file or a table cannot be used; the message is one line: what, where, and the remedy."""
