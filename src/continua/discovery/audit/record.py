"""`audit`: everything that a record tells before a law is sought in it."""

from collections.abc import Iterator, Sequence

import numpy as np

from continua.discovery.audit.chance import random_walk_chance, white_noise_chance
from continua.discovery.audit.columns import collinear, constant, few_rows, gaps, trends
from continua.discovery.audit.finding import SEVERITIES, Finding, Table, Vector, is_constant, scaled
from continua.discovery.audit.sampling import coarse, noise

MOST_TESTED = 2000  # rows; noise shows itself in as many
FEWEST_TESTED = 8  # rows; with fewer, orders of the rows are too few to tell chance
NOISE_LEVEL = 0.05  # p below which rows are not white noise


def audit(time: Vector, values: Table, names: Sequence[str], calendar: str | None = None) -> tuple[Finding, ...]:
    """Look at a record before any fit.

    Args:
        time: [row], strictly increasing.
        values: [row, state], NaN where nothing was measured.
        names: of the states.
        calendar: the unit of time, such as "year", where it is known; it only words the messages.

    Returns:
        Findings, the gravest first; none where nothing stands out. The same for the same record; nothing is raised or
        warned about.

    Example:
        >>> rows = np.random.default_rng(1).standard_normal((60, 1))
        >>> [finding.kind for finding in audit(np.arange(60.0), rows, ["x"]) if finding.severity == "refusal"]
        ['looks_like_noise']
    """
    time, values = np.asarray(time, float), np.where(np.isfinite(values), values, np.nan)
    with np.errstate(all="ignore"):
        findings = list(_findings(time, values, tuple(names), calendar or "time"))
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _findings(time: Vector, values: Table, names: tuple[str, ...], unit: str) -> Iterator[Finding]:
    yield from gaps(time, values, names, unit)
    steady = [i for i, y in enumerate(values.T) if is_constant(y)]
    yield from (constant(names[i], values[:, i]) for i in steady)
    moving = [i for i in range(len(names)) if i not in steady]
    if not moving:
        return
    values, names = values[:, moving], tuple(names[i] for i in moving)
    values = scaled(values)
    yield from few_rows(values, names)
    yield from collinear(values, names)
    yield from trends(time, values, names)
    lost = list(_nothing_to_find(time, values, names))
    yield from lost
    yield from coarse(time, values, names)
    if not any(finding.severity == "refusal" for finding in lost):
        yield from noise(time, values, names)


def _nothing_to_find(time: Vector, values: Table, names: tuple[str, ...]) -> Iterator[Finding]:
    whole = np.isfinite(values).all(1)
    rows, times = values[whole][-MOST_TESTED:], time[whole][-MOST_TESTED:]
    if len(rows) < FEWEST_TESTED or any(is_constant(y) for y in rows.T):
        return
    rows = scaled(rows)
    chance = white_noise_chance(rows)
    if chance > NOISE_LEVEL:
        message = f"the record cannot be told from white noise (p = {chance:.2g}): no row says anything about the next"
        remedy = "No equation is supported by this data; sample more often if the process is faster than the rows."
        yield Finding("looks_like_noise", "refusal", message, remedy, names, chance)
        return
    chance = random_walk_chance(times, rows)
    if chance > 0:
        message = (
            f"the record cannot be told from a random walk (p = {chance:.2g}): no row says where the next one goes"
        )
        remedy = "No equation is supported by this data; persistence is the forecast to use."
        yield Finding("looks_like_random_walk", "refusal", message, remedy, names, chance)
        return
    for i, name in enumerate(names if len(names) > 1 else ()):
        chance = white_noise_chance(rows[:, i : i + 1])
        if chance > NOISE_LEVEL:
            message = f"{name} by itself cannot be told from white noise (p = {chance:.2g})"
            yield Finding(
                "looks_like_noise", "warning", message, "Leave it out with `states` if it is.", (name,), chance
            )
