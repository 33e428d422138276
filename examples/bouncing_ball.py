"""A bouncing ball: events set the state anew, and the time of the third bounce has a derivative.

    x'' = −g,    and where x = 0 on the way down:  v ← −e v

The trap: stepping over the ground and turning round wherever the step ended. The ball then gains or loses height with
every bounce, and no derivative means anything. Here a step that would cross the ground ends on it, to the last digits
of t, and a derivative takes the change of that time along.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.solver import Event

jax.config.update("jax_enable_x64", True)

GRAVITY, KEPT, HEIGHT = 9.81, 0.8, 1.0
TIMES = jnp.linspace(0.0, 3.0, 601)


def falling(t, y, kept):
    return jnp.stack([y[1], jnp.full_like(y[1], -GRAVITY)])


def thrown_back(t, y, kept):
    return jnp.stack([jnp.zeros_like(y[0]), -kept * y[1]])


GROUND = Event(lambda t, y, kept: y[0], direction=-1, reset=thrown_back)


def bouncing(kept):
    """The flight of a ball that keeps this share of its speed."""
    return continua.solve(falling, jnp.array([HEIGHT, 0.0]), TIMES, args=kept, events=GROUND, rtol=1e-10)


def main(path="bouncing_ball.png"):
    flight = bouncing(KEPT)
    bounces, _ = flight.events.of(0)
    fall = np.sqrt(2 * HEIGHT / GRAVITY)
    slope = jax.grad(lambda kept: bouncing(kept).events.ts[2])(KEPT)
    print("on the ground at t =", ", ".join(f"{t:.4f}" for t in bounces))
    print(f"third bounce: {abs(bounces[2] - fall * (1 + 2 * KEPT + 2 * KEPT**2)):.0e} from its closed form")
    print(f"its derivative in e: {slope:.9f}, {abs(slope - fall * (2 + 4 * KEPT)):.0e} from its closed form")

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(TIMES, flight.ys[:, 0], label="height")
    axes.plot(bounces, np.zeros_like(bounces), "o", ms=5, label="events")
    axes.set(xlabel="time in s", ylabel="height in m", title=f"A ball that keeps {KEPT:.0%} of its speed")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
