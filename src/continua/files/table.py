"""A table of measurements: one time column and the states that were measured at those times."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import NumberColumn, cell_text, numbers
from continua.files.delimited import read_delimited
from continua.files.errors import DataError
from continua.files.frames import read_columns
from continua.files.raw_table import RawTable
from continua.files.times import TimeAxis, column_named_like_time, monotone_column, row_numbers, time_axis
from continua.files.wording import counted, listed, nearest, quoted

FEWEST_ROWS = 4
ROW = "row"


@dataclass(frozen=True, eq=False)
class Table:
    """Measurements of some states at increasing times.

    Args:
        time: [row], float64, strictly increasing, in `calendar` where that is known.
        values: [row, state], float64, NaN where nothing was measured.
        time_name: the name of the time column; "row" where the row number is the time.
        states: the names of the states.
        calendar: the unit of time, such as "year", "day" or "second"; None where it is not known.
        notes: what was assumed or dropped, a sentence each, to be said aloud.
        source: the file's name, or "table".
    """

    time: NDArray[np.float64]
    values: NDArray[np.float64]
    time_name: str
    states: tuple[str, ...]
    calendar: str | None
    notes: tuple[str, ...]
    source: str


def read_table(
    source: str | os.PathLike[str] | Mapping[str, Any] | Any,
    time: str | None = None,
    states: Sequence[str] | None = None,
) -> Table:
    """A table from a delimited text file or from memory; nothing is guessed without a note.

    Args:
        source: the path of a file (comma, semicolon, tab or blanks between cells; lines that start with `#` are
            comments), a mapping from names to 1-D arrays, a polars or a pandas data frame.
        time: the time column, or "row" for the row number. By default the column that is named like time, else the
            first strictly monotone one, else the row number.
        states: the columns to read, in this order. By default all that hold numbers and are not constant.

    Returns:
        A `Table` with at least 4 rows, sorted by time. Blank cells, NA, N/A, NaN, null, none and - are gaps. Dates
        (1949-01, 2016-07-31, 2016-07-31T12:00) become decimal years where they span more than two, else days, hours
        or seconds since the first.

    Raises:
        DataError: the file or the table cannot be used; one line says what, where and the remedy.

    Example:
        >>> table = read_table({"year": [1900, 1901, 1902, 1903], "hare": [30.0, 47.2, 70.2, 77.4]})
        >>> table.states, table.calendar, table.time_name
        (('hare',), 'year', 'year')
    """
    raw = read_delimited(source) if isinstance(source, str | os.PathLike) else read_columns(source)
    asked = _asked_states(raw, states)
    axis = _time(raw, time, asked)
    chosen = asked if asked is not None else [name for name in raw.names if name != axis.name]
    columns, dropped = _state_columns(raw, chosen, required=asked is not None)
    return _assembled(raw, axis, columns, dropped)


def _known(raw: RawTable, argument: str, name: str) -> str:
    """The name, which must be one of the columns."""
    if name in raw.names:
        return name
    meant = nearest(name, raw.names)
    hint = f"Did you mean `{meant}`?" if meant else "Use one of them."
    raise DataError(
        f"`{argument}` of `read_table` must name columns of {raw.source}. Got {quoted(name)}. "
        f"It has {listed(raw.names)}. {hint}"
    )


def _asked_states(raw: RawTable, states: Sequence[str] | None) -> list[str] | None:
    """The columns asked for by name: known ones, none twice."""
    if states is None:
        return None
    asked = [_known(raw, "states", str(name)) for name in ([states] if isinstance(states, str) else states)]
    if not asked:
        raise DataError("`states` of `read_table` must name at least one column. Got none. Use None for all of them.")
    for place, name in enumerate(asked):
        if name in asked[:place]:
            raise DataError(f"`states` of `read_table` must name each column once. Got `{name}` twice. Use it once.")
    return asked


def _time(raw: RawTable, time: str | None, asked: list[str] | None) -> TimeAxis:
    """The time axis that was asked for, or the one that the names and numbers suggest."""
    taken = asked or []
    if time is not None and (time != ROW or ROW in raw.names):
        if _known(raw, "time", time) in taken:
            raise DataError(f"`states` of `read_table` must not hold the time column. Got `{time}`. Leave it out.")
        return time_axis(raw, time)
    free = [name for name in raw.names if name not in taken]
    if time is None and (named := column_named_like_time(free)) is not None:
        return time_axis(raw, named)
    if time is None and (monotone := monotone_column(raw, free)) is not None:
        axis = time_axis(raw, monotone)
        note = f"Column `{monotone}` was taken as the time, because it always grows or always falls."
        return TimeAxis(axis.name, axis.values, axis.calendar, (note, *axis.notes))
    axis = row_numbers(raw)
    return axis if time is None else TimeAxis(axis.name, axis.values, axis.calendar)


def _state_columns(
    raw: RawTable, names: Sequence[str], *, required: bool
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """The numbers of the states, and a note for each column that is dropped because it holds text."""
    columns: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    for name in names:
        column = numbers(raw.columns[raw.names.index(name)])
        if column.is_text and not required:
            notes.append(f"Column `{name}` was dropped: it holds text.")
            continue
        _refuse_text(raw, name, column)
        columns[name] = _finite(raw, name, column.values)
    return {name: _varying(raw, name, values) if required else values for name, values in columns.items()}, tuple(notes)


def _refuse_text(raw: RawTable, name: str, column: NumberColumn) -> None:
    if column.text_rows.size:
        row = int(column.text_rows[0])
        text = quoted(cell_text(raw.columns[raw.names.index(name)], row))
        raise DataError(
            f"{raw.source}, {raw.place(row)}, column `{name}`: {text} is not a number. "
            "Correct it, leave the cell blank for a gap, or choose other columns with `states`."
        )


def _finite(raw: RawTable, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, none of which may be infinite."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise DataError(
            f"{raw.source}, {raw.place(int(infinite[0]))}, column `{name}`: the number is infinite. "
            "Correct it, or leave the cell blank for a gap."
        )
    return values


def _kind_of_constant(values: NDArray[np.float64]) -> str | None:
    """What is wrong with a column that tells nothing; None where it varies."""
    measured = values[~np.isnan(values)]
    if measured.size == 0:
        return "is empty"
    return "is constant" if bool(np.all(measured == measured[0])) else None


def _varying(raw: RawTable, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of a column that was asked for, which must vary."""
    if fault := _kind_of_constant(values):
        raise DataError(f"{raw.source}, column `{name}` {fault}: no dynamics to learn. Use a column that varies.")
    return values


