"""Solutions of laws with inputs that are known at the samples only: held between them, or joined by lines."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.core import Instant
from continua.equations import Equation
from continua.solver import solve

MOST_STEPS = 500  # between two samples


class Line(eqx.Module):
    """An input between two samples: value + slope·(t − time)."""

    time: Array
    value: Array
    slope: Array

    def __call__(self, t: Instant) -> Array:
        """Its value at a time."""
        return self.value + self.slope * (t - self.time)


def slopes(
    time: NDArray[np.float64], inputs: NDArray[np.float64], held: bool
) -> Float[np.ndarray, "*segments interval input"]:
    """The slope of each input [..., sample, input] in the intervals between the times [..., sample]."""
    rise, step = np.diff(inputs, axis=-2), np.diff(time, axis=-1)[..., None]
    return np.zeros_like(rise) if held else np.divide(rise, step, out=np.zeros_like(rise), where=step > 0)


def along(
    law: Equation,
    names: tuple[str, ...],
    start: Float[Array, " state"],
    ts: Float[Array, " sample"],
    inputs: Float[Array, "interval input"],
    slopes: Float[Array, "interval input"],
    **tolerances: Any,
) -> Float[Array, "sample state"]:
    """The states at the samples: interval by interval, so that no step crosses a corner of an input."""

    def interval(y: Array, piece: tuple[Array, Array, Array, Array]) -> tuple[Array, Array]:
        begin, end, value, slope = piece
        args = {name: Line(begin, value[i], slope[i]) for i, name in enumerate(names)}
        whole = jnp.stack([begin, end])
        after = solve(law, y, whole, args=args, max_steps=MOST_STEPS, throw=False, **tolerances).ys[-1]
        return after, after

    _, ys = lax.scan(interval, start, (ts[:-1], ts[1:], inputs, slopes))
    return jnp.concatenate([start[None], ys])
