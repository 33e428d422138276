"""Stencils between channels: the convolution layer."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.boundaries import Boundaries
from continua.space.grid import Grid
from continua.space.neighbours import Offsets
from continua.space.stencil import LocalOperator


class ChannelStencil(LocalOperator):
    r"""A stencil whose weights are matrices between channels.

    $$ (S u)_a(x) = \sum_j \sum_b W_{j a b}\, u_b(x + j h) $$

    Args:
        weights: [*kernel, out, in], the kernel odd along each axis of space. They can be trained.
        boundaries: what stands beyond the faces; `Outside()` is the zero padding of other libraries.

    Fields are [in, *shape] or [..., in, *shape]. With one kernel a channel and no mixing, `Stencil` is thirty times
    faster; for dense matrices this one, which is XLA's convolution with channels last.
    """

    weights: Array
    boundaries: Boundaries | None
    spacing: tuple[float, ...] = eqx.field(static=True)
    grid: Grid | None = eqx.field(static=True, default=None)
    order: int = eqx.field(static=True, default=2)

    def __init__(self, weights: Any, boundaries: Any) -> None:
        self.weights = jnp.asarray(weights)
        sizes: Sequence[int] = self.weights.shape[:-2]
        if not sizes or any(size % 2 == 0 for size in sizes):
            raise ArgumentError(
                "`weights` of ChannelStencil must be [*kernel, out, in] with an odd kernel. "
                f"Got shape {self.weights.shape}."
            )
        self.boundaries = Boundaries.of(boundaries, len(sizes), "ChannelStencil")
        self.spacing, self.grid, self.order = (1.0,) * len(sizes), None, 2

    @property
    def offsets(self) -> Offsets:  # type: ignore[override]
        """All places of the kernel."""
        sizes = self.weights.shape[:-2]
        return tuple(tuple(int(i) - n // 2 for i, n in zip(place, sizes, strict=True)) for place in np.ndindex(*sizes))

    def __call__(self, field: Any, t: Any = 0.0) -> Array:
        """Of a field [..., in, *shape], [..., out, *shape]."""
        array, space = self.checked(field), self.dimension
        *_, out, channels = self.weights.shape
        if array.ndim < space + 1 or array.shape[-space - 1] != channels:
            raise ArgumentError(
                f"`field` of ChannelStencil must be [..., {channels}, *shape] with {space} axes of space. "
                f"Got shape {array.shape}."
            )
        padded = self.padded(array, t)
        batch = padded.shape[: -space - 1]
        flat = jnp.moveaxis(padded.reshape(-1, *padded.shape[-space - 1 :]), 1, -1)
        letters = "HWD"[:space]
        inside = lax.conv_general_dilated(
            flat,
            jnp.swapaxes(self.weights, -1, -2).astype(flat.dtype),
            (1,) * space,
            "VALID",
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
        )
        inside = jnp.moveaxis(inside, -1, 1)
        return self.closed(inside.reshape(*batch, out, *inside.shape[2:]))

    def spectrum(self, points: int = 32) -> np.ndarray:
        """Eigenvalues of the symbol's matrices."""
        angles = np.meshgrid(*[np.linspace(-np.pi, np.pi, 2 * (points // 2), endpoint=False)] * self.dimension)
        places = np.array(self.offsets).T
        phase = sum(np.multiply.outer(along, angle.ravel()) for along, angle in zip(places, angles, strict=True))
        matrices = np.asarray(self.weights).reshape(-1, *self.weights.shape[-2:])
        return np.linalg.eigvals(np.einsum("jw,jab->wab", np.exp(1j * phase), matrices)).ravel()

    def ghosts_persist(self) -> bool:
        """Not that it is known."""
        return False
