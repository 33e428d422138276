"""Lotka–Volterra by continua and by its peers, each in its own words."""

import importlib.util
from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

import continua
from continua.equations import LotkaVolterra
from continua.methods import Method, Tsit5

PARAMETERS, START, TOLERANCE = [2 / 3, 4 / 3, 1.0, 1.0], [1.0, 1.0], 1e-8
TIMES = np.linspace(0.0, 100.0, 101)
BUDGET = 4096

Values = Callable[[Any, Any], Any]


def by_continua(method: Method | None = Tsit5(), **options: int) -> Values:  # noqa: B008
    """The values [time, state] as a function of parameters and start; None chooses the method by itself."""

    def values(p: jax.Array, y0: jax.Array) -> jax.Array:
        how = {"method": method, "rtol": TOLERANCE, "atol": TOLERANCE} | options
        return continua.solve(LotkaVolterra(*p), y0, TIMES, **how).ys

    return values


def slope(_: jax.Array, y: jax.Array, p: jax.Array) -> jax.Array:
    """dy/dt."""
    return jnp.stack([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])


def by_diffrax(adjoint: diffrax.AbstractAdjoint) -> Values:
    """The same with diffrax."""
    control = diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE)
    options = {"stepsize_controller": control, "max_steps": BUDGET, "adjoint": adjoint}

    def values(p: jax.Array, y0: jax.Array) -> jax.Array:
        term, saveat = diffrax.ODETerm(slope), diffrax.SaveAt(ts=jnp.asarray(TIMES))
        return diffrax.diffeqsolve(term, diffrax.Tsit5(), 0.0, 100.0, None, y0, p, saveat=saveat, **options).ys

    return values


OURS, DEFAULT_PEER = "continua Tsit5", "diffrax Tsit5"
ON_JAX = {
    OURS: by_continua(),
    "continua, no method named": by_continua(None),
    DEFAULT_PEER: by_diffrax(diffrax.RecursiveCheckpointAdjoint()),
    "diffrax Tsit5, 4096 checkpoints": by_diffrax(diffrax.RecursiveCheckpointAdjoint(checkpoints=BUDGET)),
    "diffrax Tsit5, DirectAdjoint": by_diffrax(diffrax.DirectAdjoint()),
    "diffrax Tsit5, BacksolveAdjoint": by_diffrax(diffrax.BacksolveAdjoint()),
}
BUDGETS = {f"max_steps=2**{k}": by_continua(max_steps=2**k) for k in (10, 16, 20)}


def loss_of(values: Values) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Σ ys²."""
    return lambda p, y0: (values(p, y0) ** 2).sum()


def programs(values: Values) -> tuple[Any, Any]:
    """(forward, value and gradient with respect to parameters and start), to be compiled."""
    return jax.jit(values), jax.jit(jax.value_and_grad(loss_of(values), (0, 1)))


def by_scipy(method: str, p: Any = PARAMETERS, y0: Any = START, tolerance: float = TOLERANCE) -> np.ndarray:
    """The values [time, state] by scipy."""
    alpha, beta, delta, gamma = (float(x) for x in p)

    def slope(_: float, y: np.ndarray) -> list[float]:
        prey, predator = y
        return [alpha * prey - beta * prey * predator, delta * prey * predator - gamma * predator]

    options = {"method": method, "rtol": tolerance, "atol": tolerance, "t_eval": TIMES}
    return solve_ivp(slope, (0.0, 100.0), np.asarray(y0, float), **options).y.T


def by_torchdiffeq() -> tuple[Callable[[], np.ndarray], Callable[[], tuple[float, np.ndarray, np.ndarray]]] | None:
    """(forward, value and gradient) with torchdiffeq's dopri5, or None where it or torch is missing."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "torchdiffeq")):
        return None
    import torch
    from torchdiffeq import odeint

    torch.set_num_threads(1)
    times = torch.tensor(TIMES)

    def values(p: Any, y0: Any) -> Any:
        def slope(_: Any, y: Any) -> Any:
            return torch.stack([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])

        return odeint(slope, y0, times, rtol=TOLERANCE, atol=TOLERANCE, method="dopri5")

    def leaves(needed: bool) -> tuple[Any, Any]:
        p, y0 = (torch.tensor(x, dtype=torch.float64, requires_grad=needed) for x in (PARAMETERS, START))
        return p, y0

    def forward() -> np.ndarray:
        with torch.no_grad():
            return values(*leaves(False)).numpy()

    def gradient() -> tuple[float, np.ndarray, np.ndarray]:
        p, y0 = leaves(True)
        loss = (values(p, y0) ** 2).sum()
        loss.backward()
        return loss.item(), p.grad.numpy(), y0.grad.numpy()

    return forward, gradient


def true_values() -> np.ndarray:
    """The values [time, state] by scipy's DOP853 at 1e-13."""
    return by_scipy("DOP853", tolerance=1e-13)


def true_gradient(step: float = 1e-4) -> np.ndarray:
    """Of Σ ys² by central differences over five points of DOP853 at 1e-13: parameters, then start."""
    point = np.array([*PARAMETERS, *START])

    def loss(x: np.ndarray) -> float:
        return float((by_scipy("DOP853", x[:4], x[4:], 1e-13) ** 2).sum())

    def along(direction: np.ndarray) -> float:
        near, far = (loss(point + k * direction) - loss(point - k * direction) for k in (1, 2))
        return (8 * near - far) / (12 * step)

    return np.array([along(step * row) for row in np.eye(len(point))])
