r"""What stands beyond the faces of a grid: one rule for the ghost points of every condition.

A condition $\alpha u + \beta\, \partial_n u = g$ on a face, n pointing outward, gives the values beyond it as an affine
function of those inside. Up to second order that is a mirror, which keeps operators symmetric; beyond, the polynomial
through the condition and the nearest points inside.
"""

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, as_node

MIRRORED = 2  # the highest order of accuracy that a mirror keeps


class Face(NamedTuple):
    """One end of one axis: its first point inside stands `offset` spacings away from it.

    `around` is by how many points below and above each other axis of a field reaches beyond it by now.
    """

    axis: int
    upper: bool
    offset: float
    spacing: float
    around: "Width" = ()

    @property
    def name(self) -> str:
        """As a reader knows it."""
        return f"the {'upper' if self.upper else 'lower'} face of axis {self.axis}"


class Boundary(eqx.Module):
    """What stands beyond a face."""

    @abstractmethod
    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """The nearest `count` values beyond the face, the nearest first.

        Args:
            face: where.
            inside: [point, …], the values from the face inward.
            opposite: [point, …], those from the other end of the axis inward.
            count: how many.
            order: of the accuracy that must not be lost.
            t: the time.
        """

    def homogeneous(self) -> "Boundary":
        """The linear part: without the values it brings."""
        return self

    def persists(self, total: float) -> bool:
        """Whether its ghosts move on by themselves under a symmetric operator whose weights have this sum."""
        return False


class Condition(Boundary):
    r"""$\alpha u + \beta\, \partial_n u = g$, where α and β are numbers and g a number, field or function."""

    value: eqx.AbstractVar[Any]

    @abstractmethod
    def weights(self) -> tuple[float, float]:
        """α, β."""

    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """By the mirror or the polynomial of this condition."""
        del opposite
        rule = self._rule(face, count, order)
        need = rule.inner.shape[1]
        if len(inside) < need:
            raise ArgumentError(
                f"The grid is too small for the stencil at {face.name}: {need} points are needed. Got {len(inside)}."
            )
        ghosts = _weighted(rule.inner, inside)
        value = self._value(t, inside, face)
        if value is None:
            return ghosts
        outer = jnp.asarray(rule.outer.reshape([-1] + [1] * (inside.ndim - 1)), ghosts.dtype)
        return ghosts + outer * value

    def homogeneous(self) -> "Boundary":
        """With g = 0."""
        return eqx.tree_at(lambda one: one.value, self, 0.0, is_leaf=lambda x: x is None)

    def persists(self, total: float) -> bool:
        """A mirror without values does; one about a number, if the operator makes nothing of constants."""
        alpha, beta = self.weights()
        if not isinstance(self.value, int | float) or (alpha and beta):
            return False
        return self.value == 0 or (beta == 0 and total < 1e-12)

    def _rule(self, face: Face, count: int, order: int) -> "Rule":
        alpha, beta = self.weights()
        if face.offset == 0 and beta == 0:
            raise ArgumentError(
                f"{type(self).__name__} gives the values on {face.name}, where the grid has unknowns. "
                "Use Grid.vertices(shape, boundaries), which leaves them out, or Grid.cells(shape)."
            )
        if face.offset == 1 and beta != 0:
            raise ArgumentError(
                f"{type(self).__name__} needs unknowns on {face.name}, and the grid has none there. "
                "Use Grid.vertices(shape, boundaries), which has them, or Grid.cells(shape)."
            )
        return ghost_rule(alpha, beta, face.offset, face.spacing, count, order)

    def _value(self, t: Any, inside: Array, face: Face) -> Array | None:
        value = self.value(t) if callable(self.value) else self.value
        if isinstance(value, int | float) and value == 0:
            return None
        around = face.around or ((0, 0),) * (inside.ndim - 1)
        array = jnp.asarray(value, inside.dtype)
        on_face = tuple(size - low - high for size, (low, high) in zip(inside.shape[1:], around, strict=True))
        own = on_face[len(on_face) - array.ndim :] if array.ndim <= len(on_face) else None
        if own is None or any(size not in (1, room) for size, room in zip(array.shape, own, strict=True)):
            raise ArgumentError(
                f"`value` of {type(self).__name__} must be a number or a field on {face.name}, {on_face}. "
                f"Got {array.shape}."
            )
        array = array.reshape((1,) * (1 + len(on_face) - array.ndim) + array.shape)
        # Beyond the faces of earlier axes its values go on as they end.
        missing = [(0, 0) if size == 1 else pair for size, pair in zip(array.shape[1:], around, strict=True)]
        return jnp.pad(array, [(0, 0), *missing], mode="edge")


def _value_of(value: Any) -> Any:
    return as_node(value) if callable(value) else value


class Dirichlet(Condition):
    """u = g on the face.

    Args:
        value: g, a number, an array on the face, or a function of time that gives either.
    """

    value: Any = eqx.field(default=0.0, converter=_value_of)

    def weights(self) -> tuple[float, float]:
        """1, 0."""
        return 1.0, 0.0


