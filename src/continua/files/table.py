"""A table of measurements: times, states, inputs, and the trajectories that the rows belong to."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Table:
    """Measurements of some states at the times of one trajectory or of several.

    Args:
        time: [row], float64, strictly increasing within each trajectory, in `calendar` where that is known.
        values: [row, state], float64, NaN where nothing was measured.
        time_name: the name of the time column; "row" where the row number is the time.
        states: the names of the states.
        calendar: the unit of time as a word, such as "year", "day" or "second"; None where it is not known.
        notes: what was assumed or dropped, a sentence each, to be said aloud.
        source: the file's name, or "table".
        inputs: the names of the inputs.
        input_values: [row, input], float64, without gaps.
        trajectory: [row], from 0, never falling: the trajectory of each row; None where there is only one.
        trajectory_names: the name of each trajectory; empty where there is only one.
        units: the units of time, states and inputs by name, such as {"speed": "m/s"}, where they are known.
    """

    time: NDArray[np.float64]
    values: NDArray[np.float64]
    time_name: str
    states: tuple[str, ...]
    calendar: str | None
    notes: tuple[str, ...]
    source: str
    inputs: tuple[str, ...] = ()
    input_values: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    trajectory: NDArray[np.intp] | None = None
    trajectory_names: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.inputs:
            object.__setattr__(self, "input_values", np.zeros((self.time.size, 0)))

    @property
    def pieces(self) -> tuple[slice, ...]:
        """The rows of each trajectory."""
        if self.trajectory is None:
            return (slice(0, self.time.size),)
        bounds = np.searchsorted(self.trajectory, np.arange(len(self.trajectory_names) + 1)).tolist()
        return tuple(slice(start, stop) for start, stop in itertools.pairwise(bounds))
