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
    """A function of (t, y, parameters), slopes or others, on t [1] and y [state]; of a step, on t [1] and h [1].

    With `mapped` (one flag a parameter) it takes t [1, lane] and y [state, lane]. Times keep an axis of length 1 for
    the state, so that they broadcast against it without rank promotion. `flat_parts` are functions that the method
    needs besides, by name.
    """

    single: Callable[[Scalar, Array, Parameters], Array]
    mapped: tuple[bool, ...] | None = None
    flat_parts: "tuple[tuple[str, Field], ...]" = ()

    def __call__(self, t: Instant, y: FlatState, parameters: Parameters) -> Array:
        """Its values, for one trajectory or for every lane."""
        if self.mapped is None:
            return self.single(t[0], y, parameters)
        axes = [0 if m else None for m in self.mapped]
        return jax.vmap(self.single, (0, -1, axes), -1)(t[0], y, parameters)

    def in_lanes(self, mapped: Sequence[bool]) -> "Field":
        """The same field over lanes; `mapped` tells which parameters have one value a lane."""
        parts = tuple((name, part.in_lanes(mapped)) for name, part in self.flat_parts)
        return self._replace(mapped=tuple(mapped), flat_parts=parts)

    def of(self, moving: Sequence[int], parameters: Parameters) -> "Chosen":
        """The field as a function of the `moving` parameters alone; the others keep their values."""

        def values(t: Instant, y: FlatState, chosen: Parameters) -> Array:
            merged = dict(enumerate(parameters)) | dict(zip(moving, chosen, strict=True))
            return self(t, y, list(merged.values()))

        return Chosen(values, tuple((name, part.of(moving, parameters)) for name, part in self.flat_parts))


class Chosen(NamedTuple):
    """A field as a function of some of its parameters."""

    values: Callable[[Instant, FlatState, Parameters], Array]
    flat_parts: "tuple[tuple[str, Chosen], ...]" = ()

    def __call__(self, t: Instant, y: FlatState, chosen: Parameters) -> Array:
        """The values."""
        return self.values(t, y, chosen)


class Flat(NamedTuple):
    """A problem made flat: its functions, their shared parameters, the state as a vector and the way back."""

    fields: list[Field]
    parameters: Parameters
    y: Array
    unravel: Callable[[Array], State]


def _ravel(tree: State) -> tuple[Array, Callable[[Array], State]]:
    """A state as one real vector, complex numbers as their real and imaginary parts, and the way back."""
    kinds = jax.tree.map(lambda x: jnp.issubdtype(x.dtype, jnp.complexfloating), tree)
    if not any(jax.tree.leaves(kinds)):
        return ravel_pytree(tree)
    parts = jax.tree.map(lambda x, two: jnp.stack([x.real, x.imag]) if two else x, tree, kinds)
    flat, unravel = ravel_pytree(parts)

    def whole(flat: Array) -> State:
        return jax.tree.map(lambda x, two: lax.complex(x[0], x[1]) if two else x, unravel(flat), kinds)

    return flat, whole


LARGE = 2**12  # numbers in an array


def _is_grid(y: State) -> bool:
    """Whether a leaf is large and has several axes.

    Fused with what it does to a vector, XLA finds the place of every number on the axes by division: a step of a heat
    equation on 1024² points took 8 ms so, and takes a twentieth with a barrier on either side.
    """
    return any(leaf.ndim > 1 and leaf.size >= LARGE for leaf in jax.tree.leaves(y))


def in_state(function: Callable) -> Callable:
    """The function with the dtypes of the state in what it gives: the slope of a complex number may be real."""

    def cast(t: Scalar, y: State, args: Args) -> State:
        return jax.tree.map(lambda value, y: value.astype(y.dtype), function(t, y, args), y)

    return cast


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


def flatten(functions: Sequence[Callable], t: Scalar, y: State, args: Args, steps: Sequence[Callable] = ()) -> Flat:
    """Flatten the state and turn all that the functions of (t, y, args) depend on, tracers included, into parameters.

    What gives the structure of the state (see `in_state`) gives a flat state. A plain function that closes over traced
    arrays would leak them into the derivative rules; a jaxpr cannot. The functions of `steps`, of (t, h, args), come
    last.
    """
    flat, unravel = _ravel(y)
    apart = lax.optimization_barrier if _is_grid(y) else lambda x: x

    def close(function: Callable, x: Array, inside: Callable[[Array], Any]) -> Any:
        def flattened(t: Scalar, x: Array) -> Array:
            return _ravel(apart(function(t, apart(inside(x)), args)))[0].astype(flat.dtype)

        return jax.make_jaxpr(flattened)(t, x)

    closed = [close(function, flat, unravel) for function in functions]
    closed += [close(function, jnp.zeros((1,), flat.dtype), lambda h: h[0]) for function in steps]
    consts = {id(c): c for one in closed for c in one.consts}  # what several functions hold is one parameter
    places = {key: i for i, key in enumerate(consts)}
    parameters, unpack = _packed([jnp.asarray(c) for c in consts.values()])

    def single(one: Any) -> Callable[[Scalar, Array, Parameters], Array]:
        own = [places[id(c)] for c in one.consts]

        def call(t: Scalar, y: Array, parameters: Parameters) -> Array:
            values = unpack(parameters)
            return eval_jaxpr(one.jaxpr, [values[i] for i in own], t, y)[0]

        return call if _HEAVY & _primitives(one.jaxpr) else jax.checkpoint(call)

    return Flat([Field(single(one)) for one in closed], parameters, flat, unravel)


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
