r"""Traces of matrices that are known by their products alone, from random directions, with error bars.

$$ \operatorname{tr} A = \mathbb{E}\, v^\top A v, \qquad v_i = \pm 1 $$

Source: Hutchinson, Commun. Stat. Simul. Comput. 18 (1989) 1059–1076; deflated as in Meyer, Musco, Musco & Woodruff,
Hutch++, SIAM Symposium on Simplicity in Algorithms (2021) 142–155.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from continua.calculus import arguments
from continua.calculus.derivatives import flat
from continua.core import Scalar, count

MOST = 2**20


class Estimate(NamedTuple):
    """A number from random samples and its standard error: within two of them in 19 of 20 cases."""

    value: Scalar
    error: Scalar


def estimate_trace(
    product: Callable[[Any], Any], like: Any, key: jax.Array, *, samples: int = 64, deflated: int = 0
) -> Estimate:
    r"""The trace of a square matrix from its products with random vectors.

    $$ \operatorname{tr} A = \operatorname{tr} Q^\top A Q + \mathbb{E}\, w^\top A w, \qquad w = (I - Q Q^\top) v $$

    Args:
        product: `product(v)` returns A v, like v, linear in v.
        like: an array or a tree of floats with the structure and shapes of v.
        key: of `jax.random`.
        samples: random directions v, at least 2; a product for each.
        deflated: the number of columns of Q, an orthonormal basis of A times as many random vectors, whose part of
            the trace is found exactly for two products each. Pays where few eigenvalues are large.

    Returns:
        `Estimate(value, error)`, the error from the spread of the samples.

    Raises:
        ArgumentError: A v is not like v, or a count cannot be used.
        ArgumentTypeError: `like` holds integers.

    Example:
        >>> estimate = estimate_trace(lambda v: 3.0 * v, jnp.zeros(5), jax.random.key(0))
        >>> print(estimate.value, estimate.error)
        15.0 0.0
    """
    return _estimate("estimate_trace", product, like, key, samples, deflated)


def estimate_divergence(
    f: Callable[[Any], Any], x: Any, key: jax.Array, *, samples: int = 64, deflated: int = 0
) -> Estimate:
    """The divergence of a vector field of many variables: the trace of its Jacobian, by forward products.

    Args:
        f: `f(x)` returns a vector like x.
        x: an array or a tree of floats.
        key: of `jax.random`.
        samples: random directions, a product for each.
        deflated: directions whose part is found exactly, two products for each, as in `estimate_trace`.

    Returns:
        `Estimate(value, error)`.

    Raises:
        ArgumentError: f(x) is not like x, or a count cannot be used.
        ArgumentTypeError: x holds integers.

    Example:
        >>> print(estimate_divergence(lambda x: 2.0 * x, jnp.zeros(5), jax.random.key(0)).value)
        10.0
    """
    x = arguments.floats("estimate_divergence", x)
    arguments.function("estimate_divergence", f)
    _, push = jax.linearize(arguments.checked("estimate_divergence", f, like=x), x)
    return _estimate("estimate_divergence", push, x, key, samples, deflated)


def estimate_laplacian(
    f: Callable[[Any], Any], x: Any, key: jax.Array, *, samples: int = 64, deflated: int = 0
) -> Estimate:
    """The Laplacian of a function of many variables: the trace of its Hessian, by products with it.

    Args:
        f: `f(x)` returns one number.
        x: an array or a tree of floats.
        key: of `jax.random`.
        samples: random directions, a product for each.
        deflated: directions whose part is found exactly, two products for each, as in `estimate_trace`.

    Returns:
        `Estimate(value, error)`.

    Raises:
        ArgumentError: f returns more than one number, or a count cannot be used.
        ArgumentTypeError: x holds integers.

    Example:
        >>> print(estimate_laplacian(lambda x: jnp.sum(x**2), jnp.zeros(5), jax.random.key(0)).value)
        10.0
    """
    x = arguments.floats("estimate_laplacian", x)
    arguments.function("estimate_laplacian", f)
    _, push = jax.linearize(jax.grad(arguments.checked("estimate_laplacian", f, scalar=True)), x)
    return _estimate("estimate_laplacian", push, x, key, samples, deflated)


def _estimate(verb: str, product: Callable, like: Any, key: jax.Array, samples: int, deflated: int) -> Estimate:
    """By products with flat vectors, all samples at once."""
    like = arguments.floats(verb, like, "like" if verb == "estimate_trace" else "x")
    own, z = flat(arguments.checked(verb, product, "product", like=like), like)
    samples = count(verb, "samples", samples, MOST, least=2)
    deflated = count(verb, "deflated", deflated, z.size, least=0)
    signs = jax.random.rademacher(key, (deflated + samples, z.size), z.dtype)
    products = jax.vmap(lambda v: ravel_pytree(own(v))[0])
    basis = jnp.linalg.qr(products(signs[:deflated]).T)[0].T if deflated else signs[:0]
    exact = jnp.sum(basis * products(basis)) if deflated else jnp.zeros((), z.dtype)
    rest = signs[deflated:] - (signs[deflated:] @ basis.T) @ basis
    found = jnp.sum(rest * products(rest), axis=1)
    return arguments.finite(verb, Estimate(exact + found.mean(), found.std(ddof=1) / samples**0.5), like)
