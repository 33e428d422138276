"""The expressions of a vector field, read off the jaxpr of the very function that is solved."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import JaxprEqn
from numpy.typing import NDArray

from continua.core import bound, walk
from continua.show.expression import (
    ONE,
    ZERO,
    Expression,
    Number,
    Symbol,
    add,
    call,
    divide,
    multiply,
    negate,
    power,
    subtract,
)

Elements = NDArray[Any]  # of numbers, or of expressions where the dtype is object
Rule = Callable[..., Expression]


class NotExpressible(Exception):
    """The function uses something that has no formula here; the message names it."""


def trace_expressions(
    field: Callable[[Any, Any, Any], Any],
    *,
    t: str = "t",
    y: Sequence[str],
    p: Mapping[str, Any] | None = None,
) -> list[Expression]:
    """The right-hand sides of y' = field(t, y, p) as expressions.

    Args:
        field: `field(t, y, p)` with t a scalar, y [state] and p a dict of arrays; returns [state].
        t: the name of the time.
        y: the names of the states.
        p: the shape of each parameter (or an array of it). An element of a vector is `b_1`, of a matrix `A_12`.

    Returns:
        One expression for each state.

    Raises:
        NotExpressible: the function uses a primitive without a formula, such as a loop or a branch on the state.

    Example:
        >>> from continua.show.plain_text import text
        >>> growth = lambda t, y, p: p["r"] * y * (1 - y / p["K"])
        >>> text(trace_expressions(growth, y=["hare"], p={"r": (), "K": ()})[0])
        'r hare·(1 − hare/K)'
    """
    shapes = {name: _shape(value) for name, value in (p or {}).items()}
    structs = (_struct(()), _struct((len(y),)), {name: _struct(shape) for name, shape in shapes.items()})
    closed = jax.make_jaxpr(field)(*structs)
    states = _filled([Symbol(name, "state") for name in y], (len(y),))
    parameters = {name: _parameter(name, shape) for name, shape in shapes.items()}
    inputs = [_filled([Symbol(t, "time")], ()), states, *jax.tree_util.tree_leaves(parameters)]
    outputs = walk(closed, inputs, _apply, np.asarray)
    if len(outputs) != 1 or outputs[0].shape != (len(y),):
        raise NotExpressible(f"a result of shapes {[output.shape for output in outputs]} for {len(y)} states")
    return list(_symbolic(outputs[0]))


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else tuple(np.shape(value))


def _struct(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.result_type(float))


def _filled(expressions: Sequence[Expression], shape: tuple[int, ...]) -> Elements:
    array = np.empty(len(expressions), dtype=object)
    array[:] = expressions
    return array.reshape(shape)


def _parameter(name: str, shape: tuple[int, ...]) -> Elements:
    """The symbols of an array: A_11, A_12, …; commas where an index has two digits."""
    separator = "" if max(shape, default=0) < 10 else ","
    names = [f"{name}_{separator.join(str(i + 1) for i in index)}" for index in np.ndindex(shape)]
    return _filled([Symbol(n) for n in (names if shape else [name])], shape)


def _apply(equation: JaxprEqn, inputs: list[Elements]) -> list[Elements]:
    """One equation of a jaxpr: numbers by JAX itself, the rest by its rule."""
    name = equation.primitive.name
    if not any(_is_symbolic(array) for array in inputs):
        return _bound(equation, inputs)
    if name in UNCHANGED:
        return inputs
    if name in ELEMENTWISE:
        return [_elementwise(ELEMENTWISE[name](equation.params), inputs)]
    if name in REDUCTIONS:
        return [_reduced(REDUCTIONS[name], inputs[0], equation.params["axes"])]
    if name == "dot_general":
        return [_dot_general(inputs[0], inputs[1], equation.params["dimension_numbers"])]
    if name == "convert_element_type" and jnp.issubdtype(equation.params["new_dtype"], jnp.floating):
        return inputs
    if name in MOVED:
        return _moved(equation, inputs, MOVED[name])
    raise NotExpressible(f"the primitive `{name}`")


def _is_symbolic(array: Elements) -> bool:
    return array.dtype == object


def _bound(equation: JaxprEqn, inputs: Sequence[Any]) -> list[Elements]:
    """The equation on numbers: by numpy where it only moves them, since JAX compiles each one by itself."""
    if equation.primitive.name in BY_NUMPY:
        return BY_NUMPY[equation.primitive.name](equation.params, *inputs)
    return [np.asarray(output) for output in bound(equation, [jnp.asarray(x) for x in inputs])]


def _symbolic(array: Elements) -> Elements:
    """The array as expressions; a number is the shortest decimal of its precision, so that float32's 0.1 is 0.1."""
    if _is_symbolic(array):
        return array
    if array.dtype.kind not in "biuf":
        raise NotExpressible(f"numbers of type {array.dtype}")
    numbers = [float(str(value)) for value in array.ravel()] if array.dtype.kind == "f" else array.ravel().tolist()
    if not np.all(np.isfinite(numbers)):
        raise NotExpressible("a number that is not finite")
    return _filled([Number(float(number)) for number in numbers], array.shape)


