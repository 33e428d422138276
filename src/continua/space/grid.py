"""Where: evenly spaced points in a box, along each axis of some coordinates."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, is_traced
from continua.space.boundaries import Boundaries, Face, Periodic, needs_points_inside
from continua.space.coordinates import Cartesian, Coordinates, Points

DIMENSIONS = {"Polar": (1, 2), "Cylindrical": (2, 2), "Spherical": (1, 1)}


class Axis(NamedTuple):
    """`size` points between two faces; `first` and `last` are the distances of the ends from their faces, in spacings.

    These are ½ in the middle of cells, 0 on a face, and 1 where the values on a face are given and no unknowns.
    """

    size: int
    lower: float
    upper: float
    first: float = 0.5
    last: float = 0.5

    @property
    def spacing(self) -> float:
        """From point to point."""
        return (self.upper - self.lower) / (self.size - 1 + self.first + self.last)

    def points(self) -> np.ndarray:
        """[point], in double precision."""
        return self.lower + self.spacing * (self.first + np.arange(self.size))


class Grid(eqx.Module):
    """Evenly spaced points in a box; fields on it are arrays [*shape], the first axis being x (or r).

    Args:
        axes: one `Axis` a dimension. `Grid.cells` and `Grid.vertices` make them.
        coordinates: `Cartesian()`, `Polar()`, `Cylindrical()` or `Spherical()`.

    Example:
        >>> grid = Grid.cells((4, 2), upper=(2.0, 1.0))
        >>> grid.spacing, grid.axes[0].points().tolist()
        ((0.5, 0.5), [0.25, 0.75, 1.25, 1.75])
    """

    axes: tuple[Axis, ...] = eqx.field(static=True)
    coordinates: Coordinates = eqx.field(static=True, default_factory=Cartesian)

    def __check_init__(self) -> None:
        for name, axis in zip("xyzw", self.axes, strict=False):
            if axis.size < 1:
                raise ArgumentError(f"`shape` of a grid must be positive along {name}. Got {axis.size}.")
            if not (np.isfinite(axis.lower) and np.isfinite(axis.upper) and axis.lower < axis.upper):
                raise ArgumentError(
                    f"`lower` of a grid must be less than `upper`, both finite, along {name}. "
                    f"Got {axis.lower} and {axis.upper}."
                )
        kind = type(self.coordinates).__name__
        few, many = DIMENSIONS.get(kind, (1, len(self.axes)))
        if not few <= len(self.axes) <= many:
            raise ArgumentError(f"`shape` of a grid in {kind}() must have {few} to {many} axes. Got {len(self.axes)}.")
        if kind != "Cartesian" and self.axes[0].lower < 0:
            raise ArgumentError(f"`lower` of r must be at least 0. Got {self.axes[0].lower}.")

    @classmethod
    def cells(
        cls, shape: int | Sequence[int], *, lower: Any = 0.0, upper: Any = 1.0, coordinates: Coordinates | None = None
    ) -> "Grid":
        """The middles of cells: the usual grid for conservation laws and pixels.

        Args:
            shape: how many along each axis.
            lower: where the box begins: one number, or one for each axis.
            upper: where it ends.
            coordinates: Cartesian unless given.
        """
        ends = _ends(shape, lower, upper)
        return cls(tuple(Axis(*end) for end in ends), coordinates or Cartesian())

    @classmethod
    def vertices(
        cls,
        shape: int | Sequence[int],
        boundaries: Any,
        *,
        lower: Any = 0.0,
        upper: Any = 1.0,
        coordinates: Coordinates | None = None,
    ) -> "Grid":
        """The points at which the values are unknown under these boundaries.

        Along an axis they begin on a face, or one spacing behind it where a `Dirichlet` gives the values there; along a
        periodic axis the upper face is the lower one.

        Args:
            shape: how many unknowns along each axis.
            boundaries: as for a `Stencil`.
            lower: where the box begins: one number, or one for each axis.
            upper: where it ends.
            coordinates: Cartesian unless given.
        """
        ends = _ends(shape, lower, upper)
        faces = Boundaries.of(boundaries, len(ends)).faces

        def axis(end: tuple[int, float, float], below: Any, above: Any) -> Axis:
            if isinstance(below, Periodic):
                return Axis(*end, 0.0, 1.0)
            return Axis(*end, *(1.0 if needs_points_inside(side) else 0.0 for side in (below, above)))

        return cls(tuple(axis(end, *pair) for end, pair in zip(ends, faces, strict=True)), coordinates or Cartesian())

    @property
    def dimension(self) -> int:
        """How many axes."""
        return len(self.axes)

    @property
    def letters(self) -> str:
        """A letter for each axis: "xy", "rz", …."""
        return "".join(self.coordinates.names)[: self.dimension]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a field."""
        return tuple(axis.size for axis in self.axes)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Along each axis, in its units."""
        return tuple(axis.spacing for axis in self.axes)

    def face(self, axis: int, upper: bool) -> Face:
        """What a boundary has to know of a face."""
        one = self.axes[axis]
        return Face(axis, upper, one.last if upper else one.first, one.spacing)

    def points(self, dtype: Any = None) -> Points:
        """One array for each axis, shaped so that they broadcast to a field."""
        kind = jnp.result_type(float) if dtype is None else dtype
        return tuple(
            jnp.asarray(axis.points().reshape([-1 if i == k else 1 for k in range(self.dimension)]), kind)
            for i, axis in enumerate(self.axes)
        )

    def sample(self, function: Callable[..., Any], dtype: Any = None) -> Array:
        """The field `function(x, y, …)` [*shape]."""
        return jnp.broadcast_to(function(*self.points(dtype)), self.shape)

    def integral(self, field: Array) -> Array:
        """∫ over the box by the midpoint rule; points on a face count half, values given on a face are not counted."""
        points = self.points(jnp.real(field).dtype)
        total = field * self.coordinates.measure(points)
        for i, axis in enumerate(self.axes):
            weights = np.full(axis.size, axis.spacing)
            if axis.first + axis.last != 1:  # a periodic axis has as many spacings as points
                weights[[0, -1]] *= np.where(np.array([axis.first, axis.last]) == 0, 0.5, 1.0)
            total = total * jnp.asarray(
                weights.reshape([-1 if i == k else 1 for k in range(self.dimension)]), total.dtype
            )
        return jnp.sum(total)

    def check(self, field: Any, name: str, who: str) -> Array:
        """The field as an array [*shape], or an error that says what was expected."""
        array = jnp.asarray(field)
        if array.shape[-self.dimension :] != self.shape:
            raise ArgumentError(f"`{name}` of {who} must have the shape {self.shape} of its grid. Got {array.shape}.")
        return finite(array, name, who)


def finite(field: Array, name: str, who: str) -> Array:
    """The field, unless it is known and holds NaN or infinity, which neighbours would catch from it."""
    if not is_traced(field) and not (known := np.isfinite(field)).all():
        place = tuple(int(i) for i in np.argwhere(~known)[0])
        raise ArgumentError(
            f"`{name}` of {who} must be finite. Got {np.asarray(field)[place]} at {place}. "
            "Fill gaps first, or look at where it was computed."
        )
    return field


def _ends(shape: int | Sequence[int], lower: Any, upper: Any) -> list[tuple[int, float, float]]:
    sizes = [int(size) for size in np.atleast_1d(np.asarray(shape))]
    try:
        below, above = (np.broadcast_to(np.asarray(x, float), len(sizes)).tolist() for x in (lower, upper))
    except ValueError:
        raise ArgumentError(
            f"`lower` and `upper` of a grid must be one number, or one for each of {len(sizes)} axes. "
            f"Got {lower} and {upper}."
        ) from None
    return [*zip(sizes, below, above, strict=True)]
