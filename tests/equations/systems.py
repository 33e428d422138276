"""Every named system with a start, a span, and its docstring's formula written once more in numpy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from continua.equations import (
    SIR,
    Duffing,
    Equation,
    ExponentialDecay,
    HarmonicOscillator,
    Linear,
    Logistic,
    Lorenz,
    LotkaVolterra,
    Pendulum,
    Robertson,
    VanDerPol,
)

Formula = Callable[[float, np.ndarray, Any], list[float]]


class System(NamedTuple):
    """`formula(t, y, p)` is dy/dt in numpy, where p holds the equation's parameters by name."""

    equation: Equation
    start: list[float]
    end: float
    formula: Formula

    @property
    def name(self) -> str:
        return type(self.equation).__name__


def _linear(t, y, p):
    return [p.A[i][0] * y[0] + p.A[i][1] * y[1] + p.b[i] for i in range(2)]


def _duffing(t, y, p):
    return [y[1], -p.delta * y[1] - p.alpha * y[0] - p.beta * y[0] ** 3 + p.gamma * np.cos(p.omega * t)]


def _harmonic(t, y, p):
    return [y[1], -(p.omega**2) * y[0] - 2 * p.zeta * p.omega * y[1]]


def _lorenz(t, y, p):
    return [p.sigma * (y[1] - y[0]), y[0] * (p.rho - y[2]) - y[1], y[0] * y[1] - p.beta * y[2]]


def _lotka_volterra(t, y, p):
    return [p.alpha * y[0] - p.beta * y[0] * y[1], p.delta * y[0] * y[1] - p.gamma * y[1]]


def _sir(t, y, p):
    return [-p.beta * y[0] * y[1], p.beta * y[0] * y[1] - p.gamma * y[1], p.gamma * y[1]]


def _robertson(t, y, p):
    a, b, c = y
    return [-p.k1 * a + p.k3 * b * c, p.k1 * a - p.k2 * b**2 - p.k3 * b * c, p.k2 * b**2]


SYSTEMS = {
    system.name: system
    for system in (
        System(ExponentialDecay(), [1.0], 4.0, lambda t, y, p: [-p.k * y[0]]),
        System(Logistic(), [0.5], 6.0, lambda t, y, p: [p.r * y[0] * (1 - y[0] / p.K)]),
        System(Linear([[-0.1, -1.0], [1.0, -0.1]], [0.2, 0.0]), [1.0, 0.5], 5.0, _linear),
        System(HarmonicOscillator(), [1.0, 0.0], 6.0, _harmonic),
        System(Duffing(), [1.0, 0.5], 6.0, _duffing),
        System(VanDerPol(), [2.0, 0.0], 6.0, lambda t, y, p: [y[1], p.mu * (1 - y[0] ** 2) * y[1] - y[0]]),
        System(Pendulum(), [2.0, 0.0], 4.0, lambda t, y, p: [y[1], -(p.omega_0**2) * np.sin(y[0]) - p.c * y[1]]),
        System(LotkaVolterra(), [30.0, 4.0], 12.0, _lotka_volterra),
        System(SIR(), [0.99, 0.01, 0.0], 40.0, _sir),
        System(Lorenz(), [1.0, 1.0, 1.0], 2.0, _lorenz),
        System(Robertson(), [1.0, 0.0, 0.0], 0.3, _robertson),
    )
}
