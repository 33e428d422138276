"""Integral, area and volume.

An integral is a limit of sums. A fixed sum of strips is slow, and slower still where the curve is steep: half a circle
is infinitely steep at its ends. `integrate` cuts where it is worth it, and says how far it may be off. Turned about the
x axis, the half circle sweeps a ball,

    V = π ∫ f(x)² dx,   S = 2π ∫ f √(1 + f'²) dx,   L = ∫ √(1 + f'²) dx

and the length of the curve is half the perimeter. What has no value says so: Torricelli's trumpet, 1/x from 1 on, holds
π units of paint, and no paint is enough to cover it.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua.calculus as calculus

jax.config.update("jax_enable_x64", True)

HALF_CIRCLE, HORN, PI = lambda x: jnp.sqrt(1 - x**2), lambda x: 1 / x, np.pi
STRIPS = 2 ** np.arange(1, 17)


def strips(f, a, b, n):
    x = a + (b - a) * (np.arange(n) + 0.5) / n
    return float(f(x).mean()) * (b - a)


def main(path="areas_and_volumes.png"):
    found = {
        "area under half a circle": (calculus.integrate(HALF_CIRCLE, -1.0, 1.0), PI / 2),
        "its length": (calculus.arc_length(HALF_CIRCLE, -1.0, 1.0), PI),
        "volume of the ball": (calculus.volume_of_revolution(HALF_CIRCLE, -1.0, 1.0), 4 * PI / 3),
        "its surface": (calculus.surface_of_revolution(HALF_CIRCLE, -1.0, 1.0), 4 * PI),
        "area between sin and cos": (calculus.area_between(jnp.sin, jnp.cos, 0.0, 2 * PI), 4 * np.sqrt(2)),
        "volume of the trumpet": (calculus.volume_of_revolution(HORN, 1.0, jnp.inf), PI),
    }
    for name, (integral, exact) in found.items():
        wrong, points = abs(float(integral.value) - exact), integral.evaluations
        print(f"{name}: {integral.value:.12f} ± {integral.error:.0e}, off by {wrong:.0e}, {points} points")
    print(f"surface of the trumpet: {calculus.surface_of_revolution(HORN, 1.0, jnp.inf).reason}")
    slope = jax.grad(lambda b: calculus.integrate(HALF_CIRCLE, -1.0, b).value)(0.6)
    print(f"the area up to b grows by {slope:.12f} per unit of b at 0.6, where the circle is 0.8 high")
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = np.linspace(0, 2 * np.pi, 400)
    left.plot(x, np.sin(x), x, np.cos(x))
    left.fill_between(x, np.sin(x), np.cos(x), alpha=0.25)
    left.set(title="4√2 between sine and cosine", xlabel="x")
    for name, f, a, b, exact in (("half circle", HALF_CIRCLE, -1, 1, PI / 2), ("sine", jnp.sin, 0, PI, 2)):
        right.loglog(STRIPS, [abs(strips(f, a, b, n) - exact) for n in STRIPS], "o-", label=f"{name}, equal strips")
    integral, exact = found["area under half a circle"]
    wrong = max(abs(float(integral.value) - exact), 1e-16)
    right.plot(integral.evaluations, wrong, "k*", ms=12, label="half circle, integrate")
    right.set(title="error against points", xlabel="points")
    right.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:2])
