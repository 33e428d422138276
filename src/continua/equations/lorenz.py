"""The Lorenz equations, the first strange attractor."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation, parameter


class Lorenz(Equation):
    r"""Convection rolls heated from below: chaos in three states.

    $$ x' = \sigma (y - x), \qquad y' = x (\rho - z) - y, \qquad z' = x y - \beta z $$

    Good values: σ = 10, ρ = 28, β = 8/3 from (1, 1, 1). Source: Lorenz, J. Atmos. Sci. 20 (1963) 130–141.
    """

    states = ("x", "y", "z")
    sigma: Float[Array, ""] = parameter(10.0, "1", "Prandtl number")
    rho: Float[Array, ""] = parameter(28.0, "1", "Rayleigh number over its critical value")
    beta: Float[Array, ""] = parameter(8 / 3, "1", "aspect of the rolls")

    def __call__(self, t: Instant, y: Float[Array, "3"], args: Args) -> Float[Array, "3"]:
        """dy/dt of y = [x, y, z]."""
        flow, temperature, profile = y[0], y[1], y[2]
        return jnp.stack(
            [
                self.sigma * (temperature - flow),
                flow * (self.rho - profile) - temperature,
                flow * temperature - self.beta * profile,
            ]
        )
