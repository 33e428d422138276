"""Losses: what a model's outputs cost, one number for each sample; stable where exponentials would overflow."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from continua.core import ArgumentTypeError


def softmax_cross_entropy(scores: Float[Array, "*batch classes"], classes: Int[Array, "*batch"]) -> Array:
    r"""Minus the log-likelihood of the right class under softmax.

    $$ \ell = \log \sum_k e^{z_k - z_c} $$

    Args:
        scores: z, any real numbers, not yet softmaxed.
        classes: c, from 0.

    Returns:
        ℓ of each sample, [*batch].

    Raises:
        ArgumentTypeError: for classes that are no whole numbers.

    Example:
        >>> from continua.optim import softmax_cross_entropy
        >>> print(softmax_cross_entropy(jnp.array([[1000.0, 0.0]]), jnp.array([1])))
        [1000.]
    """
    if not jnp.issubdtype(classes.dtype, jnp.integer):
        raise ArgumentTypeError(
            f"`classes` of `softmax_cross_entropy` must be whole numbers from 0. Got {classes.dtype}. "
            "Number the classes, or use argmax of one-hot rows."
        )
    own = jnp.take_along_axis(scores, classes[..., None], axis=-1)[..., 0]
    return jax.nn.logsumexp(scores, axis=-1) - own


def logistic(margin: Float[Array, "*batch"]) -> Array:
    r"""$\ell = \log(1 + e^{-m})$ of the margin m = y z, where y is −1 or +1 (not 0 or 1) and z the score."""
    return jax.nn.softplus(-margin)


def hinge(margin: Float[Array, "*batch"]) -> Array:
    r"""$\ell = \max(0, 1 - m)$ of the margin m = y z, where y is −1 or +1 (not 0 or 1) and z the score."""
    return jax.nn.relu(1 - margin)


def squared_hinge(margin: Float[Array, "*batch"]) -> Array:
    r"""$\ell = \max(0, 1 - m)^2$ of the margin m = y z, where y is −1 or +1 (not 0 or 1) and z the score."""
    return hinge(margin) ** 2


def squared_error(residual: Array) -> Array:
    r"""$\ell = r^2$; its mean is the MSE."""
    return residual**2


def absolute_error(residual: Array) -> Array:
    r"""$\ell = |r|$; its mean is the MAE."""
    return jnp.abs(residual)


def huber(residual: Array, width: float = 1.0) -> Array:
    r"""Huber's loss: a parabola within the width δ, straight lines beyond, so that outliers pull no harder.

    $$ \ell = \tfrac12 r^2 \;(|r| \le \delta), \qquad \delta\,(|r| - \tfrac12 \delta) \text{ else} $$

    Source: Huber, Ann. Math. Statist. 35 (1964) 73–101.
    """
    size = jnp.abs(residual)
    inside = jnp.minimum(size, width)
    return inside * (size - inside / 2)
