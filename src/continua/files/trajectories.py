"""Which rows belong together: trajectories told apart by files, by a column, or by a time that restarts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import is_gap, plain_text
from continua.files.raw_table import Cells, RawTable

LEAST_ROWS_EACH = 3.0  # on average, for a column to be taken for a trajectory's name
MOST_DISTINCT_TIMES = 0.75  # of the rows, where trajectories lie interleaved: several share their times


@dataclass(frozen=True, eq=False)
class Grouping:
    """The trajectory of each row.

    Args:
        codes: [row], the number of the trajectory, −1 where its name is a gap.
        names: the names of the trajectories, in the order of their first rows.
        column: the column that names them, None where only the file does.
    """

    codes: NDArray[np.intp]
    names: tuple[str, ...]
    column: str | None


def grouping(raw: RawTable, column: str | None) -> Grouping | None:
    """The trajectories that the files and the named column tell; None for one."""
    files = None if raw.file_of is None else Grouping(raw.file_of, raw.files, None)
    if column is None:
        return files
    labels = _labelled(raw.cells(column), column)
    return labels if files is None else _crossed(files, labels)


def inferred_grouping(
    raw: RawTable, times: NDArray[np.float64], names: Sequence[str], files: Grouping | None
) -> Grouping | None:
    """The trajectories of the column within whose values time always grows, where it does not overall.

    A column is taken only if its values are labels or whole numbers without gaps, stand for three rows or more on
    average, and either lie in one block of rows each or share their times: a flag that merely separates some rows of
    the same time does neither.
    """
    told = np.flatnonzero(~np.isnan(times))
    if is_monotone(times[told], None if files is None else _selected(files, told)):
        return None
    found: list[tuple[int, int, Grouping]] = []
    for place, name in enumerate(names):
        if not _may_be_labels(raw.cells(name)):
            continue
        labels = grouping(raw, name)
        if labels is not None and _tells_apart(times[told], _selected(labels, told), files, told):
            found.append((len(labels.names), place, labels))
    return min(found, key=lambda candidate: candidate[:2])[2] if found else None


def is_monotone(values: NDArray[np.float64], grouping: Grouping | None) -> bool:
    """Whether the values always grow, or always fall, in each trajectory."""
    before, after = values[:-1], values[1:]
    if grouping is not None:
        order = np.argsort(grouping.codes, kind="stable")
        together = np.diff(grouping.codes[order]) == 0
        before, after = values[order][:-1][together], values[order][1:][together]
    return bool(np.all(before < after)) or bool(np.all(before > after))


def rows_counted(rows: int, grouping: Grouping | None) -> NDArray[np.float64]:
    """[row]: the row number, from 0 in each trajectory."""
    numbers = np.arange(rows, dtype=np.float64)
    if grouping is None or rows == 0:
        return numbers
    order = np.argsort(grouping.codes, kind="stable")
    starts = np.flatnonzero(np.diff(grouping.codes[order], prepend=-2))
    counted = np.empty(rows)
    counted[order] = numbers - np.repeat(starts, np.diff(starts, append=rows))
    return counted


def _tells_apart(times: NDArray[np.float64], labels: Grouping, files: Grouping | None, rows: NDArray[np.intp]) -> bool:
    """Whether labels without a gap make time monotone, and look like trajectories."""
    groups = len(np.unique(labels.codes))
    if np.any(labels.codes < 0) or times.size < LEAST_ROWS_EACH * groups or not is_monotone(times, labels):
        return False
    if np.count_nonzero(np.diff(labels.codes)) == groups - 1:
        return True
    file = np.zeros(rows.size) if files is None else files.codes[rows].astype(np.float64)
    return len(np.unique(np.stack([file, times]), axis=1).T) <= MOST_DISTINCT_TIMES * times.size


def _may_be_labels(cells: Cells) -> bool:
    """Text or whole numbers."""
    if isinstance(cells, list):
        return True
    if cells.dtype.kind != "f":
        return False
    values = np.asarray(cells, np.float64)
    return bool(np.all(np.isnan(values) | (values == np.floor(values))))


def _selected(grouping: Grouping, rows: NDArray[np.intp]) -> Grouping:
    return Grouping(grouping.codes[rows], grouping.names, grouping.column)


def _labelled(cells: Cells, column: str) -> Grouping:
    """A grouping by the values of a column."""
    if isinstance(cells, list):
        numbers: dict[str, int] = {}
        codes = [-1 if is_gap(cell) else numbers.setdefault(cell, len(numbers)) for cell in cells]
        return Grouping(np.array(codes, np.intp), tuple(numbers), column)
    gaps = np.isnat(cells) if cells.dtype.kind == "M" else np.isnan(np.asarray(cells, np.float64))
    codes = np.full(len(cells), -1, np.intp)
    codes[~gaps], values = _by_appearance(cells[~gaps])
    names = [plain_text(float(v)) if values.dtype.kind == "f" else str(v) for v in values]
    return Grouping(codes, tuple(names), column)


def _crossed(files: Grouping, labels: Grouping) -> Grouping:
    """A trajectory for each label in each file."""
    codes = np.full(len(labels.codes), -1, np.intp)
    told = labels.codes >= 0
    width = max(len(labels.names), 1)
    codes[told], pairs = _by_appearance(files.codes[told] * width + labels.codes[told])
    names = [f"{files.names[pair // width]}: {labels.names[pair % width]}" for pair in pairs.tolist()]
    return Grouping(codes, tuple(names), labels.column)


def _by_appearance(values: NDArray[np.generic]) -> tuple[NDArray[np.intp], NDArray[np.generic]]:
    """The number of each value, and the distinct values, in the order in which they first appear."""
    distinct, first, codes = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes.reshape(-1)], distinct[order]
