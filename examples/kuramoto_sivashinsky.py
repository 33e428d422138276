"""A flame front that never comes to rest: chaos in space and time, stepped by its Fourier coefficients.

    u_t = −u_xx − u_xxxx − u u_x    on a circle, where wave k grows or decays by itself as exp((k² − k⁴) t)

The trap: the shortest wave decays a thousand times faster than any wave grows, and an explicit method is held at its
pace. An exponential method steps that part exactly, by components, and is held by the rest alone. No solution can be
followed for long in chaos, but what holds for all of them can be checked: the energy changes by what long waves gain
and short ones lose, and a small disturbance, here a derivative along the solution, grows at a rate that is known.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.equations import Diagonal, SplitODE
from continua.methods import ETDRK4
from continua.solver import Fixed

jax.config.update("jax_enable_x64", True)

PICTURE = np.linspace(0.0, 150.0, 601)
LONG = np.linspace(0.0, 10_000.0, 501)
KNOWN = 0.048  # for a circle of 22: Cvitanović, Davidchack & Siminos, SIAM J. Appl. Dyn. Syst. 9 (2010) 1–33


def front(points, length):
    """The equation of the Fourier coefficients, and a start; of products two thirds of the waves are kept."""
    x, wave = length * np.arange(1, points + 1) / points, np.arange(points // 2 + 1)
    k = 2 * np.pi / length * wave
    bend = jnp.asarray(-0.5j * k * (wave < points / 3))

    def transport(t, u, args):
        return bend * jnp.fft.rfft(jnp.fft.irfft(u, points) ** 2)

    start = np.cos(2 * np.pi * x / length) * (1 + np.sin(2 * np.pi * x / length))
    return SplitODE(Diagonal(k**2 - k**4), transport), jnp.fft.rfft(start)


def stepped(law, start, ts, h):
    return continua.solve(law, start, ts, method=ETDRK4(), step_control=Fixed(h), max_steps=2**20).ys


def energy(u, points, rates):
    """The mean of u² / 2 less that of the mean, and how fast the waves' own growth changes it: −u u_x passes it on."""
    shares = (np.abs(u) / points)[:, 1:] ** 2
    return shares.sum(1), 2 * shares @ np.asarray(rates)[1:]


def main(path="kuramoto_sivashinsky.png"):
    law, start = front(128, 32 * np.pi)
    u = np.asarray(stepped(law, start, PICTURE, 0.05))
    held, gain = energy(u, 128, law.stiff.eigenvalues)
    print(f"energy at the end: {held[-1]:.5f}, at the start and gained: {held[0] + np.trapezoid(gain, PICTURE):.5f}")

    law, start = front(32, 22.0)
    nudge = jnp.ones_like(start).at[0].set(0)  # the mean of u stays
    _, moved = jax.jit(lambda u: jax.jvp(lambda u: stepped(law, u, LONG, 0.2), (u,), (nudge,)))(start)
    growth = np.log(np.abs(moved).max(1))
    late = LONG > 500
    rate = np.polyfit(LONG[late], growth[late], 1)[0]
    print(f"a disturbance grows by exp({rate:.3f} t), in the literature exp({KNOWN} t)")
    draw(np.fft.irfft(u, 128), growth, path)


def draw(u, growth, path):
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    drawn = left.imshow(u.T, extent=(0, PICTURE[-1], 0, 32 * np.pi), origin="lower", aspect="auto", cmap="RdBu_r")
    left.set(xlabel="t", ylabel="x", title="u on a circle of 32π")
    figure.colorbar(drawn)
    right.plot(LONG, growth, label="disturbance")
    right.plot(LONG, KNOWN * LONG, "--", label=f"slope {KNOWN}")
    right.set(xlabel="t", ylabel="logarithm of its size", title="chaos on a circle of 22")
    right.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
