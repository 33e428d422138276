"""The heat equation in a rod, four ways.

u_t = D u_xx, both ends held at 0, starting from a warm middle. Side by side: explicit Euler, implicit Euler, the
symbol (each wave of the grid times e^(−Dλt), no steps at all), and separation of variables, Σ bₖ sin(kπx) e^(−D(kπ)²t).

Explicit steps are stable up to Δt = Δx²/2D only, whatever accuracy asks for: beyond, the sharpest wave of the grid
grows, and `solve` refuses. Implicit steps have no such limit, and the symbol needs none.

The traps: evaluating the right-hand side once is not a solution; a one-sided second difference is not u_xx; and the
heat kernel e^(−x²/4Dt)/√(4πDt) has no value at t = 0: start from the initial state.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.methods import Banded, Euler, ImplicitEuler, stability_limit
from continua.solver import Fixed
from continua.space import Dirichlet, Evolution, Grid, Stencil, propagate

jax.config.update("jax_enable_x64", True)
SIZE, DIFFUSIVITY, END = 49, 0.1, 0.5


def start(x):
    return jnp.clip(0.5 + (0.2 - abs(x - 0.5)) * (SIZE + 1), 0.0, 1.0)  # the mean of 1 and 0 where it jumps


def separated(x, t, waves=200):
    """The series, whose coefficients are integrals of the start over [0.3, 0.7]."""
    k = np.pi * np.arange(1, waves + 1)[:, None]
    b = 2 * (np.cos(0.3 * k) - np.cos(0.7 * k)) / k
    return (b * np.sin(k * x) * np.exp(-DIFFUSIVITY * k**2 * t)).sum(0)


def main(path="heat_equation.png"):
    grid = Grid.vertices(SIZE, Dirichlet())
    rod = Evolution(Stencil.of("laplace", grid, Dirichlet()), rate=DIFFUSIVITY)
    x, dx = grid.axes[0].points(), grid.spacing[0]
    warm, times = grid.sample(start), jnp.linspace(0.0, END, 11)
    limit = stability_limit(Euler(), rod.spectrum())
    print(f"longest explicit step: {limit:.6f}, Δx²/2D = {dx**2 / 2 / DIFFUSIVITY:.6f}")
    ways = {
        "explicit": continua.solve(rod, warm, times, method=Euler(), step_control=Fixed(limit)).ys[-1],
        "implicit": continua.solve(rod, warm, times, method=ImplicitEuler(Banded(1, 1)), step_control=Fixed(0.005)).ys[
            -1
        ],
        "symbol": propagate(rod, warm, END),
    }
    exact = separated(x, END)
    for name, u in ways.items():
        print(f"{name}: at t = {END} at most {abs(u - exact).max():.1e} from the series, {exact.max():.4f} at its top")
    try:
        continua.solve(rod, warm, times, method=Euler(), step_control=Fixed(1.05 * limit))
    except continua.ContinuaError as refused:
        print("5 % longer:", refused)
    u, broken = warm, []
    for _ in range(100):  # what would happen: the same steps by hand
        u = u + 1.05 * limit * rod(0.0, u, None)
        broken.append(float(abs(u).max()))
    print(f"by hand, 5 % longer: after 100 steps the rod is {broken[-1]:.0f} warm")
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for t in (0.0, 0.02, 0.1, 0.5):
        left.plot(x, propagate(rod, warm, t), "C0", alpha=1 - 0.8 * t)
    for (name, u), mark in zip(ways.items(), ("o", "x", "."), strict=True):
        left.plot(x[::3], u[::3], mark, label=f"{name}, t = {END}")
    left.plot(x, exact, "k", linewidth=0.8, label="series")
    left.set(xlabel="x", ylabel="u")
    left.legend()
    right.semilogy(broken, label="Δt = 1.05 Δx²/2D")
    right.set(xlabel="step", ylabel="largest |u|")
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