class Neumann(Condition):
    r"""$\partial_n u = g$ on the face, along the normal that points outward.

    Args:
        value: g, a number, an array on the face, or a function of time that gives either.
    """

    value: Any = eqx.field(default=0.0, converter=_value_of)

    def weights(self) -> tuple[float, float]:
        """0, 1."""
        return 0.0, 1.0


class Robin(Condition):
    r"""$\alpha u + \beta\, \partial_n u = g$ on the face, along the normal that points outward.

    Args:
        alpha: a number.
        beta: a number, other than 0.
        value: g, a number, an array on the face, or a function of time that gives either.
    """

    alpha: float = eqx.field(static=True)
    beta: float = eqx.field(static=True)
    value: Any = eqx.field(default=0.0, converter=_value_of)

    def __check_init__(self) -> None:
        if not self.beta or not np.isfinite([self.alpha, self.beta]).all():
            raise ArgumentError(
                f"`alpha` and `beta` of Robin must be finite, and `beta` not 0. Got {self.alpha}, {self.beta}. "
                "Use Dirichlet(value) where there is no derivative."
            )

    def weights(self) -> tuple[float, float]:
        """α, β."""
        return self.alpha, self.beta


class Symmetric(Boundary):
    """A mirror: `Neumann(0)`, for any function and at any order; what images usually are continued by.

    Between points it repeats the last one (`reflect` of scipy), on points it does not (`mirror`, BORDER_REFLECT_101).
    """

    def persists(self, total: float) -> bool:
        """It does."""
        return True

    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """The values inside."""
        del opposite, order, t
        return _weighted(ghost_rule(0.0, 1.0, face.offset, face.spacing, count, MIRRORED).inner, inside)


class Outside(Boundary):
    """The same value everywhere beyond the face: 0 is the padding of a convolution layer.

    Args:
        value: a number.
    """

    value: Any = 0.0

    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """The value."""
        del opposite, order, t
        return jnp.full((count, *inside.shape[1:]), self.value, inside.dtype)

    def homogeneous(self) -> "Boundary":
        """Nothing."""
        return Outside(0.0)


class Periodic(Boundary):
    """The other end of the axis comes next; both of its faces must say so."""

    def persists(self, total: float) -> bool:
        """It does."""
        return True

    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """The values at the other end."""
        del order, t
        if count > len(opposite):
            raise ArgumentError(
                f"The grid is too small for the stencil at {face.name}: {count} points are needed. Got {len(opposite)}."
            )
        return opposite[:count]


class Boundaries(eqx.Module):
    """One boundary for each face: `faces[axis]` is (lower, upper)."""

    faces: tuple[tuple[Boundary, Boundary], ...]

    @classmethod
    def of(cls, boundaries: Any, dimension: int, who: str = "a stencil") -> "Boundaries":
        """From one boundary for all faces, or for each axis one, or a pair (lower, upper)."""
        if isinstance(boundaries, Boundaries):
            given: Any = boundaries.faces
        else:
            given = boundaries
        given = [given] * dimension if isinstance(given, Boundary | type) else given
        if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != dimension:
            raise ArgumentTypeError(
                f"`boundaries` of {who} must be a boundary such as Neumann(), or one or a pair (lower, upper) for each "
                f"of {dimension} axes. Got {boundaries!r}."
            )
        return cls(tuple(_pair(one, who) for one in given))

    def homogeneous(self) -> "Boundaries":
        """The linear parts."""
        return Boundaries(tuple((low.homogeneous(), high.homogeneous()) for low, high in self.faces))


def needs_points_inside(boundary: Boundary) -> bool:
    """Whether it gives the values on its face, so that these are no unknowns."""
    return isinstance(boundary, Dirichlet)


def _pair(one: Any, who: str) -> tuple[Boundary, Boundary]:
    pair = tuple(one) if isinstance(one, Sequence) and not isinstance(one, str) else (one, one)
    made = tuple(side() if isinstance(side, type) and issubclass(side, Boundary) else side for side in pair)
    if len(made) != 2 or not all(isinstance(side, Boundary) for side in made):
        raise ArgumentTypeError(
            f"`boundaries` of {who} must hold Dirichlet, Neumann, Robin, Periodic, Symmetric or Outside. Got {one!r}."
        )
    low, high = cast(tuple[Boundary, Boundary], made)
    if isinstance(low, Periodic) != isinstance(high, Periodic):
        raise ArgumentError(
            f"`boundaries` of {who} must be Periodic() on both faces of an axis, or on none. Got {one!r}."
        )
    return low, high


class Rule(NamedTuple):
    """ghosts = `inner` [ghost, point] @ inside + `outer` [ghost] g."""

    inner: np.ndarray
    outer: np.ndarray