def _elementwise(rule: Rule, inputs: Sequence[Elements]) -> Elements:
    arrays = np.broadcast_arrays(*(_symbolic(array) for array in inputs))
    shape = arrays[0].shape
    return _filled([rule(*elements) for elements in zip(*(array.ravel() for array in arrays), strict=True)], shape)


def _reduced(rule: Rule, array: Elements, axes: Sequence[int]) -> Elements:
    """The array with some axes folded."""
    kept = [axis for axis in range(array.ndim) if axis not in axes]
    rows = _symbolic(array).transpose([*kept, *axes])
    shape = rows.shape[: len(kept)]
    return _filled([rule(*row) for row in _rows(rows, len(kept))], shape)


def _rows(array: Elements, axes: int) -> Iterator[list[Expression]]:
    """What stands below each index of the first axes."""
    for index in np.ndindex(array.shape[:axes]):
        yield list(np.asarray(array[index], dtype=object).ravel())


def _dot_general(left: Elements, right: Elements, dimension_numbers: Any) -> Elements:
    """Sums of products over the contracted axes; batch axes first, as JAX orders them."""
    contracted, batch = dimension_numbers
    left, right = _symbolic(left), _symbolic(right)
    left_free = [a for a in range(left.ndim) if a not in (*contracted[0], *batch[0])]
    right_free = [a for a in range(right.ndim) if a not in (*contracted[1], *batch[1])]
    left = left.transpose([*batch[0], *left_free, *contracted[0]])
    right = right.transpose([*batch[1], *right_free, *contracted[1]])
    batches = left.shape[: len(batch[0])]
    shape = (*batches, *left.shape[len(batches) :][: len(left_free)], *right.shape[len(batches) :][: len(right_free)])
    elements = [
        add(*(multiply(a, b) for a, b in zip(row, column, strict=True)))
        for index in np.ndindex(batches)
        for row in _rows(np.asarray(left[index], dtype=object), len(left_free))
        for column in _rows(np.asarray(right[index], dtype=object), len(right_free))
    ]
    return _filled(elements, shape)


def _moved(equation: JaxprEqn, inputs: list[Elements], data: Callable[[int], Sequence[int]]) -> list[Elements]:
    """An equation that only moves elements: JAX moves their addresses, and the elements follow."""
    places = data(len(inputs))
    if any(_is_symbolic(array) for place, array in enumerate(inputs) if place not in places):
        raise NotExpressible(f"the primitive `{equation.primitive.name}` with an index or a condition that varies")
    pool = np.concatenate([_symbolic(inputs[place]).ravel() for place in places])
    addressed: list[Any] = list(inputs)
    start = 0
    for place in places:
        array, aval = inputs[place], cast(Any, equation.invars[place].aval)
        addresses = np.arange(start, start + array.size, dtype=np.float32).reshape(array.shape)
        addressed[place] = addresses.astype(aval.dtype)
        start += array.size
    found = _bound(equation, addressed)
    return [_looked_up(pool, addresses, equation.primitive.name) for addresses in found]


