r"""Multiple shooting: the record is cut into segments that are solved on their own and tied together by penalties.

Unknowns are the parameters u and the state at the start of each segment, in units of its size. The residuals are
(model − measurement)/σ at every sample, and (end of a segment − start of the next)/ε; ε falls from loose to tight,
so that a poor start does not throw the trajectory off, and the end result is one solution for each trajectory.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.core import Given, kept
from continua.discovery.chain import Chain, Point, descend
from continua.discovery.driving import along, slopes
from continua.discovery.family import Family
from continua.discovery.noise import Noise
from continua.discovery.observations import Observations
from continua.discovery.padding import edge_padded, whole_lanes
from continua.methods import Method
from continua.solver import by_its_steps, solve

SAMPLES_A_SEGMENT = 5
MOST_SEGMENTS = 40  # of one trajectory
TIES = (1e-1, 1e-2, 1e-3, 1e-5)  # ε, in units of each state's spread
RTOL = 1e-8
STEPS_A_SAMPLE, MORE_STEPS = 30, 100  # a law that needs more between measurements is not the one behind them
LOOSE, TIGHT = 1e-4, 1e-8  # relative fall of the cost at which a search ends, before and at the tightest tie
FARTHEST = 12.0  # a positive parameter stays within exp(±12) of its typical size


@dataclass(frozen=True, eq=False)
class Segments:
    """Which samples each segment covers.

    `index` [segment, sample + 1] are the rows of a segment and the first of the next; the last of a trajectory is
    padded with its end. `own` says which of them lie in the segment. `joined` [segment − 1]: whether the next segment
    goes on where one ends.
    """

    index: NDArray[np.int_]
    own: NDArray[np.bool_]
    joined: NDArray[np.bool_]

    @classmethod
    def of(cls, pieces: tuple[slice, ...]) -> "Segments":
        """Segments of equal numbers of samples, in each trajectory."""
        steps = [p.stop - p.start - 1 for p in pieces]
        most = max(MOST_SEGMENTS // len(pieces), 1)
        length = max(SAMPLES_A_SEGMENT, *(-(-count // most) for count in steps))
        index, own, joined = [], [], []
        for piece, count in zip(pieces, steps, strict=True):
            segments = max(-(-count // length), 1)
            rows = np.arange(segments)[:, None] * length + np.arange(length + 1)[None]
            mine = (np.arange(length + 1) < length) & (rows <= count)
            mine[-1] = rows[-1] <= count
            index.append(piece.start + np.minimum(rows, count))
            own.append(mine)
            joined += [True] * (segments - 1) + [False]
        return cls(np.concatenate(index), np.concatenate(own), np.array(joined[:-1], bool))

    @property
    def firsts(self) -> NDArray[np.int_]:
        """[segment], the row with which each begins."""
        return self.index[:, 0]

    def scattered(self, values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
        """[row, ...] from [segment, sample + 1, ...]."""
        found = np.full((rows, *values.shape[2:]), np.nan)
        found[self.index[self.own]] = values[self.own]
        return found


@kept(0, 1)
def _trajectories(
    family: Family,
    method: Method,
    u: Given,
    nodes: Given,
    typical: Given,
    size: Given,
    times: Given,
    drive: tuple[Given, Given],
) -> tuple[tuple[Float[Array, "segment sample state"], Float[Array, "segment sample state unknown"]], Array]:
    """The states of every segment and their derivatives by (u, own node), exact on the recorded steps; statuses."""
    u, nodes, typical, size, times = map(jnp.asarray, (u, nodes, typical, size, times))

    def all_segments(u: Array, shift: Array) -> tuple[Array, tuple[Array, Array]]:
        """Every node is shifted alike: a segment depends on its own node alone, so few tangents give every Jacobian."""
        law = family.equation(family.values(u, typical))
        tolerances = {"method": method, "rtol": RTOL, "atol": RTOL * size}

        def one(node: Array, ts: Array, inputs: Array, slopes: Array) -> tuple[Array, Array]:
            start = (node + shift) * size
            if family.inputs:
                return along(law, family.inputs, start, ts, inputs, slopes, **tolerances)
            steps = STEPS_A_SAMPLE * len(ts) + MORE_STEPS
            found = solve(law, start, ts, max_steps=steps, throw=False, **tolerances)
            return found.ys, found.status

        ys, statuses = jax.vmap(one)(nodes, times, *map(jnp.asarray, drive))
        return ys, (ys, statuses)

    (by_u, by_node), (ys, statuses) = jax.jacfwd(all_segments, (0, 1), has_aux=True)(u, jnp.zeros_like(size))
    return (ys, jnp.concatenate([by_u, by_node], -1)), statuses


class Trajectory(NamedTuple):
    """Each segment's states [segment, sample + 1, state] and their derivatives by u and by its node."""

    states: NDArray[np.float64]
    by_parameter: NDArray[np.float64]
    by_node: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shooting:
    """One family on one set of measurements; `held`: whether inputs are held between samples."""

    family: Family
    data: Observations
    typical: NDArray[np.float64]
    segments: Segments
    held: bool = False

    def start(self, u: NDArray[np.float64], states: NDArray[np.float64] | None = None) -> Point:
        """The point with parameters u whose segments begin in the given states [row, state], or those guessed."""
        near = self.data.guess if states is None else np.where(np.isfinite(states), states, self.data.guess)
        return Point(u, near[self.segments.firsts] / self.data.size)

    def trajectory(self, point: Point) -> Trajectory:
        """Solve every segment; non-finite where one fails."""
        segments, parameters = len(self.segments.index), len(point.u)
        index = edge_padded(self.segments.index, whole_lanes(segments))
        times, inputs = self.data.time[index], self.data.inputs[index]
        drive = (inputs[:, :-1], slopes(times, inputs, self.held))
        nodes = edge_padded(point.nodes, len(index))
        arrays = (point.u, nodes, self.typical, self.data.size, times, drive)
        found = by_its_steps(lambda method: _trajectories(self.family, method, *arrays), len(self.data.size))
        states, local = (np.asarray(x)[:segments] for x in found)
        return Trajectory(states, local[..., :parameters], local[..., parameters:])

    def fitted(self, trajectory: Trajectory) -> NDArray[np.float64]:
        """[row, state]."""
        return self.segments.scattered(trajectory.states, len(self.data.time))

    def chain(
        self,
        trajectory: Trajectory,
        nodes: NDArray,
        noise: Noise,
        sigma: NDArray,
        tie: float,
        *,
        expected: bool = False,
    ) -> Chain:
        """The weighted residuals and their derivatives; what was not measured weighs nothing.

        With `expected`, the derivatives are the root of Fisher's information, and residuals do not matter.
        """
        measured = np.where(self.segments.own[..., None], self.data.values[self.segments.index], np.nan)
        known = np.isfinite(measured)
        misfit, slope = noise.residuals(trajectory.states, measured)
        misfit, slope = np.where(known, misfit, 0) / sigma, np.where(known, slope, 0) / sigma
        root, bend = noise.rooted(misfit)
        misfit, slope = (misfit, slope * np.sqrt(noise.information)) if expected else (root, slope * bend)
        weight = np.where(self.segments.joined[:, None], self.data.size / (tie * self.data.spread), 0)
        segments, _, states = trajectory.states.shape
        ends, size = trajectory.states[:-1, -1], self.data.size
        return Chain(
            misfit.reshape(segments, -1),
            (slope[..., None] * trajectory.by_parameter).reshape(segments, misfit[0].size, -1),
            (slope[..., None] * trajectory.by_node).reshape(segments, misfit[0].size, states),
            (ends / size - nodes[1:]) * weight,
            trajectory.by_parameter[:-1, -1] * (weight / size)[..., None],
            trajectory.by_node[:-1, -1] * (weight / size)[..., None],
            -weight,
        )

    def search(
        self,
        start: Point,
        noise: Noise,
        sigma: NDArray[np.float64],
        tie: float,
        evaluations: int = 30,
        fixed: NDArray[np.bool_] | None = None,
    ) -> Point:
        """The least-squares point from a start, at given σ and ε; parameters that are `fixed` stay as they are."""
        free = np.ones(len(start.u), bool) if fixed is None else ~fixed

        def linearised(point: Point) -> Chain:
            return self.chain(self.trajectory(point), point.nodes, noise, sigma, tie).without(~free)

        reach = np.where(self.family.logarithmic & free, FARTHEST, np.inf)
        return descend(linearised, start, reach, evaluations, TIGHT if tie == TIES[-1] else LOOSE)
