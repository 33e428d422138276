"""How a message quotes what a file holds: on one line, printable, short."""

from collections.abc import Iterable

LONGEST_QUOTE = 40
LONGEST_LIST = 12


def one_line(text: str) -> str:
    """The text without line breaks, runs of blanks and unprintable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def quoted(text: str) -> str:
    """The text in quotes, cut after 40 characters."""
    line = one_line(text)
    return repr(line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE] + "…")


def listed(names: Iterable[str]) -> str:
    """The names in backticks, separated by commas; a long list is cut."""
    shown = [f"`{name}`" for name in names]
    rest = len(shown) - LONGEST_LIST
    return ", ".join(shown[:LONGEST_LIST]) + (f" and {rest} more" if rest > 0 else "")


def counted(count: int, noun: str) -> str:
    """For example "1 row", "3 rows" or "2 trajectories"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{count} {noun}s"
