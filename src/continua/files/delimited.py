"""Delimited text into columns: commas, semicolons, tabs or blanks; comment lines; with or without a header."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import DECIMAL_COMMA, GrowingColumn, is_gap, number, with_point
from continua.files.errors import DataError
from continua.files.plain_blocks import plain_columns
from continua.files.raw_table import Cells, RawTable, raw_table
from continua.files.text_lines import text_lines
from continua.files.wording import counted, one_line

SNIFFED_LINES = 20
BLOCK = 1 << 14  # rows that are text at the same time
QUOTED = re.compile(r'"[^"]*"')
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")


@dataclass(frozen=True)
class _Record:
    line: int
    cells: list[str]


def read_delimited(stream: io.BufferedIOBase, source: str) -> RawTable:
    """The columns of a delimited text file; every failure is a `DataError` that names the file and the line."""
    lines = text_lines(stream, source)
    start = _start(lines)
    lines = itertools.chain(start, lines)
    delimiter = _delimiter(start)
    first = next(_records(lines, delimiter, source), None)
    if first is None:
        raise DataError(f"{source} is empty. Use a table with a header line and at least 4 rows.")
    decimal_commas = _has_decimal_commas(start, delimiter)
    names, notes = _names(first, start, delimiter, decimal_commas)
    columns = _Columns(len(first.cells), source, decimal_commas)
    if names is not None:
        columns.extend([first])
    _read_rows(lines, first.line, delimiter, columns)
    cells, rows = columns.finished()
    if rows.size < 2:
        held = "only one row" if rows.size else "only a header"
        raise DataError(f"{source} holds {held}. Use a table with a header line and at least 4 rows.")
    if columns.decimal_commas:
        notes += ("Commas inside numbers were read as decimal points.",)
    return raw_table(source, first.cells if names is None else names, cells, rows, notes)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _is_bare(line: str) -> bool:
    return not line.strip() or _is_comment(line)


def _start(lines: Iterator[str]) -> list[str]:
    """The first lines, down to the twentieth that holds cells."""
    start: list[str] = []
    filled = 0
    for line in lines:
        start.append(line)
        filled += not _is_bare(line)
        if filled == SNIFFED_LINES:
            break
    return start


def _delimiter(start: Sequence[str]) -> str:
    """The delimiter that cuts the first lines into equally many cells; " " stands for any run of blanks."""
    bare = [QUOTED.sub("q", line) for line in start if not _is_bare(line)]
    for candidate in (";", "\t", ","):
        counts = {line.count(candidate) for line in bare}
        if len(counts) == 1 and counts != {0}:
            return candidate
    if bare and not any(c in bare[0] for c in ";\t,"):
        words = {len(line.split()) for line in bare}
        return " " if len(words) == 1 and words != {1} else ","
    return max((",", ";", "\t"), key=bare[0].count) if bare else ","


def _has_decimal_commas(start: Sequence[str], delimiter: str) -> bool:
    """Whether "0,5" may be a number: between semicolons; elsewhere if it cannot be a thousands separator."""
    if delimiter in (";", ","):
        return delimiter == ";"
    cells = (cell for line in start if not _is_bare(line) for cell in line.split(None if delimiter == " " else "\t"))
    return any(DECIMAL_COMMA.fullmatch(cell.strip()) and not THOUSANDS.fullmatch(cell.strip()) for cell in cells)


def _records(lines: Iterator[str], delimiter: str, source: str, done: int = 0) -> Iterator[_Record]:
    """The rows that hold cells, with their lines, after `done` lines that were read before; comments count as lines."""
    lines = ("\n" if _is_comment(line) else line for line in lines)
    if delimiter == " ":
        lines = ("\t".join(line.split()) + "\n" for line in lines)
    reader = csv.reader(lines, delimiter="\t" if delimiter == " " else delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield _Record(done + reader.line_num, cells)
    except csv.Error as error:
        reason = one_line(str(error))
        raise DataError(
            f"{source}, line {done + reader.line_num}: {reason}. Check the quotes around that line."
        ) from None


def _names(
    first: _Record, start: Sequence[str], delimiter: str, decimal_commas: bool
) -> tuple[list[str] | None, tuple[str, ...]]:
    """None if the first row holds the names; else the comment above the numbers names them, or their position."""
    values = [number(with_point(cell) if decimal_commas else cell) for cell in first.cells]
    if any(value is None for value in values) or all(is_gap(cell) for cell in first.cells):
        return None, ()
    width = len(first.cells)
    for line in reversed(start[: first.line - 1]):
        names = _commented_names(line, delimiter)
        if len(names) == width and all(names):
            return names, ("The column names were taken from the comment above the numbers.",)
    return [f"column {n + 1}" for n in range(width)], ("No header was found: columns are named by position.",)


def _commented_names(line: str, delimiter: str) -> list[str]:
    content = line.strip().lstrip("#")
    return content.split() if delimiter == " " else [name.strip().strip('"') for name in content.split(delimiter)]


class _Columns:
    """Columns that grow by blocks of rows, and the lines of those rows."""

    def __init__(self, width: int, source: str, decimal_commas: bool) -> None:
        self.width = width
        self.source = source
        self._columns = [GrowingColumn(with_point if decimal_commas else None) for _ in range(width)]
        self._lines: list[NDArray[np.int64]] = []

    @property
    def decimal_commas(self) -> bool:
        """Whether a decimal comma was read."""
        return any(column.prepared for column in self._columns)

    def extend(self, records: Sequence[_Record]) -> None:
        """Appends rows."""
        rows = [_fitted(record, self.width, self.source) for record in records]
        cells = [list(column) for column in zip(*rows, strict=True)]
        self.extend_columns(cells, np.array([record.line for record in records], dtype=np.int64))

    def extend_columns(self, cells: Sequence[Cells], lines: NDArray[np.int64]) -> None:
        """Appends the cells of rows, by column."""
        for column, block in zip(self._columns, cells, strict=True):
            column.extend(block)
        self._lines.append(lines)

    def finished(self) -> tuple[list[Cells], NDArray[np.int64]]:
        """The columns and the line of each row."""
        lines = np.concatenate(self._lines) if self._lines else np.zeros(0, np.int64)
        return [column.finished() for column in self._columns], lines


def _read_rows(lines: Iterator[str], done: int, delimiter: str, columns: _Columns) -> None:
    """All rows after line `done`: plain lines by blocks, the others, and all that follow, record by record."""
    while len(block := list(itertools.islice(lines, BLOCK))) == BLOCK:
        cells = plain_columns(block, delimiter, columns.width)
        if cells is None:
            break
        columns.extend_columns(cells, done + 1 + np.arange(BLOCK))
        done += BLOCK
    records = _records(itertools.chain(block, lines), delimiter, columns.source, done)
    while rows := list(itertools.islice(records, BLOCK)):
        columns.extend(rows)


def _fitted(record: _Record, width: int, source: str) -> list[str]:
    """The cells of a row, which must be as many as the header's; blank ones at the end may be too many."""
    cells = record.cells
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != width:
        raise DataError(
            f"{source}, line {record.line} has {counted(len(cells), 'cell')}, the header has {width}. "
            "Use as many in every row; a gap is an empty cell."
        )
    return cells
