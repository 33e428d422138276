"""A table before anything is understood: names, units, cells, and where each row stands in its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from continua.files.errors import DataError
from continua.files.headers import headers_of
from continua.files.wording import one_line

Cells = list[str] | NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns of text, of numbers (float64) or of dates (datetime64), all of one length.

    Args:
        source: the file's name, or "table".
        names: the names of the columns, without units.
        headers: the names as they were written.
        units: the units that the headers tell, by name.
        columns: the cells; a list of text holds at least one cell that is neither a number nor a gap.
        rows: their length.
        lines: [row], the line in the file, or the row from 0 where the table is no text.
        line_word: "line" or "row", accordingly.
        notes: what has to be said about the reading.
        files: the names of the files, where there are several.
        file_of: [row], the file that the row comes from, where there are several.
    """

    source: str
    names: tuple[str, ...]
    headers: tuple[str, ...]
    units: Mapping[str, str]
    columns: tuple[Cells, ...]
    rows: int
    lines: NDArray[np.int64]
    line_word: str
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    file_of: NDArray[np.intp] | None = None

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def cells(self, name: str) -> Cells:
        """The column of that name."""
        return self.columns[self._position[name]]

    def place(self, row: int) -> str:
        """Where a row stands in its source, for a note."""
        place = f"{self.line_word} {self.lines[row]}"
        return place if self.file_of is None else f"{self.files[self.file_of[row]]}, {place}"

    def where(self, row: int) -> str:
        """The source and where the row stands in it, for an error."""
        return self.place(row) if self.file_of is not None else f"{self.source}, {self.place(row)}"


def is_blank(cells: Cells) -> bool:
    """Whether a column holds nothing at all."""
    return isinstance(cells, np.ndarray) and cells.dtype.kind == "f" and bool(np.all(np.isnan(cells)))


def raw_table(
    source: str,
    names: Sequence[str],
    columns: Sequence[Cells],
    lines: NDArray[np.int64] | None,
    notes: Sequence[str] = (),
) -> RawTable:
    """A raw table with tidy names: units split off, unnamed columns named or dropped, none twice."""
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
    headers = headers_of([name for name, _ in kept])
    units = {header.name: header.unit for header in headers if header.unit}
    if units:
        said.append(f"Units from the headers: {', '.join(f'{name} in {unit}' for name, unit in units.items())}.")
    rows = len(kept[0][1]) if kept else 0
    return RawTable(
        source=source,
        names=tuple(header.name for header in headers),
        headers=tuple(header.full for header in headers),
        units=units,
        columns=tuple(cells for _, cells in kept),
        rows=rows,
        lines=np.arange(rows) if lines is None else lines,
        line_word="row" if lines is None else "line",
        notes=tuple(said),
    )


def _refuse_repeated(names: Sequence[str], source: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{source} has more than one column named `{name}`. Give each column a name of its own.")
        seen.add(name)
