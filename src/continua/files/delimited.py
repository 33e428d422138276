"""Delimited text into cells: commas, semicolons, tabs or blanks; comment lines; with or without a header."""

import csv
import difflib
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from continua.files.columns import number
from continua.files.errors import DataError
from continua.files.raw_table import RawTable, is_gap, raw_table
from continua.files.wording import one_line, quoted

SNIFFED_LINES = 20
QUOTED = re.compile(r'"[^"]*"')
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class _Record:
    line: int
    cells: list[str]


def read_delimited(path: str | os.PathLike[str]) -> RawTable:
    """The cells of a delimited text file; every failure is a `DataError` that names the file and the line."""
    source = one_line(Path(path).name) or quoted(str(path))
    text = _decoded(_content(path), source)
    delimiter = _delimiter(text)
    records = _records(text, delimiter, source)
    if not records:
        raise DataError(f"{source} is empty. Use a table with a header line and at least 4 rows.")
    names, body, notes = _header(records, text, delimiter)
    if len(body) < 2:
        held = "only a header" if not body else "only one row"
        raise DataError(f"{source} holds {held}. Use a table with a header line and at least 4 rows.")
    rows = [_fitted(record, len(names), source) for record in body]
    columns = [list(column) for column in zip(*rows, strict=True)]
    if delimiter == ";":
        columns, comma_notes = _with_decimal_points(columns)
        notes += comma_notes
    return raw_table(source, names, columns, [record.line for record in body], notes)


def _content(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file or a pipe."""
    name = quoted(os.fspath(path))
    try:
        file = Path(path).expanduser()
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"`source` of `read_table` must be a file. Got the folder {name}. Use a CSV file in it.")
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise DataError(f"`source` of `read_table` must be a file. Got the device {name}. Use a CSV file.")
        return file.read_bytes()
    except FileNotFoundError:
        raise DataError(_missing(Path(path), name)) from None
    except PermissionError:
        raise DataError(f"{name} may not be read. Use a file you have the permission to read.") from None
    except DataError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: a NUL in the path; RuntimeError: no home folder
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise DataError(f"{name} cannot be read: {reason}. Use the path of a CSV file.") from None


def _missing(path: Path, name: str) -> str:
    """The message for a file that is not there, with the names in its folder that are nearly the same."""
    message = f"`source` of `read_table` must be a file that exists. Got {name}."
    try:
        neighbours = sorted(entry.name for entry in path.expanduser().parent.iterdir() if entry.is_file())
    except (OSError, RuntimeError, ValueError):
        return f"{message} Use the path of a file; its folder does not exist either."
    similar = difflib.get_close_matches(path.name, neighbours, n=3, cutoff=0.6)
    if similar:
        return f"{message} Did you mean {' or '.join(quoted(s) for s in similar)}?"
    return f"{message} Use the path of a CSV file."


def _decoded(content: bytes, source: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it says so."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if content.startswith(b"PK\x03\x04"):
        raise DataError(f"{source} is a spreadsheet or an archive. Export it as CSV, or unpack it first.")
    if encoding == "utf-8-sig" and b"\0" in content:
        raise DataError(f"{source} is binary. Use a table in plain text, for example CSV.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{source}, line {line} is not UTF-8 text. Save the table as CSV in UTF-8.") from None


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=""))


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into equally many cells; " " stands for any run of blanks."""
    lines = [line for line in _lines(text) if line.strip() and not _is_comment(line)][:SNIFFED_LINES]
    bare = [QUOTED.sub("q", line) for line in lines]
    for candidate in (";", "\t", ","):
        counts = {line.count(candidate) for line in bare}
        if len(counts) == 1 and counts != {0}:
            return candidate
    if bare and not any(c in bare[0] for c in ";\t,"):
        words = {len(line.split()) for line in bare}
        return " " if len(words) == 1 and words != {1} else ","
    return max((",", ";", "\t"), key=bare[0].count) if bare else ","


def _records(text: str, delimiter: str, source: str) -> list[_Record]:
    """The rows that hold cells, with the numbers of their lines; comments keep their line numbers."""
    lines = ("\n" if _is_comment(line) else line for line in _lines(text))
    if delimiter == " ":
        lines = ("\t".join(line.split()) + "\n" for line in lines)
    reader = csv.reader(lines, delimiter="\t" if delimiter == " " else delimiter, skipinitialspace=True, strict=True)
    records: list[_Record] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if cells and cells != [""]:
                records.append(_Record(reader.line_num, cells))
    except csv.Error as error:
        reason = one_line(str(error))
        raise DataError(f"{source}, line {reader.line_num}: {reason}. Check the quotes around that line.") from None
    return records


def _header(records: list[_Record], text: str, delimiter: str) -> tuple[list[str], list[_Record], tuple[str, ...]]:
    """The names and the rows below them; a table of numbers alone is named by the comment above it, or by position."""
    first = records[0].cells
    values = [number(cell) for cell in first]
    if any(value is None for value in values) or all(is_gap(cell) for cell in first):
        return first, records[1:], ()
    width = len(first)
    for line in reversed(list(_lines(text))[: records[0].line - 1]):
        names = _commented_names(line, delimiter)
        if len(names) == width and all(names):
            return names, records, ("The column names were taken from the comment above the numbers.",)
    return [f"column {n + 1}" for n in range(width)], records, ("No header was found: columns are named by position.",)


def _commented_names(line: str, delimiter: str) -> list[str]:
    content = line.strip().lstrip("#")
    return content.split() if delimiter == " " else [name.strip().strip('"') for name in content.split(delimiter)]


def _fitted(record: _Record, width: int, source: str) -> list[str]:
    """The cells of a row, which must be as many as the header's; blank ones at the end may be too many."""
    cells = record.cells
    while len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    if len(cells) != width:
        raise DataError(
            f"{source}, line {record.line} has {len(cells)} cells, the header has {width}. "
            "Use as many in every row; a gap is an empty cell."
        )
    return cells


def _with_decimal_points(columns: Sequence[list[str]]) -> tuple[list[list[str]], tuple[str, ...]]:
    """Cells such as "0,5" as "0.5", in a file whose delimiter leaves the comma free."""
    changed = [[c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in column] for column in columns]
    notes = ("Commas inside numbers were read as decimal points.",) if changed != list(columns) else ()
    return changed, notes
