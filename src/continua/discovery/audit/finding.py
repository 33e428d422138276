"""What an audit says, and how it words it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating[Any]]
Table = NDArray[np.floating[Any]]  # [row, state]
Severity = Literal["note", "warning", "refusal"]
SEVERITIES: tuple[Severity, ...] = ("refusal", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing to know about a record before a law is sought in it.

    Args:
        kind: one of few_rows, constant, collinear, gaps, irregular, coarse_sampling, noise, trend, looks_like_noise,
            looks_like_random_walk.
        severity: "note"; "warning": the law may be wrong for it; "refusal": no law can be supported.
        message: one line that names the states and the numbers.
        remedy: one line: what to do.
        states: the names concerned.
        amount: the number behind it: a ratio, a share, a correlation or a p-value, as the message says.
    """

    kind: str
    severity: Severity
    message: str
    remedy: str
    states: tuple[str, ...] = ()
    amount: float = float("nan")


def is_constant(y: Vector) -> bool:
    """Whether the measurements do not vary beyond rounding, or are fewer than two."""
    known = y[np.isfinite(y)]
    return len(known) < 2 or bool(np.ptp(known) <= max(1e-12 * np.abs(known).max(), np.finfo(float).tiny))


def scaled(values: Table) -> Table:
    """In units of each state's largest value: squares of very large and very small numbers are numbers too."""
    return values / np.nanmax(np.abs(values), 0)


def share_text(amount: float) -> str:
    """A share in per cent, with two digits."""
    return f"{100 * amount:.2g} %" if amount < 0.995 else f"{100 * amount:.0f} %"
