"""One state that grows or decays."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation, parameter


class ExponentialDecay(Equation):
    r"""Exponential decay: radioactivity, discharge, first-order kinetics.

    $$ y' = -k y, \qquad y(t) = y_0 e^{-k t} $$

    Good values: k = 0.5 from y = 1. Source: Rutherford & Soddy, Phil. Mag. 4 (1902) 370–396.
    """

    states = ("amount",)
    k: Float[Array, ""] = parameter(0.5, "1/time", "decay rate", sign="any")

    def __call__(self, t: Instant, y: Float[Array, "1"], args: Args) -> Float[Array, "1"]:
        """dy/dt of y = [amount]."""
        return -self.k * y


class Logistic(Equation):
    r"""Growth that saturates at the carrying capacity.

    $$ y' = r y \left(1 - \frac{y}{K}\right) $$

    Good values: r = 1, K = 10 from y = 0.5. Source: Verhulst, Corr. Math. Phys. 10 (1838) 113–121.
    """

    states = ("population",)
    r: Float[Array, ""] = parameter(1.0, "1/time", "growth rate", sign="any")
    K: Float[Array, ""] = parameter(10.0, "population", "carrying capacity")

    def __call__(self, t: Instant, y: Float[Array, "1"], args: Args) -> Float[Array, "1"]:
        """dy/dt of y = [population]."""
        return jnp.stack([self.r * y[0] * (1 - y[0] / self.K)])
