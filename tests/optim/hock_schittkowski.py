"""Problems of Hock and Schittkowski with their published minima, as they number them.

Source: Hock & Schittkowski, Test Examples for Nonlinear Programming Codes, Lecture Notes in Economics and Mathematical
Systems 187 (1981).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from continua.optim import Box, Equality, Inequality

INF = np.inf


class Problem(NamedTuple):
    """A function, where to start, its least value, and what constrains it."""

    f: Callable[[Any], Any]
    x0: np.ndarray
    best: float
    constraints: list[Equality | Inequality]
    box: Box


def problem(f, start, best, constraints=(), low=-INF, high=INF):
    """A problem from plain numbers."""
    low, high = (np.broadcast_to(np.asarray(side, float), len(start)) for side in (low, high))
    return Problem(f, np.asarray(start, float), best, list(constraints), Box(low, high))


def rosenbrock(x):
    """The valley."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


PROBLEMS = {}
PROBLEMS[1] = problem(rosenbrock, [-2, 1], 0.0, low=[-INF, -1.5])
PROBLEMS[2] = problem(rosenbrock, [-2, 1], 0.0504261879, low=[-INF, 1.5])
PROBLEMS[3] = problem(lambda x: x[1] + 1e-5 * (x[1] - x[0]) ** 2, [10, 1], 0.0, low=[-INF, 0])
PROBLEMS[4] = problem(lambda x: (x[0] + 1) ** 3 / 3 + x[1], [1.125, 0.125], 8 / 3, low=[1, 0])
PROBLEMS[5] = problem(
    lambda x: jnp.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1,
    [0, 0],
    -np.sqrt(3) / 2 - np.pi / 3,
    low=[-1.5, -3],
    high=[4, 3],
)
PROBLEMS[6] = problem(lambda x: (1 - x[0]) ** 2, [-1.2, 1], 0.0, [Equality(lambda x: 10 * (x[1] - x[0] ** 2))])
PROBLEMS[7] = problem(
    lambda x: jnp.log(1 + x[0] ** 2) - x[1],
    [2, 2],
    -np.sqrt(3),
    [Equality(lambda x: (1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4)],
)
PROBLEMS[8] = problem(
    lambda x: -1.0 + 0 * x[0],
    [2, 1],
    -1.0,
    [Equality(lambda x: jnp.stack([x[0] ** 2 + x[1] ** 2 - 25, x[0] * x[1] - 9]))],
)
PROBLEMS[9] = problem(
    lambda x: jnp.sin(np.pi * x[0] / 12) * jnp.cos(np.pi * x[1] / 16),
    [0, 0],
    -0.5,
    [Equality(lambda x: 4 * x[0] - 3 * x[1])],
)
PROBLEMS[10] = problem(
    lambda x: x[0] - x[1], [-10, 10], -1.0, [Inequality(lambda x: -3 * x[0] ** 2 + 2 * x[0] * x[1] - x[1] ** 2 + 1)]
)
PROBLEMS[11] = problem(
    lambda x: (x[0] - 5) ** 2 + x[1] ** 2 - 25, [4.9, 0.1], -8.498464223, [Inequality(lambda x: -(x[0] ** 2) + x[1])]
)
PROBLEMS[12] = problem(
    lambda x: 0.5 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1] - 7 * x[0] - 7 * x[1],
    [0, 0],
    -30.0,
    [Inequality(lambda x: 25 - 4 * x[0] ** 2 - x[1] ** 2)],
)
PROBLEMS[13] = problem(
    lambda x: (x[0] - 2) ** 2 + x[1] ** 2, [-2, -2], 1.0, [Inequality(lambda x: (1 - x[0]) ** 3 - x[1])], low=0
)
PROBLEMS[14] = problem(
    lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2,
    [2, 2],
    9 - 2.875 * np.sqrt(7),
    [Inequality(lambda x: -0.25 * x[0] ** 2 - x[1] ** 2 + 1), Equality(lambda x: x[0] - 2 * x[1] + 1)],
)
PROBLEMS[15] = problem(
    rosenbrock, [-2, 1], 306.5, [Inequality(lambda x: jnp.stack([x[0] * x[1] - 1, x[0] + x[1] ** 2]))], high=[0.5, INF]
)
PROBLEMS[16] = problem(
    rosenbrock,
    [-2, 1],
    0.25,
    [Inequality(lambda x: jnp.stack([x[0] + x[1] ** 2, x[0] ** 2 + x[1]]))],
    low=[-0.5, -INF],
    high=[0.5, 1],
)
PROBLEMS[17] = problem(
    rosenbrock,
    [-2, 1],
    1.0,
    [Inequality(lambda x: jnp.stack([x[1] ** 2 - x[0], x[0] ** 2 - x[1]]))],
    low=[-0.5, -INF],
    high=[0.5, 1],
)
PROBLEMS[18] = problem(
    lambda x: 0.01 * x[0] ** 2 + x[1] ** 2,
    [2, 2],
    5.0,
    [Inequality(lambda x: jnp.stack([x[0] * x[1] - 25, x[0] ** 2 + x[1] ** 2 - 25]))],
    low=[2, 0],
    high=[50, 50],
)
PROBLEMS[19] = problem(
    lambda x: (x[0] - 10) ** 3 + (x[1] - 20) ** 3,
    [20.1, 5.84],
    -6961.81381,
    [
        Inequality(
            lambda x: jnp.stack([(x[0] - 5) ** 2 + (x[1] - 5) ** 2 - 100, -((x[1] - 5) ** 2) - (x[0] - 6) ** 2 + 82.81])
        )
    ],
    low=[13, 0],
    high=[100, 100],
)
PROBLEMS[20] = problem(
    rosenbrock,
    [-2, 1],
    81.5 - 25 * np.sqrt(3),
    [Inequality(lambda x: jnp.stack([x[0] + x[1] ** 2, x[0] ** 2 + x[1], x[0] ** 2 + x[1] ** 2 - 1]))],
    low=[-0.5, -INF],
    high=[0.5, INF],
)
PROBLEMS[21] = problem(
    lambda x: 0.01 * x[0] ** 2 + x[1] ** 2 - 100,
    [-1, -1],
    -99.96,
    [Inequality(lambda x: 10 * x[0] - x[1] - 10)],
    low=[2, -50],
    high=[50, 50],
)
PROBLEMS[22] = problem(
    lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2,
    [2, 2],
    1.0,
    [Inequality(lambda x: jnp.stack([-x[0] - x[1] + 2, -(x[0] ** 2) + x[1]]))],
)
PROBLEMS[23] = problem(
    lambda x: x[0] ** 2 + x[1] ** 2,
    [3, 1],
    2.0,
    [
        Inequality(
            lambda x: jnp.stack(
                [
                    x[0] + x[1] - 1,
                    x[0] ** 2 + x[1] ** 2 - 1,
                    9 * x[0] ** 2 + x[1] ** 2 - 9,
                    x[0] ** 2 - x[1],
                    x[1] ** 2 - x[0],
                ]
            )
        )
    ],
    low=-50,
    high=50,
)
PROBLEMS[24] = problem(
    lambda x: ((x[0] - 3) ** 2 - 9) * x[1] ** 3 / (27 * np.sqrt(3)),
    [1, 0.5],
    -1.0,
    [
        Inequality(
            lambda x: jnp.stack([x[0] / np.sqrt(3) - x[1], x[0] + np.sqrt(3) * x[1], -x[0] - np.sqrt(3) * x[1] + 6])
        )
    ],
    low=0,
)
PROBLEMS[26] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4,
    [-2.6, 2, 2],
    0.0,
    [Equality(lambda x: (1 + x[1] ** 2) * x[0] + x[2] ** 4 - 3)],
)
PROBLEMS[27] = problem(
    lambda x: 0.01 * (x[0] - 1) ** 2 + (x[1] - x[0] ** 2) ** 2,
    [2, 2, 2],
    0.04,
    [Equality(lambda x: x[0] + x[2] ** 2 + 1)],
)
PROBLEMS[28] = problem(
    lambda x: (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2,
    [-4, 1, 1],
    0.0,
    [Equality(lambda x: x[0] + 2 * x[1] + 3 * x[2] - 1)],
)
PROBLEMS[29] = problem(
    lambda x: -x[0] * x[1] * x[2],
    [1, 1, 1],
    -16 * np.sqrt(2),
    [Inequality(lambda x: -(x[0] ** 2) - 2 * x[1] ** 2 - 4 * x[2] ** 2 + 48)],
)
PROBLEMS[30] = problem(
    lambda x: x @ x, [1, 1, 1], 1.0, [Inequality(lambda x: x[0] ** 2 + x[1] ** 2 - 1)], low=[1, -10, -10], high=10
)
PROBLEMS[31] = problem(
    lambda x: 9 * x[0] ** 2 + x[1] ** 2 + 9 * x[2] ** 2,
    [1, 1, 1],
    6.0,
    [Inequality(lambda x: x[0] * x[1] - 1)],
    low=[-10, 1, -10],
    high=[10, 10, 1],
)
PROBLEMS[32] = problem(
    lambda x: (x[0] + 3 * x[1] + x[2]) ** 2 + 4 * (x[0] - x[1]) ** 2,
    [0.1, 0.7, 0.2],
    1.0,
    [Inequality(lambda x: 6 * x[1] + 4 * x[2] - x[0] ** 3 - 3), Equality(lambda x: 1 - x.sum())],
    low=0,
)
PROBLEMS[33] = problem(
    lambda x: (x[0] - 1) * (x[0] - 2) * (x[0] - 3) + x[2],
    [0, 0, 3],
    np.sqrt(2) - 6,
    [Inequality(lambda x: jnp.stack([x[2] ** 2 - x[1] ** 2 - x[0] ** 2, x @ x - 4]))],
    low=0,
    high=[INF, INF, 5],
)
PROBLEMS[34] = problem(
    lambda x: -x[0],
    [0, 1.05, 2.9],
    -np.log(np.log(10)),
    [Inequality(lambda x: jnp.stack([x[1] - jnp.exp(x[0]), x[2] - jnp.exp(x[1])]))],
    low=0,
    high=[100, 100, 10],
)
PROBLEMS[35] = problem(
    lambda x: (
        9
        - 8 * x[0]
        - 6 * x[1]
        - 4 * x[2]
        + 2 * x[0] ** 2
        + 2 * x[1] ** 2
        + x[2] ** 2
        + 2 * x[0] * x[1]
        + 2 * x[0] * x[2]
    ),
    [0.5, 0.5, 0.5],
    1 / 9,
    [Inequality(lambda x: 3 - x[0] - x[1] - 2 * x[2])],
    low=0,
)
PROBLEMS[36] = problem(
    lambda x: -x[0] * x[1] * x[2],
    [10, 10, 10],
    -3300.0,
    [Inequality(lambda x: 72 - x[0] - 2 * x[1] - 2 * x[2])],
    low=0,
    high=[20, 11, 42],
)
PROBLEMS[37] = problem(
    lambda x: -x[0] * x[1] * x[2],
    [10, 10, 10],
    -3456.0,
    [Inequality(lambda x: jnp.stack([72 - x[0] - 2 * x[1] - 2 * x[2], x[0] + 2 * x[1] + 2 * x[2]]))],
    low=0,
    high=42,
)
PROBLEMS[38] = problem(
    lambda x: (
        100 * (x[1] - x[0] ** 2) ** 2
        + (1 - x[0]) ** 2
        + 90 * (x[3] - x[2] ** 2) ** 2
        + (1 - x[2]) ** 2
        + 10.1 * ((x[1] - 1) ** 2 + (x[3] - 1) ** 2)
        + 19.8 * (x[1] - 1) * (x[3] - 1)
    ),
    [-3, -1, -3, -1],
    0.0,
    low=-10,
    high=10,
)
PROBLEMS[39] = problem(
    lambda x: -x[0],
    [2, 2, 2, 2],
    -1.0,
    [Equality(lambda x: jnp.stack([x[1] - x[0] ** 3 - x[2] ** 2, x[0] ** 2 - x[1] - x[3] ** 2]))],
)
PROBLEMS[40] = problem(
    lambda x: -x[0] * x[1] * x[2] * x[3],
    [0.8] * 4,
    -0.25,
    [Equality(lambda x: jnp.stack([x[0] ** 3 + x[1] ** 2 - 1, x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]]))],
)
PROBLEMS[42] = problem(
    lambda x: jnp.sum((x - np.array([1.0, 2, 3, 4])) ** 2),
    [1] * 4,
    28 - 10 * np.sqrt(2),
    [Equality(lambda x: jnp.stack([x[0] - 2, x[2] ** 2 + x[3] ** 2 - 2]))],
)
PROBLEMS[43] = problem(
    lambda x: x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2 - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3],
    [0] * 4,
    -44.0,
    [
        Inequality(
            lambda x: jnp.stack(
                [
                    8 - x @ x - x[0] + x[1] - x[2] + x[3],
                    10 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - 2 * x[3] ** 2 + x[0] + x[3],
                    5 - 2 * x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - 2 * x[0] + x[1] + x[3],
                ]
            )
        )
    ],
)
PROBLEMS[46] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6,
    [np.sqrt(2) / 2, 1.75, 0.5, 2, 2],
    0.0,
    [Equality(lambda x: jnp.stack([x[0] ** 2 * x[3] + jnp.sin(x[3] - x[4]) - 1, x[1] + x[2] ** 4 * x[3] ** 2 - 2]))],
)
PROBLEMS[47] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 3 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 4,
    [2, np.sqrt(2), -1, 2 - np.sqrt(2), 0.5],
    0.0,
    [Equality(lambda x: jnp.stack([x[0] + x[1] ** 2 + x[2] ** 3 - 3, x[1] - x[2] ** 2 + x[3] - 1, x[0] * x[4] - 1]))],
)
PROBLEMS[48] = problem(
    lambda x: (x[0] - 1) ** 2 + (x[1] - x[2]) ** 2 + (x[3] - x[4]) ** 2,
    [3, 5, -3, 2, -2],
    0.0,
    [Equality(lambda x: jnp.stack([x.sum() - 5, x[2] - 2 * (x[3] + x[4]) + 3]))],
)
PROBLEMS[49] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6,
    [10, 7, 2, -3, 0.8],
    0.0,
    [Equality(lambda x: jnp.stack([x[0] + x[1] + x[2] + 4 * x[3] - 7, x[2] + 5 * x[4] - 6]))],
)
PROBLEMS[50] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 2,
    [35, -31, 11, 5, -5],
    0.0,
    [
        Equality(
            lambda x: jnp.stack(
                [x[0] + 2 * x[1] + 3 * x[2] - 6, x[1] + 2 * x[2] + 3 * x[3] - 6, x[2] + 2 * x[3] + 3 * x[4] - 6]
            )
        )
    ],
)
PROBLEMS[51] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2,
    [2.5, 0.5, 2, -1, 0.5],
    0.0,
    [Equality(lambda x: jnp.stack([x[0] + 3 * x[1] - 4, x[2] + x[3] - 2 * x[4], x[1] - x[4]]))],
)
PROBLEMS[52] = problem(
    lambda x: (4 * x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2,
    [2] * 5,
    1859 / 349,
    [Equality(lambda x: jnp.stack([x[0] + 3 * x[1], x[2] + x[3] - 2 * x[4], x[1] - x[4]]))],
)
PROBLEMS[53] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2,
    [2] * 5,
    176 / 43,
    [Equality(lambda x: jnp.stack([x[0] + 3 * x[1], x[2] + x[3] - 2 * x[4], x[1] - x[4]]))],
    low=-10,
    high=10,
)
PROBLEMS[60] = problem(
    lambda x: (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4,
    [2, 2, 2],
    0.03256820025,
    [Equality(lambda x: x[0] * (1 + x[1] ** 2) + x[2] ** 4 - 4 - 3 * np.sqrt(2))],
    low=-10,
    high=10,
)
PROBLEMS[61] = problem(
    lambda x: 4 * x[0] ** 2 + 2 * x[1] ** 2 + 2 * x[2] ** 2 - 33 * x[0] + 16 * x[1] - 24 * x[2],
    [0, 0, 0],
    -143.6461422,
    [Equality(lambda x: jnp.stack([3 * x[0] - 2 * x[1] ** 2 - 7, 4 * x[0] - x[2] ** 2 - 11]))],
)
PROBLEMS[63] = problem(
    lambda x: 1000 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - x[0] * x[1] - x[0] * x[2],
    [2, 2, 2],
    961.7151721,
    [Equality(lambda x: jnp.stack([8 * x[0] + 14 * x[1] + 7 * x[2] - 56, x @ x - 25]))],
    low=0,
)
PROBLEMS[64] = problem(
    lambda x: 5 * x[0] + 50000 / x[0] + 20 * x[1] + 72000 / x[1] + 10 * x[2] + 144000 / x[2],
    [1, 1, 1],
    6299.842428,
    [Inequality(lambda x: 1 - 4 / x[0] - 32 / x[1] - 120 / x[2])],
    low=1e-5,
)
PROBLEMS[65] = problem(
    lambda x: (x[0] - x[1]) ** 2 + (x[0] + x[1] - 10) ** 2 / 9 + (x[2] - 5) ** 2,
    [-5, 5, 0],
    0.9535288567,
    [Inequality(lambda x: 48 - x @ x)],
    low=[-4.5, -4.5, -5],
    high=[4.5, 4.5, 5],
)
PROBLEMS[66] = problem(
    lambda x: 0.2 * x[2] - 0.8 * x[0],
    [0, 1.05, 2.9],
    0.5181632741,
    [Inequality(lambda x: jnp.stack([x[1] - jnp.exp(x[0]), x[2] - jnp.exp(x[1])]))],
    low=0,
    high=[100, 100, 10],
)
PROBLEMS[71] = problem(
    lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
    [1, 5, 5, 1],
    17.0140173,
    [Inequality(lambda x: jnp.prod(x) - 25), Equality(lambda x: x @ x - 40)],
    low=1,
    high=5,
)
PROBLEMS[76] = problem(
    lambda x: (
        x[0] ** 2
        + 0.5 * x[1] ** 2
        + x[2] ** 2
        + 0.5 * x[3] ** 2
        - x[0] * x[2]
        + x[2] * x[3]
        - x[0]
        - 3 * x[1]
        + x[2]
        - x[3]
    ),
    [0.5] * 4,
    -4.681818181,
    [
        Inequality(
            lambda x: jnp.stack(
                [5 - x[0] - 2 * x[1] - x[2] - x[3], 4 - 3 * x[0] - x[1] - 2 * x[2] + x[3], x[1] + 4 * x[2] - 1.5]
            )
        )
    ],
    low=0,
)
PROBLEMS[77] = problem(
    lambda x: (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6,
    [2] * 5,
    0.24150513,
    [
        Equality(
            lambda x: jnp.stack(
                [
                    x[0] ** 2 * x[3] + jnp.sin(x[3] - x[4]) - 2 * np.sqrt(2),
                    x[1] + x[2] ** 4 * x[3] ** 2 - 8 - np.sqrt(2),
                ]
            )
        )
    ],
)
PROBLEMS[78] = problem(
    jnp.prod,
    [-2, 1.5, 2, -1, -1],
    -2.91970041,
    [Equality(lambda x: jnp.stack([x @ x - 10, x[1] * x[2] - 5 * x[3] * x[4], x[0] ** 3 + x[1] ** 3 + 1]))],
)
PROBLEMS[79] = problem(
    lambda x: (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 4,
    [2] * 5,
    0.0787768209,
    [
        Equality(
            lambda x: jnp.stack(
                [
                    x[0] + x[1] ** 2 + x[2] ** 3 - 2 - 3 * np.sqrt(2),
                    x[1] - x[2] ** 2 + x[3] + 2 - 2 * np.sqrt(2),
                    x[0] * x[4] - 2,
                ]
            )
        )
    ],
)
PROBLEMS[80] = problem(
    lambda x: jnp.exp(jnp.prod(x)),
    [-2, 2, 2, -1, -1],
    0.0539498478,
    [Equality(lambda x: jnp.stack([x @ x - 10, x[1] * x[2] - 5 * x[3] * x[4], x[0] ** 3 + x[1] ** 3 + 1]))],
    low=[-2.3, -2.3, -3.2, -3.2, -3.2],
    high=[2.3, 2.3, 3.2, 3.2, 3.2],
)
PROBLEMS[100] = problem(
    lambda x: (
        (x[0] - 10) ** 2
        + 5 * (x[1] - 12) ** 2
        + x[2] ** 4
        + 3 * (x[3] - 11) ** 2
        + 10 * x[4] ** 6
        + 7 * x[5] ** 2
        + x[6] ** 4
        - 4 * x[5] * x[6]
        - 10 * x[5]
        - 8 * x[6]
    ),
    [1, 2, 0, 4, 0, 1, 1],
    680.6300573,
    [
        Inequality(
            lambda x: jnp.stack(
                [
                    127 - 2 * x[0] ** 2 - 3 * x[1] ** 4 - x[2] - 4 * x[3] ** 2 - 5 * x[4],
                    282 - 7 * x[0] - 3 * x[1] - 10 * x[2] ** 2 - x[3] + x[4],
                    196 - 23 * x[0] - x[1] ** 2 - 6 * x[5] ** 2 + 8 * x[6],
                    -4 * x[0] ** 2 - x[1] ** 2 + 3 * x[0] * x[1] - 2 * x[2] ** 2 - 5 * x[5] + 11 * x[6],
                ]
            )
        )
    ],
)
PROBLEMS[113] = problem(
    lambda x: (
        x[0] ** 2
        + x[1] ** 2
        + x[0] * x[1]
        - 14 * x[0]
        - 16 * x[1]
        + (x[2] - 10) ** 2
        + 4 * (x[3] - 5) ** 2
        + (x[4] - 3) ** 2
        + 2 * (x[5] - 1) ** 2
        + 5 * x[6] ** 2
        + 7 * (x[7] - 11) ** 2
        + 2 * (x[8] - 10) ** 2
        + (x[9] - 7) ** 2
        + 45
    ),
    [2, 3, 5, 5, 1, 2, 7, 3, 6, 10],
    24.3062091,
    [
        Inequality(
            lambda x: jnp.stack(
                [
                    105 - 4 * x[0] - 5 * x[1] + 3 * x[6] - 9 * x[7],
                    -10 * x[0] + 8 * x[1] + 17 * x[6] - 2 * x[7],
                    8 * x[0] - 2 * x[1] - 5 * x[8] + 2 * x[9] + 12,
                    -3 * (x[0] - 2) ** 2 - 4 * (x[1] - 3) ** 2 - 2 * x[2] ** 2 + 7 * x[3] + 120,
                    -5 * x[0] ** 2 - 8 * x[1] - (x[2] - 6) ** 2 + 2 * x[3] + 40,
                    -0.5 * (x[0] - 8) ** 2 - 2 * (x[1] - 4) ** 2 - 3 * x[4] ** 2 + x[5] + 30,
                    -(x[0] ** 2) - 2 * (x[1] - 2) ** 2 + 2 * x[0] * x[1] - 14 * x[4] + 6 * x[5],
                    3 * x[0] - 6 * x[1] - 12 * (x[8] - 8) ** 2 + 7 * x[9],
                ]
            )
        )
    ],
)
