"""What a user asks of a search for terms: how rich the library is, and which terms are known or forbidden."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from continua.discovery.sparse import Forbidden, Known, Library, holding

FEWEST_ROWS_A_TERM = 1.5


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

    def of(self, columns: Sequence[str], names: Sequence[str]) -> "SearchedTerms":
        """The same for the states of a table, which the terms call by names that a formula can hold.

        Args:
            columns: the states as the user calls them.
            names: as the terms write them.

        Raises:
            ArgumentError: a state that there is not, a term that is not in the grammar or in none of the libraries.
        """
        called = dict(zip(columns, names, strict=True))
        known = {called.get(state, state): terms for state, terms in self.known.items()}
        forbidden = self.forbidden
        if isinstance(forbidden, Mapping):
            forbidden = {called.get(state, state): terms for state, terms in forbidden.items()}
        named = replace(self, known=known, forbidden=forbidden)
        holding(named.libraries(names), known, forbidden)
        return named

    def libraries(self, names: Sequence[str], rows: float = math.inf) -> list[Library]:
        """Polynomials of a few degrees, with what was asked for; with waves and saturations for few states anyway.

        None has more terms than the rows allow.
        """
        few = len(names) <= 2 and self.degree is None
        degrees = (
            ([2, 3] if len(names) <= 3 else [1, 2]) if self.degree is None else np.atleast_1d(self.degree).tolist()
        )
        asked: dict[str, Any] = {"trigonometric": self.trigonometric, "rational": self.rational}
        found = [Library.polynomial(names, degree, **asked) for degree in degrees]
        if few and not all(asked.values()):
            found.append(Library.polynomial(names, 2, trigonometric=True, rational=True))
        return [library for library in found if len(library.terms) * FEWEST_ROWS_A_TERM < rows]
