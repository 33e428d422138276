"""Cells of text into columns: numbers where every cell is one or a gap, text where one is neither."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.files.raw_table import Cells

GAPS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "missing", "-", "--", "?", "."})
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
LARGEST_WHOLE = 1e15  # beyond, a float64 is told as it is, not as an integer
MOST_SHARED = 4096  # different texts of a column that are kept once only: labels, not dates


def is_gap(cell: str) -> bool:
    """Whether the cell says that nothing was measured."""
    return cell.strip().lower() in GAPS


def number(cell: str) -> float | None:
    """The number in a cell, NaN for a gap, None for text."""
    try:
        return None if "_" in cell else float(cell.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return float("nan") if is_gap(cell) else None


def with_point(cell: str) -> str:
    """A cell such as "0,5" as "0.5"."""
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell.strip()) else cell


def plain_text(value: float) -> str:
    """A number as text: 3.0 as "3", NaN as a gap."""
    if value != value:
        return ""
    return str(int(value)) if abs(value) < LARGEST_WHOLE and value == int(value) else repr(value)


class GrowingColumn:
    """A column that grows by blocks of cells, so that text lives no longer than it has to.

    Args:
        prepare: what is done to a cell that is not plainly a number, such as `with_point`.
    """

    def __init__(self, prepare: Callable[[str], str] | None = None) -> None:
        self.prepared = False  # whether `prepare` changed anything
        self._prepare = prepare
        self._blocks: list[Cells] = []
        self._shared: dict[str, str] = {}

    def extend(self, cells: Cells) -> None:
        """Appends a block of text, or of numbers."""
        if isinstance(cells, np.ndarray):
            self._blocks.append(cells)
            return
        values = _plain_numbers(cells)
        if values is None and self._prepare is not None:
            mended = [self._prepare(cell) for cell in cells]
            self.prepared = self.prepared or mended != cells
            cells = mended
        if values is None:
            values = _numbers_and_gaps(cells)
        self._blocks.append([self._once(cell.strip()) for cell in cells] if values is None else values)

    def finished(self) -> Cells:
        """The whole column."""
        numeric = [block for block in self._blocks if isinstance(block, np.ndarray)]
        if len(numeric) == len(self._blocks):
            return np.concatenate(numeric) if numeric else np.zeros(0)
        if not numeric:
            return [cell for block in self._blocks for cell in block]
        # A number must read the same in every block: "07" and 7.0 are one label.
        return [text for block in self._blocks for text in plain_texts(block)]

    def _once(self, cell: str) -> str:
        if len(self._shared) < MOST_SHARED:
            return self._shared.setdefault(cell, cell)
        return self._shared.get(cell, cell)


def column_of(cells: list[str]) -> Cells:
    """A column of text, read at once."""
    column = GrowingColumn()
    column.extend(cells)
    return column.finished()


def _plain_numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """The cells as numbers, None where one is not plainly one (Python would read "1_0" as 10)."""
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return None if "_" in "".join(cells) else values


def _numbers_and_gaps(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """The cells as numbers, NaN for a gap; None where one is text."""
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        value = number(cell)
        if value is None:
            return None
        values[row] = value
    return values


def plain_texts(cells: Cells) -> list[str]:
    """A column as text in which a number reads the same however it was written."""
    if isinstance(cells, np.ndarray):
        return [plain_text(float(v)) for v in cells] if cells.dtype.kind == "f" else [str(v) for v in cells]
    found = {cell: number(cell) for cell in set(cells)}
    texts = {cell: cell if value is None else plain_text(value) for cell, value in found.items()}
    return [texts[cell] for cell in cells]


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """The numbers of a column, NaN where it has a gap or text, and the rows that hold text."""

    values: NDArray[np.float64]
    text_rows: NDArray[np.intp]

    @property
    def is_text(self) -> bool:
        """Whether the column holds text and not a single number."""
        return self.text_rows.size > 0 and not bool(np.any(~np.isnan(self.values)))


def numbers(cells: Cells) -> NumberColumn:
    """The cells as numbers."""
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind == "M":
            dated = ~np.isnat(cells)
            return NumberColumn(np.full(cells.shape, np.nan), np.flatnonzero(dated))
        return NumberColumn(np.asarray(cells, dtype=np.float64), np.zeros(0, np.intp))
    found = {cell: number(cell) for cell in set(cells)}
    values = np.array([np.nan if (v := found[cell]) is None else v for cell in cells], dtype=np.float64)
    text = [row for row, cell in enumerate(cells) if found[cell] is None]
    return NumberColumn(values, np.array(text, dtype=np.intp))


def cell_text(cells: Cells, row: int) -> str:
    """What stands in a row, for a message."""
    return (
        plain_text(float(cells[row])) if isinstance(cells, np.ndarray) and cells.dtype.kind == "f" else str(cells[row])
    )
