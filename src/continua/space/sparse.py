"""A stencil as a sparse matrix with a right-hand side, and back."""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from continua.core import ArgumentError
from continua.space.boundaries import Condition, Face, Outside, Periodic, Symmetric, ghost_rule
from continua.space.grid import Grid
from continua.space.stencil import Stencil

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_NEIGHBOURS = 125


class Affine(NamedTuple):
    """S u = `matrix` [point, point] @ u.ravel() + `constant` [point], as `scipy.sparse` and NumPy have them."""

    matrix: "csr_array"
    constant: np.ndarray


def matrix_of(stencil: Stencil, shape: tuple[int, ...] | None = None, t: float = 0.0) -> Affine:
    """The matrix of a stencil with its boundaries, and what the values on the boundaries add.

    Args:
        stencil: linear, with boundaries.
        shape: of the fields, where the stencil has no grid.
        t: the time, for boundaries that depend on it.

    Raises:
        ArgumentError: nothing is known of the shape.
    """
    from scipy import sparse

    if stencil.boundaries is None or (stencil.grid is None and shape is None):
        raise ArgumentError("`shape` of the fields must be given for a stencil without a grid. Use shape=(64, 64).")
    shape = stencil.grid.shape if stencil.grid is not None else tuple(shape or ())
    weights = np.asarray(stencil.weights)
    each = weights.reshape(len(weights), *[1] * stencil.dimension) if weights.ndim == 1 else weights
    local = np.broadcast_to(each, (len(weights), *shape))
    axes = [
        _ghost_matrix(pair, sides, size, reach, stencil.order)
        for pair, sides, size, reach in zip(
            stencil.boundaries.faces, stencil.faces(), shape, stencil.reach, strict=True
        )
    ]
    total = sparse.csr_array((int(np.prod(shape)),) * 2)
    for offset, weight in zip(stencil.offsets, local, strict=True):
        shifted = sparse.csr_array(np.ones((1, 1)))
        for extended, o, (below, _), size in zip(axes, offset, stencil.reach, shape, strict=True):
            shifted = sparse.kron(shifted, extended[below + o : below + o + size], format="csr")
        total = total + sparse.diags_array(weight.ravel()) @ shifted
    constant = np.asarray(stencil(jnp.zeros(shape, jnp.result_type(float)), t)).ravel()
    return Affine(sparse.csr_array(total), constant)


def stencil_of(matrix: Any, grid: Grid) -> Stencil:
    """The stencil that a sparse matrix is.

    Args:
        matrix: [point, point], sparse or dense; the points in the order of `field.ravel()`.
        grid: where.

    Returns:
        A stencil whose weights vary in space; nothing stands beyond the faces, since the matrix has all neighbours.

    Raises:
        ArgumentError: the matrix is of another size, or each of its points has other neighbours.
    """
    from scipy import sparse

    entries = sparse.coo_array(matrix)
    points = int(np.prod(grid.shape))
    if entries.shape != (points, points):
        raise ArgumentError(
            f"`matrix` must have the shape {(points, points)} for a grid {grid.shape}. Got {entries.shape}."
        )
    rows, columns = (np.stack(np.unravel_index(one, grid.shape)) for one in entries.coords)
    offsets, kind = np.unique((columns - rows).T, axis=0, return_inverse=True)
    if len(offsets) > MOST_NEIGHBOURS:
        raise ArgumentError(
            f"`matrix` has {len(offsets)} different neighbours; a stencil has at most {MOST_NEIGHBOURS}. "
            "Order its points as in field.ravel(), or use the matrix itself."
        )
    weights = np.zeros((len(offsets), *grid.shape))
    np.add.at(weights, (kind.ravel(), *rows), entries.data)
    return Stencil(offsets.tolist(), jnp.asarray(weights), Outside(), grid.spacing, grid)


def _ghost_matrix(
    pair: tuple[Any, Any], sides: tuple[Face, Face], size: int, reach: tuple[int, int], order: int
) -> Any:
    """[points and ghosts, point] of one axis."""
    from scipy import sparse

    parts: list[Any] = [sparse.eye_array(size, format="csr")]
    for upper, (boundary, face, count) in enumerate(zip(pair, sides, reach, strict=True)):
        rows = np.zeros((count, size))
        if isinstance(boundary, Periodic):
            rows[np.arange(count), np.arange(count)] = 1
            rows = rows if upper else rows[::-1, ::-1]
        elif isinstance(boundary, Condition | Symmetric):
            alpha, beta = (0.0, 1.0) if isinstance(boundary, Symmetric) else boundary.weights()
            rule = ghost_rule(
                alpha, beta, face.offset, face.spacing, count, 2 if isinstance(boundary, Symmetric) else order
            )
            rows[:, : rule.inner.shape[1]] = rule.inner
            rows = rows[:, ::-1] if upper else rows[::-1]
        parts.insert(len(parts) if upper else 0, sparse.csr_array(rows))
    return sparse.csr_array(sparse.vstack(parts))
