"""Diffusion with a coefficient that varies, in any coordinates: one stencil, from fluxes through the faces of cells."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, is_traced
from continua.space.boundaries import Boundaries, Periodic
from continua.space.coordinates import Cartesian
from continua.space.grid import Grid
from continua.space.stencil import Stencil


def divergence_form(grid: Grid, boundaries: Any, coefficient: Any = 1.0) -> Stencil:
    r"""$\nabla \cdot (a \nabla u)$, of second order.

    $$ (S u)_i = \frac{1}{\bar J_i} \sum_{\pm, k} \frac{(J a / s_k^2)_{i \pm 1/2}}{h_k^2}\, (u_{i \pm 1} - u_i) $$

    with J and s of the grid's coordinates, $\bar J$ being the mean over a cell: what leaves one cell enters the next.

    Args:
        grid: where.
        boundaries: what stands beyond the faces. On r = 0 nothing flows, whatever is said there: say `Symmetric()`.
        coefficient: a, positive: a number, a field [*shape], of which the mean of two neighbours is taken at the face
            between them, or a function `a(x, y, …)` of the coordinates, which is taken at the faces themselves.

    Returns:
        A stencil whose weights vary in space; they, and so the coefficient, can be differentiated.
    """
    array = None if callable(coefficient) else jnp.asarray(coefficient, jnp.result_type(float))
    if array is not None and array.shape not in ((), grid.shape):
        raise ArgumentError(
            f"`coefficient` of divergence_form must be a number, a function or a field {grid.shape}. Got {array.shape}."
        )
    if array is not None and not is_traced(array) and not bool(jnp.all(array > 0)):
        raise ArgumentError(
            "`coefficient` of divergence_form must be positive everywhere. Look for zeros and gaps in it."
        )
    sides = Boundaries.of(boundaries, grid.dimension, "divergence_form")
    middle = grid.points()
    ends = [(middle[0] + side * grid.spacing[0] / 2, *middle[1:]) for side in (-1, 1)]  # J changes along r alone
    low, here, high = (grid.coordinates.measure(points) for points in (ends[0], middle, ends[1]))
    volume = jnp.broadcast_to((low + 4 * here + high) / 6, grid.shape)  # exact, also around r = 0
    if not isinstance(grid.coordinates, Cartesian) and grid.axes[0].points()[0] == 0:
        raise ArgumentError("`grid` of divergence_form has points on r = 0, which are no cells. Use Grid.cells.")
    offsets, weights = [], []
    for axis, h in enumerate(grid.spacing):
        for side in (-1, 1):
            points = tuple(x + side * h / 2 if i == axis else x for i, x in enumerate(middle))
            scale = grid.coordinates.scales(points)[axis]
            through = grid.coordinates.measure(points) / scale**2
            a = coefficient(*points) if array is None else _at_faces(array, sides, axis, side)
            offsets.append(tuple(side * (i == axis) for i in range(grid.dimension)))
            weights.append(jnp.broadcast_to(through * a, grid.shape) / (volume * h**2))
    total = -sum(weights[1:], weights[0])
    return Stencil([*offsets, (0,) * grid.dimension], jnp.stack([*weights, total]), sides, grid.spacing, grid)


def _at_faces(a: Array, boundaries: Boundaries, axis: int, side: int) -> Array:
    """The mean of each point and its neighbour; on the faces of the box, its own value."""
    if a.ndim == 0:
        return a
    neighbour = jnp.roll(a, -side, axis)
    if not isinstance(boundaries.faces[axis][0], Periodic):
        last = np.arange(a.shape[axis]) == (a.shape[axis] - 1 if side > 0 else 0)
        neighbour = jnp.where(last.reshape([-1 if i == axis else 1 for i in range(a.ndim)]), a, neighbour)
    return (a + neighbour) / 2
