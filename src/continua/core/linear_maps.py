"""A linear map that brings its own transpose and its own batching.

The derivative of a recorded solve is linear in the tangents, and we know both directions of it. JAX offers no door
for that: `custom_vjp` forbids forward mode, `custom_jvp` lets JAX transpose a loop it cannot transpose, and
`linear_call` cannot be batched. So a `custom_jvp` rule here ends in `linear_map`, and JAX decides which way to run it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, PyTree

Arrays = Sequence[Array]
Flags = Sequence[bool]


class LinearMap(NamedTuple):
    """`apply(residuals, tangents)` is linear in the tangents; `transpose(residuals, cotangents)` is its transpose.

    `batch(size, residuals_mapped, inputs_mapped)` gives the map over a leading axis and says which inputs must have
    that axis (its transpose sums the cotangents of the others); None stands for both directions under `jax.vmap`.
    `batch_transpose` is the same for the map already transposed.
    """

    apply: Callable[[Arrays, Arrays], list[Array]]
    transpose: Callable[[Arrays, Arrays], list[Array]]
    batch: Callable[[int, Flags, Flags], "tuple[LinearMap, Flags] | None"] | None = None
    batch_transpose: Callable[[int, Flags, Flags], "tuple[LinearMap, Flags] | None"] | None = None

    def transposed(self) -> "LinearMap":
        """The same map read from right to left."""
        return LinearMap(self.transpose, self.apply, self.batch_transpose, self.batch)

    def over_leading_axis(self, size: int, residuals: Flags, inputs: Flags) -> "tuple[LinearMap, Flags]":
        """The map of a batch: by its own rule where it has one."""
        own = self.batch(size, residuals, inputs) if self.batch is not None else None
        return (_by_vmap(self, size, residuals, inputs), inputs) if own is None else own


def _by_vmap(linear: LinearMap, size: int, residuals: Flags, inputs: Flags) -> LinearMap:
    def axes(mapped: Flags) -> list[int | None]:
        return [0 if m else None for m in mapped]

    def apply(values: Arrays, tangents: Arrays) -> list[Array]:
        return jax.vmap(linear.apply, (axes(residuals), axes(inputs)), axis_size=size)(list(values), list(tangents))

    def transpose(values: Arrays, cotangents: Arrays) -> list[Array]:
        lanes = jax.vmap(linear.transpose, (axes(residuals), 0), axis_size=size)(list(values), list(cotangents))
        return [x if mapped else x.sum(0) for x, mapped in zip(lanes, inputs, strict=True)]

    return LinearMap(apply, transpose)


_primitive = Primitive("linear_map")
_primitive.multiple_results = True


def linear_map(linear: LinearMap, residuals: Arrays, tangents: Arrays) -> list[Array]:
    """Apply `linear` to `tangents`: transposable, batchable, and forward-differentiable in `residuals`."""
    return _primitive.bind(*residuals, *tangents, linear=linear, split=len(residuals))


@_primitive.def_impl
def _apply(*args: Array, linear: LinearMap, split: int) -> list[Array]:
    return linear.apply(args[:split], args[split:])


@_primitive.def_abstract_eval
def _abstract(*avals: Any, linear: LinearMap, split: int) -> list[Any]:
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
    return [ShapedArray(x.shape, x.dtype) for x in jax.eval_shape(linear.apply, shapes[:split], shapes[split:])]


mlir.register_lowering(_primitive, mlir.lower_fun(_apply, multiple_results=True))


def _jvp(primals: Arrays, tangents: Sequence[Any], *, linear: LinearMap, split: int) -> tuple[Arrays, Arrays]:
    residuals, inputs = primals[:split], primals[split:]
    out = linear_map(linear, residuals, inputs)
    moved = linear_map(linear, residuals, [ad.instantiate_zeros(t) for t in tangents[split:]])
    moving = [i for i, t in enumerate(tangents[:split]) if type(t) is not ad.Zero]
    if not moving:
        return out, moved

    def of_residuals(*values: Array) -> list[Array]:
        merged = dict(enumerate(residuals)) | dict(zip(moving, values, strict=True))
        return linear.apply(list(merged.values()), inputs)

    _, bent = jax.jvp(of_residuals, [residuals[i] for i in moving], [tangents[i] for i in moving])
    return out, [a + b for a, b in zip(moved, bent, strict=True)]


def _transpose(cotangents: Sequence[Any], *args: Any, linear: LinearMap, split: int) -> list[Any]:
    residuals, inputs = args[:split], args[split:]
    out = linear_map(linear.transposed(), residuals, [ad.instantiate_zeros(c) for c in cotangents])
    return [None] * split + [o if ad.is_undefined_primal(x) else None for o, x in zip(out, inputs, strict=True)]


def _batch(args: Arrays, axes: Sequence[int | None], *, linear: LinearMap, split: int) -> tuple[Arrays, list[int]]:
    size = next(x.shape[axis] for x, axis in zip(args, axes, strict=True) if axis is not None)
    front = [x if axis is None else jnp.moveaxis(x, axis, 0) for x, axis in zip(args, axes, strict=True)]
    mapped = [axis is not None for axis in axes]
    batched, needed = linear.over_leading_axis(size, mapped[:split], mapped[split:])
    inputs = [
        jnp.broadcast_to(x, (size, *x.shape)) if need and not has else x
        for x, has, need in zip(front[split:], mapped[split:], needed, strict=True)
    ]
    out = linear_map(batched, front[:split], inputs)
    return out, [0] * len(out)


ad.primitive_jvps[_primitive] = _jvp
ad.primitive_transposes[_primitive] = _transpose
batching.primitive_batchers[_primitive] = _batch


def whole_cotangent(tree: PyTree[Array]) -> PyTree[Array]:
    """The identity; in reverse, the sum of its cotangents is computed once instead of in each of its consumers."""
    leaves, structure = jax.tree.flatten(tree)
    return jax.tree.unflatten(structure, linear_map(_FENCE, [], leaves))


def _fence(_: Arrays, cotangents: Arrays) -> list[Array]:
    return list(lax.optimization_barrier(tuple(cotangents)))


_FENCE = LinearMap(lambda _, tangents: list(tangents), _fence)
