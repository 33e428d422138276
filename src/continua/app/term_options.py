"""Terms as the command line takes them: `--known "angle: rate = 1, sin(angle)" --forbid "x*y"`."""

from collections.abc import Sequence

from continua.core import ArgumentError


def known_terms(options: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """State → {term: its coefficient, or None where it is to be estimated}, of texts like "x: x, y = 2.5".

    Raises:
        ArgumentError: a text names no state, or a coefficient is no number.
    """
    found: dict[str, dict[str, float | None]] = {}
    for option in options:
        state, colon, terms = option.rpartition(":")
        if not colon or not state.strip():
            raise ArgumentError(
                f'`--known` must name a state. Got "{option}". Use "x: y", or "x: y = 1" to keep the 1.'
            )
        for text in _split(terms, option, "--known"):
            term, sign, value = text.partition("=")
            found.setdefault(state.strip(), {})[term.strip()] = _number(value, option) if sign else None
    return found


def forbidden_terms(options: Sequence[str], states: Sequence[str]) -> dict[str, list[str]]:
    """State → terms, of texts like "x: x*y, y" or, for every state, "x*y".

    Raises:
        ArgumentError: a text names no term.
    """
    found: dict[str, list[str]] = {}
    for option in options:
        state, colon, terms = option.rpartition(":")
        for one in [state.strip()] if colon else states:
            found.setdefault(one, []).extend(_split(terms, option, "--forbid"))
    return found


def _split(terms: str, option: str, name: str) -> list[str]:
    parts = [term.strip() for term in terms.split(",")]
    if not all(parts):
        raise ArgumentError(f'`{name}` must name terms, with commas between them. Got "{option}". Use "x: y, x*y".')
    return parts


def _number(value: str, option: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ArgumentError(f'`--known` must have a number after =. Got "{option}". Use "x: y = 1".') from None
