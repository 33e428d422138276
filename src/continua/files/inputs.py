"""Inputs: what was done to the system, known in every row that is kept."""

import numpy as np
from numpy.typing import NDArray

from continua.files.errors import DataError
from continua.files.raw_table import RawTable
from continua.files.wording import counted, quoted

MOST_MISSING = 0.5  # of the rows


def filled_inputs(
    raw: RawTable,
    time: NDArray[np.float64],
    inputs: dict[str, NDArray[np.float64]],
    pieces: list[slice],
    names: tuple[str, ...],
    notes: list[str],
) -> NDArray[np.float64]:
    """[row, input], gaps filled along straight lines within each piece of rows, and held beyond the ends."""
    columns = []
    for name, values in inputs.items():
        gaps = np.isnan(values)
        _refuse_mostly_missing(raw, name, gaps)
        filled = values.copy()
        for number, piece in enumerate(pieces):
            known = ~gaps[piece]
            if not known.any():
                where = f" in trajectory {quoted(names[number])}" if names else ""
                raise DataError(
                    f"{raw.source}, input `{name}` is missing{where} altogether. Fill it in, or leave out those rows."
                )
            filled[piece] = np.interp(time[piece], time[piece][known], values[piece][known])
            filled[piece][known] = values[piece][known]
        if gaps.any():
            count = int(np.count_nonzero(gaps))
            notes.append(f"{counted(count, 'gap')} of input `{name}` {'was' if count == 1 else 'were'} interpolated.")
        if np.all(filled == filled[0]):
            notes.append(f"Input `{name}` is constant.")
        columns.append(filled)
    return np.stack(columns, axis=1) if columns else np.zeros((time.size, 0))


def _refuse_mostly_missing(raw: RawTable, name: str, gaps: NDArray[np.bool_]) -> None:
    missing = float(np.mean(gaps))
    if missing > MOST_MISSING:
        raise DataError(
            f"{raw.source}, input `{name}` is missing in {100 * missing:.0f} % of the rows: too many to fill in. "
            "Give it in every row, or choose other columns with `inputs`."
        )
