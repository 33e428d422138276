"""How an optimiser answers a gradient that swings: the step lengths that decide where it becomes unstable."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


class Swing(NamedTuple):
    """How an optimiser answers gradients.

    Args:
        increment: what it adds to the parameters next.
        steps: D, like the parameters: how far it goes for each unit of a gradient whose sign changes every step. Not
            finite, or not positive, where it is no optimiser of entries by themselves.
    """

    increment: Any
    steps: Any


def swing_response(optimiser: Any, state: Any, params: Any, gradient: Any) -> Swing:
    r"""The step lengths that decide where an optimiser becomes unstable, found by asking it.

    $$ D = \sum_{k \ge 0} (-1)^k a_k, \qquad
       \Delta x_n = -\sum_k a_k\, g_{n-k} \text{ at a fixed metric} $$

    Beyond its edge, training swings: gradients change sign every step. For descent D is h, with momentum b it is
    h / (1 + b), and for Adam $h (1 - b_1) / ((1 + b_1) P)$ with its metric P, so that $\lambda D < 2$ is the known
    limit $(2 + 2 b_1) / ((1 - b_1) h)$ on the eigenvalues of $P^{-1} H$. Metrics look at squares of gradients: the same
    steps after g and after −g differ by what is linear in g, with the metric that the next step will have. This
    serves every optimiser that treats entries by themselves and remembers them in one exponential, of this library or
    another: SGD, momentum, Nesterov, Adam, RMSProp, Adagrad, chains with clipping, decay and schedules.

    Args:
        optimiser: as optax means it.
        state: its state.
        params: like those that the state was made for.
        gradient: at the parameters.

    Returns:
        `Swing(increment, steps)`.

    Example:
        >>> from continua import optim
        >>> x = jnp.ones(2)
        >>> heavy = optim.sgd(0.1, momentum=0.5)
        >>> print(swing_response(heavy, heavy.init(x), x, x).steps.round(5))  # 0.1 / 1.5
        [0.06667 0.06667]
    """
    typical = jnp.sqrt(jnp.mean(ravel_pytree(gradient)[0] ** 2))
    typical = jnp.where(typical > 0, typical, 1)
    asked = jax.tree.map(lambda g: jnp.where(g == 0, typical.astype(g.dtype), g), gradient)
    away = _answers(optimiser, state, params, asked, asked)
    towards = _answers(optimiser, state, params, jax.tree.map(jnp.negative, asked), asked)
    impulse = [
        jax.tree.map(lambda up, down, g: (down - up) / (2 * g), *both, asked)
        for both in zip(away, towards, strict=True)
    ]
    increment, _ = optimiser.update(gradient, state, params)
    return Swing(increment, jax.tree.map(_alternating, *impulse))


def _answers(optimiser: Any, state: Any, params: Any, first: Any, then: Any) -> list[Any]:
    """Three increments: the first gradient, and twice the other."""
    answers = []
    for gradient in (first, then, then):
        increment, state = optimiser.update(gradient, state, params)
        answers.append(increment)
    return answers


def _alternating(now: jax.Array, next_: jax.Array, later: jax.Array) -> jax.Array:
    """a₀ − a₁ + a₂ − … where all behind a₁ is one exponential, whose rate is the same in all entries."""
    size = jnp.sum(next_**2)
    decay = jnp.sum(next_ * later) / jnp.where(size > 0, size, 1)
    return now - next_ / (1 + decay)
