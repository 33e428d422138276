r"""An elliptic equation on a grid, as a network of conductances between neighbouring points.

$$ -\nabla \cdot (a \nabla u) + c u = f $$

integrated over the cell of every point is K u = b with a symmetric K: through each face flows its conductance times the
difference of the values on both sides, and a condition on the boundary is one conductance more, to ground, and one
source. Points on a face own half a cell. All lengths, coefficients and coordinates are in the conductances.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.boundaries import Boundaries
from continua.space.coordinates import Cartesian, Points
from continua.space.eigenbases import Closure, closures
from continua.space.grid import Grid

Solve = Callable[[Array], Array]  # from b to u
Conductances = Sequence[Array]  # for each axis those of its faces: as a field, with one entry more along the axis


def flow(conductances: Conductances, periodic: Sequence[bool], u: Array) -> Array:
    """What flows out of every point; beyond the faces stands ground, or the other end of the axis."""
    held = lax.optimization_barrier(_bordered(u, periodic))
    inner = tuple(slice(1, -1) for _ in periodic)
    total = jnp.zeros_like(u)
    for axis, links in enumerate(conductances):
        below, above = (held[(*inner[:axis], one, *inner[axis + 1 :])] for one in (slice(None, -2), slice(2, None)))
        low, high = both_sides(links, axis)
        total = total + low * (u - below) + high * (u - above)
    return total


def both_sides(links: Array, axis: int) -> tuple[Array, Array]:
    """The conductances below and above every point of an axis."""
    return lax.slice_in_dim(links, 0, -1, axis=axis), lax.slice_in_dim(links, 1, None, axis=axis)


def _bordered(u: Array, periodic: Sequence[bool]) -> Array:
    held = jnp.pad(u, [(0, 0) if wraps else (1, 1) for wraps in periodic])
    if not any(periodic):
        return held
    return jnp.pad(held, [(1, 1) if wraps else (0, 0) for wraps in periodic], mode="wrap")


class Ends(NamedTuple):
    """What an axis adds to the conductances of its faces: `links` [face] in 1/length², `weights` [point]."""

    links: np.ndarray
    weights: np.ndarray
    closures: tuple[Closure, Closure] | None

    @property
    def periodic(self) -> bool:
        """Whether the last face is the first."""
        return self.closures is None

    @property
    def grounded(self) -> bool:
        """Whether anything flows out at its ends."""
        return not self.periodic and bool(self.links[0] or self.links[-1])


def ends_of(grid: Grid, boundaries: Boundaries, number: int) -> Ends:
    """Of an axis with its boundaries."""
    axis = grid.axes[number]
    found = closures(axis, *boundaries.faces[number], number)
    links, weights = np.ones(axis.size + 1), np.ones(axis.size)
    if found is not None:
        links[[0, -1]] = [end.sink for end in found]
        weights[[0, -1]] *= [end.weight for end in found]
    if isinstance(grid.coordinates, Cartesian) or number > 0 or axis.lower > 0:
        return Ends(links / axis.spacing**2, weights, found)
    if axis.first != 0.5:
        raise ArgumentError("`grid` of an elliptic problem must have no point at r = 0. Use Grid.cells(shape).")
    links[0] = 0  # nothing flows through a point
    return Ends(links / axis.spacing**2, weights, found)


class Network(NamedTuple):
    """The discretised equation.

    `medium` [axis] holds a J / s² on the faces, J the measure and s the scale of the axis, `measure` J at the points
    and `reaction` c there. Whatever does not vary along an axis has the size 1 there.
    """

    grid: Grid
    boundaries: Boundaries
    ends: tuple[Ends, ...]
    medium: tuple[Array, ...]
    measure: Array
    reaction: Array

    @property
    def periodic(self) -> tuple[bool, ...]:
        """Of each axis."""
        return tuple(end.periodic for end in self.ends)

    @property
    def weights(self) -> Array:
        """The volumes of cells over the product of the spacings."""
        return self._owned(self.measure, range(self.grid.dimension))

    def _owned(self, array: Array, axes: Sequence[int]) -> Array:
        """Times the shares of points on faces."""
        for axis in axes:
            if (self.ends[axis].weights != 1).any():
                array = array * self.along(axis, self.ends[axis].weights, array.dtype)
        return array

    def disowned(self, array: Array, axes: Sequence[int]) -> Array:
        """Over the shares of points on faces, along these axes."""
        for axis in axes:
            if (self.ends[axis].weights != 1).any():
                array = array * self.along(axis, 1 / self.ends[axis].weights, array.dtype)
        return array

    def along(self, axis: int, values: np.ndarray, dtype: Any) -> Array:
        """Numbers along an axis as a field."""
        return jnp.asarray(values.reshape([-1 if i == axis else 1 for i in range(self.grid.dimension)]), dtype)

    def conductances(self) -> tuple[Array, ...]:
        """Of each axis."""
        axes = range(self.grid.dimension)
        return tuple(
            self._owned(medium * self.along(axis, self.ends[axis].links, medium.dtype), [k for k in axes if k != axis])
            for axis, medium in enumerate(self.medium)
        )

    def product(self, u: Array) -> Array:
        """K u."""
        return flow(self.conductances(), self.periodic, u) + self.weights * self.reaction * u

    def diagonal(self) -> Array:
        """Of K, with the size of c in the place of c."""
        total = self.weights * jnp.abs(self.reaction)
        for axis, links in enumerate(self.conductances()):
            total = total + sum(both_sides(links, axis))
        return jnp.broadcast_to(total, self.grid.shape)

    def load(self, source: Array, t: Any) -> Array:
        """B: the source of every cell, and what its boundary brings."""
        total = jnp.broadcast_to(self.weights * source, self.grid.shape)
        for axis, pair in enumerate(self.boundaries.faces):
            for upper, boundary in enumerate(pair):
                end = self.ends[axis]
                value = getattr(boundary, "value", 0.0)
                if end.closures is None or (isinstance(value, int | float) and value == 0):
                    continue
                share = end.closures[upper].weight / self.grid.axes[axis].spacing ** 2
                two = jnp.zeros((2, *np.delete(self.grid.shape, axis)), total.dtype)
                ghost = boundary.beyond(self.grid.face(axis, bool(upper)), two, two, 1, 2, t)
                place = slice(-1, None) if upper else slice(0, 1)
                here = (slice(None),) * axis + (place,)
                through = self._owned(self.medium[axis][here], [k for k in range(self.grid.dimension) if k != axis])
                total = total.at[here].add(share * through * jnp.moveaxis(ghost, 0, axis))
        return total


def network(grid: Grid, boundaries: Boundaries, coefficient: Any, reaction: Array, dtype: Any) -> Network:
    """From a coefficient [*shape], or one that is on the faces already, a tuple of one field an axis."""
    ends = tuple(ends_of(grid, boundaries, axis) for axis in range(grid.dimension))
    medium = []
    for axis, end in enumerate(ends):
        points = points_on_faces(grid, axis, end.periodic, dtype)
        scale = grid.coordinates.measure(points) / grid.coordinates.scales(points)[axis] ** 2
        own = coefficient[axis] if isinstance(coefficient, tuple) else on_faces(coefficient, grid, axis, end.periodic)
        medium.append(own * _as_field(scale, grid))
    measure = _as_field(grid.coordinates.measure(grid.points(dtype)), grid)
    return Network(grid, boundaries, ends, tuple(medium), measure, reaction)


def _as_field(array: Array, grid: Grid) -> Array:
    """With an axis for each of the grid."""
    return array.reshape((1,) * (grid.dimension - array.ndim) + array.shape)


def points_on_faces(grid: Grid, number: int, periodic: bool, dtype: Any) -> Points:
    """Where the coefficient of an axis is wanted: halfway between points, and on the faces of the box."""
    axis = grid.axes[number]
    places = axis.lower + axis.spacing * (axis.first + np.arange(axis.size + 1) - 0.5)
    if periodic:
        places[0] = places[-1]
    else:
        places[0] = places[0] if axis.first else axis.lower
        places[-1] = places[-1] if axis.last else axis.upper
    points = list(grid.points(dtype))
    points[number] = jnp.asarray(places.reshape([-1 if i == number else 1 for i in range(grid.dimension)]), dtype)
    return tuple(points)


def on_faces(coefficient: Array, grid: Grid, axis: int, periodic: bool) -> Array:
    """Harmonic means of neighbours; at the ends a line through the last two, but at least half of the last."""
    if coefficient.shape[axis] == 1:
        return coefficient
    inside = jnp.moveaxis(coefficient, axis, 0)

    def mean(a: Array, b: Array) -> Array:
        return 2 * a * b / (a + b)

    def end(first: Array, second: Array, offset: float) -> Array:
        return jnp.maximum(1.5 * first - 0.5 * second, 0.5 * first) if offset else first

    if periodic:
        low = high = mean(inside[0], inside[-1])
    else:
        low = end(inside[0], inside[1], grid.axes[axis].first)
        high = end(inside[-1], inside[-2], grid.axes[axis].last)
    found = jnp.concatenate([low[None], mean(inside[1:], inside[:-1]), high[None]])
    return jnp.moveaxis(found, 0, axis)
