"""How much of a mini-batch's gradient is noise, and from which batch size on it is not."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from continua.core import ArgumentError, Scalar

MOST_PARTS = 8


class GradientNoise(NamedTuple):
    r"""The mean gradient of samples and their scatter, each without bias, from one batch.

    Args:
        signal: |G|², the squared length of the expected gradient; an estimate of it may be negative.
        scatter: tr Σ, the summed variances of the gradient of one sample.
    """

    signal: Scalar
    scatter: Scalar

    @property
    def scale(self) -> Scalar:
        """The batch size tr Σ / |G|² at which noise and gradient are as long; infinite where no gradient is seen.

        Below it twice the batch allows almost twice the step, far above it nothing is gained. It is a quotient of
        estimates: average both over some steps before.
        """
        return jnp.where(self.signal > 0, self.scatter / jnp.where(self.signal > 0, self.signal, 1), jnp.inf)


def gradient_noise(loss: Callable[[Any, Any], Any], params: Any, batch: Any) -> GradientNoise:
    r"""The simple noise scale of McCandlish and others, from the gradients of a batch and of its parts.

    $$ |G|^2 = \frac{B |g_B|^2 - b\, \overline{|g_b|^2}}{B - b}, \qquad
       \operatorname{tr} \Sigma = \frac{\overline{|g_b|^2} - |g_B|^2}{1/b - 1/B} $$

    Args:
        loss: `loss(params, batch)` returns one number, a mean over the samples.
        params: an array or a tree of floats.
        batch: arrays [sample, …] or a tree of them; samples that the parts do not share evenly are left out.

    Returns:
        `GradientNoise(signal, scatter)`; `.scale` is their quotient.

    Raises:
        ArgumentError: there are fewer than two samples, or arrays of different lengths.

    Example:
        >>> xs = jnp.array([1.0, 3.0, 1.0, 3.0])  # gradients: mean −2, variance 4/3 without bias
        >>> found = gradient_noise(lambda p, x: jnp.mean((p - x) ** 2) / 2, jnp.asarray(0.0), xs)
        >>> print(f"{found.scatter:.3f} {found.signal:.3f}")
        1.333 3.667

    Source: McCandlish et al., arXiv 1812.06162, appendix A.
    """
    _, parts = in_parts(batch)
    return noise_of(part_gradients(loss, params, parts), len(jax.tree.leaves(parts)[0][0]))[1]


def in_parts(batch: Any) -> tuple[Any, Any]:
    """The samples that parts share evenly, and these parts, [part, sample, …]: from two to eight, the most that do."""
    sizes = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in jax.tree.leaves(batch)}
    size = min(sizes, default=0)
    if len(sizes) != 1 or size < 2:
        raise ArgumentError(
            f"`batch` of `gradient_noise` must hold two samples or more, as many in each array. Got {sorted(sizes)}. "
            "Put samples along the first axis."
        )
    parts = max(range(2, min(size, MOST_PARTS) + 1), key=lambda n: (size // n * n, n))
    used = jax.tree.map(lambda leaf: leaf[: size // parts * parts], batch)
    return used, jax.tree.map(lambda leaf: leaf.reshape(parts, -1, *leaf.shape[1:]), used)


def part_gradients(loss: Callable[[Any, Any], Any], params: Any, parts: Any) -> Any:
    """The gradient of every part, [part, …], one after the other."""
    return jax.lax.map(lambda part: jax.grad(loss)(params, part), parts)


def noise_of(gradients: Any, size: int) -> tuple[Any, GradientNoise]:
    """The gradient of all parts together, and its noise, from those of parts of that many samples."""
    whole = jax.tree.map(lambda g: g.mean(0), gradients)
    parts = len(jax.tree.leaves(gradients)[0])
    small, large = squared(gradients) / parts, squared(whole)
    total = parts * size
    signal = (total * large - size * small) / (total - size)
    return whole, GradientNoise(signal, (small - large) / (1 / size - 1 / total))


def squared(tree: Any) -> Scalar:
    """The squared length of a whole tree."""
    first, *rest = (jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree))
    return sum(rest, start=first)
