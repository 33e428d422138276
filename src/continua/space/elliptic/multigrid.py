r"""Geometric multigrid: errors are smoothed where they are rough, and solved for on coarser grids where they are smooth.

Everything is one-dimensional and done axis by axis: interpolation is linear between the points of the coarser axis, its
transpose restricts, and the conductances of a coarser grid are those of its resistors in series along the axis and in
parallel beside it, so that jumps of the coefficient survive. An axis is made coarser where its couplings are strong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.grid import Axis
from continua.space.elliptic.method import IterativeMethod
from continua.space.elliptic.network import Conductances, Ends, Network, Solve, both_sides, flow

COARSEST = 300  # points that are solved for at once
TOGETHER = 1.5  # axes whose spacing is at most so many times the smallest become coarser together


class Line(NamedTuple):
    """The points of an axis of one level; `ground`: where a line through 0 would have to reach it, NaN for nowhere."""

    points: np.ndarray
    lower: float
    upper: float
    periodic: bool
    cells: bool
    ground: tuple[float, float]

    @property
    def spacing(self) -> float:
        """On average."""
        return (self.upper - self.lower) / len(self.points)

    @property
    def can_shrink(self) -> bool:
        """Whether a coarser axis has fewer points, and a periodic one the same distances."""
        return len(self.points) > 3 and not (self.periodic and len(self.points) % 2)


class Pairing(NamedTuple):
    """How each pair of points hangs on the coarser ones: its own, the one before (even) and the one behind (odd)."""

    even: np.ndarray
    before: np.ndarray
    odd: np.ndarray
    behind: np.ndarray


class Coarsening(NamedTuple):
    """One axis made coarser: `overlap` [3, face] is how much of faces 2F − 1, 2F and 2F + 1 lies between points."""

    fine: Line
    coarse: Line
    interpolation: Pairing
    shares: Pairing
    overlap: np.ndarray


def coarsening(line: Line) -> Coarsening:
    """Of an axis: pairs of cells become one, and of other points every second stays."""
    x, size = line.points, len(line.points)
    if line.cells:
        chosen = np.array([x[i : i + 2].mean() for i in range(0, size, 2)])
    else:
        chosen = x[::2] if line.periodic or x[0] == line.lower else x[1::2]
    count, pairs = len(chosen), -(-size // 2)
    period = line.upper - line.lower
    at = np.concatenate([chosen, np.full(pairs - count, np.nan)])  # a last pair may have no point of its own
    before = np.concatenate([[chosen[-1] - period if line.periodic else np.nan], at[:-1]])
    behind = np.concatenate([at[1:], [chosen[0] + period if line.periodic else np.nan]])
    fine = np.concatenate([x, np.full(2 * pairs - size, np.nan)])
    even, left = _between(fine[::2], before, at, line.ground)
    right, odd = _between(fine[1::2], at, behind, line.ground)
    linear = Pairing(even, left, odd, right)
    whole = Pairing(np.ones(pairs), np.zeros(pairs), np.ones(pairs), np.zeros(pairs)) if line.cells else linear
    edges = np.concatenate([[before[0] if line.periodic else line.lower], chosen])
    upper = np.concatenate([chosen, [behind[-1] if line.periodic else line.upper]])
    coarse = line._replace(points=chosen)
    return Coarsening(line, coarse, linear, whole, _overlaps(line, edges, upper))


def _between(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, ends: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The weights (of high, of low) at x; beyond the last point 0 is reached on grounded faces, or nothing changes."""
    of_high = np.where(np.isnan(low), np.where(np.isnan(ends[0]), 1.0, (x - ends[0]) / (high - ends[0])), 0.0)
    of_low = np.where(np.isnan(high), np.where(np.isnan(ends[1]), 1.0, (ends[1] - x) / (ends[1] - low)), 0.0)
    inside = ~np.isnan(low) & ~np.isnan(high)
    share = (x - low) / (high - low)
    weights = np.where(inside, share, of_high), np.where(inside, 1 - share, of_low)
    return tuple(np.nan_to_num(one) for one in weights)  # type: ignore[return-value]


