"""The stencil of the other arithmetic: maxima for sums, sums for products."""

import functools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.boundaries import Boundaries, Symmetric
from continua.space.grid import Grid
from continua.space.neighbours import Offsets, Window
from continua.space.stencil import LocalOperator


class Dilation(LocalOperator):
    r"""A stencil in the semiring (max, +), and with `erodes` in (min, +).

    $$ (D u)(x) = \max_j \big( u(x + j h) + w_j \big), \qquad (E u)(x) = \min_j \big( u(x + j h) - w_j \big) $$

    Flat ones (w = 0) on a disk are steps of the Hamilton–Jacobi equation $u_t = \pm |\nabla u|$.

    Args:
        offsets: one for each neighbour, in points.
        weights: [neighbour]; 0 unless given. They can be trained.
        boundaries: `Symmetric()` unless given, which changes nothing of flat ones.
        erodes: whether it takes minima.

    Source: Serra, Image Analysis and Mathematical Morphology (1982); Brockett & Maragos, IEEE TSP 42 (1994).
    """

    offsets: Offsets = eqx.field(static=True)
    weights: Any
    boundaries: Boundaries | None
    spacing: tuple[float, ...] = eqx.field(static=True)
    grid: Grid | None = eqx.field(static=True, default=None)
    order: int = eqx.field(static=True, default=2)
    erodes: bool = eqx.field(static=True, default=False)

    def __init__(
        self, offsets: Sequence[Sequence[int]], weights: Any = None, boundaries: Any = None, *, erodes: bool = False
    ) -> None:
        self.offsets = tuple(tuple(int(o) for o in offset) for offset in offsets)
        if not self.offsets or len({len(offset) for offset in self.offsets}) != 1:
            raise ArgumentError(f"`offsets` of Dilation must be one or more, all of one length. Got {offsets!r}.")
        if weights is not None and np.shape(weights) != (len(self.offsets),):
            raise ArgumentError(
                f"`weights` of Dilation must be one for each of its {len(self.offsets)} offsets. "
                f"Got shape {np.shape(weights)}."
            )
        dimension = len(self.offsets[0])
        self.weights = None if weights is None else jnp.asarray(weights)
        self.boundaries = Boundaries.of(Symmetric() if boundaries is None else boundaries, dimension, "Dilation")
        self.spacing, self.grid, self.order, self.erodes = (1.0,) * dimension, None, 2, erodes

    @classmethod
    def disk(cls, radius: float, dimension: int = 2, *, erodes: bool = False) -> "Dilation":
        """A flat one of all points within `radius`."""
        side = int(np.floor(radius))
        places = np.indices((2 * side + 1,) * dimension).reshape(dimension, -1).T - side
        return cls(places[(places**2).sum(1) <= radius**2].tolist(), erodes=erodes)

    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [*shape] or [..., *shape], the same."""
        window = Window(self.padded(self.checked(field), t), self.reach)
        sign = -1 if self.erodes else 1
        extreme = jnp.minimum if self.erodes else jnp.maximum
        views = [window.at(offset) for offset in self.offsets]
        if self.weights is not None:
            views = [view + sign * w for view, w in zip(views, self.weights.astype(views[0].dtype), strict=True)]
        return self.closed(functools.reduce(extreme, views))

    def spectrum(self, points: int = 32) -> np.ndarray:
        """Nothing: it is not linear, and no wave grows."""
        return np.zeros(points, complex)

    def ghosts_persist(self) -> bool:
        """Under mirrors and periodic faces, if it is itself symmetric."""
        opposite = {tuple(-o for o in offset) for offset in self.offsets}
        return self.boundaries is not None and self.weights is None and opposite == {*self.offsets}
