"""How long a step may be: where a method's growth factor leaves the unit disk."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, in_double_precision
from continua.equations import Linear
from continua.methods.explicit_runge_kutta import ExplicitRungeKutta
from continua.methods.method import Method
from continua.methods.substeps import Substeps

FARTHEST = 1e4  # |z| up to which the region is followed; what is stable beyond counts as stable for any step
RINGS = 400  # samples of |z| from one end to the other, before bisection
ROUND_OFF = 1e-12


def stability_limit(method: Method, spectrum: Any) -> float:
    r"""The longest step h with which no wave grows.

    $$ |R(z)| \le 1 \quad \text{for all } z \in [0, h] \cdot \lambda, \qquad y_{n+1} = R(h \lambda)\, y_n
       \text{ for } y' = \lambda y $$

    Args:
        method: what steps.
        spectrum: [wave], λ, complex numbers in 1/time, as `Stencil.spectrum` gives them. Those that grow by themselves
            (Re λ > 0) are left out.

    Returns:
        h, in units of time; infinite where nothing bounds it, 0 where no step is short enough.

    Raises:
        ArgumentError: `spectrum` is empty or not finite.

    Example:
        >>> from continua.methods import RK4, Euler
        >>> print(round(stability_limit(Euler(), [-4.0]), 6), round(stability_limit(RK4(), [-4.0]) * 4, 3))
        0.5 2.785
    """
    waves = _falling(spectrum)
    if not waves.size:
        return np.inf
    sizes = np.abs(waves)
    units = np.round(np.real(waves) / sizes, 6) + 1j * np.round(
        np.abs(np.imag(waves)) / sizes, 6
    )  # R of conjugates: conjugate
    directions, group = np.unique(np.minimum(np.real(units), 0) + 1j * np.imag(units), return_inverse=True)
    longest = np.zeros(len(directions))
    np.maximum.at(longest, group, sizes)
    return float((_ends(growth_of(method), directions / np.abs(directions)) / longest).min())


def growth_factor(method: Method, h: float, spectrum: Any) -> float:
    """By how much the most unstable wave of a falling spectrum grows in a step of length h."""
    waves = _falling(spectrum)
    return float(np.max(growth_of(method)(h * waves), initial=0.0))


def growth_of(method: Method) -> Callable[[np.ndarray], np.ndarray]:
    r"""$z \mapsto |R(z)|$, for complex z [wave]."""
    if isinstance(method, Substeps):
        inner, count = growth_of(method.method), method.count
        return lambda z: inner(z / count) ** count
    if isinstance(method, ExplicitRungeKutta):
        return lambda z: np.abs(_polynomial(method, z))
    return _by_stepping(method)


def _falling(spectrum: Any) -> np.ndarray:
    waves = np.asarray(spectrum, complex).ravel()
    if not waves.size or not np.isfinite(waves).all():
        raise ArgumentError("`spectrum` of stability_limit must hold finite numbers, one at least.")
    largest = np.abs(waves).max()
    return waves[(np.abs(waves) > 1e-12 * largest) & (np.real(waves) <= 1e-9 * largest)]


def _polynomial(method: ExplicitRungeKutta, z: np.ndarray) -> np.ndarray:
    """1 + z bᵀ k, with k from stage to stage."""
    stages: list[np.ndarray] = []
    for row in method.tableau.a:
        stages.append(1 + z * sum((a * k for a, k in zip(row, stages, strict=False)), np.zeros_like(z)))
    return 1 + z * sum((b * k for b, k in zip(method.tableau.b, stages, strict=True)), np.zeros_like(z))


def _by_stepping(method: Method) -> Callable[[np.ndarray], np.ndarray]:
    """By a step of length 1 of a plane that turns and shrinks."""

    @jax.jit
    @jax.vmap
    def ring(real: Array, imaginary: Array) -> Array:
        turn = jnp.stack([jnp.stack([real, -imaginary]), jnp.stack([imaginary, real])])
        one, start = jnp.ones(()), jnp.array([1.0, 0.0])
        return jnp.linalg.norm(method.advance(Linear(turn, jnp.zeros(2)), 0 * one, one, start, None))

    @in_double_precision
    def values(z: np.ndarray) -> np.ndarray:
        return np.asarray(ring(jnp.asarray(np.real(z)), jnp.asarray(np.imag(z))))

    return values


def _ends(size_of: Callable[[np.ndarray], np.ndarray], directions: np.ndarray) -> np.ndarray:
    """|z| at which the region ends, for each direction; infinite where it does not."""
    sizes = np.geomspace(1e-3, FARTHEST, RINGS)
    with np.errstate(over="ignore", invalid="ignore"):
        grows = ~(np.stack([size_of(size * directions) for size in sizes]) <= 1 + ROUND_OFF)
        first = np.where(grows.any(0), grows.argmax(0), RINGS)
        low = np.where(first > 0, sizes[np.maximum(first - 1, 0)], 0.0)
        high = sizes[np.minimum(first, RINGS - 1)]
        for _ in range(50):
            middle = (low + high) / 2
            inside = size_of(middle * directions) <= 1 + ROUND_OFF
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(first == RINGS, np.inf, np.where(first == 0, 0.0, low))
