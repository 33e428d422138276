"""`read_table`: from a file, several files or a table in memory to measurements."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from continua.files.assembly import assembled
from continua.files.roles import asked_columns, roles
from continua.files.sources import read_source
from continua.files.table import Table


def read_table(
    source: str | os.PathLike[str] | Sequence[Any] | Mapping[str, Any] | Any,
    time: str | None = None,
    states: Sequence[str] | str | None = None,
    *,
    inputs: Sequence[str] | str | None = None,
    trajectory: str | None = None,
) -> Table:
    """A table from files or from memory; nothing is guessed without a note.

    Args:
        source: the path of a file: Parquet, or text with commas, semicolons, tabs or blanks between cells, in which
            lines that start with `#` are comments. Or a pattern such as "runs/*.csv", or a list of paths: files with
            the same columns, each a trajectory. Or a mapping from names to 1-D arrays, a polars or a pandas data
            frame, or a list of those.
        time: the time column, or "row" for the row number. By default the column that is named like time, else the
            first strictly monotone one, else the row number.
        states: the columns to read, in this order. By default all that hold numbers and vary.
        inputs: columns that act on the states and are none themselves. By default none.
        trajectory: the column that tells trajectories apart. By default none, unless time starts again and the labels
            or whole numbers of a column tell where.

    Columns are named by their header without its unit ("speed" for "speed [m/s]" or "speed (m/s)"), and may be asked
    for by either.

    Returns:
        A `Table` with at least 4 rows, grouped by trajectory and sorted by time. Blank cells, NA, N/A, NaN, null,
        none, missing, -, ? and a lone dot are gaps. Dates (1949-01, 195803, 2016-07-31, 2016-07-31T12:00, 31.07.2016,
        2016Q3; 31/07/2016 where a day beyond 12 tells the order), all written the same way, become decimal years
        where they span more than two, else days, hours, minutes or seconds since the first. Gaps of an input are
        filled along straight lines; trajectories of one row are dropped.

    Raises:
        DataError: the file or the table cannot be used; one line says what, where and the remedy.

    Example:
        >>> table = read_table({"year": [1900, 1901, 1902, 1903], "hare": [30.0, 47.2, 70.2, 77.4]})
        >>> table.states, table.calendar, table.time_name
        (('hare',), 'year', 'year')
        >>> run = {"t [s]": [0, 1, 2], "speed [m/s]": [0.0, 0.6, 0.9], "u [V]": [1, 1, 1]}
        >>> table = read_table([run, run], inputs=["u"])
        >>> table.states, table.units, table.trajectory.tolist()
        (('speed',), {'speed': 'm/s', 'u': 'V', 't': 's'}, [0, 0, 0, 1, 1, 1])
    """
    raw = read_source(source)
    asked = asked_columns(raw, time, states, inputs, trajectory)
    return assembled(raw, roles(raw, asked), required=asked.states is not None)