def _assembled(
    raw: RawTable, axis: TimeAxis, columns: dict[str, NDArray[np.float64]], dropped: tuple[str, ...]
) -> Table:
    """The table from its parts: rows without a time or a state dropped, constant columns dropped, sorted, checked."""
    notes = [*raw.notes, *axis.notes, *dropped]
    times = _finite(raw, axis.name, axis.values)
    rows = _kept_rows(raw, ~np.isnan(times), np.arange(raw.rows), "without a time", notes)
    _refuse_few(raw, rows.size)
    names = _varying_names({name: values[rows] for name, values in columns.items()}, notes)
    if not names:
        raise DataError(f"{raw.source} has no column of varying numbers besides the time. Use a table with one.")
    values = np.stack([columns[name] for name in names], axis=1)
    measured = ~np.all(np.isnan(values[rows]), axis=1)
    rows = _kept_rows(raw, measured, rows, "in which every state is a gap", notes)
    _refuse_few(raw, rows.size)
    rows = _sorted_rows(raw, times, rows, axis.name, notes)
    return Table(
        _frozen(times[rows]), _frozen(values[rows]), axis.name, tuple(names), axis.calendar, tuple(notes), raw.source
    )


def _refuse_few(raw: RawTable, rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise DataError(f"{raw.source} has {counted(rows, 'usable row')}; at least 4 rows are needed. Use more data.")


def _kept_rows(
    raw: RawTable, keep: NDArray[np.bool_], rows: NDArray[np.intp], fault: str, notes: list[str]
) -> NDArray[np.intp]:
    """The rows to keep; what is dropped is noted."""
    lost = rows[~keep]
    if lost.size:
        verb = "was" if lost.size == 1 else "were"
        notes.append(f"{counted(lost.size, 'row')} {fault} {verb} dropped (first: {raw.place(int(lost[0]))}).")
    return rows[keep]


def _varying_names(columns: dict[str, NDArray[np.float64]], notes: list[str]) -> list[str]:
    """The names of the columns that vary; the others are noted."""
    faults = {name: _kind_of_constant(values) for name, values in columns.items()}
    notes.extend(f"Column `{name}` was dropped: it {fault}." for name, fault in faults.items() if fault)
    return [name for name, fault in faults.items() if fault is None]


def _sorted_rows(
    raw: RawTable, times: NDArray[np.float64], rows: NDArray[np.intp], name: str, notes: list[str]
) -> NDArray[np.intp]:
    """The rows by increasing time, no time twice."""
    ordered = rows[np.argsort(times[rows], kind="stable")]
    twice = np.flatnonzero(times[ordered][1:] == times[ordered][:-1])
    if twice.size:
        first, second = (raw.place(int(ordered[twice[0] + k])) for k in (0, 1))
        more = f" (and {counted(twice.size - 1, 'more pair')})" if twice.size > 1 else ""
        raise DataError(
            f"{raw.source}, {first} and {second} have the same time in column `{name}`{more}. "
            "Keep one row for each time, or use another column with `time`."
        )
    if not np.array_equal(ordered, rows):
        notes.append(f"The rows were sorted by `{name}`.")
    return ordered


def _frozen(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values.setflags(write=False)
    return values
