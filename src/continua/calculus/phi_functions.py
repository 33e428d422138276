"""The functions φₖ of exponential integrators, without cancellation."""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Inexact

Phis = tuple[Array, ...]  # φ₀, φ₁, …

TERMS = 22  # of the series: (3/2)^22 / 22! is 7e-18
MATRIX_TERMS = 14  # 2^-15 / 15! is 2e-17
MOST_SQUARINGS = 40  # reaches norms of 1e12


def phi(order: int, z: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    r"""The function φ of numbers, real or complex.

    $$ \varphi_0(z) = e^z, \qquad \varphi_k(z) = \sum_{j \ge 0} \frac{z^j}{(j+k)!}
       = \frac{\varphi_{k-1}(z) - 1/(k-1)!}{z} $$

    Near 0 the series is summed, elsewhere the recurrence runs upward, which loses no more than a digit there.

    Example:
        >>> print(f"{phi(1, jnp.array(1.0)):.6f}")
        1.718282
    """
    if order == 0:
        return jnp.exp(z)
    near = jnp.abs(lax.stop_gradient(z)) < 1.5
    small, large = jnp.where(near, z, 0), jnp.where(near, 1, z)
    series = jnp.zeros_like(z)
    for j in reversed(range(TERMS)):
        series = series * small + 1 / math.factorial(j + order)
    value = jnp.expm1(large) / large if jnp.isrealobj(z) else (jnp.exp(large) - 1) / large
    for k in range(1, order):
        value = (value - 1 / math.factorial(k)) / large
    return jnp.where(near, series, value)


def phi_of_matrix(highest: int, matrix: Inexact[Array, "*batch state state"]) -> Phis:
    r"""The functions φ₀ … φ_highest of a matrix, or of each of a batch, by series of a scaled one and `doubled`.

    Args:
        highest: the largest k of φₖ.
        matrix: [state, state], or with axes of a batch before them, which are scaled alike.

    Returns:
        Arrays like `matrix`, φ₀ first.

    Source: Skaflestad & Wright, The scaling and modified squaring method for matrix functions related to the
    exponential, Appl. Numer. Math. 59 (2009) 783–799.

    Example:
        >>> nilpotent = jnp.array([[0.0, 1.0], [0.0, 0.0]])
        >>> exponential, integral = phi_of_matrix(1, nilpotent)
        >>> print(exponential, integral[0])
        [[1. 1.]
         [0. 1.]] [1.  0.5]
    """
    norm = jnp.max(jnp.sum(jnp.abs(lax.stop_gradient(matrix)), -2))
    doublings = jnp.ceil(jnp.log2(jnp.maximum(2 * norm, 1)))
    scaled = matrix * jnp.exp2(-doublings).astype(matrix.dtype)
    one = jnp.broadcast_to(jnp.eye(matrix.shape[-1], dtype=matrix.dtype), matrix.shape)
    weights = [1 / math.factorial(j + highest) for j in reversed(range(MATRIX_TERMS + 1))]

    def term(sum_: Array, weight: Array) -> tuple[Array, None]:
        return scaled @ sum_ + weight * one, None

    found = (lax.scan(term, jnp.zeros_like(matrix), jnp.asarray(weights, matrix.dtype))[0],)
    for k in reversed(range(highest)):
        found = (scaled @ found[0] + one / math.factorial(k), *found)

    def turn(phis: Phis, number: Array) -> tuple[Phis, None]:
        return lax.cond(number < doublings, doubled, lambda phis: phis, phis), None

    return lax.scan(turn, found, jnp.arange(MOST_SQUARINGS, dtype=norm.dtype))[0]


def doubled(phis: Phis) -> Phis:
    r"""The functions φ₀, φ₁, … of twice the matrix.

    $$ \varphi_k(2z) = 2^{-k} \Big( \varphi_0(z) \varphi_k(z) + \sum_{j=1}^{k} \frac{\varphi_j(z)}{(k-j)!} \Big) $$
    """

    def of(k: int) -> Array:
        terms = [phis[j] / math.factorial(k - j) for j in range(1, k + 1)]
        return sum(terms, phis[0] @ phis[k]) / 2**k

    return tuple(of(k) for k in range(len(phis)))
