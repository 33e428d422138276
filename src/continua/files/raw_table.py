"""A table before anything is understood: names, cells, and where each row stands in its source."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.files.errors import DataError
from continua.files.wording import one_line

Cells = list[str] | NDArray[np.generic]

GAPS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-"})


@dataclass(frozen=True)
class RawTable:
    """Columns of text, of numbers (float64) or of dates (datetime64), all of one length."""

    source: str
    names: tuple[str, ...]
    columns: tuple[Cells, ...]
    rows: int
    lines: tuple[int, ...] | None  # of the file; None where the table came from memory
    notes: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Where a row stands, for a message."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"


def is_gap(cell: str) -> bool:
    """Whether the cell says that nothing was measured."""
    return cell.lower() in GAPS


def is_blank(cells: Cells) -> bool:
    """Whether a column holds nothing at all."""
    return isinstance(cells, list) and not any(cells)


def raw_table(
    source: str,
    names: Sequence[str],
    columns: Sequence[Cells],
    lines: Sequence[int] | None,
    notes: Sequence[str] = (),
) -> RawTable:
    """A raw table with tidy names: blanks stripped, unnamed columns named or dropped, none twice."""
    tidy = [one_line(name) for name in names]
    said = list(notes)
    blank = [not name and is_blank(cells) for name, cells in zip(tidy, columns, strict=True)]
    if any(blank):
        said.append("An unnamed empty column was dropped.")
    kept = [
        (name or f"column {number}", cells)
        for number, (name, cells, drop) in enumerate(zip(tidy, columns, blank, strict=True), start=1)
        if not drop
    ]
    _refuse_repeated([name for name, _ in kept], source)
    rows = len(kept[0][1]) if kept else 0
    cells = tuple(cells for _, cells in kept)
    return RawTable(
        source, tuple(n for n, _ in kept), cells, rows, None if lines is None else tuple(lines), tuple(said)
    )


def _refuse_repeated(names: Sequence[str], source: str) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise DataError(f"{source} has more than one column named `{name}`. Give each column a name of its own.")
