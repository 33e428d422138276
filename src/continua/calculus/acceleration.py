"""The limit of a sequence from its first terms, and how far from it the answer may be."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from continua.core import Scalar

SAFETY = 10.0  # neighbours in a table share some of their error
LAST = 5  # differences that decide whether a sequence grows
STEADY = 2e-4  # where they shrink by less from term to term, they add up to infinity


def accelerated(terms: Float[Array, " term"]) -> tuple[Scalar, Scalar]:
    r"""The limit of a sequence, by Wynn's ε and Levin's u, and an estimate of its error.

    $$ \varepsilon_{j+1}^{(k)} = \varepsilon_{j-1}^{(k+1)} + \frac{1}{\varepsilon_j^{(k+1)} - \varepsilon_j^{(k)}},
       \qquad \varepsilon_{-1} = 0, \quad \varepsilon_0^{(k)} = s_k $$

    ε finds limits that are approached like sums of powers qᵏ, such as an integral towards a singular end or a function
    along steps that are halved. u finds those approached like powers of 1/k too. Each entry of their tables has an
    error, its distance from its neighbours; of the entries that agree best that which knows the latest terms is taken.

    Args:
        terms: at least three.

    Returns:
        The limit and its error, infinite where nothing settles.

    Source: Wynn, MTAC 10 (1956) 91–96; Levin, Int. J. Comput. Math. B 3 (1973) 371–388.

    Example:
        >>> leibniz = jnp.cumsum(jnp.array([(-1.0) ** k / (2 * k + 1) for k in range(16)]))
        >>> print(f"{4 * leibniz[-1]:.6f} {4 * accelerated(leibniz)[0]:.6f}")
        3.079153 3.141593
    """
    scale = jnp.max(jnp.abs(lax.stop_gradient(terms)))
    scaled = terms / jnp.where(scale > 0, scale, 1)
    found = zip(_epsilon(scaled), _levin(scaled), strict=True)
    values, errors, latest = (jnp.concatenate(parts) for parts in found)
    noise = 4 * jnp.finfo(terms.dtype).eps
    errors = lax.stop_gradient(jnp.where(jnp.isfinite(values + errors), errors, jnp.inf))
    bound = 10 * (jnp.min(errors) + noise)
    chosen = jnp.argmax(jnp.where(errors <= bound, latest - errors / (2 * bound), -jnp.inf))
    return scale * values[chosen], scale * (SAFETY * errors[chosen] + noise)


def grows(terms: Float[Array, "*batch term"]) -> Float[Array, "*batch"]:
    """1 or -1 where a sequence goes to that infinity, by steps of one sign that do not shrink; else 0."""
    steps = jnp.diff(terms, axis=-1)[..., -LAST:]
    sizes, first = jnp.abs(steps), jnp.sign(steps[..., :1])
    steady = jnp.all(sizes[..., 1:] >= (1 - STEADY) * sizes[..., :-1], -1) & jnp.all(jnp.sign(steps) == first, -1)
    return jnp.where(steady, first[..., 0], 0)


def _inverse(step: Array, still: float) -> Array:
    """Its inverse, or `still` where it is almost 0, so that no derivative of it overflows."""
    smallest = float(jnp.finfo(step.dtype).tiny) ** 0.25
    tiny = jnp.abs(step) < smallest
    return jnp.where(tiny, still / smallest, 1 / jnp.where(tiny, 1, step))


def _epsilon(terms: Array) -> tuple[Array, Array, Array]:
    """Values, errors and last terms of the even columns of the table; what lies outside of it has an infinite error."""
    count = len(terms)

    def after(before: Array, column: Array, still: float) -> Array:
        return jnp.roll(before, -1) + _inverse(jnp.roll(column, -1) - column, still)

    def next_columns(columns: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        odd, last = columns
        odd = after(odd, last, 1.0)
        even = after(last, odd, 0.0)
        beside = jnp.maximum(jnp.abs(even - jnp.roll(last, -1)), jnp.abs(even - jnp.roll(last, -2)))
        steps = jnp.abs(even - jnp.roll(even, 1))  # of two: where terms happen to be equal, two entries are
        return (odd, even), (even, jnp.maximum(beside, jnp.maximum(steps, jnp.roll(steps, 1))))

    _, (values, errors) = lax.scan(next_columns, (jnp.zeros_like(terms), terms), length=(count - 1) // 2)
    place = np.arange(count)
    latest = place + 2 * np.arange(1, len(values) + 1)[:, None]
    inside = (place >= 2) & (latest < count)
    return values.ravel(), jnp.where(inside, errors, jnp.inf).ravel(), jnp.asarray(latest.ravel(), terms.dtype)


def _levin(terms: Array) -> tuple[Array, Array, Array]:
    """The u transform of the first 3, 4, … terms."""
    count = len(terms)
    table = np.zeros((count, count))
    for n in range(count):
        table[n, : n + 1] = [(-1) ** j * math.comb(n, j) * ((j + 1) / (n + 1)) ** (n - 1) for j in range(n + 1)]
    weights = _inverse(jnp.diff(terms, prepend=0) * np.arange(1, count + 1, dtype=terms.dtype), 0.0)
    above, below = (jnp.asarray(table, terms.dtype) @ jnp.stack([weights * terms, weights], 1)).T
    values = above * _inverse(below, 0.0)
    errors = jnp.maximum(jnp.abs(values[2:] - values[1:-1]), jnp.abs(values[2:] - values[:-2]))
    return values[2:], errors, jnp.arange(2, count, dtype=terms.dtype)
