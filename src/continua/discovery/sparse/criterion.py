"""What a term costs: added to −2 log L, it makes laws of different length comparable."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from continua.discovery.sparse.trajectories import Floats

Penalty = Callable[[int, Floats], Floats]


def extended_bic(count: int, peers: Floats) -> Floats:
    r"""$\log N + 2 \log P_g$ for a term of degree g, where $P_g$ coefficients have at most that degree.

    A term is charged for the choice among those that are no more complex than itself. So a term costs the same in a
    library of degree 2 and in one of degree 3, and of two that explain the data equally the simpler one wins.

    Args:
        count: N, measured numbers.
        peers: [coefficient], P of each.

    Source: Chen & Chen, Biometrika 95 (2008) 759, with γ = 1, on nested families.
    """
    return np.log(max(count, 2)) + 2 * np.log(np.maximum(peers, 1.0))


def corrected_aic(_: int, peers: Floats) -> Floats:
    r"""2 for every term: for forecasts; it keeps terms that are not there.

    Source: Hurvich & Tsai, Biometrika 76 (1989) 297.
    """
    return np.full(len(peers), 2.0)


def small_sample(free: int, count: int) -> float:
    r"""$2k(k+1)/(N-k-1)$, what AICc adds for small samples; infinite where there are no numbers left.

    It is added to every penalty: k is everything that was fitted, starts and σ too.
    """
    return 2 * free * (free + 1) / (count - free - 1) if count > free + 1 else np.inf


def peers(degrees: NDArray[np.int_], allowed: NDArray[np.bool_]) -> Floats:
    """[coefficient]: how many allowed ones have at most its degree; a constant counts as linear."""
    own = np.maximum(degrees, 1)
    return np.array([np.sum(allowed & (own <= degree)) for degree in own], float)
