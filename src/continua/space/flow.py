"""Flow between neighbours: the non-linear stencil."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, as_node, is_traced
from continua.space.boundaries import Boundaries
from continua.space.grid import Grid
from continua.space.neighbours import Offsets, flowing
from continua.space.stencil import LocalOperator

SLOPES = np.concatenate([-np.geomspace(1e-6, 1e6, 241), [0.0], np.geomspace(1e-6, 1e6, 241)])


class Flow(LocalOperator):
    r"""What flows in from the neighbours along the axes.

    $$ (F u)(x) = \sum_{\pm, i} \frac{1}{h_i}\, \varphi\Big( \frac{u(x \pm h_i e_i) - u(x)}{h_i} \Big)
       \approx \sum_i \partial_i\, \varphi(\partial_i u) $$

    φ is odd: what leaves one point arrives at another, so the sum over all is kept under `Neumann(0)`. It is
    $-K^\top \varphi(K u)$ with K the differences: for a rising φ stable, and a residual block.

    Args:
        flux: φ, on numbers; a module's arrays can be trained.
        boundaries: what stands beyond the faces.
        grid: on which it works; or
        spacing: from point to point, one number for each axis, where any grid will do.

    Good for: `Flow(lambda g: g / (1 + (g / k) ** 2), …)` is the diffusion of Perona and Malik.

    Source: Perona & Malik, IEEE PAMI 12 (1990) 629–639; Ruthotto & Haber, J. Math. Imaging Vision 62 (2020) 352–364.
    """

    flux: Callable[[Any], Any] = eqx.field(converter=as_node)
    offsets: Offsets = eqx.field(static=True)
    boundaries: Boundaries | None
    grid: Grid | None = eqx.field(static=True)
    spacing: tuple[float, ...] = eqx.field(static=True)
    order: int = eqx.field(static=True, default=2)

    def __init__(
        self, flux: Callable[[Any], Any], boundaries: Any, *, grid: Grid | None = None, spacing: Any = None
    ) -> None:
        if (grid is None) == (spacing is None):
            raise ArgumentError(
                "`Flow` needs either a `grid` or the `spacing` along each axis. Use spacing=(1.0, 1.0)."
            )
        self.spacing = tuple(float(h) for h in np.atleast_1d(spacing)) if grid is None else grid.spacing
        self.flux, self.grid, self.order = flux, grid, 2
        axes = range(len(self.spacing))  # the nearest neighbours along each
        self.offsets = tuple(tuple(side * (i == axis) for i in axes) for axis in axes for side in (-1, 1))
        self.boundaries = Boundaries.of(boundaries, len(self.spacing), "Flow")
        with jax.ensure_compile_time_eval():
            ways = self.flux(jnp.array([0.7, -0.7]))
        if is_traced(ways):  # parameters that are being trained: nothing is known about them
            return
        ways = np.asarray(ways)
        if not np.isclose(ways[0] + ways[1], 0, atol=1e-5 * np.abs(ways).max()):
            raise ArgumentError(
                f"`flux` of Flow must be odd: what leaves a point arrives at its neighbour. Got {ways[0]:.4g} for 0.7 "
                f"and {ways[1]:.4g} for -0.7. Use an odd function, such as lambda g: g / (1 + g**2)."
            )

    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [*shape] or [..., *shape], the same."""
        padded = self.padded(self.checked(field), t)
        alike = len(set(self.spacing)) == 1
        groups = [self.offsets] if alike else [self.offsets[i : i + 2] for i in range(0, len(self.offsets), 2)]
        parts = [
            flowing(padded, group, self.reach, Scaled(self.flux, h))
            for group, h in zip(groups, self.spacing, strict=False)
        ]
        return self.closed(sum(parts[1:], parts[0]))

    def spectrum(self, points: int = 32) -> np.ndarray | None:
        """Real, to the sharpest wave, of the steepest φ on a sample of slopes; None while φ is being traced."""
        with jax.ensure_compile_time_eval():
            slopes = jnp.asarray(SLOPES)
            steepest = jax.jvp(self.flux, (slopes,), (jnp.ones_like(slopes),))[1]
        if is_traced(steepest):
            return None
        largest = float(np.abs(np.asarray(steepest)).max())
        return -largest * 4 * sum(h**-2 for h in self.spacing) * np.linspace(0, 1, points) + 0j

    def ghosts_persist(self) -> bool:
        """Under mirrors and periodic faces."""
        return self.boundaries is not None and all(
            side.persists(0.0) for pair in self.boundaries.faces for side in pair
        )


class Scaled(eqx.Module):
    """φ of a difference over h, divided by h."""

    flux: Callable[[Any], Any]
    spacing: float = eqx.field(static=True)

    def __call__(self, difference: Any) -> Any:
        """The flux into a point, over its width."""
        h = self.spacing
        return self.flux(difference) if h == 1 else self.flux(difference / h) / h
