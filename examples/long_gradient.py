"""The gradient of a solve of 100,000 steps, and what it takes to remember them.

    λₙ = (∂Φₙ/∂y)ᵀ λₙ₊₁    needs yₙ for every n, from the last to the first

The trap: to keep every step. Memory then grows with their number, and a long solve cannot be differentiated at all.
Here one page of steps is kept and the first state of each page before it; on the way back a page is stepped again when
its turn comes. The gradient is the same to the last digits, for one more pass over the steps.
"""

import sys

import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

import continua
from continua.methods import RK4
from continua.solver import Fixed

jax.config.update("jax_enable_x64", True)

STATES, LENGTH = 100, 0.01
STEPS = [10**k for k in range(2, 7)]
FREQUENCIES = jnp.linspace(0.5, 1.5, STATES // 2)


def oscillators(t, y, pull):
    """Fifty of them, side by side: x'' = −(pull ω)² x."""
    x, v = jnp.split(y, 2)
    return jnp.concatenate([v, -((pull * FREQUENCIES) ** 2) * x])


def gradient(steps):
    """The derivative of the sum of all positions at the end, with respect to the pull of all springs."""
    start, ts = jnp.repeat(jnp.array([1.0, 0.0]), STATES // 2), jnp.array([0.0, steps * LENGTH])

    def positions(pull):
        how = {"method": RK4(), "step_control": Fixed(h=LENGTH), "max_steps": steps + 1}
        return continua.solve(oscillators, start, ts, args=pull, **how).ys[-1, : STATES // 2].sum()

    return jax.jit(jax.grad(positions)).lower(1.0).compile()


def main(figure=None):
    programs = {steps: gradient(steps) for steps in STEPS}
    kept = {steps: program.memory_analysis().temp_size_in_bytes / 2**20 for steps, program in programs.items()}
    for steps, size in kept.items():
        print(f"{steps:>9,} steps: {size:8.1f} MiB, where all of them take {all_steps(steps):9.1f} MiB")
    end = 1e5 * LENGTH
    exact = -float(jnp.sum(FREQUENCIES * end * jnp.sin(FREQUENCIES * end)))
    found = float(programs[100_000](jnp.asarray(1.0, jnp.float64)))
    print(f"gradient over 100,000 steps: {found:.6f}, where the closed form is {exact:.6f}")
    if figure:
        draw(kept, figure)


def all_steps(steps):
    """What keeping the state before every step would take, MiB."""
    return steps * STATES * 8 / 2**20


def draw(kept, path):
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.loglog(STEPS, [all_steps(steps) for steps in STEPS], "--", label="every step kept")
    axes.loglog(STEPS, list(kept.values()), "o-", label="this program's working memory")
    axes.set(xlabel="steps", ylabel="MiB", title=f"Memory of a gradient, {STATES} states")
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
