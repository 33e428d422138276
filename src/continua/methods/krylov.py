"""Linear systems from products alone."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import FlatState
from continua.methods.linear_systems import Product


def least_residual(product: Product, right: FlatState, tolerance: float, most: int) -> FlatState:
    """The solution of `product(x) = right` from products alone, NaN in lanes where `most` of them do not reach it.

    Each direction is the residual, made such that its product stands upright on all products before it.
    """
    wanted = max(tolerance, 100 * float(jnp.finfo(right.dtype).eps)) * _length(right)

    def turn(carry: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array, Array]:
        x, residual, directions, products, count = carry
        direction, image = residual, product(residual)
        for _ in range(2):  # once more, against round-off
            shares = jnp.sum(products * image[None], 1, keepdims=True)
            direction = direction - jnp.sum(shares * directions, 0)
            image = image - jnp.sum(shares * products, 0)
        length = _length(image)
        direction, image = (jnp.where(length > 0, v / jnp.where(length > 0, length, 1), 0) for v in (direction, image))
        share = jnp.where(_length(residual) > wanted, jnp.sum(residual * image, 0, keepdims=True), 0)
        directions, products = (
            lax.dynamic_update_index_in_dim(rows, row, count, 0)
            for rows, row in ((directions, direction), (products, image))
        )
        return x + share * direction, residual - share * image, directions, products, count + 1

    def going(carry: tuple[Array, Array, Array, Array, Array]) -> Array:
        return (carry[4] < most) & jnp.any(_length(carry[1]) > wanted)

    empty = jnp.zeros((most, *right.shape), right.dtype)
    start = (jnp.zeros_like(right), right, empty, empty, jnp.zeros((), jnp.int32))
    x, residual, *_ = lax.while_loop(going, turn, start)
    return jnp.where(_length(residual) <= wanted, x, jnp.nan)


def _length(x: FlatState) -> Array:
    return jnp.sqrt(jnp.sum(x**2, 0, keepdims=True))
