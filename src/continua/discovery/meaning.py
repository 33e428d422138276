"""What a fitted law means: where it rests, how long it turns, how fast it grows, how far ahead it can be believed."""

from collections.abc import Iterator

import numpy as np

from continua.core import ContinuaError
from continua.discovery.model import Model, plural
from continua.show import format_number
from continua.stability import Cycle, Equilibrium, cycle, equilibria, largest_lyapunov_exponent

FAR = 0.5  # an equilibrium farther outside the data, in widths of their box, says nothing about them
MOST_POINTS = 3
FEWEST_FOR_CHAOS = 3  # states


def meaning(model: Model) -> tuple[str, ...]:
    """Sentences about the law where the data are; none where nothing could be computed."""
    return tuple(_sentences(model))


def resting_points(model: Model) -> tuple[Equilibrium, ...]:
    """The equilibria of the law where the data are; none where they cannot be computed."""
    try:
        found = equilibria(model.undriven, _sample(model))
    except ContinuaError:
        return ()
    return tuple(point for point in found if point.beyond <= FAR)


def _sample(model: Model) -> np.ndarray:
    return model.fitted[np.isfinite(model.fitted).all(1)]


def _sentences(model: Model) -> Iterator[str]:
    points = model.equilibria
    yield from (_point(model, p) for p in points[:MOST_POINTS])
    if len(points) > MOST_POINTS:
        yield f"{len(points) - MOST_POINTS} more equilibria near the data"
    if len(model.states) < 2:
        return
    try:
        orbit = cycle(model.undriven, _sample(model))
    except ContinuaError:
        return
    if isinstance(orbit, Cycle) and orbit.stable is not False:
        yield f"turns with period {_time(model, orbit.period)} ({orbit.kind})"
    elif len(model.states) >= FEWEST_FOR_CHAOS:
        yield from _chaos(model, _sample(model))


def _point(model: Model, point: Equilibrium) -> str:
    place = ", ".join(f"{name} {format_number(x, 3)}" for name, x in zip(model.states, point.point, strict=True))
    said = [point.kind]
    if point.period is not None:
        said.append(f"nearby period {_time(model, point.period)}")
    elif point.doubling_time is not None:
        said.append(f"doubling time {_time(model, point.doubling_time)}")
    elif point.half_life is not None:
        said.append(f"half-life {_time(model, point.half_life)}")
    return f"rests at {place} ({'; '.join(said)})"


def _chaos(model: Model, sample: np.ndarray) -> Iterator[str]:
    """The largest Lyapunov exponent, and until when an error of the size of the noise stays smaller than the spread."""
    try:
        found = largest_lyapunov_exponent(model.undriven, sample[-1])
    except ContinuaError:
        return
    if not found.chaotic:
        return
    spread, error = model.spread, np.sqrt(np.diag(model.belief.covariance)[-len(model.states) :])
    horizon = found.horizon(float(np.max(error / spread)), 1.0)
    yield (
        f"is chaotic: differences grow e-fold in {_time(model, found.lyapunov_time)}; "
        f"forecasts are worth believing for about {_time(model, horizon)}"
    )


def _time(model: Model, span: float) -> str:
    number = format_number(span, 3)
    return number if model.unit == "time" else f"{number} {plural(model.unit)}"
