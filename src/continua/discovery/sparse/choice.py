"""`best_law`: among libraries, the laws that run freely like the data, and of those the lowest criterion."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from continua.discovery.sparse.identification import sparse_law
from continua.discovery.sparse.law import SparseLaw
from continua.discovery.sparse.library import Library
from continua.discovery.sparse.simulation import reproduction
from continua.discovery.sparse.wanted import Forbidden, Known, holding

AS_GOOD = 0.02
HOPELESS = 0.5  # of a chaotic system no law reproduces a long record: then the criterion alone decides


class ScoredLaw(NamedTuple):
    """A law and the R² of its free run."""

    law: SparseLaw
    reproduction: float


def best_law(
    trajectories: Sequence[Any],
    libraries: Sequence[Library],
    *,
    known: Known | None = None,
    forbidden: Forbidden = (),
    **options: Any,
) -> ScoredLaw | None:
    """Find a sparse law with each library, and choose.

    Of the laws whose free runs, from their estimated starts, are as good as the best to within 0.02 in R², the one
    with the lowest criterion; of all where none reaches 0.5.

    Args:
        trajectories: as for `sparse_law`.
        libraries: with the same states and inputs.
        known: as for `sparse_law`; libraries that lack one of these terms are left out.
        forbidden: as for `sparse_law`; of each library those that it has.
        options: the other arguments of `sparse_law`.

    Returns:
        The law and its R², or None where no library gives a law.

    Raises:
        ArgumentError: as of `sparse_law`.
    """
    candidates = holding(libraries, known or {}, forbidden)
    found: list[SparseLaw | None] = []
    for one, own in candidates:
        near = found[-1] if found else None
        found.append(sparse_law(trajectories, one, known=known, forbidden=own, near=near, **options))
    scored = [ScoredLaw(law, reproduction(law, trajectories)) for law in found if law is not None]
    if not scored:
        return None
    highest = max(one.reproduction for one in scored)
    good = [one for one in scored if one.reproduction > highest - AS_GOOD or highest < HOPELESS]
    return min(good, key=lambda one: one.law.criterion)
