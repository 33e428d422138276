"""Integrals in many dimensions from points that fill the cube evenly, and an error from scrambling them anew."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, DTypeLike

from continua.calculus.regions import Integrand
from continua.core import ArgumentError

DEVIATIONS = 3.0  # of the mean: what is given as error


class QuasiMonteCarlo(NamedTuple):
    r"""Sobol's points, scrambled independently a few times.

    $$ \int_{[0,1]^d} f \approx \bar I = \frac1m \sum_{j=1}^m \frac1n \sum_{i=1}^n f(x_i^{(j)}) $$

    The scramblings are independent and unbiased, so their spread tells the error: three standard deviations of the mean
    are given. For smooth f it falls nearly like n^(−3/2), for rough f like n^(−1/2).

    Args:
        seed: of the scramblings: the same gives the same points.
        points: of one scrambling, a power of two.
        copies: how many scramblings.

    Source: Owen, J. Complexity 14 (1998) 466–489.
    """

    seed: int
    points: int = 2**12
    copies: int = 16

    def scrambled(self, dimension: int, dtype: DTypeLike) -> tuple[Array, Array]:
        """The sides [copy, point] and the points of their unit cubes [copy, point, dim]."""
        from scipy.stats.qmc import Sobol

        if self.points < 2 or self.points & (self.points - 1):
            raise ArgumentError(f"`points` of `QuasiMonteCarlo` must be a power of two. Got {self.points}. Use 4096.")
        if self.copies < 2:
            raise ArgumentError(f"`copies` of `QuasiMonteCarlo` must be at least 2. Got {self.copies}. Use 16.")
        generator = np.random.default_rng(self.seed)
        drawn = [Sobol(dimension, rng=generator).random(self.points) for _ in range(self.copies)]
        u = np.stack(drawn) + 2.0**-31  # in the middle of the numbers of 30 digits: never at an end
        far = u >= 0.5
        sides = far @ (1 << np.arange(dimension))
        return jnp.asarray(sides, jnp.int32), jnp.asarray(2 * np.where(far, 1 - u, u), dtype)


def mean_over(integrand: Integrand, sides: Array, points: Array) -> tuple[Array, Array]:
    """The integral over all sides of the unit cube and its error, [out] each."""

    def copy(_: None, given: tuple[Array, Array]) -> tuple[None, Array]:
        return None, jnp.mean(jax.vmap(integrand)(*given), 0)

    means = 2.0 ** points.shape[-1] * lax.scan(copy, None, (sides, points))[1]
    return jnp.mean(means, 0), DEVIATIONS * jnp.std(means, 0, ddof=1) / np.sqrt(len(sides)).astype(points.dtype)
