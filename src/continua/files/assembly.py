"""The table from its parts: rows dropped that tell nothing, grouped, sorted and checked."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.files.columns import NumberColumn, cell_text, numbers
from continua.files.errors import DataError
from continua.files.inputs import filled_inputs
from continua.files.raw_table import RawTable
from continua.files.roles import Roles
from continua.files.table import Table
from continua.files.trajectories import Grouping
from continua.files.wording import counted, quoted

FEWEST_ROWS = 4
FEWEST_ROWS_EACH = 2


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of the source that are kept, their times and their trajectories."""

    chosen: NDArray[np.intp]
    times: NDArray[np.float64]
    codes: NDArray[np.intp]
    names: tuple[str, ...]

    def where(self, keep: NDArray[np.bool_]) -> "_Rows":
        return replace(self, chosen=self.chosen[keep], times=self.times[keep], codes=self.codes[keep])

    @property
    def starts(self) -> NDArray[np.intp]:
        """The first row of each trajectory, where they are sorted."""
        return np.flatnonzero(np.diff(self.codes, prepend=-1))

    @property
    def pieces(self) -> list[slice]:
        stops = [*self.starts[1:].tolist(), self.codes.size]
        return [slice(start, stop) for start, stop in zip(self.starts.tolist(), stops, strict=True)]


def assembled(raw: RawTable, roles: Roles, *, required: bool) -> Table:
    """The table; `required` says that the states were asked for, so that none may be dropped."""
    notes = [*raw.notes, *roles.axis.notes]
    columns = _state_columns(raw, roles.states, notes, required=required)
    inputs = {name: _input_column(raw, name) for name in roles.inputs}
    rows = _timed_rows(raw, roles, notes)
    columns = _varying(columns, rows.chosen, notes)
    if not columns:
        raise DataError(f"{raw.source} has no column of varying numbers besides the time. Use a table with one.")
    rows = _measured_rows(raw, _sorted(rows), columns, inputs, notes)
    _refuse_few(raw, rows.chosen.size)
    _refuse_repeated_times(raw, rows, roles)
    _note_order(rows, roles, notes)
    rows = _without_short_trajectories(raw, rows, roles.trajectories, notes)
    _refuse_few(raw, rows.chosen.size)
    if not required:
        columns = _varying_within(raw, rows, columns, notes)
    _refuse_wide(raw, rows.chosen.size, len(columns) + len(inputs) + (roles.axis.name in raw.names))
    return _table(raw, roles, rows, columns, inputs, notes)


def _state_columns(
    raw: RawTable, names: list[str], notes: list[str], *, required: bool
) -> dict[str, NDArray[np.float64]]:
    """The numbers of the states; a column of text that was not asked for is dropped aloud."""
    columns: dict[str, NDArray[np.float64]] = {}
    for name in names:
        column = numbers(raw.cells(name))
        if column.is_text and not required:
            notes.append(f"Column `{name}` was dropped: it holds text.")
            continue
        _refuse_text(raw, name, column, "states")
        columns[name] = _finite(raw, name, column.values)
        if required and (fault := _kind_of_constant(column.values)):
            raise DataError(f"{raw.source}, column `{name}` {fault}: no dynamics to learn. Use a column that varies.")
    return columns


def _input_column(raw: RawTable, name: str) -> NDArray[np.float64]:
    column = numbers(raw.cells(name))
    _refuse_text(raw, name, column, "inputs")
    return _finite(raw, name, column.values)


def _refuse_text(raw: RawTable, name: str, column: NumberColumn, argument: str) -> None:
    if column.text_rows.size:
        row = int(column.text_rows[0])
        text = quoted(cell_text(raw.cells(name), row))
        raise DataError(
            f"{raw.where(row)}, column `{name}`: {text} is not a number. "
            f"Correct it, leave the cell blank for a gap, or choose other columns with `{argument}`."
        )


def _finite(raw: RawTable, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, none of which may be infinite."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise DataError(
            f"{raw.where(int(infinite[0]))}, column `{name}`: the number is infinite. "
            "Correct it, or leave the cell blank for a gap."
        )
    return values


