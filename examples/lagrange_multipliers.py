"""Lagrange multipliers are prices.

The largest rectangle in an ellipse, and the point of a line nearest to another: where f is least on g = 0, its gradient
is that of the constraint times λ,

    ∇f = λ ∇g

for to first order nothing is left to be gained along the constraint. λ is the price: relaxing g = 0 to g = −ε changes
the minimum by −λ ε.

The trap: to descend the Lagrangian f − λ g in x and λ together. It has no minimum there, it is a saddle: in λ one has
to ascend, and even that, where f is flat along ∇g, goes round in circles.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from continua import minimise
from continua.optim import Equality, Inequality

jax.config.update("jax_enable_x64", True)
AXES, POINT = jnp.array([2.0, 1.0]), jnp.array([2.0, 2.0])


def area(x):
    return 4 * x[0] * x[1]


def ellipse(x, size=1.0):
    return size - jnp.sum((x / AXES) ** 2)


def line(x):
    return x[0] + 2 * x[1] - 2


def largest(size):
    inside = Inequality(lambda x: ellipse(x, size))
    return minimise(lambda x: -area(x), jnp.array([1.0, 0.3]), constraints=inside)


def distance(x):
    return jnp.sum((x - POINT) ** 2)


def followed(sign, steps=60, rate=0.1):
    """X down f − λ g, and λ down it too, or up."""
    slopes = jax.jit(jax.grad(lambda x, price: distance(x) - price * line(x), argnums=(0, 1)))
    x, price, path = jnp.zeros(2), jnp.asarray(0.0), []
    for _ in range(steps):
        path.append(np.asarray(x))
        down, along = slopes(x, price)
        x, price = x - rate * down, price + sign * rate * along
    return np.array(path)


def main(path="lagrange_multipliers.png"):
    found = largest(1.0)
    price = float(found.multipliers.constraints[0][0])
    print(f"largest rectangle: corner ({found.x[0]:.6f}, {found.x[1]:.6f}), area {area(found.x):.6f}, λ = {price:.6f}")
    gained = (float(area(largest(1.01).x)) - float(area(found.x))) / 0.01
    print(f"an ellipse with 0.01 more: {gained:.4f} of area for a unit of it; conditions hold to {found.slope:.0e}")
    foot = minimise(distance, jnp.zeros(2), constraints=Equality(line))
    print(f"nearest point of the line: ({foot.x[0]:.6f}, {foot.x[1]:.6f}), {foot.value:.6f} away, squared")
    print(foot.multipliers.explain())
    ways = followed(-1.0), followed(+1.0)
    away = [float(np.linalg.norm(way[-1] - np.asarray(foot.x))) for way in ways]
    print(f"after 60 steps: descending in λ {away[0]:.1e} away, ascending {away[1]:.1e}")

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, middle = figure.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(0.0, 2.4, 200), np.linspace(0.0, 1.3, 200))
    left.contour(x, y, 4 * x * y, np.arange(0.5, 9, 0.5), cmap="viridis", linewidths=0.8)
    left.contour(x, y, x**2 / 4 + y**2, [1.0], colors="k", linewidths=2)
    left.fill_between([0, found.x[0]], found.x[1], alpha=0.15)
    for slope, color, width in ((jax.grad(area), "C3", 0.02), (lambda x: -price * jax.grad(ellipse)(x), "C0", 0.008)):
        left.quiver(*found.x, *slope(found.x), color=color, width=width, scale=40)
    left.set(title="∇(area), red, is λ times the normal, blue", aspect="equal", xlim=(0, 2.4), ylim=(0, 1.3))
    middle.axline((0, 1), (2, 0), color="k", lw=2, label="the line")
    for way, name in zip(ways, ("descending in λ", "ascending in λ"), strict=True):
        middle.plot(*way.T, ".-", ms=4, lw=0.8, label=name)
    middle.plot(*POINT, "k*", *np.asarray(foot.x), "ko", ms=9)
    middle.set(title="nearest point: the Lagrangian is a saddle", xlim=(-1, 4), ylim=(-0.8, 2.6), aspect="equal")
    middle.legend(loc="upper right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:2])
