"""Descent, momentum and Adam: the same flows, other inertia, other lengths.

A straight line through five points, then a narrow valley, by gradient descent x' = −∇f, by the heavy ball
x'' + γx' = −∇f, and by Adam, which measures each direction by its own recent gradients. Each is a flow of `continua`,
stepped by the Euler that `solve` uses; each gives the numbers of optax, bit for bit.

The trap: comparing them at one learning rate. Each has its own longest stable step: 2/λ for descent, 2(1 + b)/λ with
momentum b.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure

from continua import optim

jax.config.update("jax_numpy_dtype_promotion", "standard")  # JAX's own setting, which optax needs
POINTS = jnp.arange(1.0, 6.0, dtype=jnp.float32), jnp.arange(1.5, 6.0, dtype=jnp.float32)
WAYS = {"descent": ("sgd", 0.03, {}), "momentum": ("sgd", 0.03, {"momentum": 0.9}), "Adam": ("adam", 0.3, {})}


def line(w):
    """Mean square distance of the line w[0] + w[1] x from the points."""
    return jnp.mean((w[0] + w[1] * POINTS[0] - POINTS[1]) ** 2)


def valley(w):
    return (w[0] ** 2 + 100 * w[1] ** 2) / 2


def walk(optimiser, loss, start, steps=1000):
    """All points, [step, parameter], compiled as one scan."""

    def step(carry, _):
        w, state = carry
        updates, state = optimiser.update(jax.grad(loss)(w), state, w)
        return (optim.apply_updates(w, updates), state), w

    start = jnp.asarray(start, jnp.float32)
    return jax.jit(lambda w: jax.lax.scan(step, (w, optimiser.init(w)), length=steps)[1])(start)


def main(path="momentum_and_adam.png"):
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (which, rate, more) in WAYS.items():
        ours = walk(getattr(optim, which)(rate, **more), line, [0.0, 0.0])
        theirs = walk(getattr(optax, which)(rate, **more), line, [0.0, 0.0])
        same = bool((np.asarray(ours) == np.asarray(theirs)).all())
        print(f"{name}: intercept {ours[-1, 0]:.4f}, slope {ours[-1, 1]:.4f}; equal to optax in every bit: {same}")
        left.semilogy(jax.vmap(line)(ours) + 1e-15, label=f"{name}, rate {rate}")
        path_down = walk(getattr(optim, which)(0.018 if which == "sgd" else 0.3, **more), valley, [3.0, 0.4], 200)
        print(f"  in the valley after 200 steps: {valley(path_down[-1]):.1e}")
        right.plot(*path_down[:60].T, ".-", label=name)
    for factor in (0.99, 1.01):
        for name, largest, more in (("descent", 2 / 100, {}), ("momentum", 2 * 1.9 / 100, {"momentum": 0.9})):
            end = walk(optim.sgd(factor * largest, **more), valley, [0.0, 1.0], 500)[-1, 1]
            print(f"{name} at {factor} of its longest stable step: |w| = {abs(float(end)):.1e} after 500 steps")
    left.set(xlabel="step", ylabel="loss of the line")
    right.set(xlabel="w₀", ylabel="w₁", title="a valley a hundred times as steep across")
    left.legend()
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
