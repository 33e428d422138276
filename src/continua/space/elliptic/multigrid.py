r"""Geometric multigrid: errors are smoothed where they are rough, and solved for on coarser grids where they are not.

Everything is one-dimensional and done axis by axis. Along an axis the network is a chain of resistors: a coarser one
has them in series, and between its points a value is interpolated as a current through the chain would make it; so
jumps of the coefficient survive. Beside the axis resistors are in parallel. The transpose of the interpolation
restricts, and an axis becomes coarser where its couplings are strong.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.elliptic.method import DefiniteMethod
from continua.space.elliptic.network import Conductances, Ends, Network, Solve, both_sides, flow
from continua.space.grid import Axis

COARSEST = 300  # points that are solved for at once
TOGETHER = 1.5  # axes whose spacing is at most so many times the smallest become coarser together
NOTHING = 1e30  # the resistance of what conducts nothing, relative to the network's


class Line(NamedTuple):
    """An axis of one level: `lengths` [point + 1] of its faces, as the resistors of a uniform medium.

    `stand` is where a coarser point stands in its pair of points: 0 on the first, 1 on the second, ½ between cells.
    """

    lengths: np.ndarray
    stand: float
    periodic: bool

    @property
    def size(self) -> int:
        """How many points."""
        return len(self.lengths) - 1

    @property
    def spacing(self) -> float:
        """From point to point."""
        return float(np.median(self.lengths))

    @property
    def can_shrink(self) -> bool:
        """Whether a coarser axis has fewer points, in pairs if it is periodic."""
        return self.size > 3 and not (self.periodic and self.size % 2)

    @property
    def pairs(self) -> int:
        """Of points, the last of which may be alone."""
        return -(-self.size // 2)

    @property
    def coarser(self) -> int:
        """How many points a coarser axis has."""
        return self.size // 2 if self.stand == 1 else self.pairs

    def between(self) -> np.ndarray:
        """[3, F]: which part of the faces 2F − 1, 2F, 2F + 1 lies between the coarser points beside face F."""
        face = np.arange(self.coarser + 1)
        parts = np.array([1 - self.stand, 1, self.stand])[:, None] * np.ones(len(face))
        number = 2 * face + np.array([[-1], [0], [1]])
        if self.periodic:
            return parts
        end = (number == 0) | ((number == self.size) & (face == self.coarser))
        return np.where(end, 1.0, np.where((number <= 0) | (number >= self.size), 0.0, parts))


def line_of(axis: Axis, ends: Ends) -> Line:
    """The axis of the finest level."""
    lengths = np.full(axis.size + 1, axis.spacing)
    if not ends.periodic:
        lengths[[0, -1]] = [1 / (one * axis.spacing) if one else NOTHING * axis.spacing for one in ends.links[[0, -1]]]
    return Line(lengths, axis.first, ends.periodic)


class Passage(NamedTuple):
    """Between an axis and the coarser one: how much each point of a pair takes from the neighbours of its own.

    The first takes `before` of the coarser point before, the second `behind` of the one behind: fields of pairs.
    """

    before: Any
    behind: Any


def in_series(resistances: Any, axis: int, line: Line, of: Any = jnp) -> tuple[Any, Passage]:
    """The resistances of the coarser axis, and how a current interpolates; `of`: numpy or jax.numpy."""
    if line.periodic:
        first, last = (of.take(resistances, of.asarray([k]), axis=axis) for k in (1, -2))
        held = of.concatenate([last, resistances, first], axis)
    else:
        held = of.pad(resistances, [(1, 2) if k == axis else (0, 0) for k in range(resistances.ndim)])
    count = line.coarser + 1

    def every_second(k: int) -> Any:
        place = [slice(None)] * resistances.ndim
        place[axis] = slice(k, k + 2 * count - 1, 2)
        return held[tuple(place)]

    parts = [shaped(part, axis, resistances, of) * every_second(k) for k, part in enumerate(line.between())]
    total = parts[0] + parts[1] + parts[2]

    def share(part: Any, start: int) -> Any:
        """Of the total resistance, for every pair from a face on; those that are not there do not count."""
        place = [slice(None)] * resistances.ndim
        place[axis] = slice(start, start + line.pairs)
        found = (part / total)[tuple(place)]
        missing = line.pairs - found.shape[axis]
        return of.pad(found, [(0, missing) if k == axis else (0, 0) for k in range(found.ndim)])

    return total, Passage(share(parts[2], 0), share(parts[0], 1))


def shaped(values: np.ndarray, axis: int, like: Any, of: Any = jnp) -> Any:
    """Numbers along an axis of a field."""
    return of.asarray(values.reshape([-1 if i == axis else 1 for i in range(like.ndim)]), like.dtype)


def _filled(u: Array, axis: int, size: int) -> Array:
    return jnp.pad(u, [(0, size - u.shape[axis]) if i == axis else (0, 0) for i in range(u.ndim)])


def _moved(u: Array, axis: int, by: int, periodic: bool) -> Array:
    """The entry `by` = ±1 places before each."""
    if periodic:
        return jnp.roll(u, by, axis)
    zero = jnp.zeros((), u.dtype)
    return lax.pad(u, zero, [(by, -by, 0) if i == axis else (0, 0, 0) for i in range(u.ndim)])


def interpolated(u: Array, axis: int, line: Line, passage: Passage) -> Array:
    """A field of the coarser axis on the finer."""
    u = _filled(u, axis, line.pairs)
    first = u + passage.before * (_moved(u, axis, 1, line.periodic) - u)
    second = u + passage.behind * (_moved(u, axis, -1, line.periodic) - u)
    shape = tuple(2 * size if i == axis else size for i, size in enumerate(u.shape))
    both = jnp.stack([first, second], axis + 1).reshape(shape)
    return lax.slice_in_dim(both, 0, line.size, axis=axis)


def restricted(u: Array, axis: int, line: Line, passage: Passage) -> Array:
    """The transpose: what is in each finer cell goes to the coarser ones."""
    u = _filled(u, axis, 2 * line.pairs)
    first, second = (lax.slice_in_dim(u, k, None, 2, axis) for k in (0, 1))
    before, behind = passage.before * first, passage.behind * second
    total = first - before + second - behind
    total = total + _moved(before, axis, -1, line.periodic) + _moved(behind, axis, 1, line.periodic)
    return lax.slice_in_dim(total, 0, line.coarser, axis=axis)


class Level(NamedTuple):
    """One grid: its network, and the way to the next one, axis by axis."""

    conductances: Conductances
    reaction: Array
    inverse_diagonal: Array
    lines: tuple[Line, ...]
    steps: tuple[tuple[int, Line, Passage], ...]

    def product(self, u: Array) -> Array:
        """K u."""
        return flow(self.conductances, [line.periodic for line in self.lines], u) + self.reaction * u


def levels(network: Network) -> list[Level]:
    """From fine to coarse."""
    shape = network.grid.shape
    lines = tuple(line_of(axis, end) for axis, end in zip(network.grid.axes, network.ends, strict=True))
    links = [
        jnp.broadcast_to(one, [size + (i == axis) for i, size in enumerate(shape)])
        for axis, one in enumerate(network.conductances())
    ]
    reaction = jnp.broadcast_to(network.weights * jnp.abs(network.reaction), shape)
    found = []
    while True:
        chosen = _strongly_coupled(lines)
        diagonal = reaction + sum(sum(both_sides(one, axis)) for axis, one in enumerate(links))
        here = Level(tuple(links), reaction, lax.optimization_barrier(1 / diagonal), lines, ())
        steps = []
        for axis in chosen:
            links, reaction, passage = _coarser(links, reaction, axis, lines[axis])
            steps.append((axis, lines[axis], passage))
            lengths = in_series(lines[axis].lengths, 0, lines[axis], np)[0]
            lines = tuple(one._replace(lengths=lengths) if k == axis else one for k, one in enumerate(lines))
        found.append(here._replace(steps=tuple(steps)))
        if not chosen:
            return found
        links, reaction = lax.optimization_barrier((links, reaction))


def _coarser(links: list[Array], reaction: Array, axis: int, line: Line) -> tuple[list[Array], Array, Passage]:
    """The network with one axis coarser: what stands beside it is shared as in a uniform medium, cells as a whole."""
    geometric = in_series(line.lengths, 0, line, np)[1]
    if line.stand == 0.5:
        geometric = Passage(*(np.zeros(line.pairs),) * 2)
    beside = Passage(*(shaped(one, axis, reaction) for one in geometric))
    own = links[axis]
    largest = jnp.max(own)
    resistances = jnp.where(own > 0, largest / jnp.where(own > 0, own, largest), NOTHING)
    total, passage = in_series(resistances, axis, line)
    links = [
        jnp.where(total < NOTHING, largest / total, 0) if k == axis else restricted(one, axis, line, beside)
        for k, one in enumerate(links)
    ]
    return links, restricted(reaction, axis, line, beside), lax.optimization_barrier(passage)


def _strongly_coupled(lines: Sequence[Line]) -> list[int]:
    """The axes to make coarser: none where few points are left."""
    size = int(np.prod([line.size for line in lines]))
    able = [axis for axis, line in enumerate(lines) if line.can_shrink]
    if size <= COARSEST:
        return []
    if not able:
        shape = tuple(line.size for line in lines)
        raise ArgumentError(
            f"`grid` of multigrid cannot be made coarser than {shape}: a periodic axis needs an even number of points "
            "on every level. Use sizes with many factors of 2, or Transform() where the coefficients are constant."
        )
    least = min(lines[axis].spacing for axis in able)
    return [axis for axis in able if lines[axis].spacing <= TOGETHER * least]


class Multigrid(DefiniteMethod):
    r"""Geometric multigrid, for coefficients that vary in any way.

    Args:
        smoothing: how many Chebyshev steps smooth before and behind every visit to a coarser grid.
        visits: of each coarser grid in a cycle: 1 is a V, 2 a W.
        rtol: when the residual is small enough, over the source; 1.6e-10 in double precision and 5e-5 in single unless
            given, and never below what rounding leaves.
        max_cycles: how many at the most.

    Good for: variable coefficients on large grids, of any size; time and memory grow with the number of points. An axis
    that is periodic needs a size with many factors of 2. Source: Trottenberg, Oosterlee & Schüller, Multigrid (2001);
    Adams, Brezina, Hu & Tuminaro, J. Comput. Phys. 188 (2003) 593–610, for the smoother.
    """

    smoothing: int = 3
    visits: int = 1
    rtol: float | None = None
    max_cycles: int = 40

    def __check_init__(self) -> None:
        for name in ("smoothing", "visits", "max_cycles"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"`{name}` of Multigrid must be at least 1. Got {getattr(self, name)}.")

    def solver(self, network: Network, singular: bool) -> Solve:
        """Cycle by cycle."""
        cycle = self.cycle(network, singular)

        diagonal = network.diagonal()

        def solve(b: Array) -> Array:
            def far(held: tuple[Array, Array, Array]) -> Array:
                u, left, count = held
                return (jnp.linalg.norm(left.ravel()) > self.goal(b, diagonal * u)) & (count < self.max_cycles)

            def once_more(held: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
                u, left, count = held
                u = u + cycle(left)
                return u, b - network.product(u), count + 1

            return lax.while_loop(far, once_more, (jnp.zeros_like(b), b, jnp.zeros((), int)))[0]

        return solve

    def cycle(self, network: Network, singular: bool) -> Solve:
        """An approximate inverse of K: symmetric and positive, with c replaced by its size."""
        grids = levels(network)
        lowest = _inverse(grids[-1], singular)
        weights = _chebyshev(self.smoothing, network.grid.dimension)

        def visit(number: int, b: Array) -> Array:
            if number == len(grids) - 1:
                return (lowest @ b.ravel()).reshape(b.shape)
            level = grids[number]
            u = _smoothed(level, weights, None, b)
            for _ in range(self.visits if number + 2 < len(grids) else 1):
                left = lax.optimization_barrier(b - level.product(u))
                for axis, line, passage in level.steps:
                    left = lax.optimization_barrier(restricted(left, axis, line, passage))
                found = visit(number + 1, left)
                for axis, line, passage in reversed(level.steps):
                    found = lax.optimization_barrier(interpolated(found, axis, line, passage))
                u = _smoothed(level, weights, u + found, b)
            return u

        return lambda b: visit(0, b)


def _smoothed(level: Level, weights: Sequence[float], u: Array | None, b: Array) -> Array:
    """Jacobi steps with Chebyshev's weights; from 0 where there is no u yet. Rolled, they are a tenth faster."""
    if u is None:
        u, weights = weights[0] * level.inverse_diagonal * b, weights[1:]

    def step(u: Array, weight: Array) -> tuple[Array, None]:
        return u + weight * level.inverse_diagonal * (b - level.product(u)), None

    return lax.scan(step, u, jnp.asarray(weights, b.dtype))[0]


def _chebyshev(steps: int, dimension: int) -> list[float]:
    """For errors with eigenvalues of D⁻¹K from a little below 1/dimension, where coarser grids end, to 2, its bound."""
    low, high = 0.6 / dimension, 2.0
    roots = np.cos(np.pi * (2 * np.arange(steps) + 1) / (2 * steps))
    return (2 / (high + low + (high - low) * roots)).tolist()


def _inverse(level: Level, singular: bool) -> Array:
    shape = level.reaction.shape
    size = int(np.prod(shape))
    matrix = jax.vmap(level.product)(jnp.eye(size, dtype=level.reaction.dtype).reshape(size, *shape)).reshape(
        size, size
    )
    if singular:
        matrix = matrix + jnp.trace(matrix) / size**2
    return jnp.linalg.inv(matrix)
