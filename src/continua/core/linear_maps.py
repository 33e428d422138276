"""A linear map that brings its own transpose and its own batching.

The derivative of a recorded solve is linear in the tangents, and we know both directions of it. JAX offers no door
for that: `custom_vjp` forbids forward mode, `custom_jvp` lets JAX transpose a loop it cannot transpose, and
`linear_call` cannot be batched. So a `custom_jvp` rule here ends in `linear_map`, and JAX decides which way to run it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array

Arrays = Sequence[Array]
Operands = Sequence[Any]  # what JAX hands to a rule: arrays, tracers, and the literals of a jaxpr
Flags = Sequence[bool]
Shapes = tuple[ShapedArray, ...]


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


def linear_map(
    linear: LinearMap, residuals: Arrays, tangents: Arrays, like: Sequence[Any] | None = None
) -> list[Array]:
    """Apply `linear` to `tangents`: transposable, batchable, and forward-differentiable in `residuals`.

    `like` has the shapes and dtypes of the outputs; unless given, `apply` is traced once to find them.
    """
    shapes: Any = jax.eval_shape(linear.apply, list(residuals), list(tangents)) if like is None else like
    return _bind(linear, residuals, tangents, shapes)


def _bind(linear: LinearMap, residuals: Operands, tangents: Operands, like: Sequence[Any]) -> list[Array]:
    """With the outputs' shapes as a parameter: every rule knows those of its own outputs, and traces nothing for it."""
    shapes = tuple(ShapedArray(x.shape, x.dtype) for x in like)
    return _primitive.bind(*residuals, *tangents, linear=linear, split=len(residuals), shapes=shapes)


@_primitive.def_impl
def _apply(*args: Any, linear: LinearMap, split: int, shapes: Shapes) -> list[Array]:
    del shapes
    arrays = [jnp.asarray(x) for x in args]
    return linear.apply(arrays[:split], arrays[split:])


@_primitive.def_abstract_eval
def _abstract(*_: Any, linear: LinearMap, split: int, shapes: Shapes) -> Shapes:
    del linear, split
    return shapes


mlir.register_lowering(_primitive, mlir.lower_fun(_apply, multiple_results=True))


def _jvp(
    primals: Operands, tangents: Sequence[Any], *, linear: LinearMap, split: int, shapes: Shapes
) -> tuple[Arrays, Arrays]:
    arrays = [jnp.asarray(x) for x in primals]
    residuals, inputs = arrays[:split], arrays[split:]
    moves = [ad.instantiate_zeros(t) for t in tangents[split:]]
    moving = [i for i, t in enumerate(tangents[:split]) if type(t) is not ad.Zero]
    if not moving:
        return _bind(linear, residuals, inputs, shapes), _bind(linear, residuals, moves, shapes)

    def of_residuals(values: Arrays, inputs: Arrays) -> list[Array]:
        merged = dict(enumerate(residuals)) | dict(zip(moving, values, strict=True))
        return linear.apply(list(merged.values()), inputs)

    bends = [tangents[i] for i in moving]  # one sweep gives the values, and how both causes move them
    return jax.jvp(of_residuals, ([residuals[i] for i in moving], list(inputs)), (bends, moves))


def _transpose(cotangents: Sequence[Any], *args: Any, linear: LinearMap, split: int, shapes: Shapes) -> list[Any]:
    del shapes
    residuals, inputs = args[:split], args[split:]
    like = [x.aval if ad.is_undefined_primal(x) else x for x in inputs]
    out = _bind(linear.transposed(), residuals, [ad.instantiate_zeros(c) for c in cotangents], like)
    return [None] * split + [o if ad.is_undefined_primal(x) else None for o, x in zip(out, inputs, strict=True)]


def _batch(
    args: Operands, axes: Sequence[int | None], *, linear: LinearMap, split: int, shapes: Shapes
) -> tuple[Arrays, list[int]]:
    size = next(x.shape[axis] for x, axis in zip(args, axes, strict=True) if axis is not None)
    front = [x if axis is None else jnp.moveaxis(x, axis, 0) for x, axis in zip(args, axes, strict=True)]
    mapped = [axis is not None for axis in axes]
    batched, needed = linear.over_leading_axis(size, mapped[:split], mapped[split:])
    inputs = [
        jnp.broadcast_to(x, (size, *x.shape)) if need and not has else x
        for x, has, need in zip(front[split:], mapped[split:], needed, strict=True)
    ]
    out = _bind(batched, front[:split], inputs, [jax.ShapeDtypeStruct((size, *x.shape), x.dtype) for x in shapes])
    return out, [0] * len(out)


ad.primitive_jvps[_primitive] = _jvp
ad.primitive_transposes[_primitive] = _transpose
batching.primitive_batchers[_primitive] = _batch
