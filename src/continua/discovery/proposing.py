"""Candidates that no textbook lists: a law found term by term, and laws that the user wrote."""

import keyword
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.searched_terms import SearchedTerms
from continua.discovery.sparse import SparseLaw, best_law
from continua.equations import WrittenParameter, WrittenSystem, parse_term, read_equation
from continua.files import Table
from continua.show import Number, Symbol, add, multiply

SPARSE = "sparse law"
MOST_ROWS = 2000  # of a record in which terms are searched
MOST_WORK = 100_000  # rows times coefficients
FEWEST_SEARCHED = 200  # rows
RESERVED = {"t", "pi", "e", "inf", "nan"}


@dataclass(frozen=True, eq=False)
class Proposal:
    """A family, the order of the table's states in which it stands, and states from which its search begins."""

    family: Family
    order: tuple[int, ...]
    states: NDArray[np.float64] | None = None


def symbol_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names as an equation can hold them: letters, digits and underscores, all different."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "x"
        plain = f"x_{plain}" if plain[0].isdigit() or plain in RESERVED or keyword.iskeyword(plain) else plain
        count = sum(other == plain or other.rpartition("_")[0] == plain for other in found)
        found.append(f"{plain}_{count + 1}" if plain in found else plain)
    return tuple(found)


def sparse_proposal(table: Table, terms: SearchedTerms, seed: int = 0) -> Proposal | None:
    """The law that a search over terms finds, or None."""
    names = symbol_names(table.states)
    searched = terms.libraries(names, min(len(table.time), MOST_ROWS))
    most = max((len(names) * len(library.terms) for library in searched), default=1)
    rows = slice(0, min(MOST_ROWS, max(MOST_WORK // most, FEWEST_SEARCHED)))
    time, values = table.time[rows] - table.time[0], table.values[rows]
    found = best_law([(time, values)], searched, known=terms.known, forbidden=terms.forbidden, seed=seed)
    if found is None or not found.law.coefficients.any(1).all():
        return None
    states = np.full_like(table.values, np.nan)
    states[rows] = found.law.states[0]
    choices = len(names) * len({term for library in searched for term in library.terms})
    return Proposal(_family(found.law, choices), tuple(range(len(names))), states)


def _family(law: SparseLaw, choices: int) -> WrittenFamily:
    """The found terms with a parameter each, and those whose coefficient is known."""
    sides, parameters = [], []
    for row, frees in zip(law.coefficients, law.support, strict=True):
        terms = []
        for term, coefficient, free in zip(law.library.terms, row, frees, strict=True):
            if free:
                parameters.append(WrittenParameter(f"c_{len(parameters) + 1}", float(coefficient), free=False))
            if free or coefficient:
                value = Symbol(parameters[-1].name) if free else Number(float(coefficient))
                terms.append(multiply(value, parse_term(term, law.library.states)))
        sides.append(add(*terms))
    written = WrittenSystem(SPARSE, law.library.states, tuple(sides), tuple(parameters))
    return WrittenFamily(SPARSE, len(sides), written, _price(choices, len(parameters)))


def _price(choices: int, chosen: int) -> float:
    """2 log of how many laws the search chose from: how many terms, and which; every number of them as likely.

    Source: Chen & Chen, Biometrika 95 (2008) 759–771, with γ = 1.
    """
    which = math.lgamma(choices + 1) - math.lgamma(chosen + 1) - math.lgamma(choices - chosen + 1)
    return 2 * (which + math.log(choices + 1))


def written_proposals(sources: Sequence[str | os.PathLike[str]], table: Table) -> list[Proposal]:
    """The user's own laws, by file or as text, each for the columns that its states name.

    Raises:
        ArgumentError: a file or text is not in the grammar, or its states are not those of the table.
    """
    names, proposals = symbol_names(table.states), []
    for source in sources:
        written = read_equation(source)
        if sorted(written.states) != sorted(names):
            raise ArgumentError(
                f"`equations` must be laws of {', '.join(names)}. Got one of {', '.join(written.states)}. "
                "Name its states like the columns, or choose the columns with `states`."
            )
        order = tuple(names.index(state) for state in written.states)
        proposals.append(Proposal(WrittenFamily(written.title, len(names), written), order))
    return proposals
