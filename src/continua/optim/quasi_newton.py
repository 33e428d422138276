"""Minimisers that learn the curvature from the gradients that they meet on their way."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from continua.optim.line_search import wolfe
from continua.optim.objective import Minimiser, Objective, Stand, Value, Vector


class Pairs(NamedTuple):
    """The last moves s and changes of gradient y, [memory, n], newest last, with 1/(s·y), 0 where there is none yet."""

    moves: Float[Array, "memory n"]
    changes: Float[Array, "memory n"]
    weights: Float[Array, " memory"]
    scale: Value  # s·y / y·y of the newest
    number: Int[Array, ""]


class LBFGS(Minimiser):
    r"""Quasi-Newton with a limited memory, and steps that satisfy the conditions of Wolfe.

    $$ \Delta = -t\, P_k \nabla f, \qquad P_k \text{ from the last pairs } s = \Delta x,\; y = \Delta \nabla f $$

    It is Euler on $x' = -P \nabla f$ in a metric P that is learnt.

    Good for: functions of many parameters that need not be convex, where gradients are not of batches but of all data.

    Args:
        memory: how many pairs are kept.

    Source: Nocedal, Math. Comput. 35 (1980) 773–782.
    """

    memory: int = eqx.field(static=True, default=10)

    def start(self, x: Vector) -> Pairs:
        """No pairs."""
        empty = jnp.zeros((self.memory, x.size), x.dtype)
        return Pairs(empty, empty, jnp.zeros(self.memory, x.dtype), jnp.zeros((), x.dtype), jnp.zeros((), jnp.int32))

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step: a direction, a search along it, and one more pair."""
        here, pairs = stand.here, stand.own
        direction = -learnt(pairs, here.gradient)
        fresh = (pairs.number == 0) | (here.gradient @ direction >= 0)
        size = jnp.linalg.norm(here.gradient)
        direction = jnp.where(fresh, -here.gradient, direction)
        first = jnp.where(fresh, jnp.minimum(1, 1 / size), 1).astype(size.dtype)
        found = wolfe(objective, here, direction, first)
        # A search that found nothing starts anew, along the gradient; one that did not even there is at an end.
        after = with_pair(pairs, found.point.x - here.x, found.point.gradient - here.gradient)
        nothing = self.start(here.x)
        own = Pairs(*(jnp.where(found.good, a, b) for a, b in zip(after, nothing, strict=True)))
        return Stand(found.point, own, stand.evaluations + found.evaluations, ~found.good & fresh)


def learnt(pairs: Pairs, gradient: Vector) -> Vector:
    """P g, by the two loops of the source."""
    last = len(pairs.weights) - 1

    def down(i: Array, carry: tuple[Vector, Array]) -> tuple[Vector, Array]:
        q, shares = carry
        j = last - i
        share = pairs.weights[j] * (pairs.moves[j] @ q)
        return q - share * pairs.changes[j], shares.at[j].set(share)

    def up(j: Array, q: Vector) -> Vector:
        return q + (shares[j] - pairs.weights[j] * (pairs.changes[j] @ q)) * pairs.moves[j]

    q, shares = lax.fori_loop(0, last + 1, down, (gradient, jnp.zeros_like(pairs.weights)))
    return lax.fori_loop(0, last + 1, up, pairs.scale * q)


def with_pair(pairs: Pairs, move: Vector, change: Vector) -> Pairs:
    """The memory with one more pair, unless it would make the metric indefinite."""
    product, square = move @ change, change @ change
    fine = product > jnp.finfo(move.dtype).eps * jnp.sqrt((move @ move) * square)

    def pushed(old: Array, new: Array) -> Array:
        return jnp.where(fine, jnp.concatenate([old[1:], new[None]]), old)

    weight = 1 / jnp.where(fine, product, 1)
    scale = jnp.where(fine, product / jnp.where(fine, square, 1), pairs.scale)
    return Pairs(
        pushed(pairs.moves, move), pushed(pairs.changes, change), pushed(pairs.weights, weight), scale,
        pairs.number + jnp.where(fine, 1, 0),
    )  # fmt: skip


class Conjugacy(NamedTuple):
    """The last direction and gradient, the length that was gone, and for how many steps there was no restart."""

    direction: Vector
    gradient: Vector
    length: Value
    number: Int[Array, ""]


def fletcher_reeves(g: Vector, before: Vector, _: Vector) -> Value:
    """β = |g₊|² / |g|². Source: Fletcher & Reeves (1964)."""
    return g @ g / (before @ before)


def polak_ribiere(g: Vector, before: Vector, _: Vector) -> Value:
    """β = max(0, g₊·y / |g|²) with y = g₊ − g. Source: Polak & Ribière (1969); Powell (1984) for the zero."""
    return jnp.maximum(g @ (g - before) / (before @ before), 0)


def hager_zhang(g: Vector, before: Vector, d: Vector) -> Value:
    """β = max(η, (y − 2 d |y|²/d·y)·g₊ / d·y). Source: Hager & Zhang, SIAM J. Optim. 16 (2005) 170–192."""
    y = g - before
    along = d @ y
    beta = (y - 2 * d * (y @ y) / along) @ g / along
    return jnp.maximum(beta, -1 / (jnp.linalg.norm(d) * jnp.minimum(0.01, jnp.linalg.norm(before))))


class ConjugateGradient(Minimiser):
    r"""Non-linear conjugate gradients: a heavy ball whose friction is chosen anew at every step.

    $$ d_{k+1} = -\nabla f_{k+1} + \beta_k d_k, \qquad x_{k+1} = x_k + t_k d_k $$

    On a quadratic function of n parameters it ends after n steps, whatever the rule.

    Args:
        rule: β of the gradient, the one before and the last direction: `hager_zhang`, `polak_ribiere`,
            `fletcher_reeves`, or one of your own.

    Good for: very many parameters, where even ten vectors are too many.
    """

    rule: Callable[[Vector, Vector, Vector], Value] = eqx.field(static=True, default=hager_zhang)

    def start(self, x: Vector) -> Conjugacy:
        """No direction."""
        return Conjugacy(jnp.zeros_like(x), jnp.ones_like(x), jnp.ones((), x.dtype), jnp.zeros((), jnp.int32))

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step: a direction, and a search along it that is more exact than others need."""
        here, own = stand.here, stand.own
        beta = self.rule(here.gradient, own.gradient, own.direction)
        direction = -here.gradient + beta * own.direction
        fresh = (own.number == 0) | ~(here.gradient @ direction < 0)
        direction = jnp.where(fresh, -here.gradient, direction)
        slope = -here.gradient @ direction
        # As far as last time in the change of value that the slope foretells.
        last = own.length * jnp.abs(own.gradient @ own.direction) / slope
        first = jnp.where(fresh, jnp.minimum(1, 1 / jnp.linalg.norm(here.gradient)), last).astype(slope.dtype)
        found = wolfe(objective, here, direction, first, flatter=0.1, twice=True)
        after = Conjugacy(direction, here.gradient, found.length, jnp.where(found.good, own.number + 1, 0))
        return Stand(found.point, after, stand.evaluations + found.evaluations, ~found.good & fresh)
