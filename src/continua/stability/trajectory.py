"""A trajectory at evenly spaced times: always as many, so that all searches share one compiled program."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.core import Args, Given, Scalar, kept
from continua.equations import Equation
from continua.methods import Method
from continua.solver import Status, by_its_steps, solve
from continua.stability.arguments import StateVector

POINTS = 513


class Trajectory(NamedTuple):
    """States [time, state] at times [time], NaN past a failure; how it ended, and the time it reached."""

    ts: Float[np.ndarray, " time"]
    states: Float[np.ndarray, "time state"]
    status: Status
    reached: float


def trajectory(
    equation: Equation, z: StateVector, t0: float, duration: float, args: Args, rtol: float, max_steps: int
) -> Trajectory:
    """From z at t0 on; the units are such that the states are of order 1."""
    ts = np.linspace(t0, t0 + duration, POINTS)
    ys, status, reached = by_its_steps(lambda method: _followed(equation, z, ts, args, rtol, method, max_steps), len(z))
    return Trajectory(ts, np.asarray(ys), Status(int(status)), float(reached))


@kept(5, 6)
def _followed(
    equation: Equation, z: Given, ts: Given, args: Args, rtol: float | Scalar, method: Method, max_steps: int
) -> tuple[tuple[Array, Array, Array], Array]:
    control = {"method": method, "rtol": rtol, "atol": rtol * 1e-2, "max_steps": max_steps}
    solution = solve(equation, jnp.asarray(z), jnp.asarray(ts), args=args, throw=False, **control)
    return (solution.ys, solution.status, solution.ending.t[0]), solution.status
