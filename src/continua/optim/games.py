"""Games: each player goes down a loss of its own, which the others change. Saddles are games of two opposed losses."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import Args, Instant, State
from continua.equations import Equation, GradientFlow
from continua.methods import RK4, Extragradient
from continua.optim.first_order import Optimiser
from continua.optim.flows import Drift, Now, Params, Rate, Subflow, flow


class Game(Equation):
    r"""Two players, each of whom goes down its own loss.

    $$ x' = -\nabla_x f(x, y), \qquad y' = -\nabla_y g(x, y) $$

    Without a second loss it is a saddle: g = −f, the second player goes up. Near a rest point the flow turns where the
    players oppose each other; explicit Euler, gradient descent of both at once, leaves it in a spiral. Step it by
    `extragradient`, `optimistic_gradient_descent` or `rk4`, by any method of `solve`, or add `consensus`:

    $$ F \mapsto F - \gamma\, \nabla \tfrac12 |F|^2 $$

    which pulls towards points where nobody moves, and damps what turns.

    Args:
        first: `f(x, y)`, a real scalar; x and y are any PyTrees of arrays.
        second: `g(x, y)`; −f unless given.
        consensus: γ.

    Example:
        >>> from continua.optim import Game, apply_updates, optimistic_gradient_descent
        >>> game, optimiser = Game(lambda x, y: x * y), optimistic_gradient_descent(0.3)
        >>> pair = (jnp.asarray(1.0), jnp.asarray(1.0))
        >>> state = optimiser.init(pair)
        >>> for _ in range(200):
        ...     updates, state = optimiser.update(game.gradient(pair), state, pair)
        ...     pair = apply_updates(pair, updates)
        >>> bool(abs(pair[0]) + abs(pair[1]) < 1e-3)
        True

    Source: Mescheder, Nowozin & Geiger, arXiv 1705.10461 (consensus); Qin et al., arXiv 2010.15040 (the flow of GANs).
    """

    first: Callable[[Any, Any], Any]
    second: Callable[[Any, Any], Any] | None = None
    consensus: float = 0.0

    def gradient(self, pair: tuple[Params, Params]) -> tuple[Params, Params]:
        """(∇ₓf, ∇ᵧg), with consensus: what an optimiser is given."""
        return jax.tree.map(jnp.negative, self(jnp.zeros(()), pair, None))

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slopes of both players."""
        if self.consensus == 0:
            return self._slopes(y)

        def unrest(pair: Any) -> Array:
            return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(self._slopes(pair))), start=jnp.zeros(())) / 2

        pull = jax.grad(unrest)(y)
        return jax.tree.map(lambda f, p: f - self.consensus * p, self._slopes(y), pull)

    def _slopes(self, pair: tuple[Params, Params]) -> tuple[Params, Params]:
        """Each down its own loss."""
        x, y = pair
        first, second = self.first, self.second
        other = second if second is not None else lambda x, y: -first(x, y)
        zero = jnp.zeros(())
        return GradientFlow(lambda x: first(x, y))(zero, x, None), GradientFlow(lambda y: other(x, y))(zero, y, None)


class Optimism(Subflow):
    r"""The gradient of the next step, guessed from the last two: $q = (\alpha + \beta)\, g_n - \beta\, g_{n-1}$.

    Args:
        alpha: α, of the gradient.
        beta: β, of its change.
    """

    alpha: float | Array = 1.0
    beta: float | Array = 1.0

    @property
    def counts(self) -> bool:
        """To know the first step."""
        return True

    def start(self, params: Params) -> Params:
        """No gradient before the first."""
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, now: Now, own: Params) -> tuple[Now, Params]:
        """The guess."""

        def guess(g: Array, before: Array) -> Array:
            return (self.alpha + self.beta) * g - self.beta * jnp.where(now.done == 0, g, before)

        return now._replace(direction=jax.tree.map(guess, now.direction, own)), now.direction


def optimistic_gradient_descent(
    learning_rate: Rate, alpha: float | Array = 1.0, beta: float | Array = 1.0
) -> Optimiser:
    r"""Descent along the gradient that is to be expected: $x_{n+1} = x_n - h (2 g_n - g_{n-1})$.

    It costs one gradient a step and stays with saddles that plain descent leaves.

    Source: Popov, Math. Notes 28 (1980) 845–848; Daskalakis et al., arXiv 1711.00141.
    """
    return flow(Optimism(alpha, beta), Drift(learning_rate))


def extragradient(learning_rate: Rate) -> Optimiser:
    r"""Descent along the gradient at the end of a trial step; `update` needs `grad_fn` or `value_fn`.

    $$ x_{n+1} = x_n - h \nabla f(x_n - h \nabla f(x_n)) $$
    """
    return flow(Drift(learning_rate, Extragradient()))


def rk4(learning_rate: Rate) -> Optimiser:
    """The gradient flow by the classical Runge–Kutta method; `update` needs `grad_fn` or `value_fn`."""
    return flow(Drift(learning_rate, RK4()))
