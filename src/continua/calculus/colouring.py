"""How few products with a sparse matrix show all its entries: columns that meet in no row share one."""

from typing import NamedTuple

import numpy as np


class Compression(NamedTuple):
    """One colour a column, so that no two columns of a colour have an entry in the same row."""

    colours: np.ndarray
    number: int

    @property
    def seeds(self) -> np.ndarray:
        """[colour, column]: the directions whose products hold every entry."""
        return np.arange(self.number)[:, None] == self.colours


class Band(NamedTuple):
    """An order of the states in which a matrix has `lower` diagonals below and `upper` above the main one."""

    order: np.ndarray
    lower: int
    upper: int


def compression(pattern: np.ndarray) -> Compression:
    """Colours for the columns of a pattern [row, column], fullest column first.

    Source: Curtis, Powell & Reid, IMA J. Appl. Math. 13 (1974) 117–119; Coleman & Moré, SIAM J. Numer. Anal. 20 (1983)
    187–209.

    Example:
        >>> compression(np.abs(np.subtract.outer(range(6), range(6))) < 2).number
        3
    """
    from scipy.sparse import csr_array

    pattern = np.asarray(pattern, bool)
    sparse = csr_array(pattern.astype(np.int32))
    meeting = csr_array(sparse.T @ sparse)
    colours = np.full(pattern.shape[1], -1)
    for column in np.argsort(-pattern.sum(0), kind="stable"):
        around = meeting.indices[meeting.indptr[column] : meeting.indptr[column + 1]]
        taken = set(colours[around].tolist())
        colours[column] = next(colour for colour in range(len(colours)) if colour not in taken)
    return Compression(colours, int(colours.max(initial=0)) + 1)


def band_of(pattern: np.ndarray) -> Band:
    """The narrower of the band as it stands and that after reverse Cuthill–McKee.

    Source: Cuthill & McKee, Proc. 24th ACM National Conference (1969) 157–172.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    pattern = np.asarray(pattern, bool) | np.eye(len(pattern), dtype=bool)
    reordered = reverse_cuthill_mckee(csr_array((pattern | pattern.T).astype(np.int32)).tocsr(), symmetric_mode=True)
    bands = [_band(pattern, order) for order in (np.arange(len(pattern)), np.asarray(reordered))]
    return min(bands, key=lambda band: band.lower + band.upper)


def _band(pattern: np.ndarray, order: np.ndarray) -> Band:
    rows, columns = np.nonzero(pattern[np.ix_(order, order)])
    return Band(order, int((rows - columns).max(initial=0)), int((columns - rows).max(initial=0)))
