"""Candidates that no textbook lists: a law found term by term, and laws that the user wrote."""

import keyword
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.observations import Observations, filled, slopes_of
from continua.discovery.searched_terms import SearchedTerms
from continua.discovery.sparse import Library, SparseLaw, Trajectory, best_law
from continua.discovery.thinning import searched_rows
from continua.equations import WrittenParameter, WrittenSystem, parse_term, read_equation
from continua.files import Table
from continua.show import Number, Symbol, add, multiply

SPARSE = "sparse law"
SECOND_ORDER = "sparse law of second order"
MOST_ROWS = 1000  # of a record in which terms are searched
MOST_WORK = 100_000  # rows times coefficients
FEWEST_SEARCHED = 200  # rows
RESERVED = {"t", "pi", "e", "inf", "nan"}


@dataclass(frozen=True, eq=False)
class Proposal:
    """A candidate.

    Args:
        family: the law.
        order: of the table's states, in which the family has them.
        states: [row of the table, state], near which its solution is looked for; NaN where that is not known.
        velocities: whether the family has, after the states, the slope of each as a hidden state.
        driven: which of the table's inputs the family has, in its order.
    """

    family: Family
    order: tuple[int, ...]
    states: NDArray[np.float64] | None = None
    velocities: bool = False
    driven: tuple[int, ...] = ()

    def data(self, data: Observations) -> Observations:
        """The measurements as the family has them."""
        ordered = data.ordered(self.order).driven_by(self.driven)
        return ordered.with_velocities() if self.velocities else ordered

    def names(self, states: Sequence[str]) -> tuple[str, ...]:
        """What the family's states are called, given those of the table."""
        ordered = tuple(states[i] for i in self.order)
        return with_velocities(ordered) if self.velocities else ordered


def with_velocities(names: Sequence[str]) -> tuple[str, ...]:
    """The names, and those of their slopes."""
    return (*names, *(f"{name}_dot" for name in names))


def symbol_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names as an equation can hold them: letters, digits and underscores, all different."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "x"
        plain = f"x_{plain}" if plain[0].isdigit() or plain in RESERVED or keyword.iskeyword(plain) else plain
        count = sum(other == plain or other.rpartition("_")[0] == plain for other in found)
        found.append(f"{plain}_{count + 1}" if plain in found else plain)
    return tuple(found)


def sparse_proposals(table: Table, terms: SearchedTerms, seed: int = 0) -> list[Callable[[], Proposal | None]]:
    """Searches to be made: each gives the law that it finds, or None.

    One for laws of first order; for a single state also one for laws of second order, whose velocity is hidden.
    """
    orders = (False, True) if len(table.states) == 1 else (False,)
    return [partial(_sparse_proposal, table, terms, seed, velocities) for velocities in orders]


def _sparse_proposal(table: Table, terms: SearchedTerms, seed: int, velocities: bool) -> Proposal | None:
    states, inputs = table_symbols(table)
    names = with_velocities(states) if velocities else states
    asked = terms.second_order(states, names, inputs) if velocities else terms
    searched = asked.libraries(names, inputs, min(len(table.time), MOST_ROWS))
    most = max((len(names) * len(library.terms) for library in searched), default=1)
    rows = searched_rows(table, min(MOST_ROWS, max(MOST_WORK // most, FEWEST_SEARCHED)))
    options = {"known": asked.known, "forbidden": asked.forbidden, "seed": seed}
    if not searched:
        return None

    def search(held: bool, libraries: Sequence[Library]) -> SparseLaw | None:
        trajectories = [_trajectory(table, piece, velocities, held) for piece in rows]
        found = best_law(trajectories, libraries, **options)
        return None if found is None else found.law

    law = search(False, searched)
    if inputs and _prefers_held(law, search(True, searched if law is None else [law.library])):
        law = search(True, searched)
    if law is None or not law.coefficients.any(1).all():
        return None
    near = np.full((len(table.time), len(names)), np.nan)
    for piece, part in zip(rows, law.states, strict=True):
        near[piece] = part
    choices = len(states) * len({term for library in searched for term in library.terms})
    title = SECOND_ORDER if velocities else SPARSE
    return Proposal(
        _family(title, law, choices), tuple(range(len(states))), near, velocities, tuple(range(len(inputs)))
    )


def _prefers_held(lines: SparseLaw | None, steps: SparseLaw | None) -> bool:
    """Whether inputs that are held between rows explain the record better than inputs that run along lines."""
    return steps is not None and (lines is None or steps.criterion < lines.criterion)


def _trajectory(table: Table, rows: slice, velocities: bool, held: bool) -> Trajectory:
    """Some rows of the table for the search."""
    time, y, u = table.time[rows] - table.time[rows][0], table.values[rows], None
    if table.inputs:
        u = table.input_values[rows]
    if not velocities:
        return Trajectory(time, y, u, held)
    slopes = slopes_of(time, filled(time, y, table.values))
    hidden = np.full_like(slopes, np.nan)
    return Trajectory(time, np.concatenate([y, hidden], 1), u, held, np.concatenate([y, slopes], 1))


def table_symbols(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The table's states and inputs as an equation can hold them."""
    names = symbol_names([*table.states, *table.inputs])
    return names[: len(table.states)], names[len(table.states) :]


def _family(title: str, law: SparseLaw, choices: int) -> WrittenFamily:
    """The found terms with a parameter each, and those whose coefficient is known."""
    sides, parameters = [], []
    for row, frees in zip(law.coefficients, law.support, strict=True):
        terms = []
        for term, coefficient, free in zip(law.library.terms, row, frees, strict=True):
            if free:
                parameters.append(WrittenParameter(f"c_{len(parameters) + 1}", float(coefficient), free=False))
            if free or coefficient:
                value = Symbol(parameters[-1].name) if free else Number(float(coefficient))
                terms.append(multiply(value, parse_term(term, (*law.library.states, *law.library.inputs))))
        sides.append(add(*terms))
    written = WrittenSystem(title, law.library.states, tuple(sides), tuple(parameters), law.library.inputs)
    return WrittenFamily(title, len(sides), written, _price(choices, len(parameters)))


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
    (names, inputs), proposals = table_symbols(table), []
    for source in sources:
        written = read_equation(source)
        hidden = tuple(written.states) == with_velocities(written.states[: len(names)])
        if sorted(written.states[: len(names)]) != sorted(names) or not (hidden or len(written.states) == len(names)):
            raise ArgumentError(
                f"`equations` must be laws of {', '.join(names)}. Got one of {', '.join(written.states)}. "
                "Name its states like the columns, or choose the columns with `states`."
            )
        if set(written.inputs) - set(inputs):
            raise ArgumentError(
                f"`equations` must use the inputs {', '.join(inputs) or 'none'}. Got {', '.join(written.inputs)}. "
                "Name the columns that are inputs with `inputs`."
            )
        order = tuple(names.index(state) for state in written.states if state in names)
        driven = tuple(inputs.index(name) for name in written.inputs)
        family = WrittenFamily(written.title, len(written.states), written)
        proposals.append(Proposal(family, order, None, hidden, driven))
    return proposals
