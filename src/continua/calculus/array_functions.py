"""The functions that formulas may use, on arrays."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax.numpy as jnp

# What computes the grammar's functions on arrays; the names are those of `continua.show`.
ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": jnp.abs,
    "acos": jnp.arccos,
    "asin": jnp.arcsin,
    "atan": jnp.arctan,
    "atan2": jnp.arctan2,
    "ceil": jnp.ceil,
    "cos": jnp.cos,
    "cosh": jnp.cosh,
    "exp": jnp.exp,
    "floor": jnp.floor,
    "log": jnp.log,
    "max": lambda *values: reduce(jnp.maximum, values),
    "min": lambda *values: reduce(jnp.minimum, values),
    "sign": jnp.sign,
    "sin": jnp.sin,
    "sinh": jnp.sinh,
    "tan": jnp.tan,
    "tanh": jnp.tanh,
}
