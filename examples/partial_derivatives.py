"""Partial derivatives and the gradient.

The gradient of f = x² + y² is (2x, 2y): it points where f grows fastest, and its length says how fast. The slope in any
other direction v of length 1 is ∇f · v, so it is 0 along a contour and smallest straight back.

The trap: `np.gradient` is no gradient of a function. It takes differences between the neighbours in an array of values,
off by half a spacing at the ends, and of a single value it makes nothing at all.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from continua.calculus import check_gradient, directional, gradient, laplacian, stationary_points
from continua.show import new_figure

jax.config.update("jax_enable_x64", True)


def bowl(p):
    return p[0] ** 2 + p[1] ** 2


def main(path="partial_derivatives.png"):
    at = jnp.array([1.0, 0.5])
    print(f"∇f at (1, 0.5) = {gradient(bowl)(at)}, closed form (2x, 2y); {check_gradient(bowl, at)}")
    angles = np.linspace(0, 2 * np.pi, 361)
    slopes = [float(directional(bowl, at, jnp.array([np.cos(a), np.sin(a)]))) for a in angles]
    steepest = angles[np.argmax(slopes)]
    print(f"steepest towards {np.degrees(steepest):.0f}°, where ∇f points to {np.degrees(np.arctan2(1, 2)):.1f}°")
    print(f"slope there {max(slopes):.4f} = |∇f| = {float(jnp.linalg.norm(gradient(bowl)(at))):.4f}; ", end="")
    print(f"along the contour {float(directional(bowl, at, jnp.array([-0.5, 1.0]))):.1f}")
    (rest,) = stationary_points(bowl, jnp.array([-2.0, -2.0]), jnp.array([2.0, 2.0]))
    print(f"∇f = 0 at ({rest.x[0]:.0f}, {rest.x[1]:.0f}), a {rest.kind}; Δf = {float(laplacian(bowl)(at)):.0f}")
    samples = np.linspace(0.0, 2.0, 5) ** 2
    print(f"np.gradient of x² at x = 0 from five values: {np.gradient(samples, 0.5)[0]:.1f}, of one value: ", end="")
    print(f"{np.gradient(np.array(4.0))}; the derivative is 0")
    figure, ((axes,),) = new_figure(5.5, 5)
    x, y = np.meshgrid(np.linspace(-2, 2, 13), np.linspace(-2, 2, 13))
    points = jnp.stack([x.ravel(), y.ravel()], axis=1)
    arrows = jax.vmap(gradient(bowl))(points)
    fine = np.linspace(-2.2, 2.2, 101)
    axes.contour(fine, fine, fine[None] ** 2 + fine[:, None] ** 2, levels=8, cmap="viridis", linewidths=1.0)
    axes.quiver(*points.T, *arrows.T, width=0.004)
    axes.quiver(*at, *gradient(bowl)(at), color="C1", width=0.008, zorder=3)
    axes.set(xlabel="x", ylabel="y", title="∇(x² + y²) = (2x, 2y), across the contours", aspect="equal")
    figure.savefig(path, facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:2])
