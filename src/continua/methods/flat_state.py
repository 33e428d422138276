"""A state as one vector, for methods that solve linear systems in it."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import Args, FlatState, Instant, State
from continua.methods.jacobians import Jacobian
from continua.methods.method import Slope


class Flattened(NamedTuple):
    """The state as a vector, the slope on it, and both ways between vectors and PyTrees."""

    y: FlatState
    slope: Slope
    ravel: Callable[[State], FlatState]
    unravel: Callable[[Array], State]


def flattened(equation: Slope, t: Instant, y: State, jacobian: Jacobian) -> Flattened:
    """Inside the driver, where times keep an axis, the state is flat already and the equation prepared."""
    if jnp.ndim(t):
        return Flattened(y, equation, lambda y: y, lambda y: y)
    prepared = jacobian.prepared(equation)
    flat, unravel = ravel_pytree(y)

    def ravel(y: State) -> FlatState:
        return ravel_pytree(y)[0].astype(flat.dtype)

    def slope(t: Instant, y: FlatState, args: Args) -> FlatState:
        return ravel(prepared(t, unravel(y), args))

    return Flattened(flat, slope, ravel, unravel)
