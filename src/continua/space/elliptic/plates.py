"""The biharmonic equation: plates that rest on their edges, and plates that are clamped there."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, FailedSolve, is_traced
from continua.space.boundaries import Boundaries, Dirichlet
from continua.space.coordinates import Cartesian
from continua.space.elliptic.direct import TransformThomas
from continua.space.elliptic.krylov import conjugate_gradients
from continua.space.elliptic.method import EllipticMethod, wanted_residual
from continua.space.elliptic.network import network
from continua.space.elliptic.problems import SLACK, as_field, poisson
from continua.space.grid import Grid


def biharmonic(
    grid: Grid,
    source: Any,
    boundaries: Any,
    *,
    moments: Any = None,
    method: EllipticMethod | None = None,
    t: Any = 0.0,
) -> Array:
    r"""The biharmonic equation with u and −Δu given on the boundary: a plate that rests on its edges.

    $$ \Delta^2 u = f $$

    Args:
        grid: where.
        source: f, a field [*shape] or a number.
        boundaries: of u; `Dirichlet()` for a plate that is simply supported.
        moments: boundaries of −Δu: those of u without their values unless given.
        method: as for `poisson`, which is solved twice.
        t: the time at which boundaries are read.

    Returns:
        u [*shape], accurate to second order.

    Good for: bending; `clamped_plate` where the slope is given in place of the moment.
    """
    faces = Boundaries.of(boundaries, grid.dimension, "biharmonic")
    bent = faces.homogeneous() if moments is None else moments
    return poisson(grid, poisson(grid, source, bent, method=method, t=t), faces, method=method, t=t)


def clamped_plate(grid: Grid, source: Any, *, rtol: float | None = None, max_steps: int = 500) -> Array:
    r"""The biharmonic equation for a plate that is clamped on all its edges.

    $$ \Delta^2 u = f, \qquad u = \partial_n u = 0 $$

    Args:
        grid: `Grid.vertices(shape, Dirichlet())`, Cartesian.
        source: f, a field [*shape] or a number.
        rtol: of the residual, as for `Multigrid`.
        max_steps: of conjugate gradients, which two Poisson solves precondition; their number grows with the square
            root of the number of points along an axis.

    Returns:
        u [*shape], accurate to second order; differentiable in the source.

    Raises:
        ArgumentError: another grid.
        FailedSolve: more steps would be needed.

    Good for: plates, slow flow in a box (u its streamfunction). Source: Bjørstad, SIAM J. Numer. Anal. 20 (1983) 59–71.
    """
    if not isinstance(grid.coordinates, Cartesian) or any(axis.first != 1 or axis.last != 1 for axis in grid.axes):
        raise ArgumentError("`grid` of clamped_plate must be Cartesian and made by Grid.vertices(shape, Dirichlet()).")
    f = jnp.broadcast_to(as_field(source, grid.shape, "source", "clamped_plate"), grid.shape)
    u, excess = _clamped(grid, f, rtol, max_steps)
    if not is_traced(u) and not excess <= SLACK:
        raise FailedSolve(
            f"`clamped_plate` did not come to its tolerance in {max_steps} steps: the residual is {float(excess):.2g} "
            "times as large. Use a larger `max_steps` or `rtol`, and a finite `source`."
        )
    return u


@eqx.filter_jit
def _clamped(grid: Grid, f: Array, rtol: float | None, max_steps: int) -> tuple[Array, Array]:
    one = jnp.ones((1,) * grid.dimension, f.dtype)
    net = network(grid, Boundaries.of(Dirichlet(), grid.dimension), one, 0 * one, f.dtype)
    edges = jnp.zeros_like(
        one
    )  # behind a clamped edge the plate is its mirror image, behind a supported one the opposite
    for number, axis in enumerate(grid.axes):
        stiff = np.bincount([0, axis.size - 1], minlength=axis.size) * 2 / axis.spacing**4
        edges = edges + net.along(number, stiff, f.dtype)

    def product(u: Array) -> Array:
        return net.product(net.product(u)) + edges * u

    def goal(b: Array, u: Array) -> Array:
        return wanted_residual(rtol, b, net.diagonal() ** 2 * u)

    def solve(_: Any, b: Array) -> Array:
        supported = TransformThomas().solver(net, False)
        return conjugate_gradients(product, lambda x: supported(supported(x)), b, goal, max_steps)

    u = lax.custom_linear_solve(product, f, solve, symmetric=True)
    excess = jnp.linalg.norm((f - product(u)).ravel()) / goal(f, u)
    return jnp.where(excess <= SLACK, u, jnp.nan), excess
