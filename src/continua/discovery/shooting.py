r"""Multiple shooting: the record is cut into segments that are solved on their own and tied together by penalties.

Unknowns are the parameters u and the state at the start of each segment, in units of its size. The residuals are
(model − measurement)/σ at every sample, and (end of a segment − start of the next)/ε; ε falls from loose to tight,
so that a poor start does not throw the trajectory off, and the end result is one trajectory.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.discovery.family import Family
from continua.discovery.noise import Noise
from continua.discovery.observations import Observations
from continua.discovery.search import Vector, least_squares
from continua.solver import solve

SAMPLES_A_SEGMENT = 5
MOST_SEGMENTS = 40
TIES = (1e-1, 1e-2, 1e-3, 1e-5)  # ε, in units of each state's spread
RTOL = 1e-8
FARTHEST = 12.0  # a positive parameter stays within exp(±12) of its typical size


@dataclass(frozen=True, eq=False)
class Segments:
    """Which samples each segment covers.

    `times` is [segment, sample + 1]: the samples of a segment and the start of the next; the last is padded with its
    end. `rows` and `places` say in which segment, and where in it, each sample lies.
    """

    times: NDArray[np.float64]
    rows: NDArray[np.int_]
    places: NDArray[np.int_]

    @classmethod
    def of(cls, time: NDArray[np.float64]) -> "Segments":
        """Segments of equal numbers of samples."""
        length = max(SAMPLES_A_SEGMENT, -(-(len(time) - 1) // MOST_SEGMENTS))
        count = -(-(len(time) - 1) // length)
        index = np.minimum(np.arange(count)[:, None] * length + np.arange(length + 1)[None], len(time) - 1)
        sample = np.arange(len(time))
        rows = np.minimum(sample // length, count - 1)
        return cls(time[index], rows, sample - rows * length)


class Point(NamedTuple):
    """Unknowns: u [parameter], and nodes [segment, state] in units of the states' sizes."""

    u: NDArray[np.float64]
    nodes: NDArray[np.float64]

    def flat(self) -> NDArray[np.float64]:
        """One vector."""
        return np.concatenate([self.u, self.nodes.ravel()])


@partial(jax.jit, static_argnums=0)
def _trajectories(
    family: Family, u: Array, nodes: Array, typical: Array, size: Array, times: Array
) -> tuple[Float[Array, "segment sample state"], Float[Array, "segment sample state unknown"]]:
    """The states of every segment and their derivatives with respect to (u, own node), exact on the recorded steps."""

    def all_segments(u: Array, shift: Array) -> tuple[Array, Array]:
        """Every node is shifted alike: a segment depends on its own node alone, so few tangents give every Jacobian."""
        law = family.equation(family.values(u, typical))

        def one(node: Array, ts: Array) -> Array:
            start = (node + shift) * size
            return solve(law, start, ts, rtol=RTOL, atol=RTOL * size, max_steps=1000, throw=False).ys

        ys = jax.vmap(one)(nodes, times)
        return ys, ys

    (by_u, by_node), ys = jax.jacfwd(all_segments, (0, 1), has_aux=True)(u, jnp.zeros_like(size))
    return ys, jnp.concatenate([by_u, by_node], -1)


class Trajectory(NamedTuple):
    """values [sample, state], their Jacobian [sample, state, unknown], and the same of the gaps between segments."""

    values: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    gaps: NDArray[np.float64]
    gaps_jacobian: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shooting:
    """One family on one set of measurements."""

    family: Family
    data: Observations
    typical: NDArray[np.float64]
    segments: Segments

    def trajectory(self, point: Point) -> Trajectory:
        """Solve every segment; non-finite where one fails."""
        ys, local = (
            np.asarray(x)
            for x in _trajectories(self.family, point.u, point.nodes, self.typical, self.data.size, self.segments.times)
        )
        count, states, parameters = len(ys), ys.shape[-1], len(point.u)
        wide = np.zeros((*local.shape[:-1], parameters + count * states))
        wide[..., :parameters] = local[..., :parameters]
        segment, column = np.arange(count)[:, None], np.arange(states)[None]
        own = parameters + segment * states + column
        wide[segment, :, :, own] = np.moveaxis(local[..., parameters:], -1, 1)
        at = (self.segments.rows, self.segments.places)
        gaps = ys[:-1, -1] / self.data.size - point.nodes[1:]
        gaps_jacobian = wide[:-1, -1] / self.data.size[:, None]
        gaps_jacobian[segment[:-1], column, own[1:]] -= 1
        return Trajectory(ys[at], wide[at], gaps, gaps_jacobian)

    def residuals(
        self, trajectory: Trajectory, noise: Noise, sigma: NDArray[np.float64], tie: float
    ) -> tuple[NDArray, NDArray]:
        """The residual vector and its Jacobian."""
        misfit, slope = noise.residuals(trajectory.values, self.data.values)
        known = self.data.known
        misfit = np.where(known, misfit, 0) / sigma
        jacobian = (np.where(known, slope, 0) / sigma)[..., None] * trajectory.jacobian
        weight = (self.data.size / (tie * self.data.spread))[:, None]
        unknowns = jacobian.shape[-1]
        return (
            np.concatenate([misfit.ravel(), (trajectory.gaps * weight[:, 0]).ravel()]),
            np.concatenate([jacobian.reshape(-1, unknowns), (trajectory.gaps_jacobian * weight).reshape(-1, unknowns)]),
        )

    def search(
        self,
        start: Point,
        noise: Noise,
        sigma: NDArray[np.float64],
        tie: float,
        evaluations: int = 30,
        held: bool = False,
    ) -> Point:
        """The least-squares point from a start, at given σ and ε; with `held`, u stays as it is."""
        parameters = len(start.u)
        free = slice(parameters if held else 0, None)

        def point(x: NDArray[np.float64]) -> Point:
            whole = np.concatenate([start.u, x]) if held else x
            return Point(whole[:parameters], whole[parameters:].reshape(start.nodes.shape))

        reach = np.where(self.family.logarithmic, FARTHEST, np.inf)
        reach = np.concatenate([reach, np.full(start.nodes.size, np.inf)])[free]

        def residuals(x: Vector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            misfit, jacobian = self.residuals(self.trajectory(point(x)), noise, sigma, tie)
            return misfit, jacobian[:, free]

        return point(least_squares(residuals, start.flat()[free], reach, evaluations, 1e-10).x)
