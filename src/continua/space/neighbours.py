r"""Sums over neighbours, and their transposes: all that ever touches one.

`padded` holds a field with its ghosts; a result is smaller by the reach of the offsets. JAX's own transpose of a sum of
slices is a sum of padded arrays, and through many steps it costs up to eighty times the sum; here it is the same sum
with the offsets turned round.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array

from continua.core import LinearMap, linear_map

Offset = tuple[int, ...]
Offsets = tuple[Offset, ...]
Width = tuple[tuple[int, int], ...]


def reach_of(offsets: Sequence[Offset]) -> Width:
    """How far they go below and above, along each axis."""
    return tuple((max(0, -min(along)), max(0, *along)) for along in zip(*offsets, strict=True))


class Window(NamedTuple):
    """Views into a padded array: of every point inside, the neighbour at an offset."""

    padded: Array
    reach: Width

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a view, along the axes of space."""
        sizes = self.padded.shape[-len(self.reach) :]
        return tuple(size - low - high for size, (low, high) in zip(sizes, self.reach, strict=True))

    def at(self, offset: Offset) -> Array:
        """The neighbours at the offset, [*shape] with the leading axes of the array."""
        first = self.padded.ndim - len(self.reach)
        starts = [0] * first + [low + o for (low, _), o in zip(self.reach, offset, strict=True)]
        ends = [*self.padded.shape[:first], *(s + n for s, n in zip(starts[first:], self.shape, strict=True))]
        return lax.slice(self.padded, starts, ends)


def surrounded(field: Array, width: Width) -> Array:
    """With zeros around it or, where widths are negative, without its rim."""
    first = field.ndim - len(width)
    config = [(0, 0, 0)] * first + [(low, high, 0) for low, high in width]
    return lax.pad(field, jnp.zeros((), field.dtype), config)


def weighed(padded: Array, weights: Any, offsets: Offsets, reach: Width) -> Array:
    r"""$\sum_j w_j\, u(x + j)$, for weights [tap, …] that broadcast against the field.

    NumPy's weights [tap] are constants: where they are equal, it is multiplied once.
    """
    if isinstance(weights, np.ndarray):
        fixed = weights
        linear = LinearMap(
            lambda _, inputs: [_sum(Window(inputs[0], reach), fixed, offsets)],
            lambda _, cotangents: [_scattered(cotangents[0], fixed, offsets, reach)],
        )
        return linear_map(linear, [], [padded])[0]
    return _bilinear(offsets, reach)(padded, weights)


def _bilinear(offsets: Offsets, reach: Width) -> Callable[[Array, Array], Array]:
    """The same where the weights may move too."""
    in_field = LinearMap(
        lambda known, inputs: [_sum(Window(inputs[0], reach), known[0], offsets)],
        lambda known, cotangents: [_scattered(cotangents[0], known[0], offsets, reach)],
    )

    def correlated(known: Sequence[Any], cotangents: Sequence[Array]) -> list[Array]:
        padded, weights = known
        window = Window(padded, reach)
        parts = [_summed_to(cotangents[0] * window.at(o), weights.shape[1:]) for o in offsets]
        return [jnp.stack(parts)]

    in_weights = LinearMap(lambda known, inputs: [_sum(Window(known[0], reach), inputs[0], offsets)], correlated)

    @jax.custom_jvp
    def run(padded: Array, weights: Array) -> Array:
        return linear_map(in_field, [weights], [padded])[0]

    def rule(primals: tuple[Array, Array], tangents: tuple[Any, Any]) -> tuple[Array, Any]:
        (padded, weights), (d_padded, d_weights) = primals, tangents
        parts = []
        if not isinstance(d_padded, SymbolicZero):
            parts += linear_map(in_field, [weights], [d_padded])
        if not isinstance(d_weights, SymbolicZero):
            parts += linear_map(in_weights, [padded, weights], [d_weights])
        value = run(padded, weights)
        return value, _total(parts) if parts else jnp.zeros_like(value)

    run.defjvp(rule, symbolic_zeros=True)
    return run


def _sum(window: Window, weights: Any, offsets: Offsets) -> Array:
    kind = window.padded.dtype
    if not isinstance(weights, np.ndarray):
        return _total(times(w, window.at(o)) for w, o in zip(weights, offsets, strict=True))
    values, parts = weights.tolist(), []
    for value in dict.fromkeys(values):
        alike = _total(window.at(o) for o, w in zip(offsets, values, strict=True) if w == value)
        parts.append(alike if value == 1 else -alike if value == -1 else jnp.asarray(value, kind) * alike)
    return _total(parts)


