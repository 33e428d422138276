"""Which column plays which part: what was asked for, and what names and numbers suggest."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from continua.core import nearest
from continua.files.calendar_columns import calendar_axis, calendar_columns
from continua.files.errors import DataError
from continua.files.raw_table import RawTable
from continua.files.time_names import column_named_like_time, is_calendar_word
from continua.files.times import TimeAxis, dated_column, monotone_column, row_numbers, time_axis
from continua.files.trajectories import Grouping, grouping, inferred_grouping
from continua.files.wording import counted, listed, quoted

ROW = "row"


@dataclass(frozen=True)
class Asked:
    """The columns that were asked for by name; None, or an empty list of inputs, where nothing was."""

    time: str | None
    states: list[str] | None
    inputs: list[str]
    trajectory: str | None

    @property
    def taken(self) -> set[str]:
        """The columns that cannot be the time any more."""
        return {*(self.states or []), *self.inputs, *([self.trajectory] if self.trajectory else [])}


@dataclass(frozen=True, eq=False)
class Roles:
    """The part of each column that is used."""

    axis: TimeAxis
    trajectories: Grouping | None
    states: list[str]
    inputs: list[str]


def asked_columns(
    raw: RawTable,
    time: str | None,
    states: Sequence[str] | str | None,
    inputs: Sequence[str] | str | None,
    trajectory: str | None,
) -> Asked:
    """The columns asked for, by bare name or full header: known ones, each in one part."""
    asked = Asked(
        time=time if time is None or (time == ROW and ROW not in raw.names) else _known(raw, "time", time),
        states=None if states is None else _distinct(raw, "states", states),
        inputs=[] if inputs is None else _distinct(raw, "inputs", inputs),
        trajectory=None if trajectory is None else _known(raw, "trajectory", trajectory),
    )
    if states is not None and not asked.states:
        raise DataError("`states` of `read_table` must name at least one column. Got none. Use None for all of them.")
    _refuse_two_parts(asked)
    return asked


def roles(raw: RawTable, asked: Asked) -> Roles:
    """The time, the trajectories, the states and the inputs of a table."""
    told = grouping(raw, asked.trajectory)
    axis, used = _time(raw, asked, told)
    others = [name for name in raw.names if name not in used and name not in asked.taken]
    labels = [name for name in others if not is_calendar_word(name)]
    inferred = None if asked.trajectory is not None else inferred_grouping(raw, axis.values, labels, told)
    if inferred is not None:
        note = (
            f"Column `{inferred.column}` was taken to name {counted(len(inferred.names), 'trajectory')}: "
            f"`{axis.name}` starts again with it."
        )
        axis = axis.saying(*axis.notes, note)
    column = None if inferred is None else inferred.column
    states = asked.states if asked.states is not None else [name for name in others if name != column]
    return Roles(axis, told if inferred is None else inferred, states, asked.inputs)


def _known(raw: RawTable, argument: str, asked: str) -> str:
    """The name of a column that was asked for by its name or by its header."""
    name = " ".join(str(asked).split())
    if name in raw.names:
        return name
    if name in raw.headers:
        return raw.names[raw.headers.index(name)]
    meant = nearest(name, raw.names)
    hint = f"Did you mean `{meant}`?" if meant else "Use one of them."
    raise DataError(
        f"`{argument}` of `read_table` must name columns of {raw.source}. Got {quoted(name)}. "
        f"It has {listed(raw.names)}. {hint}"
    )


def _distinct(raw: RawTable, argument: str, names: Sequence[str] | str) -> list[str]:
    """Known columns, none twice."""
    known = [_known(raw, argument, name) for name in ([names] if isinstance(names, str) else names)]
    for place, name in enumerate(known):
        if name in known[:place]:
            raise DataError(
                f"`{argument}` of `read_table` must name each column once. Got `{name}` twice. Use it once."
            )
    return known


def _refuse_two_parts(asked: Asked) -> None:
    """Refuses a column that was asked for in two parts."""
    parts = {
        "states": (asked.states or [], "a state"),
        "inputs": (asked.inputs, "an input"),
        "trajectory": ([asked.trajectory], "the trajectory column"),
        "time": ([asked.time], "the time column"),
    }
    for (argument, (names, _)), (_, (others, part)) in itertools.combinations(parts.items(), 2):
        shared = [name for name in names if name is not None and name in others]
        if shared:
            raise DataError(f"`{argument}` of `read_table` must not hold {part}. Got `{shared[0]}`. Leave it out.")


def _time(raw: RawTable, asked: Asked, told: Grouping | None) -> tuple[TimeAxis, list[str]]:
    """The time axis that was asked for, or the one that names and numbers suggest; and the columns it is made of."""
    if asked.time is not None and asked.time in raw.names:
        return time_axis(raw, asked.time), [asked.time]
    if asked.time is not None:
        return row_numbers(raw, told).saying(), []
    free = [name for name in raw.names if name not in asked.taken]
    if (named := column_named_like_time(free, raw.units)) is not None:
        parts = calendar_columns(raw, free, told)
        return (calendar_axis(raw, parts), parts) if named in parts else (time_axis(raw, named), [named])
    if (monotone := monotone_column(raw, free, told)) is not None:
        axis = time_axis(raw, monotone)
        note = f"Column `{monotone}` was taken as the time, because it always grows or always falls."
        return axis.saying(note, *axis.notes), [monotone]
    if (dated := dated_column(raw, free)) is not None:
        axis = time_axis(raw, dated)
        note = f"Column `{dated}` was taken as the time, because it holds dates."
        return axis.saying(note, *axis.notes), [dated]
    return row_numbers(raw, told), []
