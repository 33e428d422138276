"""The equation as the driver sees it: a flat state, and every array it depends on as an explicit parameter."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import eval_jaxpr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import Args, FlatState, Instant, Scalar, State

Parameters = list[Array]


class Field(NamedTuple):
    """f(t, y, parameters) on t [1] and y [state]; with `mapped` (one flag a parameter) on t [1, lane], y [state, lane].

    Times keep an axis of length 1 for the state, so that they broadcast against it without rank promotion.
    """

    single: Callable[[Scalar, Array, Parameters], Array]
    mapped: tuple[bool, ...] | None = None

    def __call__(self, t: Instant, y: FlatState, parameters: Parameters) -> FlatState:
        """The slopes, of one trajectory or of every lane."""
        if self.mapped is None:
            return self.single(t[0], y, parameters)
        axes = [0 if m else None for m in self.mapped]
        return jax.vmap(self.single, (0, -1, axes), -1)(t[0], y, parameters)

    def in_lanes(self, mapped: Sequence[bool]) -> "Field":
        """The same field over lanes; `mapped` tells which parameters have one value a lane."""
        return self._replace(mapped=tuple(mapped))

    def of(
        self, moving: Sequence[int], parameters: Parameters
    ) -> "Callable[[Instant, FlatState, Parameters], FlatState]":
        """The field as a function of the `moving` parameters alone; the others keep their values."""

        def slope(t: Instant, y: FlatState, chosen: Parameters) -> FlatState:
            merged = dict(enumerate(parameters)) | dict(zip(moving, chosen, strict=True))
            return self(t, y, list(merged.values()))

        return slope


class Flat(NamedTuple):
    """A problem made flat: the field, its parameters, the state as a vector and the way back to a PyTree."""

    field: Field
    parameters: Parameters
    y: Array
    unravel: Callable[[Array], State]


# A field with one of these keeps its intermediate values for the reverse sweep; an element-wise one is cheaper to
# evaluate again there, fused into its own transpose, than to store and read back.
_HEAVY = {"dot_general", "conv_general_dilated", "scan", "while", "cond", "fft", "custom_call", "sort", "pure_callback"}


def _primitives(jaxpr: Any) -> set[str]:
    """The names of all primitives in a jaxpr and in those it calls."""
    names = set()
    for equation in jaxpr.eqns:
        names.add(str(equation.primitive))
        for inner in jax.tree.leaves(tuple(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns")):
            if hasattr(inner, "eqns"):
                names |= _primitives(inner)
    return names


def flatten(equation: Callable, t: Scalar, y: State, args: Args) -> Flat:
    """Flatten the state and turn all that the equation depends on, tracers included, into parameters.

    A plain function that closes over traced arrays would leak them into the derivative rules; a jaxpr cannot.
    """
    flat, unravel = ravel_pytree(y)

    def slope(t: Scalar, y: Array) -> Array:
        return ravel_pytree(equation(t, unravel(y), args))[0].astype(flat.dtype)

    closed = jax.make_jaxpr(slope)(t, flat)

    parameters, unpack = _packed([jnp.asarray(c) for c in closed.consts])

    def single(t: Scalar, y: Array, parameters: Parameters) -> Array:
        return eval_jaxpr(closed.jaxpr, unpack(parameters), t, y)[0]

    if not _HEAVY & _primitives(closed.jaxpr):
        single = jax.checkpoint(single)
    return Flat(Field(single), parameters, flat, unravel)


def _packed(arrays: Parameters) -> tuple[Parameters, Callable[[Parameters], Parameters]]:
    """Scalars of one dtype as one vector: a loop that carries one array is faster than one that carries four."""
    kinds = {x.dtype for x in arrays if x.shape == () and jnp.issubdtype(x.dtype, jnp.floating)}
    groups = [[i for i, x in enumerate(arrays) if x.shape == () and x.dtype == kind] for kind in sorted(kinds, key=str)]
    scalars = [i for group in groups for i in group]
    others = [i for i in range(len(arrays)) if i not in scalars]

    def unpack(packed: Parameters) -> Parameters:
        values = dict(zip(others, packed[len(groups) :], strict=True))
        for group, vector in zip(groups, packed, strict=False):
            values |= {i: vector[k] for k, i in enumerate(group)}
        return [values[i] for i in range(len(arrays))]

    vectors = [lax.optimization_barrier(jnp.stack([arrays[i] for i in group])) for group in groups]
    return [*vectors, *(arrays[i] for i in others)], unpack
