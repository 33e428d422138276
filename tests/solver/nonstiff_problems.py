"""The right-hand sides of the non-stiff reference problems: DETEST's classes A to C, the Pleiades, Lotka–Volterra.

Starts, ends and reference values are in data/ode_reference.json under the same names. Each is f(t, y) on jax arrays.

Sources: Hull, Enright, Fellen & Sedgwick, SIAM J. Numer. Anal. 9 (1972) 603–637; Hairer, Nørsett & Wanner, Solving
Ordinary Differential Equations I, II.10 (Pleiades).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Slope = Callable[[Float[Array, ""], Float[Array, " state"]], Float[Array, " state"]]


class Problem(NamedTuple):
    """An initial value problem; `end` is the published state at `t1`."""

    name: str
    slope: Slope
    y0: np.ndarray
    t1: float
    end: np.ndarray


def _a4(t, y):
    return y / 4 * (1 - y / 20)


def _b1(t, y):
    return jnp.stack([2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])])


def _b2(t, y):
    return jnp.stack([-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]])


def _b3(t, y):
    return jnp.stack([-y[0], y[0] - y[1] ** 2, y[1] ** 2])


def _b4(t, y):
    distance = jnp.sqrt(y[0] ** 2 + y[1] ** 2)
    return jnp.stack([-y[1] - y[0] * y[2] / distance, y[0] - y[1] * y[2] / distance, y[0] / distance])


def _b5(t, y):
    return jnp.stack([y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]])


def _c1(t, y):
    return jnp.concatenate([-y[:1], y[:-2] - y[1:-1], y[-2:-1]])


def _c2(t, y):
    decay = jnp.arange(1.0, len(y)) * y[:-1]
    return jnp.concatenate([-decay[:1], decay[:-1] - decay[1:], decay[-1:]])


def _diffusion(t, y):
    padded = jnp.pad(y, 1)
    return padded[2:] - 2 * y + padded[:-2]


SUN, GRAVITY = 1.00000597682, 2.95912208286
PLANETS = np.array([0.000954786104043, 0.000285583733151, 0.0000437273164546, 0.0000517759138449, 0.00000277777777778])


def _outer_planets(t, y):
    """Heliocentric: the Sun, moved by the planets, is the origin."""
    places = y[:15].reshape(5, 3)
    mass = jnp.asarray(PLANETS)
    pull = places / jnp.sum(places**2, 1, keepdims=True) ** 1.5
    apart = places[None] - places[:, None]
    squared = jnp.sum(apart**2, -1) + jnp.eye(5)
    among = jnp.sum(mass[None, :, None] * apart / squared[..., None] ** 1.5, 1)
    indirect = jnp.sum(mass[:, None] * pull, 0, keepdims=True)
    bend = GRAVITY * (-(SUN + mass)[:, None] * pull + among - (indirect - mass[:, None] * pull))
    return jnp.concatenate([y[15:], bend.reshape(15)])


def _pleiades(t, y):
    """Seven stars of masses 1 … 7 in a plane."""
    places = y[:14].reshape(2, 7)
    apart = places[:, None, :] - places[:, :, None]
    cubed = (jnp.sum(apart**2, 0) + jnp.eye(7)) ** 1.5
    bend = jnp.sum(jnp.arange(1.0, 8.0)[None, None] * apart / cubed[None], 2)
    return jnp.concatenate([y[14:], bend.reshape(14)])


def _lotka_volterra(t, y):
    return jnp.stack([1.1 * y[0] - 0.4 * y[0] * y[1], 0.1 * y[0] * y[1] - 0.4 * y[1]])


SLOPES: dict[str, Slope] = {
    "DETEST-nonstiff-A1": lambda t, y: -y,
    "DETEST-nonstiff-A2": lambda t, y: -(y**3) / 2,
    "DETEST-nonstiff-A3": lambda t, y: y * jnp.cos(t),
    "DETEST-nonstiff-A4": _a4,
    "DETEST-nonstiff-A5": lambda t, y: (y - t) / (y + t),
    "DETEST-nonstiff-B1": _b1,
    "DETEST-nonstiff-B2": _b2,
    "DETEST-nonstiff-B3": _b3,
    "DETEST-nonstiff-B4": _b4,
    "DETEST-nonstiff-B5": _b5,
    "DETEST-nonstiff-C1": _c1,
    "DETEST-nonstiff-C2": _c2,
    "DETEST-nonstiff-C3": _diffusion,
    "DETEST-nonstiff-C4": _diffusion,
    "DETEST-nonstiff-C5": _outer_planets,
    "PLEIADES": _pleiades,
    "LV-100": _lotka_volterra,
}


def nonstiff_problems(folder: Path) -> list[Problem]:
    """All of them, with the data in `folder`."""
    known = json.loads((folder / "ode_reference.json").read_text(encoding="utf-8"))["problems"]
    rows = ((name, slope, known[name]) for name, slope in SLOPES.items())
    return [Problem(name, slope, np.array(row["y0"]), row["t1"], np.array(row["y_end"])) for name, slope, row in rows]
