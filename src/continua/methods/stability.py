"""How long a step may be: where a method's growth factor leaves the unit disk."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, in_double_precision
from continua.equations import Linear
from continua.methods.method import Method

FARTHEST = 1e4  # |z| up to which the region is followed; what is stable beyond counts as stable for any step
RINGS = 400  # samples of |z| from one end to the other, before bisection
ROUND_OFF = 1e-12


def stability_limit(method: Method, spectrum: Any) -> float:
    r"""The longest step h with which no wave grows.

    $$ |R(z)| \le 1 \quad \text{for all } z \in [0, h] \cdot \lambda, \qquad y_{n+1} = R(h \lambda)\, y_n
       \text{ for } y' = \lambda y $$

    Args:
        method: what steps; of its steps none must depend on anything but h λ.
        spectrum: [wave], λ, complex numbers in 1/time, as `Stencil.spectrum` gives them. Those that grow by themselves
            (Re λ > 0) are left out.

    Returns:
        h, in units of time; infinite where nothing bounds it, 0 where no step is short enough.

    Example:
        >>> from continua.methods import Euler, RK4
        >>> print(stability_limit(Euler(), [-4.0]), round(stability_limit(RK4(), [-4.0]) * 4, 3))
        0.5 2.785
    """
    waves = np.asarray(spectrum, complex).ravel()
    if not waves.size or not np.isfinite(waves).all():
        raise ArgumentError("`spectrum` of stability_limit must hold finite numbers, one at least.")
    largest = np.abs(waves).max()
    waves = waves[(np.abs(waves) > 1e-12 * largest) & (waves.real <= 1e-9 * largest)]
    if not waves.size:
        return np.inf
    sizes = np.abs(waves)
    units = np.round(waves.real / sizes, 6) + 1j * np.round(np.abs(waves.imag) / sizes, 6)  # R of conjugates: conjugate
    directions, group = np.unique(np.minimum(units.real, 0) + 1j * units.imag, return_inverse=True)
    longest = np.zeros(len(directions))
    np.maximum.at(longest, group, sizes)
    return float((_ends(method, directions / np.abs(directions)) / longest).min())


@in_double_precision
def _ends(method: Method, directions: np.ndarray) -> np.ndarray:
    """|z| at which the region ends, for each direction; infinite where it does not."""

    def growth(size: Array, real: Array, imaginary: Array) -> Array:
        """|R|, by a step of length 1 of a plane that turns and shrinks."""
        real, imaginary = size * real, size * imaginary
        turn = jnp.stack([jnp.stack([real, -imaginary]), jnp.stack([imaginary, real])])
        one, start = jnp.ones(()), jnp.array([1.0, 0.0])
        return jnp.linalg.norm(method.advance(Linear(turn, jnp.zeros(2)), 0 * one, one, start, None))

    sizes = np.geomspace(1e-3, FARTHEST, RINGS)
    units = jnp.asarray(directions.real), jnp.asarray(directions.imag)
    ring = jax.jit(jax.vmap(growth))
    rows = np.stack([np.asarray(ring(jnp.full(len(directions), size), *units)) for size in sizes])
    grows = ~(rows <= 1 + ROUND_OFF)
    first = np.where(grows.any(0), grows.argmax(0), RINGS)
    low = np.where(first > 0, sizes[np.maximum(first - 1, 0)], 0.0)
    high = sizes[np.minimum(first, RINGS - 1)]
    for _ in range(50):
        middle = (low + high) / 2
        inside = np.asarray(ring(jnp.asarray(middle), *units)) <= 1 + ROUND_OFF
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(first == RINGS, np.inf, np.where(first == 0, 0.0, low))
