"""What was measured: trajectories as the caller has them, and all of them as one record in units of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One run of the system.

    Args:
        t: [row], rising times.
        y: [row, state], measurements; NaN where there is none.
        u: [row, input], exogenous inputs, without gaps; or nothing.
        held: whether an input keeps its value until the next sample; otherwise it runs straight to it.
        guess: [row, state], near which states that are never measured are looked for.

    Raises:
        ArgumentError: the shapes do not fit, times do not rise, or a value is infinite.
    """

    t: Floats
    y: Floats
    u: Floats | None = None
    held: bool = False
    guess: Floats | None = None

    @classmethod
    def of(cls, given: Any) -> "Trajectory":
        """A `Trajectory`, or a tuple (t, y), (t, y, u), (t, y, u, held) or (t, y, u, held, guess)."""
        if not isinstance(given, cls):
            t, y, *rest = given
            given = cls(np.asarray(t, float), np.asarray(y, float), *rest)
        u = None if given.u is None else np.asarray(given.u, float)
        checked = cls(np.asarray(given.t, float), np.asarray(given.y, float), u, given.held, given.guess)
        checked._check()
        return checked

    def _check(self) -> None:
        if self.t.ndim != 1 or self.y.ndim != 2 or len(self.t) != len(self.y):
            raise ArgumentError(
                f"A trajectory needs t [row] and y [row, state]. Got {self.t.shape} and {self.y.shape}. "
                "Give one time a row, and a column for each state."
            )
        if not np.isfinite(self.t).all() or (np.diff(self.t) <= 0).any():
            raise ArgumentError("`t` of a trajectory must be finite and rise. Sort the rows and merge equal times.")
        if np.isinf(self.y).any():
            raise ArgumentError("`y` of a trajectory has infinite values. Use NaN where nothing was measured.")
        if self.u is not None and (self.u.ndim != 2 or len(self.u) != len(self.t) or not np.isfinite(self.u).all()):
            raise ArgumentError(
                f"`u` of a trajectory must be finite and [row, input]. Got shape {self.u.shape} for {len(self.t)} "
                "rows. Fill the gaps of the inputs first."
            )


@dataclass(frozen=True, eq=False)
class Record:
    """All trajectories in one column of rows, states in units of their sizes and time in units of its sampling.

    Row k is followed by an interval of length `step[k]`, which is 0 where a trajectory ends.

    Args:
        ends: where each trajectory ends and the next begins: [0, rows of the first, …].
        time: [row], in units of `time_unit`, from 0 in every trajectory.
        y: [row, state], in units of `unit`; NaN where there is no measurement.
        near: [row, state], in the same units: guesses of states that are never measured; NaN for all others.
        step: [row].
        left: [row, input], at the start of the interval, in the caller's units.
        right: [row, input], at its end.
        unit: [state], the root mean square of each state.
        time_unit: the mean sampling interval.
    """

    ends: NDArray[np.int_]
    time: Floats
    y: Floats
    near: Floats
    step: Floats
    left: Floats
    right: Floats
    unit: Floats
    time_unit: float

    @classmethod
    def of(cls, trajectories: Sequence[Trajectory], inputs: int) -> "Record | None":
        """None where nothing can be learned: a state that was never measured, or no two rows in a row."""
        used = [piece for piece in trajectories if len(piece.t) > 1]
        if not used:
            return None
        y = np.concatenate([piece.y for piece in used])
        near = np.concatenate([np.full_like(piece.y, np.nan) if piece.guess is None else piece.guess for piece in used])
        near = np.where(np.isfinite(y).any(0), np.nan, near)
        either = np.where(np.isfinite(near), near, y)
        if not np.isfinite(either).any(0).all():
            return None
        unit = np.sqrt(np.nanmean(either**2, 0))
        unit = np.where((unit > 0) & np.isfinite(unit), unit, 1.0)
        time_unit = float(np.mean(np.concatenate([np.diff(piece.t) for piece in used])))
        step = np.concatenate([np.append(np.diff(piece.t), 0.0) for piece in used]) / time_unit
        left, right = (np.concatenate(side) for side in zip(*(_inputs(piece, inputs) for piece in used), strict=True))
        return cls(
            ends=np.cumsum([0, *(len(piece.t) for piece in used)]),
            time=np.concatenate([piece.t - piece.t[0] for piece in used]) / time_unit,
            y=y / unit,
            near=near / unit,
            step=step,
            left=left,
            right=right,
            unit=unit,
            time_unit=time_unit,
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """[row, state]: what was measured."""
        return np.isfinite(self.y)

    @property
    def spread(self) -> Floats:
        """[state]: the standard deviation of what was measured or guessed, in units of `unit`."""
        return np.maximum(np.nanstd(np.where(np.isfinite(self.near), self.near, self.y), 0), 1e-9)

    @property
    def numbers(self) -> NDArray[np.int_]:
        """[state]: how often each was measured; 1 where never, so that shares of it are 0."""
        return np.maximum(self.known.sum(0), 1)

    @property
    def pieces(self) -> list[slice]:
        """The rows of each trajectory."""
        return [slice(a, b) for a, b in zip(self.ends[:-1], self.ends[1:], strict=True)]

    def filled(self) -> Floats:
        """[row, state]: gaps interpolated linearly within a trajectory, or the mean where it has no measurement.

        States that are never measured are as guessed.
        """
        filled = np.where(np.isfinite(self.near), self.near, self.y)
        for piece in self.pieces:
            for column, known in zip(filled[piece].T, self.known[piece].T, strict=True):
                if known.any():
                    column[~known] = np.interp(self.time[piece][~known], self.time[piece][known], column[known])
        return np.where(np.isfinite(filled), filled, np.nanmean(filled, 0))


def _inputs(piece: Trajectory, count: int) -> tuple[Floats, Floats]:
    """The inputs at both ends of the interval that follows each row."""
    if piece.u is None:
        return np.zeros((len(piece.t), count)), np.zeros((len(piece.t), count))
    return piece.u, piece.u if piece.held else np.concatenate([piece.u[1:], piece.u[-1:]])
