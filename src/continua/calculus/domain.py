"""Where an integral is taken, as images of the unit cube: near an end of an axis the coordinate is the way from it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from continua.core import Scalar

End = Scalar | Callable[[Array], Any]


class Domain(NamedTuple):
    """The ends of each axis, numbers or functions of the coordinates before, and where one axis is cut besides.

    Every axis is halved. So an end is the point s = 0 of its half, however far it is: numbers are densest there, and a
    singularity at an end is resolved to the last digit.
    """

    lower: Sequence[End]
    upper: Sequence[End]
    cuts: Float[Array, " cut"]

    @property
    def dimension(self) -> int:
        """How many axes."""
        return len(self.lower)

    @property
    def sides(self) -> int:
        """How many unit cubes there are."""
        return 2**self.dimension * (len(self.cuts) + 1)

    def place(self, side: Int[Array, ""], s: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Scalar]:
        """The point of a cube and the volume there, negative where ends stand the other way round."""
        x, volume = s[:0], jnp.ones((), s.dtype)
        for axis, (lower, upper) in enumerate(zip(self.lower, self.upper, strict=True)):
            first, last = (jnp.asarray(end(x) if callable(end) else end, s.dtype) for end in (lower, upper))
            if len(self.cuts):
                stops = jnp.concatenate([first[None], self.cuts, last[None]])
                first, last = stops[side // 2], stops[side // 2 + 1]
            coordinate, stretch = _half(first, last, (side >> axis) % 2 == 1, s[axis])
            x, volume = jnp.concatenate([x, coordinate[None]]), volume * stretch
        return x, volume


def _half(first: Scalar, last: Scalar, far: Bool[Array, ""], s: Scalar) -> tuple[Scalar, Scalar]:
    r"""The half of an interval at one of its ends, and the size of its derivative.

    $$ x = e \mp \frac{b - a}{2} s \;\text{at a finite end } e, \qquad x = c \pm \frac1s \;\text{at an infinite one} $$
    """
    flipped = last < first
    low, high = jnp.where(flipped, last, first), jnp.where(flipped, first, last)
    below, above = jnp.isfinite(low), jnp.isfinite(high)
    low, high = jnp.where(below, low, 0), jnp.where(above, high, 0)
    ends, opposite_ends = jnp.where(far, above, below), jnp.where(far, below, above)
    here, opposite = jnp.where(far, high, low), jnp.where(far, low, high)
    outward = jnp.where(far, 1, -1).astype(s.dtype)
    width = jnp.where(below & above, (high - low) / 2, 1)
    away = 1 / s - jnp.where(opposite_ends, 0, 1).astype(s.dtype)
    x = jnp.where(ends, here - outward * width * s, opposite + outward * away)
    stretch = jnp.where(ends, width, 1 / s**2)
    return x, jnp.where(flipped, -stretch, stretch)