def _kind_of_constant(values: NDArray[np.float64]) -> str | None:
    """What is wrong with a column that tells nothing; None where it varies."""
    measured = values[~np.isnan(values)]
    if measured.size == 0:
        return "is empty"
    return "is constant" if bool(np.all(measured == measured[0])) else None


def _varying(
    columns: dict[str, NDArray[np.float64]], rows: NDArray[np.intp], notes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """The columns that vary; the others are noted."""
    faults = {name: _kind_of_constant(values[rows]) for name, values in columns.items()}
    notes.extend(f"Column `{name}` was dropped: it {fault}." for name, fault in faults.items() if fault)
    return {name: values for name, values in columns.items() if faults[name] is None}


def _timed_rows(raw: RawTable, roles: Roles, notes: list[str]) -> _Rows:
    """The rows that have a time and a trajectory, in the order of the source."""
    times = _finite(raw, roles.axis.name, roles.axis.values)
    told = roles.trajectories
    codes = np.zeros(raw.rows, np.intp) if told is None else told.codes
    rows = _Rows(np.arange(raw.rows), times, codes, () if told is None else told.names)
    rows = _kept(raw, rows, ~np.isnan(rows.times), "without a time", notes)
    rows = _kept(raw, rows, rows.codes >= 0, "without the name of a trajectory", notes)
    _refuse_few(raw, rows.chosen.size)
    return rows


def _sorted(rows: _Rows) -> _Rows:
    """Trajectory by trajectory, by increasing time."""
    order = np.lexsort((rows.times, rows.codes))
    return replace(rows, chosen=rows.chosen[order], times=rows.times[order], codes=rows.codes[order])


def _measured_rows(
    raw: RawTable,
    rows: _Rows,
    columns: dict[str, NDArray[np.float64]],
    inputs: dict[str, NDArray[np.float64]],
    notes: list[str],
) -> _Rows:
    """The rows in which a state was measured, or an input between two such rows."""
    measured = _some_known(columns, rows.chosen)
    keep = measured
    if inputs:
        begun, going_on = np.zeros_like(measured), np.zeros_like(measured)
        for piece in rows.pieces:
            begun[piece] = np.logical_or.accumulate(measured[piece])
            going_on[piece] = np.logical_or.accumulate(measured[piece][::-1])[::-1]
        keep = measured | (begun & going_on & _some_known(inputs, rows.chosen))
        only = int(np.count_nonzero(keep & ~measured))
        if only:
            notes.append(f"{counted(only, 'row')} in which every state is a gap {_were(only)} kept for the inputs.")
    return _kept(raw, rows, keep, "in which every state is a gap", notes)


def _some_known(columns: dict[str, NDArray[np.float64]], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether at least one of the columns is known, in each of the rows."""
    known = np.zeros(rows.size, dtype=bool)
    for values in columns.values():
        known |= ~np.isnan(values[rows])
    return known


def _kept(raw: RawTable, rows: _Rows, keep: NDArray[np.bool_], fault: str, notes: list[str]) -> _Rows:
    """The rows to keep; what is dropped is noted."""
    lost = rows.chosen[~keep]
    if lost.size:
        place = raw.place(int(lost.min()))
        notes.append(f"{counted(lost.size, 'row')} {fault} {_were(lost.size)} dropped (first: {place}).")
    return rows.where(keep)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _refuse_few(raw: RawTable, rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise DataError(f"{raw.source} has {counted(rows, 'usable row')}; at least 4 rows are needed. Use more data.")


def _refuse_repeated_times(raw: RawTable, rows: _Rows, roles: Roles) -> None:
    twice = np.flatnonzero((rows.times[1:] == rows.times[:-1]) & (rows.codes[1:] == rows.codes[:-1]))
    if twice.size:
        first, second = (raw.place(int(rows.chosen[twice[0] + k])) for k in (0, 1))
        more = f" (and {counted(twice.size - 1, 'more pair')})" if twice.size > 1 else ""
        raise DataError(
            f"{raw.source}, {first} and {second} have the same time in column `{roles.axis.name}`{more}. "
            "Keep one row for each time, use another column (or `row`) with `time`, or name the column that tells "
            "trajectories apart with `trajectory`."
        )


def _note_order(rows: _Rows, roles: Roles, notes: list[str]) -> None:
    if not bool(np.all(np.diff(np.lexsort((rows.chosen, rows.codes))) > 0)):
        within = " within each trajectory" if rows.names else ""
        notes.append(f"The rows were sorted by `{roles.axis.name}`{within}.")


def _without_short_trajectories(raw: RawTable, rows: _Rows, told: Grouping | None, notes: list[str]) -> _Rows:
    """The rows of trajectories with two rows or more; those of one row are dropped aloud."""
    if told is None:
        return rows
    short = np.bincount(rows.codes, minlength=len(told.names)) < FEWEST_ROWS_EACH
    if short.all():
        where = f" of column `{told.column}`" if told.column else ""
        raise DataError(
            f"{raw.source}: every trajectory{where} has fewer than 2 usable rows. "
            "Use a column with `trajectory` whose values stand for several rows each."
        )
    if short.any():
        count, first = int(np.count_nonzero(short)), quoted(told.names[int(np.argmax(short))])
        notes.append(
            f"{counted(count, 'trajectory')} with fewer than 2 usable rows {_were(count)} dropped (first: {first})."
        )
    number = np.cumsum(~short) - 1
    names = tuple(name for name, lost in zip(told.names, short, strict=True) if not lost)
    kept = rows.where(~short[rows.codes])
    return replace(kept, codes=number[kept.codes], names=names)


def _varying_within(
    raw: RawTable, rows: _Rows, columns: dict[str, NDArray[np.float64]], notes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """The columns that vary within a trajectory; what only tells trajectories apart is no state."""
    varying: dict[str, NDArray[np.float64]] = {}
    for name, values in columns.items():
        chosen = values[rows.chosen]
        least, most = (extreme.reduceat(chosen, rows.starts) for extreme in (np.fmin, np.fmax))
        if np.any(least < most):
            varying[name] = values
        else:
            notes.append(
                f"Column `{name}` was dropped: it is constant within each trajectory. "
                "If it acts on the states, name it with `inputs`."
            )
    if not varying:
        raise DataError(f"{raw.source} has no column that varies within a trajectory. Use a table with one.")
    return varying


def _refuse_wide(raw: RawTable, rows: int, columns: int) -> None:
    if columns > rows:
        raise DataError(
            f"{raw.source} has more columns than rows ({columns} and {rows}): too few measurements of too much. "
            "Turn the table if its rows are the states, or choose a few columns with `states`."
        )


def _table(
    raw: RawTable,
    roles: Roles,
    rows: _Rows,
    columns: dict[str, NDArray[np.float64]],
    inputs: dict[str, NDArray[np.float64]],
    notes: list[str],
) -> Table:
    several = len(rows.names) > 1
    names = rows.names if several else ()
    acting = {name: values[rows.chosen] for name, values in inputs.items()}
    input_values = filled_inputs(raw, rows.times, acting, rows.pieces, names, notes)
    units = {name: raw.units[name] for name in (*columns, *inputs) if name in raw.units}
    if roles.axis.unit is not None:
        units[roles.axis.name] = roles.axis.unit
    return Table(
        time=_frozen(rows.times),
        values=_frozen(np.stack([values[rows.chosen] for values in columns.values()], axis=1)),
        time_name=roles.axis.name,
        states=tuple(columns),
        calendar=roles.axis.calendar,
        notes=tuple(notes),
        source=raw.source,
        inputs=tuple(inputs),
        input_values=_frozen(input_values),
        trajectory=_frozen(rows.codes) if several else None,
        trajectory_names=names,
        units=units,
    )


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    """A copy that nobody can change."""
    values = values.copy()
    values.setflags(write=False)
    return values
