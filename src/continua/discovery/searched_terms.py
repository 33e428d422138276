"""What a user asks of a search for terms: how rich the library is, and which terms are known or forbidden."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from continua.discovery.sparse import Forbidden, Known, Library, confirm

FEWEST_ROWS_A_TERM = 1.5
MOST_COEFFICIENTS = 120  # of all states together


@dataclass(frozen=True, eq=False)
class SearchedTerms:
    """The libraries, and what must and may not come out of them.

    Args:
        degree: of the monomials, or several degrees; None for a few that suit the number of states.
        trigonometric: whether sin(x) and cos(x) of each state x are among the terms.
        rational: whether 1/(1 + x²) and x/(1 + x²) are.
        known: as for `sparse_law`.
        forbidden: as for `sparse_law`.
    """

    degree: int | Sequence[int] | None = None
    trigonometric: bool = False
    rational: bool = False
    known: Known = field(default_factory=dict)
    forbidden: Forbidden = ()

    def of(self, columns: Sequence[str], names: Sequence[str], inputs: Sequence[str] = ()) -> "SearchedTerms":
        """The same for the states of a table, which the terms call by names that a formula can hold.

        Args:
            columns: the states as the user calls them.
            names: as the terms write them.
            inputs: what drives the states, as the terms write it.

        Raises:
            ArgumentError: a state that there is not, a term that is not in the grammar or in none of the libraries.
        """
        called = dict(zip(columns, names, strict=True))
        known = {called.get(state, state): terms for state, terms in self.known.items()}
        forbidden = self.forbidden
        if isinstance(forbidden, Mapping):
            forbidden = {called.get(state, state): terms for state, terms in forbidden.items()}
        named = replace(self, known=known, forbidden=forbidden)
        confirm(named.libraries(names, inputs), known, forbidden)
        return named

    def second_order(self, states: Sequence[str], names: Sequence[str], inputs: Sequence[str] = ()) -> "SearchedTerms":
        """The same for states that are followed by their velocities: x' is x_dot, and the terms make up x_dot'.

        Args:
            states: as the terms write them.
            names: the states, then their velocities.
            inputs: what drives them.
        """
        every = {term for library in self.libraries(names, inputs) for term in library.terms}
        velocities = dict(zip(states, names[len(states) :], strict=True))
        known = {velocities[state]: terms for state, terms in self.known.items()}
        named = self.forbidden if isinstance(self.forbidden, Mapping) else dict.fromkeys(states, self.forbidden)
        forbidden = {velocities[state]: terms for state, terms in named.items()}
        for state, velocity in velocities.items():
            known[state], forbidden[state] = {velocity: 1.0}, sorted(every - {velocity})
        return replace(self, known=known, forbidden=forbidden)

    def libraries(self, names: Sequence[str], inputs: Sequence[str] = (), rows: float = math.inf) -> list[Library]:
        """Polynomials of a few degrees, with what was asked for; with waves and saturations for few free states anyway.

        A driven law gets them only where asked: along one range of a force, sin(x) is as good as a cubic, and says
        less. None has more terms than the rows allow.
        """
        few = len(names) <= 2 and self.degree is None and not inputs
        degrees = (
            ([2, 3] if len(names) <= 3 else [1, 2]) if self.degree is None else np.atleast_1d(self.degree).tolist()
        )
        asked: dict[str, Any] = {"trigonometric": self.trigonometric, "rational": self.rational}
        driven: dict[str, Any] = {"inputs": tuple(inputs), "affine": True}
        found = [Library.polynomial(names, degree, **driven, **asked) for degree in degrees]
        if few and not all(asked.values()):
            found.append(Library.polynomial(names, 2, **driven, trigonometric=True, rational=True))
        small = [one for one in found if len(names) * len(one.terms) <= MOST_COEFFICIENTS or one is found[0]]
        return [one for one in small if len(one.terms) * FEWEST_ROWS_A_TERM < rows]
