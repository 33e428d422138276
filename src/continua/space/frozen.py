"""Stencils that learn, and stay approximations of one operator: the constraint of PDE-Net as a parametrisation."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.grid import Grid
from continua.space.operators import Operator, terms_of
from continua.space.stencil import Stencil


class FrozenOrder(eqx.Module):
    r"""All stencils of one width that approximate an operator with one order of accuracy.

    $$ w = w_0 + N \theta, \qquad M w_0 = m, \quad M N = 0 $$

    M are the moments of order below `order` plus that of the operator's highest derivatives, m the operator's; $w_0$ is
    the shortest solution, the columns of N are orthonormal. So whatever θ is learned, the order stays.

    Args:
        operator: as for `Stencil.of`.
        shape: of the kernel, odd along each axis.
        grid: where, Cartesian.
        boundaries: what stands beyond the faces.
        order: of accuracy.

    Good for: learning a scheme from data: upwind weights, sub-grid corrections.

    Source: Long, Lu, Ma & Dong, PDE-Net: learning PDEs from data (ICML 2018).

    Example:
        >>> from continua.space import Grid, Periodic
        >>> model = FrozenOrder("dx", (5,), Grid.cells(16), Periodic(), order=2)
        >>> model.theta.shape, model.stencil().operator().order_of({(1,): 1.0})[0]
        ((2,), 2)
    """

    theta: Array
    start: tuple[float, ...] = eqx.field(static=True)
    free: tuple[tuple[float, ...], ...] = eqx.field(static=True)
    pattern: Stencil

    def __init__(
        self, operator: str | Mapping[Any, float] | Operator, shape: Any, grid: Grid, boundaries: Any, *, order: int = 2
    ) -> None:
        sizes = tuple(int(n) for n in np.atleast_1d(shape))
        if len(sizes) != grid.dimension or any(n % 2 == 0 or n < 1 for n in sizes):
            raise ArgumentError(f"`shape` of FrozenOrder must be odd along each of {grid.dimension} axes. Got {shape}.")
        wanted = terms_of(operator, grid.letters)
        highest = max(map(sum, wanted))
        places = np.array([*itertools.product(*(range(-(n // 2), n // 2 + 1) for n in sizes))])
        powers = [
            p for p in itertools.product(range(highest + order), repeat=grid.dimension) if sum(p) < highest + order
        ]
        rows = np.array([np.prod(places.astype(float) ** np.array(p), 1) for p in powers])
        h = np.array(grid.spacing)
        factorials = [math.prod(map(math.factorial, p)) for p in powers]
        goal = np.array(
            [wanted.get(p, 0.0) * f / np.prod(h ** np.array(p)) for p, f in zip(powers, factorials, strict=True)]
        )
        left, values, right = np.linalg.svd(rows)
        rank = int((values > 1e-10 * values[0]).sum())
        start = right[:rank].T @ ((left.T @ goal)[:rank] / values[:rank])
        if not np.allclose(rows @ start, goal, rtol=1e-8, atol=1e-8 * np.abs(goal).max()):
            raise ArgumentError(
                f"`shape` {sizes} of FrozenOrder is too small for {operator!r} with order {order}. Use a larger one."
            )
        free = right[rank:]
        if not len(free):
            raise ArgumentError(
                f"`shape` {sizes} of FrozenOrder leaves nothing to learn at order {order}. Use a larger one."
            )
        self.start = tuple(start.tolist())
        self.free = tuple(tuple(row) for row in (free * np.abs(start).max()).tolist())
        self.pattern = Stencil(
            [tuple(p) for p in places.tolist()], np.zeros(len(places)), boundaries, grid.spacing, grid, order
        )
        self.theta = jnp.zeros(len(free))

    def stencil(self) -> Stencil:
        """With the weights of θ."""
        dtype = self.theta.dtype
        return self.pattern.with_weights(jnp.asarray(self.start, dtype) + self.theta @ jnp.asarray(self.free, dtype))

    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [*shape], the same."""
        return self.stencil()(field, t)
