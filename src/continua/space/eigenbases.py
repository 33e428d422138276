r"""The second difference of one axis, and the transform in which it is a product.

$$ -\frac{u_{j-1} - 2u_j + u_{j+1}}{h^2} = \lambda u_j, \qquad \lambda = \frac{4}{h^2} \sin^2 \frac{\theta}{2} $$

Where both ends are mirrors, or the axis is periodic, the eigenvectors are waves and a fast transform finds their
amplitudes; every other pair of conditions has a matrix.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, in_double_precision
from continua.space.boundaries import Boundary, Face, Periodic
from continua.space.grid import Axis
from continua.space.transforms import inverted, transformed


class Closure(NamedTuple):
    """How a homogeneous condition closes the last row of the second difference.

    The row, times `weight` (½ where the point stands on a mirror), is (u_1 − u_0) − `sink` u_0 from the face inward, so
    that all rows together are symmetric. `mirror` is ±1 and the distance of the mirror from the first point, in
    spacings; None where there is none.
    """

    sink: float
    weight: float
    mirror: tuple[int, float] | None


def closure(boundary: Boundary, face: Face) -> Closure:
    """Of a boundary on a face."""
    found = _ghost(boundary.homogeneous(), face)
    first, second = np.where(np.abs(found - np.round(found)) < 1e-12, np.round(found), found).tolist()
    if (first if face.offset == 0 else second) != 0:
        raise ArgumentError(f"{boundary!r} on {face.name} must look at the nearest point alone, as a mirror does.")
    if face.offset == 0:
        if second <= -1:
            raise ArgumentError(f"{boundary!r} on {face.name} must not produce more than the grid can carry away.")
        weight, sink = 1 / (1 + second), (1 - second) / (1 + second)
        return Closure(sink, weight, {1.0: (1, 0.0), 0.0: (-1, 1.0)}.get(second))
    return Closure(1 - first, 1.0, {1.0: (1, 0.5), -1.0: (-1, 0.5), 0.0: (-1, 1.0)}.get(first))


@in_double_precision
def _ghost(boundary: Boundary, face: Face) -> np.ndarray:
    """The weights of the two nearest points in the first ghost."""
    with jax.ensure_compile_time_eval():
        two = jnp.eye(2)
        return np.asarray(boundary.beyond(face, two, two[::-1], 1, 2, 0.0))[0]


def closures(axis: Axis, low: Boundary, high: Boundary, number: int = 0) -> tuple[Closure, Closure] | None:
    """Of both ends; None where the axis is periodic."""
    if isinstance(low, Periodic):
        return None
    ends = (low, Face(number, False, axis.first, axis.spacing)), (high, Face(number, True, axis.last, axis.spacing))
    below, above = (closure(boundary, face) for boundary, face in ends)
    return below, above


@dataclass(frozen=True, eq=False)
class Basis:
    """The eigenvectors of the negative second difference of an axis: `eigenvalues` [mode], in 1/length²."""

    eigenvalues: np.ndarray

    @abstractmethod
    def forward(self, u: Array, axis: int) -> Array:
        """Amplitudes of the modes: `axis` becomes [mode]."""

    @abstractmethod
    def backward(self, u: Array, axis: int) -> Array:
        """The field with these amplitudes."""


@dataclass(frozen=True, eq=False)
class FastBasis(Basis):
    """Waves, by a fast transform."""

    name: str

    def forward(self, u: Array, axis: int) -> Array:
        """By the transform."""
        return transformed(u, self.name, axis)

    def backward(self, u: Array, axis: int) -> Array:
        """By its inverse."""
        return inverted(u, self.name, axis)


@dataclass(frozen=True, eq=False)
class DenseBasis(Basis):
    """Any eigenvectors, by a product with a matrix: `analysis` and `synthesis` [mode, mode]."""

    analysis: np.ndarray
    synthesis: np.ndarray

    def forward(self, u: Array, axis: int) -> Array:
        """By the inverse of the matrix of eigenvectors."""
        return _product(self.analysis, u, axis)

    def backward(self, u: Array, axis: int) -> Array:
        """By the matrix of eigenvectors."""
        return _product(self.synthesis, u, axis)


def _product(matrix: np.ndarray, u: Array, axis: int) -> Array:
    found = jnp.tensordot(jnp.asarray(matrix, u.dtype), u, (1, axis), precision="highest")
    return jnp.moveaxis(found, 0, axis)


def basis(axis: Axis, low: Any, high: Any) -> Basis:
    r"""The transform that makes the second difference of an axis a product with numbers.

    Args:
        axis: of a grid.
        low: the boundary on its lower face; values it brings do not count.
        high: that on its upper face.

    Returns:
        `Basis` with `eigenvalues` [mode], `forward(u, axis)` and `backward(u, axis)`.

    Example:
        >>> from continua.space import Dirichlet, Grid
        >>> found = basis(Grid.vertices(3, Dirichlet()).axes[0], Dirichlet(), Dirichlet())
        >>> found.eigenvalues.round(3).tolist()
        [9.373, 32.0, 54.627]
    """
    size, ends = axis.size, closures(axis, low, high)
    if ends is None:
        waves = np.concatenate([np.arange(size // 2 + 1), np.arange(1, (size + 1) // 2)])
        return FastBasis(_symbol(2 * np.pi * waves / size, axis), "fourier")
    below, above = ends
    name = WAVES.get((below.mirror, above.mirror))
    if name is None or size < 2:
        return _dense(axis, below, above)
    mode = np.arange(size)
    angles = {
        "dct1": mode / max(size - 1, 1),
        "dst1": (mode + 1) / (size + 1),
        "dct2": mode / size,
        "dst2": (mode + 1) / size,
    }
    return FastBasis(_symbol(np.pi * angles.get(name, (mode + 0.5) / size), axis), name)


def _symbol(angle: np.ndarray, axis: Axis) -> np.ndarray:
    return (2 * np.sin(angle / 2) / axis.spacing) ** 2


def _dense(axis: Axis, below: Closure, above: Closure) -> DenseBasis:
    size = axis.size
    weights = np.ones(size)
    weights[[0, -1]] *= below.weight, above.weight
    links = np.concatenate([[below.sink], np.ones(size - 1), [above.sink]])
    matrix = np.diag(links[:-1] + links[1:]) - np.diag(links[1:-1], 1) - np.diag(links[1:-1], -1)
    root = np.sqrt(weights)
    eigenvalues, vectors = np.linalg.eigh(matrix / np.outer(root, root) / axis.spacing**2)
    return DenseBasis(eigenvalues, vectors.T * root, vectors / root[:, None])


# Both mirrors, odd (−1) or even (1), with their distances from the first points: where the values are waves.
WAVES: dict[tuple[Any, Any], str] = {
    ((1, 0.0), (1, 0.0)): "dct1",
    ((1, 0.5), (1, 0.5)): "dct2",
    ((1, 0.0), (-1, 1.0)): "dct3",
    ((1, 0.5), (-1, 0.5)): "dct4",
    ((-1, 1.0), (-1, 1.0)): "dst1",
    ((-1, 0.5), (-1, 0.5)): "dst2",
    ((-1, 1.0), (1, 0.0)): "dst3",
    ((-1, 0.5), (1, 0.5)): "dst4",
}
