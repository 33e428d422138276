"""From what the user names (a file, several, a pattern, a table in memory) to one raw table."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from continua.files.columns import plain_texts
from continua.files.delimited import read_delimited
from continua.files.errors import DataError
from continua.files.frames import read_columns
from continua.files.parquet import is_parquet, read_parquet
from continua.files.raw_table import Cells, RawTable
from continua.files.text_lines import name_of, opened
from continua.files.wording import counted, listed, one_line, quoted

DIGITS = re.compile(r"(\d+)")


def read_source(source: object) -> RawTable:
    """The raw table of a file, of several files or tables, or of a table in memory."""
    if isinstance(source, list | tuple):
        return _read_several(source)
    if not isinstance(source, str | os.PathLike):
        return read_columns(source)
    path = os.fsdecode(source)
    return _read_file(path) if not glob.has_magic(path) or _exists(path) else _read_several(_matching(path))


def _read_file(path: str) -> RawTable:
    if is_parquet(path):
        return read_parquet(path)
    with opened(path) as stream:
        return read_delimited(stream, name_of(path))


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _matching(pattern: str) -> list[str]:
    """The files that match a pattern, run2 before run10."""
    try:
        # Path.glob takes no pattern that starts at the root.
        matches = glob.glob(str(Path(pattern).expanduser()), recursive=True)  # noqa: PTH207
        found = [path for path in matches if Path(path).is_file()]
    except (OSError, RuntimeError, ValueError, re.error):
        found = []
    if not found:
        raise DataError(f"`source` of `read_table` must match a file. Got {quoted(pattern)}. Use a pattern that does.")
    return sorted(found, key=_natural)


def _natural(path: str) -> list[str | int]:
    return [part if place % 2 == 0 else int(part) for place, part in enumerate(DIGITS.split(path))]


def _read_several(sources: Sequence[object]) -> RawTable:
    """Each source is one trajectory; all have the same columns."""
    if not sources:
        raise DataError("`source` of `read_table` must name at least one file. Got an empty list. Use the paths.")
    names = _names(sources)
    tables: list[RawTable] = []
    for source, name in zip(sources, names, strict=True):
        path = os.fsdecode(source) if isinstance(source, str | os.PathLike) else None
        table = read_columns(source, name) if path is None else _read_file(path)
        if tables:
            _refuse_other_columns(table, name, tables[0], names[0])
        tables.append(table)
    return tables[0] if len(tables) == 1 else _joined(tables, names)


def _names(sources: Sequence[object]) -> list[str]:
    """What each source is called: the shortest text that tells the files apart."""
    paths = [os.fsdecode(source) if isinstance(source, str | os.PathLike) else None for source in sources]
    full = [f"table {n}" if path is None else one_line(path) for n, path in enumerate(paths, start=1)]
    for n, name in enumerate(full):
        if name in full[:n]:
            raise DataError(
                f"`source` of `read_table` must name each file once. Got {quoted(name)} twice. Use it once."
            )
    short = [name if path is None else name_of(path) for name, path in zip(full, paths, strict=True)]
    return short if len(set(short)) == len(short) else full


def _refuse_other_columns(table: RawTable, name: str, first: RawTable, first_name: str) -> None:
    lacking = [column for column in first.names if column not in table.names]
    besides = [column for column in table.names if column not in first.names]
    told = [f"it lacks {listed(lacking)}"] * bool(lacking) + [f"it has {listed(besides)} besides"] * bool(besides)
    if not told and table.units != first.units:
        column = next(c for c in first.names if table.units.get(c) != first.units.get(c))
        units = [t.units.get(column, "no unit") for t in (table, first)]
        told = [f"its `{column}` is in {units[0]}, not {units[1]}"]
    if told:
        raise DataError(
            f"{name} has other columns than {first_name}: {' and '.join(told)}. Use files with the same columns."
        )


def _joined(tables: Sequence[RawTable], names: Sequence[str]) -> RawTable:
    """The rows of all tables, one after the other."""
    first = tables[0]
    return RawTable(
        source=f"{names[0]} and {counted(len(names) - 1, 'more table')}",
        names=first.names,
        headers=first.headers,
        units=first.units,
        columns=tuple(_concatenated([table.cells(name) for table in tables]) for name in first.names),
        rows=sum(table.rows for table in tables),
        lines=np.concatenate([table.lines for table in tables]),
        line_word=first.line_word,
        notes=_joined_notes(tables, names),
        files=tuple(names),
        file_of=np.repeat(np.arange(len(tables)), [table.rows for table in tables]),
    )


def _joined_notes(tables: Sequence[RawTable], names: Sequence[str]) -> tuple[str, ...]:
    """What has to be said of all files, once; what has to be said of one, with its name."""
    told = [note for note in tables[0].notes if all(note in table.notes for table in tables)]
    own = [
        f"{name}: {note}" for table, name in zip(tables, names, strict=True) for note in table.notes if note not in told
    ]
    return (f"{len(tables)} tables were read, each as a trajectory.", *told, *own)


def _concatenated(parts: Sequence[Cells]) -> Cells:
    """One column from its parts; text where they are of different kinds."""
    kinds = {"text" if isinstance(part, list) else part.dtype.kind for part in parts}
    if kinds in ({"f"}, {"M"}):
        return np.concatenate([np.asarray(part) for part in parts])
    return [text for part in parts for text in plain_texts(part)]
