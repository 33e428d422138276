"""Problems 1 to 17 of Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17: residuals, starts, least sums of squares."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np


class Problem(NamedTuple):
    """Residuals r(x), the standard start, and every least ‖r‖² that the paper lists, global ones first.

    A value that is approached only as x runs away is among them where the paper says so.
    """

    residual: Callable[[Any], Any]
    start: tuple[float, ...]
    minima: tuple[float, ...]


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
GAUSSIAN = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989])
MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872], float
)
KOWALIK = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_AT = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
OSBORNE = np.array(
    [
        *(0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628),
        *(0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420),
        *(0.414, 0.411, 0.406),
    ]
)


def helical_valley(x):
    turned = jnp.arctan(x[1] / x[0]) / (2 * jnp.pi)
    angle = jnp.where(x[0] < 0, turned + 0.5, turned)
    return jnp.stack([10 * (x[2] - 10 * angle), 10 * (jnp.hypot(x[0], x[1]) - 1), x[2]])


def bard(x):
    u = np.arange(1.0, 16)
    return BARD - (x[0] + u / ((16 - u) * x[1] + np.minimum(u, 16 - u) * x[2]))


def gaussian(x):
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * jnp.exp(-x[1] * (t - x[2]) ** 2 / 2) - np.concatenate([GAUSSIAN, GAUSSIAN[-2::-1]])


def gulf(x):
    t = np.arange(1, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return jnp.exp(-(jnp.abs(y - x[1]) ** x[2]) / x[0]) - t


def box(x):
    t = np.arange(1, 11) / 10
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def wood(x):
    a, b, c, d = x
    parts = [10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c, 10**0.5 * (b + d - 2), (b - d) / 10**0.5]
    return jnp.stack(parts)


def kowalik_osborne(x):
    u = KOWALIK_AT
    return KOWALIK - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def osborne(x):
    t = 10 * np.arange(33.0)
    return OSBORNE - (x[0] + x[1] * jnp.exp(-t * x[3]) + x[2] * jnp.exp(-t * x[4]))


PROBLEMS = {
    "Rosenbrock": Problem(lambda x: jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]]), (-1.2, 1), (0,)),
    "Freudenstein and Roth": Problem(
        lambda x: jnp.stack(
            [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]]
        ),
        (0.5, -2),
        (0, 48.98425),
    ),
    "Powell badly scaled": Problem(
        lambda x: jnp.stack([1e4 * x[0] * x[1] - 1, jnp.exp(-x[0]) + jnp.exp(-x[1]) - 1.0001]), (0, 1), (0,)
    ),
    "Brown badly scaled": Problem(lambda x: jnp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2]), (1, 1), (0,)),
    "Beale": Problem(lambda x: np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1.0, 4)), (1, 1), (0,)),
    "Jennrich and Sampson": Problem(
        lambda x: 2 + 2 * np.arange(1.0, 11) - jnp.exp(np.arange(1.0, 11) * x[0]) - jnp.exp(np.arange(1.0, 11) * x[1]),
        (0.3, 0.4),
        (124.3622,),
    ),
    "Helical valley": Problem(helical_valley, (-1, 0, 0), (0,)),
    "Bard": Problem(bard, (1, 1, 1), (8.214877e-3, 17.42869)),
    "Gaussian": Problem(gaussian, (0.4, 1, 0), (1.127933e-8,)),
    "Meyer": Problem(
        lambda x: x[0] * jnp.exp(x[1] / (45 + 5 * np.arange(1.0, 17) + x[2])) - MEYER, (0.02, 4000, 250), (87.94586,)
    ),
    "Gulf": Problem(gulf, (5, 2.5, 0.15), (0,)),
    "Box": Problem(box, (0, 10, 20), (0, 0.07558874)),
    "Powell singular": Problem(
        lambda x: jnp.stack(
            [x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2]
        ),
        (3, -1, 0, 1),
        (0,),
    ),
    "Wood": Problem(wood, (-3, -1, -3, -1), (0,)),
    "Kowalik and Osborne": Problem(kowalik_osborne, (0.25, 0.39, 0.415, 0.39), (3.075056e-4, 1.027349e-3)),
    "Brown and Dennis": Problem(brown_dennis, (25, 5, -5, -1), (85822.20,)),
    "Osborne": Problem(osborne, (0.5, 1.5, -1, 0.01, 0.02), (5.464895e-5,)),
}
