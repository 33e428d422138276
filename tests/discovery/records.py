"""Simulated records: a known law, solved, with noise of a known kind from a fixed seed."""

import jax.numpy as jnp
import numpy as np

import continua
from continua.equations import SIR, ExponentialDecay, Linear, Logistic, LotkaVolterra, Scaled, VanDerPol

ROWS = 21  # everywhere the same, so that programs are compiled once for each family


def solved(equation, start, times):
    """[row, state]: the exact solution, to 1e-9."""
    return np.asarray(continua.solve(equation, jnp.array(start), jnp.asarray(times), rtol=1e-9, atol=1e-9).ys)


def additive(values, share, seed):
    """Normal noise with a share of each state's spread as σ."""
    return values + share * values.std(0) * np.random.default_rng(seed).standard_normal(values.shape)


def log_normal(values, sigma, seed):
    return values * np.exp(sigma * np.random.default_rng(seed).standard_normal(values.shape))


def table(times, values, names):
    """A mapping as `fit` takes it."""
    return {"time": times, **dict(zip(names, values.T, strict=True))}


TIMES = {
    "LotkaVolterra": np.linspace(0.0, 20.0, ROWS),
    "Spiral": np.linspace(0.0, 12.0, ROWS),
    "VanDerPol": np.linspace(0.0, 10.0, ROWS),
    "Logistic": np.linspace(0.0, 10.0, ROWS),
    "ExponentialDecay": np.linspace(0.0, 5.0, ROWS),
    "SIR": np.linspace(0.0, 40.0, ROWS),
}
LAWS = {
    "LotkaVolterra": (LotkaVolterra(0.55, 0.028, 0.024, 0.80), [30.0, 4.0]),
    "Spiral": (Linear(jnp.array([[-0.15, -1.1], [0.8, -0.05]]), jnp.array([0.3, -0.2])), [3.0, 0.0]),
    "VanDerPol": (Scaled(VanDerPol(1.5), jnp.array([10.0, 0.2]), jnp.array(1.0)), [20.0, 0.0]),
    "Logistic": (Logistic(0.9, 50.0), [2.0]),
    "ExponentialDecay": (ExponentialDecay(0.7), [40.0]),
    "SIR": (SIR(0.5, 0.2), [0.99, 0.01, 0.0]),
}


def record(name):
    """(times, exact values) of a law above."""
    equation, start = LAWS[name]
    return TIMES[name], solved(equation, start, TIMES[name])
