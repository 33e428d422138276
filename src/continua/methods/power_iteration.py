"""How fast the fastest part of an equation is: an estimate by a few Jacobian-vector products."""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Instant, State
from continua.methods.method import Slope

PRODUCTS = 12


def spectral_radius(equation: Slope, t: Instant, y: State, args: Args, products: int = PRODUCTS) -> Instant:
    r"""The largest $|\lambda|$ of $\partial f / \partial y$ by a power iteration, like `t`; a constant to derivatives.

    For normal Jacobians the estimate is from below: by some per cent for diffusion on hundreds of points, whose
    spectrum is dense at its end.
    """
    t, y, args = jax.tree.map(lambda x: lax.stop_gradient(x) if isinstance(x, jax.Array) else x, (t, y, args))
    _, push = jax.linearize(lambda y: equation(t, y, args), y)

    def turn(v: State, _: None) -> tuple[State, Array]:
        image = push(v)
        size = _norm(image, t)
        scale = 1 / jnp.where(size > 0, size, 1)
        return jax.tree.map(lambda x: x * scale, image), size

    start = jax.tree.map(lambda leaf: _chirp(leaf, lanes=jnp.ndim(t) > 1), y)
    scale = 1 / _norm(start, t)
    _, sizes = lax.scan(turn, jax.tree.map(lambda x: x * scale, start), None, length=products)
    return lax.stop_gradient(jnp.maximum(sizes[-2], sizes[-1]))  # they alternate where two modes swing


def _chirp(y: Array, lanes: bool) -> Array:
    """Like `y`, the same in every lane: a direction in which no wave and no component is missing."""
    shape = y.shape[:-1] if lanes else y.shape
    number = jnp.arange(math.prod(shape), dtype=y.dtype)
    direction = jnp.cos(jnp.mod(number, 1000) ** 2).reshape(shape)
    return jnp.broadcast_to(direction[..., None], y.shape) if lanes else direction


def _norm(v: State, t: Instant) -> Array:
    """Of the whole state; of every lane by itself inside the driver, where times keep an axis."""
    if jnp.ndim(t):
        return jnp.sqrt(jnp.sum(v**2, 0, keepdims=True))
    return jnp.sqrt(functools.reduce(jnp.add, [jnp.sum(x**2) for x in jax.tree.leaves(v)]))
