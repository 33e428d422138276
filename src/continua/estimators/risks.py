"""What scores cost against targets, sample by sample, with first and second derivatives in closed form, on the host.

The same functions as in `continua.optim`, whose derivatives JAX takes; here they are a few passes of NumPy, so that a
small fit compiles nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]


class Risk(ABC):
    """A convex function of the score z of a sample, or of its scores [class], given its target."""

    @abstractmethod
    def value(self, z: Floats, target: Floats) -> Floats:
        """ℓ, [sample]."""

    @abstractmethod
    def slope(self, z: Floats, target: Floats) -> Floats:
        """∂ℓ/∂z, with the shape of z."""

    @abstractmethod
    def stiffness(self, z: Floats, target: Floats) -> Floats:
        """∂²ℓ/∂z², [sample]; its mean over the classes where there are several."""

    def bend(self, z: Floats, target: Floats) -> Callable[[Floats], Floats]:
        """The product v ↦ ∂²ℓ/∂z² v."""
        stiffness = self.stiffness(z, target)
        return lambda v: stiffness * v


class HalfSquare(Risk):
    """(z − target)²/2."""

    def value(self, z: Floats, target: Floats) -> Floats:
        """The half square of the residual."""
        return (z - target) ** 2 / 2

    def slope(self, z: Floats, target: Floats) -> Floats:
        """The residual."""
        return z - target

    def stiffness(self, z: Floats, target: Floats) -> Floats:
        """One."""
        return np.ones_like(z)


class Logistic(Risk):
    """log(1 + exp(−target z)), the target being −1 or +1."""

    def value(self, z: Floats, target: Floats) -> Floats:
        """The softplus of minus the margin."""
        lack = -target * z
        return np.maximum(lack, 0) + np.log1p(np.exp(-np.abs(lack)))  # NumPy's logaddexp takes three times as long

    def slope(self, z: Floats, target: Floats) -> Floats:
        """Minus the target's chance to be missed."""
        return -target * expit(-target * z)

    def stiffness(self, z: Floats, target: Floats) -> Floats:
        """The variance of the class."""
        chance = expit(z)
        return chance * (1 - chance)


class SquaredHinge(Risk):
    """max(0, 1 − target z)², the target being −1 or +1; its curvature is that of the side on which z lies."""

    def value(self, z: Floats, target: Floats) -> Floats:
        """The square of what the margin lacks."""
        return np.maximum(0, 1 - target * z) ** 2

    def slope(self, z: Floats, target: Floats) -> Floats:
        """Zero beyond the margin."""
        return -2 * target * np.maximum(0, 1 - target * z)

    def stiffness(self, z: Floats, target: Floats) -> Floats:
        """Two within the margin, else zero."""
        return np.where(target * z < 1, 2.0, 0.0)


def _chances(z: Floats) -> tuple[Floats, Floats]:
    """Softmax of rows, and the logarithm of what it divides by (scipy's own take three times as long)."""
    top = z.max(1)
    powers = np.exp(z - top[:, None])
    total = powers.sum(1)
    return powers / total[:, None], top + np.log(total)


class Softmax(Risk):
    """log Σ exp z − Σ target z, the target being a row of zeros with a one for the right class."""

    def value(self, z: Floats, target: Floats) -> Floats:
        """Minus the log-chance of the right class."""
        return _chances(z)[1] - np.sum(z * target, axis=1)

    def slope(self, z: Floats, target: Floats) -> Floats:
        """Chances minus targets."""
        return _chances(z)[0] - target

    def stiffness(self, z: Floats, target: Floats) -> Floats:
        """The mean variance of the classes."""
        return (1 - np.sum(_chances(z)[0] ** 2, axis=1)) / z.shape[1]

    def bend(self, z: Floats, target: Floats) -> Callable[[Floats], Floats]:
        """The product with the covariance of the classes."""
        chances, _ = _chances(z)

        def product(v: Floats) -> Floats:
            turned = chances * v
            return turned - chances * turned.sum(1, keepdims=True)

        return product