def _scattered(cotangent: Array, weights: Any, offsets: Offsets, reach: Width) -> Array:
    """The transpose: every point collects from those whose neighbour it is."""
    back = tuple(tuple(-o for o in offset) for offset in offsets)
    around = tuple((low + high, low + high) for low, high in reach)
    turned = tuple((high, low) for low, high in reach)
    if np.ndim(weights) == 1 or all(size == 1 for size in weights.shape[-len(reach) :]):
        return _sum(Window(lax.optimization_barrier(surrounded(cotangent, around)), turned), weights, back)
    moved = [tuple((low + o, high - o) for (low, high), o in zip(reach, offset, strict=True)) for offset in offsets]
    return _total(surrounded(times(w, cotangent), width) for w, width in zip(weights, moved, strict=True))


def times(weight: Array, field: Array) -> Array:
    """Whatever leading axes either has beyond the other."""
    axes = max(weight.ndim, field.ndim)
    weight, field = (x.reshape((1,) * (axes - x.ndim) + x.shape) if x.ndim else x for x in (weight, field))
    return weight * field


def _summed_to(product: Array, shape: tuple[int, ...]) -> Array:
    """Summed over the axes along which weights of this shape are alike."""
    extra = product.ndim - len(shape)
    alike = [extra + i for i, size in enumerate(shape) if size == 1]
    return product.sum((*range(extra), *alike), keepdims=True).reshape(shape)


def flowing(padded: Array, offsets: Offsets, reach: Width, flux: Callable[[Array], Array]) -> Array:
    r"""$\sum_j \varphi\big(u(x + j) - u(x)\big)$: what flows in from the neighbours.

    φ acts on each number alone and is odd, and with each offset its opposite is there, so that nothing gets lost; the
    transpose then is the same sum with φ′. Fluxes are computed again for each neighbour: cheaper than to store them.
    """
    knobs, rest = eqx.partition(flux, eqx.is_inexact_array)
    here = (0,) * len(reach)

    def inflow(padded: Array, knobs: Any) -> Array:
        window, law = Window(padded, reach), eqx.combine(knobs, rest)
        return _total(law(window.at(o) - window.at(here)) for o in offsets)

    def linearised(padded: Array, moves: Array, width: Width, knobs: Any) -> Array:
        values, moves_at, law = Window(padded, width), Window(moves, width), eqx.combine(knobs, rest)
        parts = []
        for offset in offsets:
            d = values.at(offset) - values.at(here)
            slope = jax.jvp(law, (d,), (jnp.ones_like(d),))[1]
            parts.append(slope * (moves_at.at(offset) - moves_at.at(here)))
        return _total(parts)

    leaves, layout = jax.tree.flatten(knobs)

    def forward(known: Sequence[Any], inputs: Sequence[Array]) -> list[Array]:
        return [linearised(known[0], inputs[0], reach, jax.tree.unflatten(layout, known[1:]))]

    def backward(known: Sequence[Any], cotangents: Sequence[Array]) -> list[Array]:
        twice = tuple((2 * low, 2 * high) for low, high in reach)
        wide = (surrounded(known[0], reach), surrounded(cotangents[0], twice))
        values, moves = lax.optimization_barrier(wide)
        return [linearised(values, moves, reach, jax.tree.unflatten(layout, known[1:]))]

    @jax.custom_jvp
    def run(padded: Array, *leaves: Array) -> Array:
        return inflow(padded, jax.tree.unflatten(layout, leaves))

    def rule(primals: tuple[Array, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
        (padded, *own), (d_padded, *d_own) = primals, tangents
        value, parts = run(*primals), []
        if not isinstance(d_padded, SymbolicZero):
            parts += linear_map(LinearMap(forward, backward), [padded, *own], [d_padded])
        if not all(isinstance(d, SymbolicZero) for d in d_own):
            moves = [jnp.zeros_like(x) if isinstance(d, SymbolicZero) else d for x, d in zip(own, d_own, strict=True)]
            law = lambda *own: inflow(padded, jax.tree.unflatten(layout, own))  # noqa: E731
            parts.append(jax.jvp(law, tuple(own), tuple(moves))[1])
        return value, _total(parts) if parts else jnp.zeros_like(value)

    run.defjvp(rule, symbolic_zeros=True)
    return run(padded, *leaves)


def _total(parts: Iterable[Array]) -> Array:
    return functools.reduce(jnp.add, parts)
