"""Stochastic volatility: 20,000 prices whose noise is itself driven by noise, and what an option on them is worth.

    dS = r S dt + √v S dW₁,    dv = κ (θ − v) dt + ξ √v (ρ dW₁ + √(1 − ρ²) dW₂)        (Heston, 1993)

The trap: to take one volatility for all times. A price that falls makes the variance rise (ρ < 0), so large losses are
more frequent than a normal law has them, and options that insure against them are dearer: the implied volatility, which
in the law of Black and Scholes is one number, falls with the strike. Every path has a key of its own: the same keys
give the same paths, so the price of an option has a derivative in each parameter, path by path.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from matplotlib.figure import Figure

import continua
from continua.equations import SDE, GeneralNoise
from continua.methods import EulerMaruyama
from continua.solver import Fixed

continua.configure(float64=True)

RATE, COUNT = 0.02, 20_000
PARAMETERS = {"kappa": 2.0, "theta": 0.04, "xi": 0.4, "rho": -0.7}
START, STRIKES = jnp.array([1.0, 0.04]), jnp.linspace(0.8, 1.2, 9)
YEAR, DAYS = jnp.array([0.0, 1.0]), jnp.linspace(0.0, 1.0, 101)
STEPS = {"method": EulerMaruyama(), "step_control": Fixed(0.01)}


def drift(t, y, p):
    return jnp.stack([RATE * y[0], p["kappa"] * (p["theta"] - y[1])])


def diffusion(t, y, p):
    root = jnp.sqrt(jnp.maximum(y[1], 1e-12))  # a step of finite length may end below 0
    return root * jnp.stack([y[0] * jnp.eye(2)[0], p["xi"] * jnp.stack([p["rho"], jnp.sqrt(1 - p["rho"] ** 2)])])


HESTON = SDE(drift, diffusion, GeneralNoise())


def calls(p):
    """What calls on the price after a year are worth today, and the prices themselves."""
    keys = jax.random.split(jax.random.key(0), COUNT)
    ends = continua.solve_ensemble(HESTON, START, YEAR, args=p, key=keys, in_axes={}, **STEPS).ys[:, -1, 0]
    return jnp.exp(-RATE) * jnp.maximum(ends[:, None] - STRIKES[None], 0).mean(0), ends


def black_scholes(volatility):
    high = (RATE - jnp.log(STRIKES)) / volatility + volatility / 2
    return norm.cdf(high) - STRIKES * jnp.exp(-RATE) * norm.cdf(high - volatility)


def implied(worth):
    """The volatilities with which Black and Scholes would ask these prices, by bisection."""
    low, width = jnp.zeros_like(worth), 1.0
    for _ in range(40):
        width /= 2
        low = jnp.where(black_scholes(low + width) < worth, low + width, low)
    return low


def main(path="stochastic_volatility.png"):
    worth, ends = jax.jit(calls)(PARAMETERS)
    slope = jax.jit(jax.grad(lambda p: calls(p)[0][4]))(PARAMETERS)
    smile = implied(worth)
    keys = jax.random.split(jax.random.key(1), 8)
    few = continua.solve_ensemble(HESTON, START, DAYS, args=PARAMETERS, key=keys, in_axes={}, **STEPS).ys
    print(f"mean price after a year: {ends.mean():.4f}, without arbitrage {np.exp(RATE):.4f}")
    print(f"implied volatility at strikes 0.8, 1.0, 1.2: {smile[0]:.3f}, {smile[4]:.3f}, {smile[8]:.3f}")
    print(f"a call at 1.0 is worth {worth[4]:.4f}; derivatives:", ", ".join(f"{k} {v:.4f}" for k, v in slope.items()))

    figure = Figure(figsize=(9, 3), layout="constrained")
    prices, variances, smiles = figure.subplots(1, 3)
    prices.plot(DAYS, few[:, :, 0].T, lw=0.8)
    prices.set(xlabel="time in years", title="price of eight paths")
    variances.plot(DAYS, np.sqrt(np.maximum(few[:, :, 1].T, 0)), lw=0.8)
    variances.set(xlabel="time in years", title="their volatility √v")
    smiles.plot(STRIKES, smile, "o-", label="stochastic volatility")
    smiles.axhline(np.sqrt(PARAMETERS["theta"]), color="C1", ls="--", label="one volatility, √θ")
    smiles.set(xlabel="strike", title="implied volatility")
    smiles.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:2])
