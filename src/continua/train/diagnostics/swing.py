"""How an optimiser answers a gradient that swings: the step lengths that decide where it becomes unstable."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

SAME = 1e-3  # of an answer: what signs elsewhere may change


class Swing(NamedTuple):
    """How an optimiser answers gradients.

    Args:
        increment: what it adds to the parameters next.
        steps: D, like the parameters: how far it goes for each unit of a gradient whose sign changes every step. NaN
            where it does not treat entries by themselves: where signs that change elsewhere change its answer.
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

    def answers(gradients: Any) -> Any:
        """What the optimiser adds, step by step."""

        def step(state: Any, gradient: Any) -> tuple[Any, Any]:
            increment, state = optimiser.update(gradient, state, params)
            return state, increment

        return jax.lax.scan(step, state, gradients)[1]

    flat, unravel = ravel_pytree(asked)
    signs = unravel(jax.random.rademacher(jax.random.key(0), flat.shape, flat.dtype))

    def sequences(g: jax.Array, a: jax.Array, s: jax.Array) -> jax.Array:
        return jnp.stack([jnp.stack([first, a, a]) for first in (g, a, -a, s * a)])

    increments = jax.vmap(answers)(jax.tree.map(sequences, gradient, asked, signs))  # [sequence, step, …]
    impulse = jax.tree.map(lambda x, g: (x[2] - x[1]) / (2 * g[None]), increments, asked)
    own = jax.tree.map(lambda x, s: x[3, 0] - jnp.where(s > 0, x[1, 0], x[2, 0]), increments, signs)
    swing = jax.tree.map(lambda x: x[2, 0] - x[1, 0], increments)
    entrywise = norm(own) <= SAME * norm(swing)
    steps = jax.tree.map(lambda x: jnp.where(entrywise, _alternating(x), jnp.nan), impulse)
    return Swing(jax.tree.map(lambda x: x[0, 0], increments), steps)


def norm(tree: Any) -> jax.Array:
    """The length of a whole tree."""
    return jnp.linalg.norm(ravel_pytree(tree)[0])


def _alternating(answers: jax.Array) -> jax.Array:
    """a₀ − a₁ + a₂ − … from the first three, where all behind a₁ is one exponential of the same rate in all entries."""
    now, second, third = answers
    size = jnp.sum(second**2)
    decay = jnp.sum(second * third) / jnp.where(size > 0, size, 1)
    return now - second / (1 + decay)
