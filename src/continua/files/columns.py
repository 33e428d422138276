"""A column of cells into numbers, with the rows that are none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.files.raw_table import Cells, is_gap


@dataclass(frozen=True)
class NumberColumn:
    """The numbers of a column, NaN where it has a gap or text, and the rows that hold text."""

    values: NDArray[np.float64]
    text_rows: NDArray[np.intp]

    @property
    def is_text(self) -> bool:
        """Whether the column holds text and not a single number."""
        return self.text_rows.size > 0 and not bool(np.any(~np.isnan(self.values)))


def number(cell: str) -> float | None:
    """The number in a cell, NaN for a gap, None for text."""
    try:
        return None if "_" in cell else float(cell.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return float("nan") if is_gap(cell) else None


def numbers(cells: Cells) -> NumberColumn:
    """The cells as numbers."""
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind == "M":
            dated = ~np.isnat(cells)
            return NumberColumn(np.full(cells.shape, np.nan), np.flatnonzero(dated))
        return NumberColumn(np.asarray(cells, dtype=np.float64), np.zeros(0, np.intp))
    found = [number(cell) for cell in cells]
    values = np.array([np.nan if value is None else value for value in found], dtype=np.float64)
    return NumberColumn(values, np.array([row for row, value in enumerate(found) if value is None], dtype=np.intp))


def cell_text(cells: Cells, row: int) -> str:
    """What stands in a row, for a message."""
    return str(cells[row])