def _looked_up(pool: Elements, addresses: Elements, name: str) -> Elements:
    flat = addresses.astype(np.float64).ravel()
    if not np.all((flat >= 0) & (flat < pool.size)):
        raise NotExpressible(f"the primitive `{name}` with an index out of bounds")
    return _filled([pool[int(address)] for address in flat], addresses.shape)


def _plain(rule: Rule) -> Callable[[Mapping[str, Any]], Rule]:
    """A rule that needs no parameters of the equation."""
    return lambda _params: rule


def _function(name: str) -> Callable[[Mapping[str, Any]], Rule]:
    return _plain(lambda *arguments: call(name, *arguments))


def _logistic(x: Expression) -> Expression:
    return divide(ONE, add(ONE, call("exp", negate(x))))


UNCHANGED = frozenset(
    {"copy", "copy_p", "optimization_barrier", "reduce_precision", "sharding_constraint", "stop_gradient"}
)
ELEMENTWISE: dict[str, Callable[[Mapping[str, Any]], Rule]] = {
    "add": _plain(add),
    "add_any": _plain(add),
    "sub": _plain(subtract),
    "mul": _plain(multiply),
    "div": _plain(divide),
    "neg": _plain(negate),
    "pow": _plain(power),
    "integer_pow": lambda params: lambda x: power(x, Number(float(params["y"]))),
    "square": _plain(lambda x: power(x, Number(2.0))),
    "sqrt": _plain(lambda x: power(x, Number(0.5))),
    "rsqrt": _plain(lambda x: power(x, Number(-0.5))),
    "exp2": _plain(lambda x: power(Number(2.0), x)),
    "log1p": _plain(lambda x: call("log", add(ONE, x))),
    "expm1": _plain(lambda x: subtract(call("exp", x), ONE)),
    "logistic": _plain(_logistic),
    "clamp": _plain(lambda low, x, high: call("min", call("max", low, x), high)),
    **{name: _function(name) for name in ("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "atan2")},
    **{name: _function(name) for name in ("sinh", "cosh", "tanh", "abs", "sign", "floor", "ceil", "max", "min")},
}
REDUCTIONS: dict[str, Rule] = {
    "reduce_sum": lambda *row: add(*row) if row else ZERO,
    "reduce_prod": lambda *row: multiply(*row) if row else ONE,
    "reduce_max": lambda *row: reduce(lambda a, b: call("max", a, b), row),
    "reduce_min": lambda *row: reduce(lambda a, b: call("min", a, b), row),
}
# Which inputs are data; the others are indices or conditions and must be constant.
BY_NUMPY: dict[str, Callable[..., list[Elements]]] = {
    "squeeze": lambda params, x: [np.squeeze(x, params["dimensions"])],
    "slice": lambda params, x: [
        x[tuple(map(slice, params["start_indices"], params["limit_indices"], params["strides"] or [1] * x.ndim))]
    ],
    "concatenate": lambda params, *arrays: [np.concatenate(arrays, params["dimension"])],
    "stack": lambda params, *arrays: [np.stack(arrays, params["axis"])],
    "unstack": lambda params, x: list(map(np.asarray, np.moveaxis(x, params["axis"], 0))),
}
MOVED: dict[str, Callable[[int], Sequence[int]]] = {
    **dict.fromkeys(
        (
            "slice",
            "squeeze",
            "reshape",
            "broadcast_in_dim",
            "transpose",
            "rev",
            "expand_dims",
            "split",
            "gather",
            "dynamic_slice",
        ),
        lambda _count: (0,),
    ),
    **dict.fromkeys(("concatenate", "pad"), range),
    "stack": range,
    "unstack": lambda _count: (0,),
    "dynamic_update_slice": lambda _count: (0, 1),
    "select_n": lambda count: range(1, count),
    "scatter": lambda _count: (0, 2),
}
