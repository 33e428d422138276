"""A system in other units: its states and its time multiplied by constants."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation


class Scaled(Equation):
    r"""A system whose states and time are measured in other units.

    $$ y = s \circ z(r t), \qquad y' = r\, s \circ f\Big(r t, \frac{y}{s}\Big) $$

    Args:
        equation: the system z' = f(t, z) in its own units.
        scale: [state], the size of one own unit of each state in the units of y.
        rate: how many own units of time pass in one unit of t.

    Good for: a textbook form with few parameters, such as van der Pol's, on data in any units.
    """

    equation: Equation
    scale: Float[Array, " state"] = eqx.field(converter=jnp.asarray)
    rate: Float[Array, ""] = eqx.field(converter=jnp.asarray)

    def __call__(self, t: Instant, y: Float[Array, " state"], args: Args) -> Float[Array, " state"]:
        """dy/dt of y [state]."""
        return self.rate * self.scale * self.equation(self.rate * t, y / self.scale, args)
