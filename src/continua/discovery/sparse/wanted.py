"""Terms that a law must have, with or without their coefficient, and terms that it may not have."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from continua.core import ArgumentError
from continua.discovery.sparse.joint import Mask
from continua.discovery.sparse.library import Library
from continua.discovery.sparse.trajectories import Floats
from continua.equations import parse_term

Known = Mapping[str, Sequence[str] | Mapping[str, float | None]]
Forbidden = Mapping[str, Sequence[str]] | Sequence[str]
SHOWN = 12


class Wanted(NamedTuple):
    """What is asked of the coefficients of a library.

    Args:
        required: [coefficient], which must be free.
        allowed: [coefficient], which may be.
        fixed: [state, term], the value of those that are given, 0 of all others; in the units of the data.
    """

    required: Mask
    allowed: Mask
    fixed: Floats


def wanted(library: Library, known: Known, forbidden: Forbidden) -> Wanted:
    """The terms as masks.

    Raises:
        ArgumentError: a state or a term that the library does not have, or a term that is both known and forbidden.
    """
    required, refused = (np.zeros((len(library.states), library.features.count), bool) for _ in range(2))
    fixed = np.zeros(required.shape)
    for state, terms in known.items():
        for term, value in _valued(terms).items():
            place = _found("known", [library], state, term)[0]
            required[place], fixed[place] = value is None, value or 0.0
            refused[place] |= value is not None
    for state, terms in _by_state(forbidden, library.states).items():
        for term in _listed(terms):
            place = _found("forbidden", [library], state, term)[0]
            if required[place] or fixed[place]:
                raise ArgumentError(f"`known` and `forbidden` both name `{term}` for `{state}`. Remove one of the two.")
            refused[place] = True
    return Wanted(required.ravel(), ~refused.ravel(), fixed)


def holding(libraries: Sequence[Library], known: Known, forbidden: Forbidden) -> list[tuple[Library, Forbidden]]:
    """The libraries that have every known term, each with the forbidden terms that it has.

    Raises:
        ArgumentError: a state that there is not, or a term that is not in the grammar.
    """
    fit = set(range(len(libraries)))
    for state, terms in known.items():
        for term in _valued(terms):
            fit &= _places("known", libraries, state, term).keys()
    refused: list[dict[str, list[str]]] = [{} for _ in libraries]
    for state, terms in _by_state(forbidden, libraries[0].states if libraries else ()).items():
        for term in _listed(terms):
            for number in _places("forbidden", libraries, state, term):
                refused[number].setdefault(state, []).append(term)
    return [(libraries[number], refused[number]) for number in sorted(fit)]


def confirm(libraries: Sequence[Library], known: Known, forbidden: Forbidden) -> None:
    """Nothing, where every term is in one of the libraries and one has all that are known.

    Raises:
        ArgumentError: a state or a term that no library has, or terms that are in none together.
    """
    for state, terms in known.items():
        for term in _valued(terms):
            _found("known", libraries, state, term)
    for state, terms in _by_state(forbidden, libraries[0].states if libraries else ()).items():
        for term in _listed(terms):
            _found("forbidden", libraries, state, term)
    if not holding(libraries, known, forbidden):
        raise ArgumentError("`known` names terms that no library has together. Use `trigonometric` or `rational`.")


def _valued(terms: Sequence[str] | Mapping[str, float | None]) -> Mapping[str, float | None]:
    return terms if isinstance(terms, Mapping) else dict.fromkeys(_listed(terms))


def _listed(terms: Sequence[str]) -> Sequence[str]:
    """A single text is a single term."""
    return [terms] if isinstance(terms, str) else terms


def _by_state(forbidden: Forbidden, states: Sequence[str]) -> Mapping[str, Sequence[str]]:
    return forbidden if isinstance(forbidden, Mapping) else dict.fromkeys(states, _listed(forbidden))


def _found(argument: str, libraries: Sequence[Library], state: str, term: str) -> dict[int, tuple[int, int]]:
    """Number of the library → (state, term); of those that have the term, of which there must be one."""
    found = _places(argument, libraries, state, term)
    if not found:
        terms = list(dict.fromkeys(term for library in libraries for term in library.terms))
        shown = ", ".join(terms[:SHOWN]) + ", …" * (len(terms) > SHOWN)
        raise ArgumentError(
            f"`{argument}` names `{term}` for `{state}`, which is none of the searched terms ({shown}). "
            "Use one of them, a higher `degree`, `trigonometric` or `rational`."
        )
    return found


def _places(argument: str, libraries: Sequence[Library], state: str, term: str) -> dict[int, tuple[int, int]]:
    """Number of the library → (state, term); of those that have the term."""
    states = libraries[0].states if libraries else (state,)
    if state not in states:
        raise ArgumentError(f"`{argument}` names the state `{state}`. There is none. Use one of {', '.join(states)}.")
    try:
        places = {number: _place(library, term) for number, library in enumerate(libraries)}
    except ArgumentError as error:
        raise ArgumentError(f"`{argument}`: {error}") from None
    return {number: (states.index(state), place) for number, place in places.items() if place is not None}


def _place(library: Library, term: str) -> int | None:
    """Where a term stands, however it is written: y*x is x*y.

    Raises:
        ArgumentError: it is not in the grammar, or no term.
    """
    names = (*library.states, *library.inputs)
    if term in library.terms:
        return library.terms.index(term)
    tree = parse_term(term, names)
    if not all(name.isidentifier() for name in names):
        return None
    return next((place for place, own in enumerate(library.terms) if parse_term(own, names) == tree), None)
