"""Adaptive cubature: the box whose error is largest is cut in two, until the sum of all errors is small."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import eval_jaxpr
from jaxtyping import Array, Bool, Float, Int

from continua.calculus.rules import Rule
from continua.core import Scalar

Integrand = Callable[[Array, Array], Array]  # of a side and a point of its unit cube, [out]

DEPTH = 0.75  # of the binary digits: a box that was halved so often is cut no more
ROUNDING = 50.0  # times the precision: no rule is more exact than that, says QUADPACK
BLOCK = 16  # boxes whose derivatives are taken at once


def deepest(dtype: Any) -> int:
    """How often a unit cube may be halved."""
    return round(DEPTH * jnp.finfo(dtype).nmant)


class Boxes(NamedTuple):
    """Boxes and what the rule finds in them: the first `number` of each array.

    `size` is the integral of the absolute value, `axis` the one along which to cut.
    """

    lower: Float[Array, "box dim"]
    upper: Float[Array, "box dim"]
    side: Int[Array, " box"]
    value: Float[Array, "box out"]
    error: Float[Array, "box out"]
    size: Float[Array, "box out"]
    axis: Int[Array, " box"]
    number: Int[Array, ""]

    @staticmethod
    def none(most: int, dimension: int, outputs: int, dtype: Any) -> "Boxes":
        """Room for boxes."""
        places, values = jnp.zeros((most, dimension), dtype), jnp.zeros((most, outputs), dtype)
        numbers = jnp.zeros(most, jnp.int32)
        return Boxes(places, places, numbers, values, values, values, numbers, jnp.int32(0))

    def halved(self) -> tuple[Array, Array, Array, Array]:
        """Which box is the worst, and the corners and sides of its halves."""
        worth = jnp.max(jnp.where(jnp.isfinite(self.error), self.error, jnp.inf), 1)
        worst = jnp.argmax(jnp.where(self.cuttable(), worth, -1)).astype(jnp.int32)
        lower, upper, axis = self.lower[worst], self.upper[worst], self.axis[worst]
        middle = (lower[axis] + upper[axis]) / 2
        lower, upper = jnp.stack([lower, lower.at[axis].set(middle)]), jnp.stack([upper.at[axis].set(middle), upper])
        return worst, lower, upper, jnp.stack([self.side[worst]] * 2)

    def used(self) -> Bool[Array, " box"]:
        """Which boxes there are."""
        return jnp.arange(len(self.side), dtype=jnp.int32) < self.number

    def total(self, parts: Float[Array, "box out"], kept: Bool[Array, " box"]) -> Float[Array, " out"]:
        """The sum over some of the boxes."""
        return jnp.sum(jnp.where(kept[:, None], parts, 0), 0)

    def cuttable(self) -> Bool[Array, " box"]:
        """Boxes that are not too narrow to be cut."""
        width = jnp.take_along_axis(self.upper - self.lower, self.axis[:, None], 1)[:, 0]
        return self.used() & (width > 2.0 ** -deepest(self.lower.dtype))


def search(integrand: Integrand, like: Array, rule: Rule, sides: int, rtol: Scalar, atol: Scalar, most: int) -> Boxes:
    """The boxes that bring the error below max(atol, rtol ∫|f|), or as many as there may be.

    `like` is a point. What the integrand depends on moves the values of the boxes, not the boxes: their derivatives
    are those of the sum over the boxes as they are.
    """
    closed = jax.make_jaxpr(integrand)(jnp.int32(0), like)

    def apply(constants: Sequence[Array], lower: Array, upper: Array, side: Array) -> tuple[Array, ...]:
        return _applied(rule, lambda *at: eval_jaxpr(closed.jaxpr, constants, *at)[0], lower, upper, side)

    still = lax.stop_gradient(closed.consts)

    def unfinished(boxes: Boxes) -> Bool[Array, ""]:
        left = boxes.cuttable()
        bound = jnp.maximum(atol, rtol * boxes.total(boxes.size, boxes.used()))
        rough = jnp.any(left) & ~jnp.all(boxes.total(boxes.error, left) <= bound)
        return (boxes.number < sides) | ((boxes.number < most) & rough)

    def two_more(boxes: Boxes) -> Boxes:
        whole = boxes.number < sides
        worst, *halves = boxes.halved()
        pair = boxes.number + jnp.arange(2, dtype=jnp.int32)
        cubes = jnp.zeros_like(halves[0]), jnp.ones_like(halves[1]), pair
        chosen = [jnp.where(whole, cube, half) for cube, half in zip(cubes, halves, strict=True)]
        new = (*chosen, *jax.vmap(partial(apply, still))(*chosen))
        places = jnp.where(whole, pair, jnp.stack([worst, boxes.number]))
        arrays = [old.at[places].set(x) for old, x in zip(boxes[:-1], new, strict=True)]
        return Boxes._make([*arrays, boxes.number + jnp.where(whole, 2, 1).astype(jnp.int32)])

    outputs = jax.eval_shape(integrand, jnp.int32(0), like).size
    boxes = lax.while_loop(unfinished, two_more, Boxes.none(most, len(like), outputs, like.dtype))
    values = _with_derivatives(lambda *given: apply(*given)[0], closed.consts, boxes)
    return boxes._replace(value=values)


def _applied(rule: Rule, integrand: Integrand, lower: Array, upper: Array, side: Array) -> tuple[Array, ...]:
    """Value, error and size [out] of a box, and the axis to cut."""
    weights, checks, axes, nodes = (
        jnp.asarray(x, lower.dtype) for x in (rule.weights, rule.checks, rule.axes, rule.nodes)
    )
    width = upper - lower
    values = jax.vmap(integrand, (None, 0))(side, lower[None] + width[None] * nodes)
    volume = jnp.prod(width)
    value = weights @ values
    size = volume * (jnp.abs(weights) @ jnp.abs(values))
    error = volume * jnp.sum(jnp.abs(checks @ values), 0)
    if rule.sharpened:
        spread = volume * (weights @ jnp.abs(values - value[None]))
        ratio = error / jnp.where(spread == 0, 1, spread)
        error = jnp.where(spread == 0, error, spread * jnp.minimum(1, (200 * ratio) ** 1.5))
    floor = ROUNDING * jnp.finfo(lower.dtype).eps * size
    wide = width == jnp.max(width)  # of equal differences, as where f is a polynomial, the widest axis
    rough = jnp.sum(jnp.abs(axes @ values), 1) * jnp.where(wide, 1 + 1e-3, 1)
    return volume * value, jnp.maximum(error, floor), size, jnp.argmax(rough).astype(jnp.int32)


def _with_derivatives(apply: Callable[..., Array], constants: Sequence[Array], boxes: Boxes) -> Array:
    """The values of the boxes, with the derivatives of the sums that they are."""

    @jax.custom_jvp
    def values(_: Sequence[Array], boxes: Boxes) -> Array:
        return boxes.value

    @values.defjvp
    def moved(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
        constants, boxes = primals
        change = jax.jvp(lambda constants: _again(apply, constants, boxes), (constants,), tangents[:1])[1]
        return values(constants, boxes), change

    return values(list(constants), boxes)


def _again(apply: Callable[..., Array], constants: Sequence[Array], boxes: Boxes) -> Float[Array, "box out"]:
    """The values once more, some boxes at a time, so that most of those that are not there cost nothing."""
    most, blocks = len(boxes.side), -(-len(boxes.side) // BLOCK)
    places = [jnp.where(boxes.used().reshape(-1, *[1] * (x.ndim - 1)), x, x[:1]) for x in boxes[:3]]
    padded = [jnp.concatenate([x, jnp.broadcast_to(x[:1], (blocks * BLOCK - most, *x.shape[1:]))]) for x in places]
    split = [x.reshape(blocks, BLOCK, *x.shape[1:]) for x in padded]

    def block(_: None, given: tuple[Array, list[Array]]) -> tuple[None, Array]:
        first, at = given
        nothing = jnp.zeros((BLOCK, boxes.value.shape[1]), boxes.value.dtype)
        return None, lax.cond(first < boxes.number, jax.vmap(partial(apply, constants)), lambda *_: nothing, *at)

    found = lax.scan(block, None, (BLOCK * jnp.arange(blocks, dtype=jnp.int32), split))[1]
    return jnp.where(boxes.used()[:, None], found.reshape(-1, found.shape[-1])[:most], 0)