def _overlaps(line: Line, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How much of the faces around each coarser face lies between the points on its sides."""
    x, size, count = line.points, len(line.points), len(high)
    period = line.upper - line.lower
    if line.periodic:
        places = np.concatenate([x[-2:] - period, x, x[:2] + period])
    else:
        places = np.concatenate([[np.nan, line.lower], x, [line.upper, np.nan]])
    places = np.concatenate([places, np.full(2 * count + 2 - len(places) + 1, np.nan)])
    number = 2 * np.arange(count) + np.array([[-1], [0], [1]])
    start, end = places[number + 1], places[number + 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.clip((np.minimum(end, high) - np.maximum(start, low)) / (end - start), 0, 1)
    if not line.periodic:  # what stands at the ends is passed in full, even where the last point stands on the face
        ends = (number == 0) | ((number == size) & (np.arange(count) == count - 1))
        found = np.where(ends, 1.0, np.where((number <= 0) | (number >= size), 0.0, found))
    return np.nan_to_num(found)


def _shaped(values: np.ndarray, axis: int, like: Array) -> Array:
    return jnp.asarray(values.reshape([-1 if i == axis else 1 for i in range(like.ndim)]), like.dtype)


def _padded(u: Array, axis: int, before: int, behind: int, value: float = 0.0) -> Array:
    return jnp.pad(u, [(before, behind) if i == axis else (0, 0) for i in range(u.ndim)], constant_values=value)


def _strided(u: Array, axis: int, start: int, stop: int | None = None) -> Array:
    return lax.slice_in_dim(u, start, stop, 2, axis)


def _shifted(u: Array, axis: int, by: int, periodic: bool) -> Array:
    """The entry `by` places before each."""
    if periodic:
        return jnp.roll(u, by, axis)
    size = u.shape[axis]
    held = _padded(u, axis, max(by, 0), max(-by, 0))
    return lax.slice_in_dim(held, 0, size, axis=axis) if by > 0 else lax.slice_in_dim(held, -by, None, axis=axis)


def interpolated(u: Array, axis: int, one: Coarsening) -> Array:
    """A field of the coarser axis on the finer."""
    size, pairs, periodic = len(one.fine.points), len(one.interpolation.even), one.fine.periodic
    u = _padded(u, axis, 0, pairs - u.shape[axis])
    even, before, odd, behind = (_shaped(weights, axis, u) for weights in one.interpolation)
    first = even * u + before * _shifted(u, axis, 1, periodic)
    second = odd * u + behind * _shifted(u, axis, -1, periodic)
    shape = tuple(2 * pairs if i == axis else length for i, length in enumerate(u.shape))
    both = jnp.stack([first, second], axis + 1).reshape(shape)
    return lax.slice_in_dim(both, 0, size, axis=axis)


def restricted(u: Array, axis: int, one: Coarsening, pairing: Pairing) -> Array:
    """The transpose of an interpolation: what is in each finer cell goes to the coarser ones."""
    pairs, periodic = len(pairing.even), one.fine.periodic
    u = _padded(u, axis, 0, 2 * pairs - u.shape[axis])
    even, before, odd, behind = (_shaped(weights, axis, u) for weights in pairing)
    first, second = _strided(u, axis, 0), _strided(u, axis, 1)
    total = even * first + odd * second
    total = total + _shifted(before * first, axis, -1, periodic) + _shifted(behind * second, axis, 1, periodic)
    return lax.slice_in_dim(total, 0, len(one.coarse.points), axis=axis)


NOTHING = 1e30  # the resistance of what conducts nothing, relative to the network's


def _in_series(links: Array, axis: int, one: Coarsening) -> Array:
    """The conductances of a coarser axis."""
    largest = jnp.max(links)
    resistances = jnp.where(links > 0, largest / jnp.where(links > 0, links, largest), NOTHING)
    if one.fine.periodic:
        before = lax.slice_in_dim(resistances, -2, -1, axis=axis)
        behind = lax.slice_in_dim(resistances, 1, 2, axis=axis)
        resistances = jnp.concatenate([before, resistances, behind], axis)
    else:
        resistances = _padded(resistances, axis, 1, 2, 1.0)
    count = one.overlap.shape[1]
    total = sum(
        _shaped(share, axis, links) * _strided(resistances, axis, k, k + 2 * count - 1)
        for k, share in enumerate(one.overlap)
    )
    return jnp.where(total < NOTHING, largest / total, 0)


class Level(NamedTuple):
    """One grid: its network, and the axes along which the next one is coarser."""

    conductances: Conductances
    reaction: Array
    inverse_diagonal: Array
    lines: tuple[Line, ...]
    steps: tuple[tuple[int, Coarsening], ...]

    def product(self, u: Array) -> Array:
        """K u."""
        return flow(self.conductances, [line.periodic for line in self.lines], u) + self.reaction * u


def _ground(axis: Axis, end: Ends) -> tuple[float, float]:
    if end.periodic:
        return np.nan, np.nan
    x = axis.points()
    low, high = (1 / (axis.spacing * one) if one else np.nan for one in end.links[[0, -1]])
    return x[0] - low, x[-1] + high


def levels(network: Network) -> list[Level]:
    """From fine to coarse."""
    grid = network.grid
    lines = tuple(
        Line(
            axis.points(),
            axis.lower,
            axis.upper,
            end.periodic,
            axis.first == 0.5,
            _ground(axis, end),
        )
        for axis, end in zip(grid.axes, network.ends, strict=True)
    )
    links = [
        jnp.broadcast_to(c, [size + (i == axis) for i, size in enumerate(grid.shape)])
        for axis, c in enumerate(network.conductances())
    ]
    reaction = jnp.broadcast_to(network.weights * jnp.abs(network.reaction), grid.shape)
    found = []
    while True:
        size = int(np.prod([len(line.points) for line in lines]))
        steps = _next(lines) if size > COARSEST else ()
        diagonal = reaction + sum(sum(both_sides(c, axis)) for axis, c in enumerate(links))
        found.append(Level(tuple(links), reaction, lax.optimization_barrier(1 / diagonal), lines, steps))
        if not steps:
            break
        for axis, one in steps:
            links = [
                _in_series(c, axis, one) if k == axis else restricted(c, axis, one, one.shares)
                for k, c in enumerate(links)
            ]
            reaction = restricted(reaction, axis, one, one.shares)
            lines = tuple(one.coarse if k == axis else line for k, line in enumerate(lines))
        links, reaction = lax.optimization_barrier((links, reaction))
    if size > 8 * COARSEST:
        shape = tuple(len(line.points) for line in lines)
        raise ArgumentError(
            f"`grid` of multigrid cannot be made coarser than {shape}: a periodic axis must have an even number of points "
            "on every level. Use sizes with many factors of 2, or Transform() where the coefficients are constant."
        )
    return found


def _next(lines: Sequence[Line]) -> tuple[tuple[int, Coarsening], ...]:
    able = [axis for axis, line in enumerate(lines) if line.can_shrink]
    if not able:
        return ()
    least = min(lines[axis].spacing for axis in able)
    return tuple((axis, coarsening(lines[axis])) for axis in able if lines[axis].spacing <= TOGETHER * least)


class Multigrid(IterativeMethod):
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

    smoothing: int = 2
    visits: int = 1
    rtol: float | None = None
    max_cycles: int = 40

    def __check_init__(self) -> None:
        for name in ("smoothing", "visits", "max_cycles"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"`{name}` of Multigrid must be at least 1. Got {getattr(self, name)}.")

    def check(self, network: Network, definite: bool) -> None:
        """Only definite equations."""
        if not definite:
            raise ArgumentError(
                "`method` Multigrid() needs a reaction that is nowhere negative. Use GMRES(Multigrid()), or Transform() "
                "where the coefficients are constant."
            )

    def solver(self, network: Network, singular: bool) -> Solve:
        """Cycle by cycle."""
        cycle = self.cycle(network, singular)

        def solve(b: Array) -> Array:
            u = cycle(b)
            goal = self.goal(b, jnp.linalg.norm((network.diagonal() * u).ravel()))

            def far(held: tuple[Array, Array, Array]) -> Array:
                _, left, count = held
                return (jnp.linalg.norm(left.ravel()) > goal) & (count < self.max_cycles)

            def once_more(held: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
                u, left, count = held
                u = u + cycle(left)
                return u, b - network.product(u), count + 1

            return lax.while_loop(far, once_more, (u, b - network.product(u), jnp.ones((), int)))[0]

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
                for axis, one in level.steps:
                    left = lax.optimization_barrier(restricted(left, axis, one, one.interpolation))
                found = visit(number + 1, left)
                for axis, one in reversed(level.steps):
                    found = lax.optimization_barrier(interpolated(found, axis, one))
                u = _smoothed(level, weights, u + found, b)
            return u

        return lambda b: visit(0, b)


def _smoothed(level: Level, weights: Sequence[float], u: Array | None, b: Array) -> Array:
    """Jacobi steps with Chebyshev's weights; from 0 where there is no u yet."""
    for weight in weights:
        change = b if u is None else b - level.product(u)
        change = weight * level.inverse_diagonal * change
        u = lax.optimization_barrier(change if u is None else u + change)
    assert u is not None
    return u


def _chebyshev(steps: int, dimension: int) -> list[float]:
    """For errors with eigenvalues of D⁻¹K between 1/dimension, where coarser grids begin, and 2, its bound."""
    low, high = 1 / dimension, 2.0
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
