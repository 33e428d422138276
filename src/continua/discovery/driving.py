"""Solutions of laws with inputs that are known at the samples only: held between them, or joined by lines."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from continua.core import ArgumentError, Instant
from continua.equations import Equation
from continua.methods import Method
from continua.solver import by_its_steps, solve

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
    method: Method,
    **tolerances: Any,
) -> tuple[Float[Array, "sample state"], Int[Array, " interval"]]:
    """The states at the samples, and the statuses: interval by interval, so that no step crosses an input's corner."""

    def interval(y: Array, piece: tuple[Array, Array, Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        begin, end, value, slope = piece
        args = {name: Line(begin, value[i], slope[i]) for i, name in enumerate(names)}
        whole = jnp.stack([begin, end])
        found = solve(law, y, whole, args=args, method=method, max_steps=MOST_STEPS, throw=False, **tolerances)
        return found.ys[-1], (found.ys[-1], found.status)

    _, (ys, statuses) = lax.scan(interval, start, (ts[:-1], ts[1:], inputs, slopes))
    return jnp.concatenate([start[None], ys]), statuses


@partial(jax.jit, static_argnums=(1, 2))
def _along(law: Equation, names: tuple[str, ...], method: Method, *arrays: Array) -> tuple[Array, Array]:
    start, ts, inputs, slopes, rtol, atol = arrays
    return along(law, names, start, ts, inputs, slopes, method=method, rtol=rtol, atol=atol)


def driven(
    law: Equation,
    names: tuple[str, ...],
    start: NDArray[np.float64],
    ts: NDArray[np.float64],
    inputs: NDArray[np.float64],
    held: bool,
    *,
    rtol: float,
    atol: NDArray[np.float64],
) -> NDArray[np.float64]:
    """A law with inputs [time, input], solved from a state at ts[0].

    Returns:
        [time, state].

    Raises:
        ArgumentError: times do not grow, or the law diverges on the way.
    """
    if ts.ndim != 1 or len(ts) < 2 or not (np.diff(ts) > 0).all():
        raise ArgumentError("`ts` of `simulate` must be two or more growing times. Sort them.")
    arrays = (start, ts, inputs[:-1], slopes(ts, inputs, held), rtol, atol)
    found = np.asarray(by_its_steps(lambda method: _along(law, names, method, *arrays), len(start)))
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found).all(1))[0])
        raise ArgumentError(f"The law diverges before t = {ts[row]:.6g}. Start nearer to the data, or end earlier.")
    return found


def input_array(inputs: Any, names: tuple[str, ...], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """[time, input] from an array or a mapping.

    Raises:
        ArgumentError: they are missing, of another shape, or not finite.
    """
    example = f"inputs={{{', '.join(f'{name!r}: ...' for name in names)}}}"
    if isinstance(inputs, Mapping):
        missing = [name for name in names if name not in inputs]
        if missing:
            raise ArgumentError(f"`inputs` must hold {', '.join(names)}. It lacks {missing[0]}. Use {example}.")
        inputs = np.stack([np.asarray(inputs[name], float) for name in names], -1)
    values = None if inputs is None else np.asarray(inputs, float)
    if values is not None and values.ndim == 1 and len(names) == 1:
        values = values[:, None]
    if values is None or values.shape != (len(times), len(names)) or not np.isfinite(values).all():
        got = "none" if values is None else f"shape {values.shape}"
        raise ArgumentError(
            f"`inputs` must be finite numbers of shape ({len(times)}, {len(names)}), for {', '.join(names)} at every "
            f"time. Got {got}. Use {example}."
        )
    return values
