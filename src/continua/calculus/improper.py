"""The sum of the boxes of one axis, where what is left at an end is extrapolated from the boxes before it."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from continua.calculus.acceleration import accelerated, grows
from continua.calculus.regions import Boxes, deepest

WINDOW = 0.4  # of the levels: so many partial sums are extrapolated

Sum = tuple[Float[Array, " out"], Float[Array, " out"], Float[Array, " out"]]


def summed(boxes: Boxes, sides: int) -> Sum:
    """Value, error, and ±inf where an end makes it so. On several axes, and where no end is cut deep, the plain sum."""

    def plain(boxes: Boxes) -> Sum:
        value, error = (boxes.total(parts, boxes.used()) for parts in (boxes.value, boxes.error))
        return value, error, jnp.zeros_like(value)

    if boxes.lower.shape[1] > 1:
        return plain(boxes)
    deep = jnp.any(boxes.used() & (boxes.upper[:, 0] <= 2.0 ** -_levels(boxes)[1]))
    return lax.cond(deep, lambda boxes: _towards_ends(boxes, sides), plain, boxes)


def _levels(boxes: Boxes) -> tuple[int, int]:
    """How many halvings there may be, and how many are extrapolated."""
    depth = deepest(boxes.lower.dtype)
    return depth, round(WINDOW * depth)


def _towards_ends(boxes: Boxes, sides: int) -> Sum:
    """Value, error, and ±inf where an end makes it so.

    Each end is the limit of partial sums without its last 2^-k: of all sums, and of the extrapolations of those of the
    first and of the last levels, the one with the smallest error is taken. Rounding spoils the last levels at an end
    that is not 0, the first know nothing of what happens close to it.
    """
    depth, window = _levels(boxes)
    levels = jnp.asarray(2.0 ** -np.arange(1, depth + 1), boxes.lower.dtype)
    on = boxes.used()[None] & (boxes.side[None] == jnp.arange(sides, dtype=jnp.int32)[:, None])
    before = on[:, None] & (boxes.lower[:, 0][None] >= levels[:, None])[None]  # [side, level, box]
    sums, errors = (_sums(before, parts) for parts in (boxes.value, boxes.error))  # [side, out, level]
    last = jnp.min(jnp.where(on, boxes.upper[:, 0][None], 1), 1)[:, None]  # [side, 1]
    parts = jnp.stack([sums[..., :window], sums[..., -window:]])  # [part, side, out, level]
    extrapolated, uncertain = jax.vmap(jax.vmap(jax.vmap(accelerated)))(parts)
    usable = (jnp.stack([last, last]) <= jnp.stack([levels[window - 1], levels[-1]])[:, None, None]) & (
        grows(parts) == 0
    )
    left = jnp.stack([errors[..., window - 1], errors[..., -1]])
    values = jnp.concatenate([_sums(on, boxes.value)[None], extrapolated])
    bounds = jnp.concatenate([_sums(on, boxes.error)[None], jnp.where(usable, uncertain + left, jnp.inf)])
    best = jnp.argmin(bounds, 0)[None]
    value, error = (jnp.take_along_axis(x, best, 0)[0] for x in (values, bounds))
    growing = jnp.where(last <= levels[-1], grows(sums), 0)
    return value.sum(0), error.sum(0), jnp.where(growing == 0, 0, growing * jnp.inf).sum(0)


def _sums(where: Array, parts: Array) -> Array:
    """The sum over boxes of `where` [side, …, box] times parts [box, out], as [side, out, …]."""
    return jnp.moveaxis(where.astype(parts.dtype) @ parts, -1, 1)
