"""Gradient descent is Euler's method.

Descending L(x) = x² with learning rate α, x ← x − α L'(x), is Euler's method with step α on the gradient flow
x' = −L'(x): the same numbers, here x_k = 0.8^k for α = 0.1. The flow itself, e^(−2t), always comes down.

The trap: a larger learning rate is not a faster one. Euler multiplies the error by 1 − αλ in each step, where
λ = L'' = 2; it shrinks only for α < 2/λ = 1. At α = 1 the steps jump from side to side for ever, at 1.1 they fly away.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.methods import Euler
from continua.solver import Fixed

jax.config.update("jax_enable_x64", True)
COUNT, CURVATURE = 20, 2.0


def loss(x):
    return x**2


def flow(t, x, args):
    return -jax.grad(loss)(x)


def by_euler(rate):
    times = rate * np.arange(COUNT + 1)
    return times, continua.solve(flow, 1.0, times, method=Euler(), step_control=Fixed(rate)).ys


def by_hand(rate):
    x = [1.0]
    for _ in range(COUNT):
        x.append(x[-1] - rate * float(jax.grad(loss)(x[-1])))
    return np.array(x)


def main(path="gradient_descent_is_euler.png"):
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for rate in (0.1, 0.5, 0.9, 1.0, 1.1):
        times, x = by_euler(rate)
        apart, factor = np.abs(x - by_hand(rate)).max(), 1 - rate * CURVATURE
        print(f"α = {rate}: x_{COUNT} = {x[-1]:9.6f}, factor {factor:+.1f}, by hand the same to {apart:.0e}")
        left.plot(times, x, ".-", label=f"α = {rate}")
    print(f"α = 0.1: x_k − 0.8^k is at most {np.abs(by_euler(0.1)[1] - 0.8 ** np.arange(COUNT + 1)).max():.0e}")
    times = jnp.linspace(0.0, 2.0, 101)
    left.plot(times, continua.solve(flow, 1.0, times, rtol=1e-8).ys, "k", label="flow")
    left.set(xlabel="t = k α", ylabel="x", xlim=(0, 8), ylim=(-3, 3))
    left.legend()
    rates = np.linspace(0.0, 1.4, 101)
    right.plot(rates, np.abs(1 - rates * CURVATURE))
    right.axvline(2 / CURVATURE, color="0.6", linestyle="--", label="α = 2/λ")
    right.axhspan(1.0, 2.0, alpha=0.2, label="diverges")
    right.set(xlabel="α", ylabel="|1 − αλ|")
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
