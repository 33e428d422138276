"""A Brownian path that is a function of a key and of time: asked again, at any times, it gives the same increments."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, UInt32

from continua.core import Scalar
from continua.equations.counted_normals import normals

LEVELS = {64: 26, 32: 18}  # of halvings by bits of a float: below that the path is a parabola
SQRT_12 = math.sqrt(12)


class BrownianPath(eqx.Module):
    r"""Independent Brownian motions, given by a key.

    $$ W(t) - W(s) \sim N(0, t - s), \qquad A(s, t) = \int_s^t \big(W(r) - W(s)\big)\, dr $$

    Time is cut into cells of one width from `origin` on. A cell's increment and area are drawn by the number of the
    cell alone; inside, the cell is halved again and again, each half by its place in the tree. So a step over one cell
    takes a single draw, and any other times the draws on their way down the tree.

    Args:
        key: of `jax.random`.
        dimension: how many motions.
        origin: a time; the path goes on from there.
        width: of a cell. Steps of that length from `origin` on are cheap; others are as exact.

    Good for: steps that are taken again in reverse, rejected or refined; solves with different steps on one path.

    Source: Gaines & Lyons, SIAM J. Appl. Math. 57 (1997) 1455–1484; Jelinčič, Foster & Kidger, Single-seed generation
    of Brownian paths and integrals for adaptive and high order SDE solvers, arXiv 2405.06464.

    Example:
        >>> import jax
        >>> path = BrownianPath(jax.random.key(0), 2, 0.0, 0.25)
        >>> print(jax.numpy.allclose(path(0.0, 0.5) + path(0.5, 1.0), path(0.0, 1.5), atol=1e-6))
        True
    """

    words: tuple[UInt32[Array, " noise"], UInt32[Array, " noise"]]
    origin: Scalar
    width: Scalar

    def __init__(self, key: Any, dimension: int, origin: Any, width: Any) -> None:
        first, second = jax.random.bits(key, (2, dimension), jnp.uint32)
        self.words = first, second
        self.origin, self.width = jnp.asarray(origin), jnp.asarray(width)

    @property
    def dimension(self) -> int:
        """How many motions."""
        return len(self.words[0])

    def __call__(self, t: Any, h: Any, args: Any = None) -> Float[Array, " noise"]:
        """W(t + h) − W(t)."""
        return self._over(t, h, 1)[0]

    def with_area(self, t: Any, h: Any, args: Any = None) -> Float[Array, "2 noise"]:
        """W(t + h) − W(t), and the integral of W − W(t) over that time."""
        return self._over(t, h, 2)

    def _over(self, t: Any, h: Any, moments: int) -> Array:
        times = (self.origin, self.width, t, h)
        return _increments(moments)(*self.words, *(lax.stop_gradient(jnp.asarray(x)) for x in times))


@functools.cache
def _increments(moments: int) -> Callable[..., Array]:
    """[moments, noise] of a step; lanes go through it at once, so that all of them can skip the tree together."""

    @custom_vmap
    def increments(first: Array, second: Array, *times: Array) -> Array:
        return _step((first, second), *(jnp.reshape(x, (1,)) for x in times), moments)  # type: ignore[arg-type]

    @increments.def_vmap
    def lanes(size: int, mapped: list[bool], *arguments: Array) -> tuple[Array, bool]:
        def last(x: Array, has: bool) -> Array:
            return jnp.moveaxis(x, 0, -1) if has else jnp.broadcast_to(x[..., None], (*x.shape, size))

        first, second, *times = (last(x, has) for x, has in zip(arguments, mapped, strict=True))
        found = _step((first, second), *(x[None] for x in times), moments)  # type: ignore[arg-type]
        return jnp.moveaxis(found, -1, 0), True

    return increments


class Place(NamedTuple):
    """A time: its cell, and how far inside, in [0, 1)."""

    cell: Array
    inside: Array


class Moments(NamedTuple):
    """Of the path since some time, in units in which a cell has the width 1: its value and its integral."""

    w: Array
    area: Array


Words = tuple[Array, Array]


def _step(words: Words, origin: Array, width: Array, t: Array, h: Array, moments: int) -> Array:
    """[moments, noise] or [moments, noise, lane]; times are [1] or [1, lane]."""
    before, after = (_place((time - origin) / width, t.dtype) for time in (t, t + h))
    crossed = after.cell - before.cell
    whole = (before.inside == 0) & (after.inside == 0) & ((crossed == 1) | (crossed == 0))

    def one_cell() -> Array:
        w, tilt = _drawn(words, before.cell, jnp.zeros_like(before.cell), t.dtype)
        found = (w, w / 2 + tilt / SQRT_12)[:moments]
        return jnp.where(crossed == 1, jnp.stack(found), 0)

    def any_times() -> Array:
        return jnp.stack(_between(words, before, after, t.dtype)[:moments])

    found = lax.cond(jnp.all(whole), one_cell, any_times)
    scales = (jnp.sqrt(width), width * jnp.sqrt(width))
    return found * jnp.stack(jnp.broadcast_arrays(*scales[:moments]))


def _place(x: Array, dtype: Any) -> Place:
    """Cell and rest; a rest of a rounding error, as sums of many steps leave it, is none."""
    nearest = jnp.round(x)
    snapped = jnp.abs(x - nearest) < jnp.finfo(dtype).eps ** 0.25 / 4
    cell = jnp.where(snapped, nearest, jnp.floor(x))
    return Place(cell.astype(jnp.int32), jnp.where(snapped, 0, x - cell))


def _drawn(words: Words, cell: Array, node: Array, dtype: Any) -> tuple[Array, Array]:
    """Two normals for a node of a cell's tree; 0 is the cell itself, 1 its first halving."""
    counter = (lax.bitcast_convert_type(x, jnp.uint32) for x in (cell, node))
    first, second = normals(words, tuple(counter))  # type: ignore[arg-type]
    return first.astype(dtype), second.astype(dtype)


