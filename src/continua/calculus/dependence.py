"""Which outputs of a program depend on which inputs, read from its jaxpr without running it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from continua.core import bound, is_traced, walk

# fmt: off
ELEMENTWISE = frozenset([
    "abs", "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clamp",
    "convert_element_type", "copy", "copy_p", "cos", "cosh", "digamma", "div", "erf", "erf_inv", "erfc", "exp", "exp2",
    "expm1", "floor", "integer_pow", "lgamma", "log", "log1p", "logistic", "max", "min", "mul", "neg", "nextafter",
    "pow", "real", "rem", "round", "rsqrt", "select_n", "sign", "sin", "sinh", "sqrt", "square", "stop_gradient", "sub",
    "tan", "tanh",
])
LINEAR = frozenset([  # in all their floating operands together
    "broadcast_in_dim", "concatenate", "cumsum", "dynamic_slice", "dynamic_update_slice", "expand_dims", "gather",
    "pad", "reduce_sum", "reshape", "rev", "scatter-add", "slice", "split", "squeeze", "transpose",
])
# fmt: on
PRODUCTS = frozenset(["conv_general_dilated", "dot_general"])  # linear in each operand
REDUCTIONS = frozenset(["reduce_max", "reduce_min", "reduce_prod"])


class Known(NamedTuple):
    """What is known of a value: its numbers, and the inputs [*shape, input] on which each depends (None: on none)."""

    value: Any
    pattern: np.ndarray | None


def sparsity(function: Callable[[Any], Any], like: Any) -> np.ndarray:
    """The pattern [output, input] of the derivative of a function of x [state] or [state, lane], lanes not mixing.

    False where an entry is 0 for every x. True also where nothing is known: branches, loops, sorting and the like are
    taken to mix all that they are given.

    Example:
        >>> print(sparsity(lambda y: jnp.roll(y, 1) * y, jnp.zeros(3)).astype(int))
        [[1 0 1]
         [1 1 0]
         [0 1 1]]
    """
    closed = jax.make_jaxpr(function)(like)
    size, lanes = like.shape[0], like.shape[1:]
    start = np.broadcast_to(np.eye(size, dtype=bool).reshape(size, *[1] * len(lanes), size), (*like.shape, size))
    rule = partial(_through, size=size)
    (found,) = walk(closed, [Known(None, start)], rule, lambda value: Known(value, None))
    if found.pattern is None:
        return np.zeros((jax.eval_shape(function, like).shape[0], size), bool)
    return found.pattern.any(tuple(range(1, found.pattern.ndim - 1)))


def _through(equation: Any, given: list[Known], size: int) -> list[Known]:
    """One operation."""
    name, shapes = equation.primitive.name, [v.aval.shape for v in equation.outvars]
    patterns = [g.pattern for g in given if g.pattern is not None]
    if not patterns:
        return [Known(value, None) for value in _values(equation, given)]
    if name == "optimization_barrier":
        return given
    if not any(jnp.issubdtype(v.aval.dtype, jnp.inexact) for v in equation.outvars):
        return [Known(None, None) for _ in shapes]  # truths and places have no derivative
    if name in ELEMENTWISE:
        found = [np.logical_or.reduce([np.broadcast_to(p, (*shapes[0], size)) for p in patterns])]
    elif name in REDUCTIONS:
        found = [patterns[0].any(tuple(equation.params["axes"]))]
    elif name in LINEAR and _indices_are_known(equation, given):
        found = _pushed(equation, [_columns(v.aval, g, size) for v, g in zip(equation.invars, given, strict=True)])
    elif name in PRODUCTS:
        factors = [_factor(equation, given, place, size) for place in (0, 1) if given[place].pattern is not None]
        found = [np.logical_or.reduce(factors)]
    else:
        whole = np.logical_or.reduce([p.any(tuple(range(p.ndim - 1))) for p in patterns])
        found = [np.broadcast_to(whole, (*shape, size)) for shape in shapes]
    return [Known(None, pattern) for pattern in found]


def _values(equation: Any, given: list[Known]) -> list[Any]:
    """The numbers of what depends on no input, where they are known: indices and constant matrices are made so."""
    if any(g.value is None or is_traced(g.value) for g in given):
        return [None] * len(equation.outvars)
    with jax.ensure_compile_time_eval():
        return bound(equation, [g.value for g in given])


def _indices_are_known(equation: Any, given: list[Known]) -> bool:
    """Where entries go is told by integers alone."""
    return all(
        known.value is not None and not is_traced(known.value)
        for atom, known in zip(equation.invars, given, strict=True)
        if known.pattern is None and jnp.issubdtype(atom.aval.dtype, jnp.integer)
    )


def _columns(aval: Any, known: Known, size: int) -> np.ndarray:
    """The pattern as numbers with the inputs first; an index as it is; any other constant as 0."""
    if known.pattern is not None:
        return np.moveaxis(known.pattern, -1, 0).astype(aval.dtype)
    if jnp.issubdtype(aval.dtype, jnp.integer):
        return np.broadcast_to(np.asarray(known.value), (size, *aval.shape))
    return np.zeros((size, *aval.shape), aval.dtype)


def _pushed(equation: Any, columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Which outputs are not 0, for each input by itself."""
    with jax.ensure_compile_time_eval():
        out = jax.vmap(lambda *one: equation.primitive.bind(*one, **equation.params))(*map(jnp.asarray, columns))
    return [np.moveaxis(np.asarray(x) > 0, 0, -1) for x in (out if isinstance(out, list | tuple) else [out])]


def _factor(equation: Any, given: list[Known], place: int, size: int) -> np.ndarray:
    """What one factor of a product contributes: where the other is known, its zeros hide what they meet."""
    own, far, other = equation.invars[place].aval, equation.invars[1 - place].aval, given[1 - place]
    seen = np.ones(far.shape, far.dtype)
    if other.pattern is None and other.value is not None and not is_traced(other.value):
        seen = (np.asarray(other.value) != 0).astype(far.dtype)
    columns = [_columns(own, given[place], size), np.broadcast_to(seen, (size, *far.shape))]
    return _pushed(equation, columns if place == 0 else columns[::-1])[0]
