"""Systems that several of these tests look at."""

import jax.numpy as jnp


def rossler(t, y, args):
    """Rössler's equations with a = b = 0.2; `args` is c."""
    return jnp.stack([-y[1] - y[2], y[0] + 0.2 * y[1], 0.2 + y[2] * (y[0] - args)])


def one_state(t, y, args):
    """y' = (drive cos t + rate + bend y) y; `args` are the three."""
    drive, rate, bend = args
    return (drive * jnp.cos(t) + rate + bend * y) * y
