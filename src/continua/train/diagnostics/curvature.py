"""How steep a loss bends, and the longest step that this allows."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from continua.calculus import Extremes, extreme_eigenvalues
from continua.core import ArgumentError, floats

# How much of a guess is replaced by random numbers: a guess that is an eigenvector of another eigenvalue, as the last
# one is after two of them have changed places, would never be left.
NOISE = 0.1


def sharpness(
    loss: Callable[[Any], Any],
    params: Any,
    *,
    steps: Any = None,
    guess: Any = None,
    products: int = 15,
    rtol: float = 1e-6,
) -> Extremes:
    r"""The largest curvature of a loss, by Lanczos' method on products with the Hessian.

    $$ \lambda_{\max}(\nabla^2 L), \qquad \text{or, with step lengths D,} \quad
       \lambda_{\max}(D^{1/2}\, \nabla^2 L\, D^{1/2}) $$

    Gradient descent with step h is stable in a valley while $h \lambda_{\max} < 2$; so is every optimiser whose answer
    to a gradient that swings is D times as large (`swing_response`), while the second form is below 2. Half of it is
    called `edge` here: at 1, steps begin to swing.

    Args:
        loss: `loss(params)` returns one number.
        params: an array or a tree of floats.
        steps: D, positive, like `params`.
        guess: the `vector` of an earlier call: fewer products are needed. Without it, random numbers.
        products: at most so many products with the Hessian; each costs about 1.4 gradients.
        rtol: the relative error at which to stop.

    Returns:
        `Extremes`: `largest` is the sharpness; `least` the most negative curvature seen.

    Raises:
        ArgumentError: a shape or a number cannot be used.
        ArgumentTypeError: the parameters are no floats.

    Example:
        >>> bent = sharpness(lambda x: 2 * x[0] ** 2 + x[1] ** 2, jnp.zeros(2))
        >>> print(f"{bent.largest:.4f} {bent.least:.4f}")
        4.0000 2.0000

    Source: Cohen et al., arXiv 2103.00065 (the edge); arXiv 2207.14484 (with adaptive steps).
    """
    params = floats("sharpness", params, "params")
    _, bend = jax.linearize(jax.grad(loss), params)
    start = random_like(params)
    if guess is not None:
        start = jax.tree.map(lambda old, new: old + NOISE * new, guess, start)
    if steps is None:
        return extreme_eigenvalues(bend, start, products=products, rtol=rtol)
    if jax.tree.structure(steps) != jax.tree.structure(params):
        raise ArgumentError(
            f"`steps` of `sharpness` must have the structure of `params`. Got {jax.tree.structure(steps)}. "
            "Use `swing_response`."
        )
    roots = jax.tree.map(jnp.sqrt, steps)
    scaled = lambda v: jax.tree.map(jnp.multiply, roots, v)  # noqa: E731
    return extreme_eigenvalues(lambda v: scaled(bend(scaled(v))), start, products=products, rtol=rtol)


def random_like(like: Any) -> Any:
    """Random numbers in the shapes of a tree, always the same, of a length of about 1 altogether."""
    flat, unravel = ravel_pytree(like)
    return unravel(jax.random.normal(jax.random.key(0), flat.shape, flat.dtype) / flat.size**0.5)
