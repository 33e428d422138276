"""Forecasts with bands: the law run on from the last state, with what is not known about either."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.core import ArgumentError, Given, kept
from continua.discovery.driving import along, input_array, slopes
from continua.discovery.family import Family
from continua.discovery.noise import Noise
from continua.discovery.padding import power_of_two
from continua.methods import Method
from continua.solver import by_its_steps, solve

if TYPE_CHECKING:
    from continua.discovery.model import Model

DRAWS = 400
FEWEST_TIMES = 32  # of one solve


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed at the last measured time.

    Args:
        u: [parameter], unknowns of the family.
        typical: [parameter], their units.
        state: [state], the law's state.
        covariance: [parameter + state, parameter + state], of both together.
        sigma: [state], of a measurement, with what is not known about it.
        size: [state], for tolerances.
    """

    u: NDArray[np.float64]
    typical: NDArray[np.float64]
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    sigma: NDArray[np.float64]
    size: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Measurements to be expected.

    Args:
        time: [row], in the time of the data.
        states: names.
        expected: [row, state], the fitted law run on.
        lower, upper: [row, state], between which 95 % of measurements are expected.
    """

    time: NDArray[np.float64]
    states: tuple[str, ...]
    expected: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def csv(self, time_name: str = "time") -> str:
        """A table with a header: time, then expected, lower and upper for each state."""
        header = [time_name] + [f"{name}{suffix}" for name in self.states for suffix in ("", " lower", " upper")]
        columns = np.stack([self.expected, self.lower, self.upper], -1).reshape(len(self.time), -1)
        rows = [[f"{t:.10g}", *(f"{x:.10g}" for x in row)] for t, row in zip(self.time, columns, strict=True)]
        return "\n".join(",".join(_quoted(cell) for cell in row) for row in [header, *rows]) + "\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell


def solved(
    family: Family,
    over: tuple[int | None, int | None, int | None],
    u: NDArray[np.float64],
    states: NDArray[np.float64],
    ts: NDArray[np.float64],
    typical: NDArray[np.float64],
    size: NDArray[np.float64],
    drive: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Float[np.ndarray, "lane time state"]:
    """A law solved many times over.

    Args:
        family: of the law.
        over: along which axes of u, states and ts the lanes lie; None where they share it.
        u: [parameter] or [lane, parameter], unknowns.
        states: [state] or [lane, state], in which the law starts.
        ts: [time] or [lane, time].
        typical: [parameter], the units of u.
        size: [state], for tolerances.
        drive: for a law with inputs, their values and slopes [interval, input] in the intervals between the times.

    Returns:
        The states; NaN past a failure.
    """
    arrays = (u, states, ts, typical, size, drive)
    return np.asarray(by_its_steps(lambda method: _solved(family, method, over, *arrays), len(size)))


@kept(0, 1, 2)
def _solved(
    family: Family,
    method: Method,
    over: tuple[int | None, int | None, int | None],
    u: Given,
    states: Given,
    ts: Given,
    typical: Given,
    size: Given,
    drive: tuple[Given, Given] | None,
) -> tuple[Float[Array, "lane time state"], Array]:
    """The states, and the statuses."""
    typical, size = jnp.asarray(typical), jnp.asarray(size)
    tolerances = {"method": method, "rtol": 1e-6, "atol": 1e-6 * size}

    def one(u: Array, state: Array, ts: Array) -> tuple[Array, Array]:
        law = family.equation(family.values(u, typical))
        if drive is not None:
            values, rises = map(jnp.asarray, drive)
            return along(law, family.inputs, state, ts, values, rises, **tolerances)
        found = solve(law, state, ts, max_steps=10_000, throw=False, **tolerances)
        return found.ys, found.status

    return jax.vmap(one, over)(*map(jnp.asarray, (u, states, ts)))


class Way(NamedTuple):
    """Times [time] after the last measured one, and for a law with inputs their values and slopes until each."""

    times: NDArray[np.float64]
    drive: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def run_on(family: Family, noise: Noise, belief: Belief, way: Way) -> tuple[NDArray, NDArray, NDArray]:
    """(expected, lower, upper) along the way, from draws of the belief and of the noise."""
    random = np.random.default_rng(0)
    root = _root(belief.covariance)
    draws = random.standard_normal((DRAWS, len(root))) @ root.T
    draws[0] = 0  # the first draw is the fit itself
    paths = moved(family, belief, draws, way)
    same = random.standard_normal((DRAWS, 1, len(belief.sigma)))  # at all times, so that bands are smooth
    measured = noise.quantile(paths, belief.sigma * noise.from_normal(same))
    lower, upper = np.nanquantile(measured, [0.025, 0.975], axis=0)
    return paths[0], lower, upper


def moved(family: Family, belief: Belief, moves: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
    """The law run on with its unknowns and its last state moved [lane, parameter + state]: [lane, time, state].

    A path that fails is NaN as a whole.
    """
    parameters, lanes = len(belief.u), len(moves)
    moves = np.concatenate([moves, np.zeros((-lanes % DRAWS, moves.shape[1]))])  # one compiled program serves them all
    reach = np.where(family.logarithmic, 12.0, np.inf)
    u, states = np.clip(belief.u + moves[:, :parameters], -reach, reach), belief.state + moves[:, parameters:]
    ts, drive = _filled_up(way)
    fixed = (ts, belief.typical, belief.size, drive)
    batches = [slice(first, first + DRAWS) for first in range(0, len(moves), DRAWS)]
    found = [solved(family, (0, 0, None), u[batch], states[batch], *fixed) for batch in batches]
    paths = np.concatenate(found)[:lanes, np.searchsorted(ts, way.times)]
    return np.where(np.isfinite(paths).all((1, 2), keepdims=True), paths, np.nan)


def ahead(model: "Model", belief: Belief, time: NDArray[np.float64], last: NDArray, h: Any, inputs: Any) -> Forecast:
    """The measurements to be expected after the last of the times [row], at which the inputs were `last` [input]."""
    times = times_ahead(h, time)
    found = run_on(model.family, model.noise_model, belief, way_ahead(model, time, last, times, inputs))
    seen = model.measured
    names = tuple(name for name, measured in zip(model.states, seen, strict=True) if measured)
    return Forecast(times, names, *(part[:, seen] for part in found))


def way_ahead(
    model: "Model", time: NDArray[np.float64], last: NDArray, times: NDArray[np.float64], inputs: Any = None
) -> Way:
    """From the last of the times [row] to later ones; inputs stay at `last` [input] unless given."""
    if not model.inputs:
        if inputs is not None:
            raise ArgumentError("`inputs` of `forecast` is for laws with inputs. This one has none. Leave it out.")
        return Way(times - time[-1])
    later = np.tile(last, (len(times), 1)) if inputs is None else input_array(inputs, model.inputs, times)
    along_the_way = np.concatenate([last[None], later])
    drive = along_the_way[:-1], slopes(np.concatenate([time[-1:], times]), along_the_way, model.held)
    return Way(times - time[-1], drive)


def _filled_up(way: Way) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]] | None]:
    """From 0 on, 32, 64, 128, … times in all, and what drives the law: a program is compiled for each number of times.

    More times stand before the last; with inputs, whose corners no time may be put between, the last stands again.
    """
    ts = np.concatenate([[0.0], way.times])
    more = power_of_two(len(ts), FEWEST_TIMES) - len(ts)
    if way.drive is None:
        return np.concatenate([ts[:-1], np.linspace(ts[-2], ts[-1], more + 2)[1:]]), None
    values, rises = (np.pad(part, ((0, more), (0, 0)), "edge") for part in way.drive)
    return np.pad(ts, (0, more), "edge"), (values, rises)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A square root, also of a covariance that is singular."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.clip(values, 0, None))


def times_ahead(h: Any, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """`h` typical sampling intervals after the last time, or the times that `h` holds."""
    last = float(time[-1])
    if not isinstance(h, str) and np.ndim(h) > 0:
        return _times(h, last)
    return last + float(np.median(np.diff(time))) * np.arange(1.0, _steps(h) + 1)


def _steps(h: Any) -> int:
    if isinstance(h, bool) or not isinstance(h, int | np.integer) or h < 1:
        raise ArgumentError(
            f"`h` of `forecast` must be a positive number of steps. Got {h!r}. Use 5, or an array of times."
        )
    return int(h)


def _times(h: Any, last: float) -> NDArray[np.float64]:
    try:
        times = np.asarray(h, float)
    except (TypeError, ValueError):
        times = np.empty(0)
    ordered = times.ndim == 1 and times.size > 0 and bool((np.diff(times, prepend=last) > 0).all())
    if not ordered or not np.isfinite(times).all():
        got = " ".join(repr(h).split())
        raise ArgumentError(
            f"`h` of `forecast` must be increasing times after {last:.6g}. Got {got}. Use a number of steps."
        )
    return times
