"""Where a bar of progress is shown: on the standard error, if that is a terminal."""

import sys
from typing import Any


def on_a_terminal(progress: bool) -> bool:
    """Whether a bar that is wanted can be seen."""
    return progress and sys.stderr.isatty()


def error_console() -> Any:
    """The console of a bar."""
    from rich.console import Console

    return Console(stderr=True)
