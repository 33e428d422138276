"""Many plain lines into columns at once, by polars where it is installed: the careful reader takes all others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from continua.files.raw_table import Cells

CAREFUL = ('"', "#", "\r", "\0")  # what quotes, comments and odd files hold


def plain_columns(lines: Sequence[str], delimiter: str, width: int) -> list[Cells] | None:
    """The columns of lines that all have `width` cells and no quotes; None where one is not that plain.

    A column is an array where each of its cells is a number or empty, else the cells as they are.
    """
    text = "".join(lines).replace("\r\n", "\n")
    if width < 2 or delimiter == " " or any(sign in text for sign in CAREFUL):
        return None
    if any(line.count(delimiter) != width - 1 for line in lines):
        return None
    try:
        import polars as pl
    except ImportError:
        return None
    frame = pl.read_csv(text.encode(), separator=delimiter, has_header=False, infer_schema=False, quote_char=None)
    return [_cells(series) for series in frame] if frame.shape == (len(lines), width) else None


def _cells(series: Any) -> Cells:
    import polars as pl

    values = series.cast(pl.Float64, strict=False)
    if values.null_count() == series.null_count():
        return np.array(values.fill_null(float("nan")).to_numpy())
    return series.fill_null("").to_list()
