"""Straight lines on curved surfaces.

A surface is a map from two coordinates into space. Its metric g = JᵀJ measures lengths, and the paths that never turn
to a side obey qᵏ'' = −Γᵏᵢⱼ qⁱ' qʲ': on a sphere great circles, on a torus curves that wind round it. Gauss's curvature
K says whether neighbouring lines come together (K > 0, outside) or part (K < 0, inside), and lengths alone tell it.

The trap: lines that are straight in the coordinates, such as circles of latitude, are not straight on the surface.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.calculus import gaussian_curvature, metric, scalar_curvature
from continua.equations import Geodesic

jax.config.update("jax_enable_x64", True)


def sphere(u):
    return jnp.stack([jnp.sin(u[0]) * jnp.cos(u[1]), jnp.sin(u[0]) * jnp.sin(u[1]), jnp.cos(u[0])])


def torus(u):
    ring = 2 + jnp.cos(u[0])
    return jnp.stack([ring * jnp.cos(u[1]), ring * jnp.sin(u[1]), jnp.sin(u[0])])


def main(path="geodesics.png"):
    figure = Figure(figsize=(10, 5), layout="constrained")
    angles, ends = np.linspace(0.3, 2.8, 6), []
    left, right = (figure.add_subplot(1, 2, n, projection="3d") for n in (1, 2))
    for surface, axes, at in ((sphere, left, jnp.array([1.2, 0.0])), (torus, right, jnp.array([0.0, 0.0]))):
        line, g = Geodesic(metric(surface)), metric(surface)(at)
        for angle in angles:
            v = jnp.stack([np.cos(angle), np.sin(angle)]) / jnp.sqrt(jnp.diag(g))  # of length 1
            ts = jnp.linspace(0.0, np.pi if surface is sphere else 12.0, 201)
            places = continua.solve(line, jnp.stack([at, v]), ts, rtol=1e-9, atol=1e-9).ys[:, 0]
            axes.plot(*jax.vmap(surface)(places).T, linewidth=1.5)
            ends.append(surface(places[-1]))
        u, w = np.meshgrid(np.linspace(0, np.pi if surface is sphere else 2 * np.pi, 40), np.linspace(0, 2 * np.pi, 60))
        points = jax.vmap(surface)(jnp.stack([u.ravel(), w.ravel()], axis=1)).T.reshape(3, *u.shape)
        axes.plot_surface(*points, color="0.85", alpha=0.25)
        axes.set(box_aspect=np.ptp(points, (1, 2)), xticks=[], yticks=[], zticks=[])
    apart = max(float(jnp.abs(end + sphere(jnp.array([1.2, 0.0]))).max()) for end in ends[:6])
    print(f"sphere: six great circles meet on the other side to {apart:.0e}")
    for name, at in (("outside", [0.0, 0.0]), ("on top", [np.pi / 2, 0.0]), ("inside", [np.pi, 0.0])):
        K = float(gaussian_curvature(torus)(jnp.array(at)))
        lengths = float(scalar_curvature(metric(torus))(jnp.array(at))) / 2
        print(f"torus {name}: K = {K:+.4f}, from lengths alone {lengths:+.4f}")
    left.set_title("sphere: all meet again")
    right.set_title("torus: some wind, some turn back")
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
