"""The lowest modes of a membrane of any shape."""

import warnings
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, FailedSolve
from continua.space.boundaries import Boundaries
from continua.space.elliptic.network import Network, network
from continua.space.elliptic.problems import SLACK, default_method
from continua.space.grid import Grid

GUARDS = 2  # modes beyond those that are wanted: they hold what converges slowly


class Modes(eqx.Module):
    """`eigenvalues` [mode] from the lowest up, in 1/length², and `fields` [mode, *shape] of which ∫u² = 1."""

    eigenvalues: np.ndarray
    fields: np.ndarray


def eigenmodes(
    grid: Grid, boundaries: Any, count: int = 1, *, inside: Any = None, rtol: float = 1e-10, max_steps: int = 400
) -> Modes:
    r"""The lowest modes of the Laplacian, in a box or in any part of it.

    $$ -\Delta u = \lambda u $$

    Args:
        grid: where.
        boundaries: on the faces of the box; values that they bring do not count.
        count: how many modes.
        inside: a field of true and false: u is 0 outside.
        rtol: how exact an eigenvalue is, relative to itself.
        max_steps: how many at the most.

    Returns:
        `Modes`. A re-entrant corner of 270° makes eigenvalues converge like spacing^(4/3), slower than to second order.

    Raises:
        ArgumentError: `inside` has another shape than the grid, or too few points.
        FailedSolve: the iteration did not come to its tolerance.

    Good for: membranes, resonators, the slowest decay of heat. By LOBPCG, preconditioned by a fast solve in the whole
    box. Source: Knyazev, SIAM J. Sci. Comput. 23 (2001) 517–541.
    """
    mask = np.ones(grid.shape, bool) if inside is None else np.asarray(inside, bool)
    if mask.shape != grid.shape:
        raise ArgumentError(f"`inside` of eigenmodes must have the shape {grid.shape} of its grid. Got {mask.shape}.")
    block = count + GUARDS
    if count < 1 or mask.sum() < 5 * block:
        raise ArgumentError(
            f"`count` of eigenmodes must be at least 1, with {5 * block} points inside. "
            f"Got {count} and {mask.sum()} points."
        )
    from scipy.sparse.linalg import lobpcg

    faces = Boundaries.of(boundaries, grid.dimension, "eigenmodes").homogeneous()
    shift = 1 / max(axis.upper - axis.lower for axis in grid.axes) ** 2

    def acting(function: Callable[..., Array]) -> Callable[[np.ndarray], np.ndarray]:
        """On columns of values inside, times the root of the cell: so that everything is symmetric."""

        def columns(x: np.ndarray) -> np.ndarray:
            fields = np.zeros((x.shape[1], *grid.shape))
            fields[:, mask] = x.T
            return np.asarray(function(grid, faces, shift, jnp.asarray(fields)))[:, mask].T

        return columns

    start = np.random.default_rng(0).standard_normal((int(mask.sum()), block))
    laplacian, inverse = acting(_laplacian), acting(_inverse)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of the guards
        found, vectors = lobpcg(
            laplacian, start, M=inverse, tol=np.sqrt(rtol) * shift, maxiter=max_steps, largest=False
        )[:2]
    order = np.argsort(found)[:count]
    values, vectors = found[order], vectors[:, order]
    left = np.linalg.norm(laplacian(vectors) - values * vectors, axis=0)
    if not (left <= SLACK * np.sqrt(rtol) * np.maximum(values, shift)).all():
        raise FailedSolve(
            f"`eigenmodes` did not come to its tolerance in {max_steps} steps: the largest residual is "
            f"{np.max(left / np.maximum(values, shift)):.2g} of an eigenvalue. Use a larger `max_steps` or `rtol`."
        )
    fields = np.zeros((count, *grid.shape))
    fields[:, mask] = vectors.T
    cell = np.prod(grid.spacing) * np.asarray(_shares(grid, faces))
    return Modes(values, fields / np.sqrt(cell))


def _network(grid: Grid, faces: Boundaries, shift: float) -> Network:
    one = jnp.ones((1,) * grid.dimension)
    return network(grid, faces, one, shift * one, one.dtype)


def _shares(grid: Grid, faces: Boundaries) -> Array:
    return _network(grid, faces, 0.0).weights


@eqx.filter_jit
def _laplacian(grid: Grid, faces: Boundaries, shift: float, fields: Array) -> Array:
    del shift
    net = _network(grid, faces, 0.0)
    root = jnp.sqrt(net.weights)
    return jax.vmap(lambda u: net.product(u / root) / root)(fields)


@eqx.filter_jit
def _inverse(grid: Grid, faces: Boundaries, shift: float, fields: Array) -> Array:
    """Of the Laplacian in the whole box, shifted so that it has one."""
    net = _network(grid, faces, shift)
    root, solve = jnp.sqrt(net.weights), default_method(net, True).solver(net, False)
    return jax.vmap(lambda u: solve(u * root) * root)(fields)