class Walk(NamedTuple):
    """Two ways down the tree, and a way along whole cells, [3, noise] or [3, noise, lane]: one draw serves all three.

    The interval in hand has the length `length`, the number `node`, an increment `w` and a tilt; `place` is where in it
    the time lies that is looked for, `so_far` what was passed.
    """

    length: Array
    node: Array
    place: Array
    w: Array
    tilt: Array
    so_far: Moments


def _between(words: Words, before: Place, after: Place, dtype: Any) -> Moments:
    r"""Between any two times: from both down into their cells, and all cells from the first on to the last.

    An interval of length L has the increment w and the tilt $H = \frac1L \int W - \frac w2 \sim N(0, L/12)$. In halves:

    $$ w_1 = \tfrac w2 + \tfrac32 H + z, \quad H_{1,2} = \tfrac H4 - \tfrac z2 \pm n, \qquad
       z \sim N(0, \tfrac{L}{16}),\; n \sim N(0, \tfrac{L}{48}) $$
    """
    levels, words = LEVELS[jnp.finfo(dtype).bits], (words[0][None], words[1][None])
    along = jnp.arange(3).reshape(3, *[1] * before.cell.ndim) == 2
    cells = jnp.stack([before.cell, after.cell, before.cell])

    def turn(carry: tuple[Array, Walk]) -> tuple[Array, Walk]:
        number, old = carry
        z, n = _drawn(words, cells + jnp.where(along, number, 0), old.node, dtype)
        whole = along | (number == 0)
        z = z * jnp.where(whole, 1, jnp.sqrt(old.length / 16))
        n = n * jnp.where(whole, 1 / SQRT_12, jnp.sqrt(old.length / 48))
        w = z + jnp.where(whole, 0, old.w / 2 + 1.5 * old.tilt)
        mean = jnp.where(whole, 0, old.tilt / 4 - z / 2)
        length = jnp.where(whole, 1, old.length / 2)
        passes = jnp.where(along, cells + number < after.cell[None], ~whole & (old.place >= 0.5))
        beyond = Moments(old.so_far.w + w, old.so_far.area + length * (old.so_far.w + w / 2 + mean + n))
        right = passes & ~along
        new = Walk(
            length,
            jnp.where(along, 0, jnp.where(whole, 1, 2 * old.node + passes.astype(jnp.int32))),
            jnp.where(whole, old.place, 2 * old.place - passes.astype(dtype)),
            jnp.where(right, old.w - w, w),
            jnp.where(right, mean - n, mean + n),
            Moments(*(jnp.where(passes, b, a) for a, b in zip(old.so_far, beyond, strict=True))),
        )
        going_on = along | (number <= levels)  # below that, numbers of nodes would not fit
        return number + 1, jax.tree.map(lambda a, b: jnp.where(going_on, b, a), old, new)

    def going(carry: tuple[Array, Walk]) -> Array:
        number, walk = carry
        inside = (number <= levels) & jnp.any(walk.place > 0)
        return inside | jnp.any(before.cell + number < after.cell)

    shape = (3, *jnp.broadcast_shapes(words[0].shape[1:], before.cell.shape))
    zero, ones = jnp.zeros(shape, dtype), jnp.ones(cells.shape, dtype)
    place = jnp.stack([before.inside, after.inside, jnp.zeros_like(before.inside)])
    walk = Walk(ones, jnp.zeros_like(cells), place, zero, zero, Moments(zero, zero))
    _, (length, _, s, w, tilt, so_far) = lax.while_loop(going, turn, (jnp.zeros((), jnp.int32), walk))
    value = so_far.w + s * w + 6 * s * (1 - s) * tilt
    area = so_far.area + length * (s * so_far.w + s * s * (w / 2 + (3 - 2 * s) * tilt))
    (start, rest, cells_w), (start_area, rest_area, cells_area) = value, area
    span = (after.cell - before.cell).astype(dtype) + (after.inside - before.inside)
    return Moments(
        cells_w + rest - start,
        cells_area + after.inside * cells_w + rest_area - start_area - span * start,
    )
