"""The problem that the derivative tests share."""

import jax.numpy as jnp
import numpy as np

import continua
from continua.equations import LotkaVolterra
from continua.methods import Tsit5

P = jnp.array([2 / 3, 4 / 3, 1.0, 1.0])
Y0 = jnp.array([1.0, 1.2])
TS = jnp.linspace(0.0, 5.0, 11)
WEIGHTS = jnp.arange(1.0, 12.0)[:, None]
BATCH = 5
STATES = jnp.asarray(1 + np.random.default_rng(0).random((BATCH, 2)))
PARAMETERS = P[None] * (1 + 0.1 * jnp.arange(float(BATCH))[:, None])


def values(p, y0, ts=TS, **options):
    """ys [time, 2] of Lotka–Volterra with parameters p."""
    settings = {"method": Tsit5(), "rtol": 1e-9, "atol": 1e-9, "max_steps": 512} | options
    return continua.solve(LotkaVolterra(*p), y0, ts, **settings).ys


def loss(p, y0, ts=TS, **options):
    """A scalar that all outputs enter with different weights."""
    return (values(p, y0, ts, **options) ** 2 * WEIGHTS).sum()


def finite_difference(f, x, step=1e-5):
    """The central difference quotient of f, with the directions last."""
    x = np.asarray(x, float)
    columns = []
    for i in range(x.size):
        d = np.zeros_like(x)
        d.flat[i] = step
        columns.append((np.asarray(f(jnp.asarray(x + d))) - np.asarray(f(jnp.asarray(x - d)))) / (2 * step))
    return np.stack(columns, -1)


def apart(a, b):
    """The largest difference relative to the largest entry of b."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(np.asarray(b)).max())


def one_by_one(f, *arrays):
    """f applied to each entry of the batch, stacked."""
    return np.stack([np.asarray(f(*(x[i] for x in arrays))) for i in range(BATCH)])
