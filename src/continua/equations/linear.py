"""Linear dynamics with a constant drive, for any number of states."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation


class Linear(Equation):
    r"""Affine linear dynamics.

    $$ y' = A y + b $$

    Args:
        A: [state, state], in 1/time (times the ratio of the states' units).
        b: [state], in state/time.

    Good values: A = [[−0.1, −1], [1, −0.1]], b = 0 is a spiral into the origin.
    """

    A: Float[Array, "state state"] = eqx.field(converter=jnp.asarray)
    b: Float[Array, " state"] = eqx.field(converter=jnp.asarray)

    def __call__(self, t: Instant, y: Float[Array, " state"], args: Args) -> Float[Array, " state"]:
        """dy/dt of y [state]."""
        return self.A @ y + self.b