@lru_cache(maxsize=256)
def ghost_rule(alpha: float, beta: float, offset: float, spacing: float, count: int, order: int) -> Rule:
    """How ghosts follow from the condition αu + βu' = g on the face: see the head of this file."""
    distances = np.arange(1, count + 1) - offset  # of the ghosts from the face, in spacings
    if order <= MIRRORED:
        images = np.round(distances - offset).astype(int)  # the point inside that is as far away
        inner, outer = np.zeros((count, max(images.max() + 1, 1))), np.zeros(count)
        for ghost, (x, image) in enumerate(zip(distances * spacing, images, strict=True)):
            if x == 0:  # the ghost stands on the face
                outer[ghost] = 1 / alpha
                continue
            slope = beta / (2 * x)
            outer[ghost] = 1 / (alpha / 2 + slope)
            inner[ghost, image] = (slope - alpha / 2) * outer[ghost]
        return Rule(inner, outer)
    degree = order + 1
    points = offset + np.arange(degree)
    powers = np.arange(degree + 1)
    on_face = np.where(powers == 0, alpha, np.where(powers == 1, -beta / spacing, 0.0))
    system = np.vstack([on_face, points[:, None] ** powers])
    weights = np.linalg.solve(system.T, ((-distances[:, None]) ** powers).T).T
    return Rule(weights[:, 1:], weights[:, 0])


def _weighted(weights: np.ndarray, inside: Array) -> Array:
    """`weights` [ghost, point] times the points; a mirror is a reversed slice."""
    chosen = weights.argmax(1) if (weights >= 0).all() else np.abs(weights).argmax(1)
    alone = (weights != 0).sum(1) <= 1
    if alone.all() and (np.diff(chosen) == 1).all():
        factors = weights[np.arange(len(chosen)), chosen]
        strip = inside[chosen[0] : chosen[0] + len(chosen)]
        if (factors == 1).all():
            return strip
        return strip * jnp.asarray(factors.reshape([-1] + [1] * (inside.ndim - 1)), inside.dtype)
    return jnp.tensordot(jnp.asarray(weights, inside.dtype), inside[: weights.shape[1]], 1)


Width = tuple[tuple[int, int], ...]  # how many ghosts each axis gets below and above


def extend(
    field: Array, faces: Sequence[tuple[Face, Face]], boundaries: Boundaries, width: Width, order: int = 2, t: Any = 0.0
) -> Array:
    """The field with its ghosts: [*shape] becomes [*(shape + below + above)]; leading axes stay as they are."""
    first = field.ndim - len(width)
    config = [(0, 0, 0)] * first + [(below, above, 0) for below, above in width]
    room = lax.pad(field, jnp.zeros((), field.dtype), config)
    place = [below for below, _ in width]
    return ghosted(room, place, field.shape[first:], faces, boundaries, width, order, t)


def ghosted(
    room: Array,
    place: Sequence[Any],
    shape: tuple[int, ...],
    faces: Sequence[tuple[Face, Face]],
    boundaries: Boundaries,
    width: Width,
    order: int = 2,
    t: Any = 0.0,
) -> Array:
    """A field [..., *shape] that lies at `place` in an array with room for its ghosts, with these around it."""
    for axis, pair in enumerate(width):
        if any(pair):
            room = _with_strips(room, axis, place, shape, faces[axis], boundaries.faces[axis], width, order, t)
    return room


def _with_strips(
    room: Array,
    axis: int,
    place: Sequence[Any],
    shape: tuple[int, ...],
    faces: tuple[Face, Face],
    sides: tuple[Boundary, Boundary],
    width: Width,
    order: int,
    t: Any,
) -> Array:
    """The ghosts at both ends of an axis, after those of the axes before. Only strips are turned: a field is slow."""
    first, n, (below, above) = room.ndim - len(width), shape[axis], width[axis]
    at, around = first + axis, [pair if i < axis else (0, 0) for i, pair in enumerate(width)]
    corner = [0] * first + [begin - low for begin, (low, _) in zip(place, around, strict=True)]
    sizes = [*room.shape[:first], *(size + low + high for size, (low, high) in zip(shape, around, strict=True))]

    def at_depth(begin: Any) -> list[Any]:
        return [*corner[:at], place[axis] + begin, *corner[at + 1 :]]

    depth = min(max(below, above) + order + 1, n)
    strip = [*sizes[:at], depth, *sizes[at + 1 :]]
    lower = jnp.moveaxis(lax.dynamic_slice(room, at_depth(0), strip), at, 0)
    upper = jnp.moveaxis(lax.rev(lax.dynamic_slice(room, at_depth(n - depth), strip), (at,)), at, 0)
    others = ((0, 0),) * first + tuple(pair for i, pair in enumerate(around) if i != axis)
    low, high = (face._replace(around=others) for face in faces)
    ghosts = []
    if below:
        beyond = sides[0].beyond(low, lower, upper, below, order, t)[::-1]
        ghosts.append((-below, jnp.moveaxis(beyond, 0, at)))
    if above:
        beyond = sides[1].beyond(high, upper, lower, above, order, t)
        ghosts.append((n, jnp.moveaxis(beyond, 0, at)))
    room, *values = lax.optimization_barrier((room, *(x for _, x in ghosts)))  # else XLA reads from a copy of it
    for (begin, _), value in zip(ghosts, values, strict=True):
        room = lax.dynamic_update_slice(room, value, at_depth(begin))
    return room
