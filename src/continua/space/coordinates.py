"""Systems of coordinates: what a step along an axis is worth in length, and a cell in volume."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array

Points = tuple[Array, ...]  # one array for each axis, which broadcast against each other


@dataclass(frozen=True)
class Coordinates:
    r"""Orthogonal coordinates.

    $$ \Delta u = \frac{1}{J} \sum_i \partial_i \Big( \frac{J}{s_i^2}\, \partial_i u \Big), \qquad J = \prod_i s_i $$

    where J also holds the measure of the directions along which nothing changes.
    """

    names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def measure(self, points: Points) -> Any:
        """J at the points, in units of length to the power that makes a volume."""

    @abstractmethod
    def scales(self, points: Points) -> tuple[Any, ...]:
        """The s of each axis at the points: length for a step of one."""


class Cartesian(Coordinates):
    """x, y, z: in any number of dimensions."""

    names = ("x", "y", "z")

    def measure(self, points: Points) -> Any:
        """1."""
        return jnp.ones((), points[0].dtype)

    def scales(self, points: Points) -> tuple[Any, ...]:
        """1 along each axis."""
        return (jnp.ones((), points[0].dtype),) * len(points)


class Polar(Coordinates):
    """r and φ in the plane; r alone where nothing depends on φ."""

    names = ("r", "φ")

    def measure(self, points: Points) -> Any:
        """R, times 2π where there is no φ."""
        return points[0] * (1.0 if len(points) == 2 else 2 * jnp.pi)

    def scales(self, points: Points) -> tuple[Any, ...]:
        """1 along r, r along φ."""
        return (jnp.ones_like(points[0]), points[0])[: len(points)]


class Cylindrical(Coordinates):
    """r and z, where nothing depends on the angle."""

    names = ("r", "z")

    def measure(self, points: Points) -> Any:
        """2πr."""
        return 2 * jnp.pi * points[0]

    def scales(self, points: Points) -> tuple[Any, ...]:
        """1 along both."""
        return (jnp.ones((), points[0].dtype),) * len(points)


class Spherical(Coordinates):
    """The distance r from a point, where nothing depends on the direction."""

    names = ("r",)

    def measure(self, points: Points) -> Any:
        """4πr²."""
        return 4 * jnp.pi * points[0] ** 2

    def scales(self, points: Points) -> tuple[Any, ...]:
        """1."""
        return (jnp.ones((), points[0].dtype),)
