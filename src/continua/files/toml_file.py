"""The tables of a TOML file, read with care: nothing in it is executed, and every failure is one line."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from continua.files.errors import DataError
from continua.files.wording import one_line

LARGEST_FILE = 100_000  # bytes

# tomllib takes time quadratic in the length of a dotted key, a minute for 40 kB. A key that is meant has 3 parts.
DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){30}")
DOTTED_QUOTES = re.compile(r"[\"'][ \t]*+\.|\.[ \t]*+[\"']")
MOST_DOTTED_QUOTES = 200


def toml_tables(source: str | os.PathLike[str], remedy: str) -> dict[str, Any]:
    """The tables of a TOML file, or of its text.

    Args:
        source: a path; or the text itself, which is a str of several lines.
        remedy: the sentence that tells what such a file looks like.

    Raises:
        DataError: it cannot be read, is too large, or is no TOML. The message does not name the file.
    """
    text = source if isinstance(source, str) and is_text(source) else _content(source)
    if len(text) > LARGEST_FILE:
        raise DataError(f"It is larger than {LARGEST_FILE} bytes. {remedy}")
    if DOTTED.search(text) or len(DOTTED_QUOTES.findall(text)) > MOST_DOTTED_QUOTES:
        raise DataError(f"Its keys have too many dots. {remedy}")
    try:
        return tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))[:200]
        raise DataError(f"It is no TOML: {reason}. {remedy}") from None


def is_text(source: str) -> bool:
    """Whether this is the content of a file, and not its path."""
    return "\n" in source or "\r" in source


def _content(path: str | os.PathLike[str]) -> str:
    """The text of a regular file of no more than the largest size."""
    try:
        file = Path(path).expanduser()
        if not stat.S_ISREG(file.stat().st_mode):
            raise DataError("It must be a regular file. Got a folder or a device. Use a TOML file.")
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise DataError("There is no such file. Use the path of a TOML file, or its text.") from None
    except (OSError, RuntimeError, UnicodeError) as error:  # RuntimeError: no home folder
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise DataError(f"It cannot be read: {reason}. Use the path of a TOML file.") from None
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError("No file can have such a name. Use the path of a TOML file.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"It is not UTF-8 text at byte {error.start}. Save it as TOML in UTF-8.") from None


def toml_kind(value: Any) -> str:
    """How TOML calls a value's type."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")
