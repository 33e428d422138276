"""Tables that are already in memory: a mapping of arrays, or a data frame that is told by its looks."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from continua.files.columns import column_of
from continua.files.errors import DataError
from continua.files.raw_table import Cells, RawTable, raw_table
from continua.files.wording import listed, quoted


def read_columns(source: Any, name: str = "table") -> RawTable:
    """The cells of a mapping from names to 1-D arrays, of a polars frame or of a pandas frame."""
    polars = sys.modules.get("polars")  # whoever brings a polars frame has imported polars
    if polars is not None and isinstance(source, polars.LazyFrame):
        source = source.collect()
    pairs, notes = _pairs(source)
    if not pairs:
        raise DataError("`source` of `read_table` must have columns. Got none. Use a mapping of names to arrays.")
    columns: dict[str, Cells] = {}
    for column, values in pairs:
        cells = _polars_cells(values) if _is_polars(values) else _cells(column, values)
        if cells is None:
            notes += (f"Column `{column}` was dropped: it holds neither numbers, text nor dates.",)
        else:
            columns[column] = cells
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        found = listed(f"{column}: {len(cells)}" for column, cells in columns.items())
        raise DataError(f"`source` of `read_table` must have columns of one length. Got {found}. Use NaN for gaps.")
    return raw_table(name, list(columns), list(columns.values()), None, notes)


def _pairs(source: Any) -> tuple[list[tuple[str, object]], tuple[str, ...]]:
    """Names and columns, and what has to be said about them."""
    if isinstance(source, Mapping):
        return [(str(name), values) for name, values in source.items()], ()
    if not (hasattr(source, "columns") and hasattr(source, "__getitem__")):
        kind = type(source).__name__
        raise DataError(
            f"`source` of `read_table` must be a path, a mapping or a data frame. Got {quoted(kind)}. "
            "Use a mapping of names to arrays."
        )
    try:
        names = list(source.columns)
        if len(set(map(str, names))) < len(names):
            raise DataError("`source` of `read_table` has a column name twice. Give each column a name of its own.")
        pairs = [(str(name), source[name]) for name in names]
    except (TypeError, LookupError):
        raise DataError(
            "`source` of `read_table` is no table that is understood. Use a mapping of names to arrays."
        ) from None
    index = getattr(source, "index", None)  # pandas: a meaningful index is mostly the time
    if index is None or type(index).__name__ in ("RangeIndex", "MultiIndex"):
        return pairs, ()
    label = str(index.name) if index.name is not None else "time"
    if label in dict(pairs):
        return pairs, ()
    return [(label, index), *pairs], (f"The index of the frame was read as the column `{label}`.",)


def _is_polars(values: object) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(values, polars.Series)


def _polars_cells(series: Any) -> Cells | None:
    """One polars column: nulls become gaps; None where it holds lists, structs or bytes."""
    import polars as pl

    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        return np.array(series.cast(pl.Float64).to_numpy(), dtype=np.float64)
    if series.dtype in (pl.Date, pl.Datetime):
        return np.array(series.cast(pl.Datetime("us")).to_numpy(), dtype="datetime64[us]")
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        return column_of([text.strip() for text in series.cast(pl.String).fill_null("").to_list()])
    return None


def _cells(name: str, values: object) -> Cells:
    """One column: numbers as float64, dates as datetime64, anything else as text."""
    try:
        array = (
            np.ma.filled(values.astype(float), np.nan) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        )
    except (TypeError, ValueError):
        raise DataError(f"Column `{name}` must be a 1-D array of numbers. Use an array of float64.") from None
    if array.ndim != 1:
        raise DataError(f"Column `{name}` must be 1-D. Got shape {array.shape}. Use one name for each column.")
    if array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # a number beyond float64 becomes infinite, and is refused as such
            return array.astype(np.float64)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]")
    if array.dtype.kind in "cmV":
        raise DataError(f"Column `{name}` must hold real numbers or dates. Got {array.dtype}. Use float64.")
    try:
        return column_of(["" if value is None else str(value).strip() for value in array.tolist()])
    except ValueError:  # an integer of thousands of digits
        raise DataError(f"Column `{name}` holds a number that is too large. Use an array of float64.") from None
