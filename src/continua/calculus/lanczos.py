r"""The ends of the spectrum of a symmetric matrix that is known by its products alone.

$$ A Q_k = Q_k T_k + b_k\, q_{k+1} e_k^\top, \qquad T_k \text{ tridiagonal} $$

Source: Lanczos, J. Res. Natl. Bur. Stand. 45 (1950) 255–282; error bounds: Parlett, The Symmetric Eigenvalue Problem,
§ 11.7 and 13.2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from continua.calculus import arguments
from continua.calculus.derivatives import flat
from continua.core import ArgumentError, Count, Scalar, count, is_traced, short

MOST = 2**10


class Extremes(NamedTuple):
    """The ends of a spectrum, as far as some products tell.

    Args:
        least, largest: eigenvalues; the true spectrum reaches at least as far on either side.
        vector: of length 1, in the structure of the start; the direction of `largest`.
        error: how far from an eigenvalue `largest` is, estimated.
        products: how many were taken.
    """

    least: Scalar
    largest: Scalar
    vector: Any
    error: Scalar
    products: Count


class _Krylov(NamedTuple):
    """Directions taken so far and the next one, [direction, n]; the matrix as they see it; what that tells."""

    basis: Float[Array, "direction n"]
    diagonal: Float[Array, " product"]
    beside: Float[Array, " product"]
    done: Count
    values: Float[Array, " product"]
    weights: Float[Array, " product"]
    error: Scalar


def extreme_eigenvalues(
    product: Callable[[Any], Any], start: Any, *, products: int = 16, rtol: float = 1e-6
) -> Extremes:
    r"""The least and the largest eigenvalue of a symmetric matrix, from its products with vectors.

    Lanczos' method, every direction made orthogonal to all before. It ends when the largest eigenvalue is known: with
    the residual $r$ of its vector and the gap $g$ to the next one, the error is about $\min(r, r^2/g)$.

    Args:
        product: `product(v)` returns A v, like v, linear in v.
        start: an array or a tree of floats that is not zero: a guess of the largest eigenvalue's vector, such as the
            one of a matrix nearby; or random numbers.
        products: at most so many.
        rtol: the error of the largest eigenvalue at which to stop, relative to its size.

    Returns:
        `Extremes(least, largest, vector, error, products)`.

    Raises:
        ArgumentError: A v is not like v, the start is zero, or a number cannot be used.
        ArgumentTypeError: `start` holds integers.

    Example:
        >>> found = extreme_eigenvalues(lambda v: jnp.arange(1.0, 6.0) * v, jnp.ones(5))
        >>> print(f"{found.least:.5f} {found.largest:.5f}", found.products)
        1.00000 5.00000 5
    """
    verb = "extreme_eigenvalues"
    start = arguments.floats(verb, start, "start")
    own, z = flat(arguments.checked(verb, product, "product", like=start), start)
    most = min(count(verb, "products", products, MOST), z.size)
    if not rtol >= 0:
        raise ArgumentError(f"`rtol` of `{verb}` must be a number ≥ 0. Got {rtol!r}. Use 1e-6.")
    length = jnp.linalg.norm(z)
    if not is_traced(length) and length == 0:
        raise ArgumentError(f"`start` of `{verb}` must not be zero. Got {short(start)}. Use random numbers.")
    first = z / length
    empty, zero = jnp.zeros(most, z.dtype), jnp.zeros((), z.dtype)
    basis = jnp.zeros((most + 1, z.size), z.dtype).at[0].set(first)
    begin = _Krylov(basis, empty, empty, jnp.zeros((), jnp.int32), empty, empty, zero + jnp.inf)

    def goes_on(known: _Krylov) -> Array:
        return (known.done < most) & (known.error > rtol * jnp.abs(known.values[-1]))

    def further(known: _Krylov) -> _Krylov:
        at = known.done
        image = ravel_pytree(own(known.basis[at]))[0]
        along = known.basis[at] @ image
        rest = image
        for _ in range(2):  # twice is enough: Parlett, § 6.9
            rest = rest - (known.basis @ rest) @ known.basis
        size = jnp.linalg.norm(rest)
        diagonal, beside = known.diagonal.at[at].set(along), known.beside.at[at].set(size)
        values, weights, error = _seen(diagonal, beside, at + 1)
        basis = known.basis.at[at + 1].set(rest / jnp.where(size > 0, size, 1))
        return _Krylov(basis, diagonal, beside, at + 1, values, weights, error)

    end = lax.while_loop(goes_on, further, begin)
    vector = end.weights @ end.basis[:-1]
    return Extremes(end.values[most - end.done], end.values[-1], ravel_pytree(start)[1](vector), end.error, end.done)


def _seen(diagonal: Array, beside: Array, done: Count) -> tuple[Array, Array, Scalar]:
    """Eigenvalues of the first `done` rows, behind as many low ones as are missing; the last's vector, its error."""
    most = len(diagonal)
    order = jnp.arange(most, dtype=done.dtype)
    below = -1 - 3 * (jnp.abs(diagonal).max() + beside.max())  # by Gershgorin, less than every eigenvalue
    inside = jnp.where(order[1:] < done, beside[:-1], 0)
    matrix = jnp.diag(jnp.where(order < done, diagonal, below)) + jnp.diag(inside, 1) + jnp.diag(inside, -1)
    values, vectors = jnp.linalg.eigh(matrix)
    weights = vectors[:, -1]
    residual = beside[done - 1] * jnp.abs(weights[done - 1])
    gap = values[-1] - values[max(most - 2, 0)]
    squared = residual**2 / jnp.where(gap > 0, gap, 1)
    return values, weights, jnp.where((done > 1) & (gap > 0), jnp.minimum(residual, squared), residual)
