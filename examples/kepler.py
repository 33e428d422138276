"""A planet over a thousand years: methods that keep its energy, and one that does not.

    q'' = −q / |q|³,    with energy |v|² / 2 − 1/|q| = −1/2

The trap: to judge a method by the error of one step alone. Every step of an adaptive method is more exact than one of
Störmer and Verlet, and yet what each loses adds up: the orbit spirals. A symplectic method follows another energy, one
a little off, almost exactly: so its energy error swings and does not grow, however long it runs.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.equations import SecondOrder
from continua.methods import Tsit5, Verlet, Yoshida6
from continua.solver import Fixed

jax.config.update("jax_enable_x64", True)

YEARS, ECCENTRICITY = 1000, 0.3
TIMES = 2 * np.pi * np.linspace(0, YEARS, 1619)  # at ever other places of the orbit
RUNS = {
    "Verlet, 200 steps a year": (Verlet(), {"step_control": Fixed(2 * np.pi / 200)}),
    "Yoshida6, 50 steps a year": (Yoshida6(), {"step_control": Fixed(2 * np.pi / 50)}),
    "Tsit5, rtol 1e-6": (Tsit5(), {"rtol": 1e-6}),
}


def gravity(t, q, args):
    return -q / jnp.linalg.norm(q) ** 3


def energy_error(t, y, args):
    q, v = y
    return jnp.abs(jnp.sum(v**2) - 2 / jnp.linalg.norm(q) + 1)


def main(path="kepler.png"):
    fast = np.sqrt((1 + ECCENTRICITY) / (1 - ECCENTRICITY))
    start = jnp.array([1 - ECCENTRICITY, 0.0]), jnp.array([0.0, fast])
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for name, (method, options) in RUNS.items():
        found = continua.solve(
            SecondOrder(gravity), start, TIMES, method=method, save=energy_error, max_steps=2**19, **options
        )
        error, tenth = np.asarray(found.ys), len(TIMES) // 10
        early, late = error[1 : tenth + 1].max(), error[-tenth:].max()
        print(f"{name}: {found.stats.nfe} forces, energy error {early:.1e} in the first tenth, {late:.1e} in the last")
        axes.semilogy(TIMES / (2 * np.pi), np.maximum(error, 1e-16), lw=0.7, label=name)
    axes.set(xlabel="years", ylabel="relative energy error", title=f"An orbit of eccentricity {ECCENTRICITY}")
    axes.legend(frameon=False, loc="center right")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
