"""The stencil: weights at neighbours, which is a kernel, a differential operator and a layer at once."""

import copy
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, is_traced
from continua.space.boundaries import MIRRORED, Boundaries, Condition, Face, Periodic, Symmetric, extend
from continua.space.coordinates import Cartesian
from continua.space.grid import Grid, finite
from continua.space.lowerings import Lowering, Shifts, by_size, fastest
from continua.space.neighbours import Offsets, reach_of, surrounded, times
from continua.space.operators import Operator, image_axes, kernel_of, moments, terms_of

Faces = tuple[tuple[Face, Face], ...]


class LocalOperator(eqx.Module):
    """What maps a field to a field by looking at neighbours: it knows its grid and what stands beyond the faces.

    Fields are [*shape], with any leading axes. `opened()` is the same on a field that holds its own ghosts.
    """

    offsets: eqx.AbstractVar[Offsets]
    boundaries: eqx.AbstractVar[Boundaries | None]
    grid: eqx.AbstractVar[Grid | None]
    spacing: eqx.AbstractVar[tuple[float, ...]]
    order: eqx.AbstractVar[int]

    @property
    def dimension(self) -> int:
        """Of space."""
        return len(self.offsets[0])

    @property
    def reach(self) -> tuple[tuple[int, int], ...]:
        """How far it looks below and above along each axis."""
        return reach_of(self.offsets)

    def opened(self) -> "LocalOperator":
        """Without boundaries: the field keeps its shape, and what lies within reach of its rim comes out as 0."""
        return eqx.tree_at(lambda one: one.boundaries, self, None, is_leaf=lambda x: x is None)

    def raveled(self, shape: tuple[int, ...]) -> "LocalOperator | None":
        """Opened, for fields [*shape] as one line: neighbours are counted along it, and rows go on into the next.

        None where that is not worth while.
        """
        strides = [math.prod(shape[axis + 1 :]) for axis in range(self.dimension)]
        line = copy.copy(self.opened())
        places = tuple((sum(o * s for o, s in zip(offset, strides, strict=True)),) for offset in self.offsets)
        object.__setattr__(line, "offsets", places)
        return line

    def padded(self, field: Array, t: Any = 0.0) -> Array:
        """The field with its ghosts: as it is where there are no boundaries."""
        if self.boundaries is None:
            return field
        return lax.optimization_barrier(extend(field, self.faces(), self.boundaries, self.reach, self.order, t))

    def faces(self) -> Faces:
        """Those of its grid, or of pixels."""
        if self.grid is not None:
            return tuple((self.grid.face(axis, False), self.grid.face(axis, True)) for axis in range(self.dimension))
        return tuple((Face(i, False, 0.5, h), Face(i, True, 0.5, h)) for i, h in enumerate(self.spacing))

    @abstractmethod
    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [*shape] or [..., *shape], the same."""

    @abstractmethod
    def spectrum(self, points: int = 32) -> np.ndarray | None:
        """Complex numbers that bound its eigenvalues; None where nothing is known of them yet."""

    @abstractmethod
    def ghosts_persist(self) -> bool:
        """Whether ghosts, moved like points inside, stay what they must be: one look beyond then serves many steps."""

    def closed(self, inside: Array) -> Array:
        """What came out, in the shape of what went in."""
        return surrounded(inside, self.reach) if self.boundaries is None else inside

    def checked(self, field: Any) -> Array:
        """The field as an array of floating numbers, or an error that says what was expected."""
        array, who = jnp.asarray(field), type(self).__name__
        if not jnp.issubdtype(array.dtype, jnp.inexact):
            raise ArgumentTypeError(
                f"`field` of {who} must hold floating numbers. Got {array.dtype}. Use jnp.asarray(field, float): "
                "in whole numbers slopes are cut off and squares overflow."
            )
        if array.ndim < self.dimension:
            raise ArgumentError(f"`field` of {who} must have {self.dimension} axes or more. Got {array.ndim}.")
        if self.grid is not None and self.boundaries is not None:
            return self.grid.check(array, "field", who)
        return finite(array, "field", who)


class Stencil(LocalOperator):
    r"""A weighted sum over neighbours.

    $$ (S u)(x) = \sum_j w_j\, u(x + j h) = \sum_\alpha M_\alpha\, \partial^\alpha u(x), \qquad
       M_\alpha = \frac{1}{\alpha!} \sum_j w_j (j h)^\alpha $$

    So every kernel is a differential operator (`explain`), and every operator has kernels (`Stencil.of`). The order of
    the neighbours is that of correlation: as in `scipy.ndimage.correlate` and OpenCV's `filter2D`.

    Args:
        offsets: one for each neighbour, in points.
        weights: [neighbour], or [neighbour, …] that broadcast against the field: [neighbour, *shape] where they vary in
            space, [neighbour, channel, 1, 1] where each channel has its own. Plain numbers, lists and NumPy's arrays of
            one axis are constants of the compiled program; JAX's arrays are parameters, and can be trained.
        boundaries: what stands beyond the faces: one for all, or one or a pair for each axis.
        spacing: from point to point along each axis.
        grid: on which it works; unless given, any, with points in the middle of cells.
        order: of the accuracy that boundaries must not lose.
        lowering: how it is computed; unless given, as fits the weights.

    Good for: derivatives, filters, layers.

    Example:
        >>> import jax.numpy as jnp
        >>> sobel = Stencil.from_kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        >>> sobel(jnp.arange(12.0).reshape(3, 4))[1].tolist()
        [4.0, 8.0, 8.0, 4.0]
    """

    offsets: Offsets = eqx.field(static=True)
    fixed: tuple[float, ...] | None = eqx.field(static=True)
    free: Array | None
    boundaries: Boundaries | None
    spacing: tuple[float, ...] = eqx.field(static=True)
    grid: Grid | None = eqx.field(static=True)
    order: int = eqx.field(static=True)
    lowering: Lowering | None = eqx.field(static=True)

    def __init__(
        self,
        offsets: Sequence[Sequence[int]],
        weights: Any,
        boundaries: Any,
        spacing: Any = 1.0,
        grid: Grid | None = None,
        order: int = 2,
        lowering: Lowering | None = None,
    ) -> None:
        self.offsets = tuple(tuple(int(o) for o in offset) for offset in offsets)
        if not self.offsets or len({len(offset) for offset in self.offsets}) != 1:
            raise ArgumentError(f"`offsets` of Stencil must be one or more, all of one length. Got {offsets!r}.")
        if np.shape(weights)[:1] != (len(self.offsets),):
            raise ArgumentError(
                f"`weights` of Stencil must begin with an axis of {len(self.offsets)}, one for each of its `offsets`. "
                f"Got shape {np.shape(weights)}."
            )
        constant = not isinstance(weights, jax.Array) and np.ndim(weights) == 1
        self.fixed = tuple(float(w) for w in weights) if constant else None
        self.free = None if constant else jnp.asarray(weights)
        self.boundaries = None if boundaries is None else Boundaries.of(boundaries, len(self.offsets[0]))
        self.spacing = tuple(float(h) for h in np.broadcast_to(np.asarray(spacing, float), len(self.offsets[0])))
        self.grid, self.order, self.lowering = grid, order, lowering

    @property
    def weights(self) -> Any:
        """[neighbour, …]: NumPy's where they are constants, JAX's where they are parameters."""
        return self.free if self.fixed is None else np.array(self.fixed)

    def with_weights(self, weights: Any) -> "Stencil":
        """The same with other weights."""
        return Stencil(self.offsets, weights, self.boundaries, self.spacing, self.grid, self.order, self.lowering)

    def trainable(self, dtype: Any = None) -> "Stencil":
        """The same, with its weights as parameters."""
        return self.with_weights(jnp.asarray(self.weights, jnp.result_type(float) if dtype is None else dtype))

    @classmethod
    def from_kernel(
        cls,
        kernel: Any,
        boundaries: Any = None,
        *,
        origin: Sequence[int] | None = None,
        spacing: Any = 1.0,
        approximates: "str | Mapping[tuple[int, ...], float] | None" = None,
        lowering: Lowering | None = None,
    ) -> "Stencil":
        """From an array of weights.

        Args:
            kernel: one axis for each dimension of space. Zeros are left out.
            boundaries: `Symmetric()` unless given, as images are.
            origin: the index of the point itself; the middle unless given, which an even size does not have.
            spacing: from point to point: one number, or one for each axis.
            approximates: the operator that it is meant to be, as for `Stencil.of` with the axes of an image; a kernel
                that is not is refused.
            lowering: how it is computed.
        """
        if is_traced(kernel):
            raise ArgumentTypeError(
                "`kernel` of Stencil.from_kernel must be known, and is being traced. Make the stencil outside, and "
                "train its `weights`."
            )
        array = np.asarray(kernel)
        if not array.size or array.ndim == 0 or not np.isfinite(np.asarray(array, float)).all():
            raise ArgumentError(f"`kernel` must be an array of finite numbers. Got {kernel!r}.")
        if origin is None and any(size % 2 == 0 for size in array.shape):
            raise ArgumentError(
                f"`kernel` of shape {array.shape} has no point in its middle. Say `origin`, the index of the point "
                "itself, for example (0, 0)."
            )
        middle = tuple(size // 2 for size in array.shape) if origin is None else tuple(int(i) for i in origin)
        if len(middle) != array.ndim or any(not 0 <= i < size for i, size in zip(middle, array.shape, strict=True)):
            raise ArgumentError(f"`origin` must be an index of the kernel of shape {array.shape}. Got {origin!r}.")
        places = np.argwhere(array != 0) if array.any() else np.array([middle])
        offsets = tuple(tuple(int(i) for i in place - np.array(middle)) for place in places)
        weights = np.asarray(array[tuple(places.T)], float)
        sides = Symmetric() if boundaries is None else boundaries
        stencil = cls(offsets, weights, sides, spacing, lowering=lowering)
        if approximates is not None:
            operator = stencil.operator()
            if operator.order_of(terms_of(approximates, operator.axes))[0] < 1:
                raise ArgumentError(
                    f"`kernel` does not approximate {approximates}: it is {operator.described()}. "
                    f"Use kernel_of({approximates!r}), or another `origin` or factor."
                )
        return stencil

    @classmethod
    def of(
        cls,
        operator: "str | Mapping[tuple[int, ...], float] | Operator",
        grid: Grid,
        boundaries: Any,
        *,
        order: int = 2,
    ) -> "Stencil":
        """The smallest centred one for a differential operator on a Cartesian grid.

        Args:
            operator: "laplace", "biharmonic", "dx", "dxy", "dxx + 2 dyy", …; or its terms, {(2, 0): 1.0}.
            grid: where.
            boundaries: what stands beyond the faces.
            order: of accuracy, even.
        """
        if not isinstance(grid.coordinates, Cartesian):
            raise ArgumentError(
                f"`grid` of Stencil.of must be Cartesian. Got {grid.coordinates}. Use divergence_form(grid, …), "
                "which is the Laplacian in any coordinates."
            )
        kernel = kernel_of(operator, order=order, dimension=grid.dimension, spacing=grid.spacing, axes=grid.letters)
        made = cls.from_kernel(kernel, boundaries, spacing=grid.spacing)
        stencil = cls(made.offsets, made.weights, made.boundaries, grid.spacing, grid, order)
        for axis, (below, above) in enumerate(stencil.reach):
            if grid.shape[axis] < below + above + 1:
                raise ArgumentError(
                    f"The grid is too small for the stencil: {below + above + 1} points are needed along axis {axis}. "
                    f"Got {grid.shape[axis]}."
                )
        return stencil

    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [*shape] or [..., *shape], the same; `t` is the time for boundaries that depend on it."""
        array = self.checked(field)
        way = self.lowering or by_size(self)
        return self.closed(way(self, self.padded(array, t)))

    def kernel(self) -> np.ndarray:
        """The weights as an array, with the point itself in the middle."""
        sides = [max(low, high) for low, high in self.reach]
        kernel = np.zeros([2 * side + 1 for side in sides])
        for offset, weight in zip(self.offsets, self._known(), strict=True):
            kernel[tuple(o + side for o, side in zip(offset, sides, strict=True))] += weight
        return kernel

    def operator(self, order: int = 8) -> Operator:
        """What it does to smooth fields: its moments up to an order of derivatives."""
        axes = image_axes(self.dimension) if self.grid is None else self.grid.letters
        return moments(self.offsets, self._known(), self.spacing, order, axes)

    def explain(self, terms: int = 3) -> str:
        """The operator and its leading errors, as a formula."""
        return self.operator().formula(terms)

    def symbol(self, *angles: Any) -> Array:
        r"""$\hat s(\theta) = \sum_j w_j e^{i j \cdot \theta}$: what a wave is multiplied by that turns by θ a point."""
        phases = [sum(o * np.asarray(a) for o, a in zip(offset, angles, strict=True)) for offset in self.offsets]
        waves = jnp.stack([lax.complex(jnp.cos(phase), jnp.sin(phase)) for phase in map(jnp.asarray, phases)])
        weights = jnp.asarray(self.weights, waves.dtype)
        return jnp.tensordot(weights, waves, 1)

    def spectrum(self, points: int = 32) -> np.ndarray:
        """Its symbol at so many angles along each axis, the sharpest wave among them: a bound of its eigenvalues."""
        angles = np.meshgrid(*[np.linspace(-np.pi, np.pi, 2 * (points // 2), endpoint=False)] * self.dimension)
        places = np.array(self.offsets).T
        phase = sum(np.multiply.outer(along, angle) for along, angle in zip(places, angles, strict=True))
        weights = np.asarray(self.weights)
        if weights.ndim == 1:
            return (np.exp(1j * phase) * weights.reshape(-1, *[1] * self.dimension)).sum(0).ravel()
        local = weights.reshape(len(weights), -1)
        largest = local[:, np.abs(local).sum(0).argmax()]
        return (np.exp(1j * phase) * largest.reshape(-1, *[1] * self.dimension)).sum(0).ravel()

    def raveled(self, shape: tuple[int, ...]) -> LocalOperator | None:
        """Where it is a sum of shifts."""
        return super().raveled(shape) if isinstance(self.lowering or by_size(self), Shifts) else None

    def ghosts_persist(self) -> bool:
        """For constant weights: symmetric along axes with mirrors, and nothing of constants where values are given."""
        if self.boundaries is None or self.fixed is None:
            return False
        at = dict(zip(self.offsets, self.fixed, strict=True))
        total = abs(sum(at.values())) / max(map(abs, at.values()))
        for axis, pair in enumerate(self.boundaries.faces):
            even = all(
                at.get(tuple(-o if i == axis else o for i, o in enumerate(place))) == w for place, w in at.items()
            )
            mirrored = even and (self.order <= MIRRORED or not any(isinstance(side, Condition) for side in pair))
            if not all(side.persists(total) and (mirrored or isinstance(side, Periodic)) for side in pair):
                return False
        return True

    def measured(self, field: Any) -> "Stencil":
        """The same with the lowering that is fastest for such a field on this device: each is tried."""
        return self.lowered(fastest(self, self.checked(field)))

    def lowered(self, way: Lowering) -> "Stencil":
        """The same, computed so."""
        if not way.serves(self):
            raise ArgumentError(f"{way} cannot compute this stencil. Use Shifts(), which serves any.")
        return Stencil(self.offsets, self.weights, self.boundaries, self.spacing, self.grid, self.order, way)

    def scaled(self, factor: Any) -> "Stencil":
        """`factor` times the stencil: a number, or a field that multiplies what comes out."""
        weights = self.weights
        if np.ndim(factor) == 0:
            return self.with_weights(weights * factor)
        array = jnp.asarray(factor)
        return self.with_weights(jnp.stack([times(w, array) for w in jnp.asarray(weights, array.dtype)]))

    def __add__(self, other: "Stencil") -> "Stencil":
        """Both at once; the boundaries must be the same."""
        if not isinstance(other, Stencil) or (self.grid, self.spacing) != (other.grid, other.spacing):
            raise ArgumentError("Stencils can be added if they have one grid. Make both on the same one.")
        if jax.tree.structure(self.boundaries) != jax.tree.structure(other.boundaries):
            raise ArgumentError("Stencils can be added if they have the same boundaries. Make both with the same ones.")
        places = tuple(dict.fromkeys((*self.offsets, *other.offsets)))

        def spread(one: Stencil) -> list[Any]:
            at = dict(zip(one.offsets, one.weights, strict=True))
            return [at.get(place, np.zeros_like(one.weights[0])) for place in places]

        total = [a + b for a, b in zip(spread(self), spread(other), strict=True)]
        constant = self.fixed is not None and other.fixed is not None
        weights = np.array(total) if constant else jnp.stack(jnp.broadcast_arrays(*total))
        order = min(self.order, other.order)
        return Stencil(places, weights, self.boundaries, self.spacing, self.grid, order, self.lowering)

    def _known(self) -> np.ndarray:
        if is_traced(self.weights) or np.ndim(self.weights) != 1:
            raise ArgumentError(
                "The operator of a stencil can be read where its weights are known and the same everywhere. "
                "Use it outside of jit, on the weights of one place."
            )
        return np.asarray(self.weights, float)
