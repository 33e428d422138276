"""Newton's iteration with one matrix for all its turns, and the derivative of the root that it finds."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Count, FlatState
from continua.methods.jacobians import Jacobian
from continua.methods.linear_systems import Solve

Residual = Callable[[FlatState], FlatState]

MOST_TURNS = 12
ROUND_OFF = 100  # times the precision of the dtype: what the evaluation of a residual may lose


class Turn(NamedTuple):
    """Where an iteration stands; lengths and verdicts are [1] or [1, lane]."""

    root: FlatState
    length: Array
    found: Array
    lost: Array
    number: Count


def implicit_root(
    residual: Residual, guess: FlatState, around: FlatState, solve: Solve, jacobian: Jacobian, tolerance: float
) -> FlatState:
    r"""The root u of `residual`, NaN in lanes where the iteration fails; it does not diverge silently.

    $$ u \leftarrow u - W^{-1} g(u), \qquad du = -(\partial_u g)^{-1}\, \partial_p g\; dp $$

    The derivative is that of the implicit function, with ∂g/∂u at the root, inverted as `jacobian` does.

    Args:
        residual: g.
        guess: where to start.
        around: `around + u` is the state whose components must settle.
        solve: the solution of W x = b, with W near ∂g/∂u.
        jacobian: how ∂g/∂u is inverted.
        tolerance: relative, for each component of the state.
    """
    return lax.custom_root(
        residual,
        guess,
        lambda residual, guess: _iterate(residual, guess, around, solve, tolerance),
        lambda product, right: jacobian.inverse(product, right).solve(right),
    )


def _iterate(residual: Residual, guess: FlatState, around: FlatState, solve: Solve, tolerance: float) -> FlatState:
    """Turn until each lane has settled, moves apart, or has had its turns.

    A lane has settled where every component has, by what the turns to come would still change; or where turns no longer
    help and are the size of round-off.
    """
    precision = float(jnp.finfo(guess.dtype).eps)
    noise = ROUND_OFF * precision

    def turn(now: Turn) -> Turn:
        change = solve(residual(now.root))
        root = now.root - change
        size = jnp.abs(around + root)
        largest = jnp.max(size, 0, keepdims=True)
        allowed = max(tolerance, noise) * size + precision**2 * largest
        length = jnp.max(jnp.abs(change) / jnp.where(allowed > 0, allowed, 1), 0, keepdims=True)
        ratio = length / now.length  # 0 in the first turn
        turned_before, converges = now.number > 0, ratio < 0.5
        rough = jnp.max(jnp.abs(change), 0, keepdims=True) <= noise * largest
        found = (length <= 1) | (turned_before & jnp.where(converges, length * ratio <= 0.5, rough))
        lost = ~found & ~(jnp.isfinite(length) & (ratio < 2))
        still = now.found | now.lost
        return Turn(
            jnp.where(still, now.root, root),
            jnp.where(still, now.length, length),
            now.found | (~still & found),
            now.lost | (~still & lost),
            now.number + 1,
        )

    def going(now: Turn) -> Array:
        return (now.number < MOST_TURNS) & jnp.any(~(now.found | now.lost))

    none = jnp.zeros((1, *guess.shape[1:]), bool)
    start = Turn(guess, jnp.full(none.shape, jnp.inf, guess.dtype), none, none, jnp.zeros((), jnp.int32))
    last = lax.while_loop(going, turn, start)
    return jnp.where(last.found, last.root, jnp.nan)
