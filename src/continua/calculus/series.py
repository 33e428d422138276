r"""All derivatives of a function of one variable up to some order, in one pass.

Low orders are derivatives of derivatives, which every function of JAX has; their programs grow by a factor of three
with each order, those of Taylor arithmetic (`jet`) by its square. So high orders go through that, with calls opened and
some functions rewritten in terms of those that it knows, and only where it cannot do something, such as a loop, by
repetition.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.jet import jet, jet_rules
from jax.extend.core import Literal

from continua.core import CALLS, CUSTOM, ArgumentError, bound, walk

HIGHEST = 30
REPEATED = 4  # up to this order the repeated derivative is the smaller program
MOST_REPEATED = 8  # 3⁸ times the program of f
OPENED = CALLS - CUSTOM  # a body is not its derivative, where that was written apart


def derivatives_at(f: Callable[[Any], Any], x: jax.Array, order: int) -> list[Any]:
    """f(x), f'(x), …, f⁽ⁿ⁾(x)."""
    return (_repeated if order <= REPEATED else _by_series)(f, x, order)


def _repeated(f: Callable[[Any], Any], x: jax.Array, order: int) -> list[Any]:
    """Each order by the forward derivative of the one before, all of them carried along."""

    def upto(order: int) -> Callable[[Any], list[Any]]:
        if not order:
            return lambda x: [f(x)]

        def found(x: Any) -> list[Any]:
            lower, slopes = jax.jvp(upto(order - 1), (x,), (jnp.ones_like(x),))
            return [*lower, slopes[-1]]

        return found

    return upto(order)(x)


def _by_series(f: Callable[[Any], Any], x: jax.Array, order: int) -> list[Any]:
    """By the coefficients of the Taylor series, which are f⁽ᵏ⁾/k!."""
    program, shape = jax.make_jaxpr(f, return_shape=True)(x)
    if unknown := _unknown(program):
        if order > MOST_REPEATED:
            raise ArgumentError(
                f"`order` of a derivative of a function with {' and '.join(sorted(unknown))} must be at most "
                f"{MOST_REPEATED}. Got {order}. Write it as a formula."
            )
        return _repeated(f, x, order)

    def evaluated(x: Any) -> list[Any]:
        return walk(program, [x], _rewritten, lambda value: value, OPENED)

    series = [jnp.ones_like(x), *[jnp.zeros_like(x)] * (order - 1)]
    value, terms = jet(evaluated, (x,), (series,), factorial_scaled=False)
    rows = zip(*([v, *t] for v, t in zip(value, terms, strict=True)), strict=True)
    tree = jax.tree.structure(shape)
    return [jax.tree.unflatten(tree, [term * float(math.factorial(k)) for term in row]) for k, row in enumerate(rows)]


def _unknown(program: Any) -> set[str]:
    """The operations whose series nobody knows; functions with a derivative of their own are among them."""
    found = set()

    def look(equation: Any, _: list[None]) -> list[None]:
        if equation.primitive not in jet_rules and equation.primitive.name not in REWRITTEN:
            found.add(equation.primitive.name)
        return [None] * len(equation.outvars)

    walk(program, [None], look, lambda value: None, OPENED)
    return found


def _rewritten(equation: Any, inputs: list[Any]) -> Sequence[Any]:
    """One operation in terms of those whose series are known."""
    rule = REWRITTEN.get(equation.primitive.name)
    return bound(equation, inputs) if rule is None else [rule(equation, *inputs)]


def _power(equation: Any, x: Any, y: Any) -> Any:
    """A whole exponent needs no logarithm, whose series ends at 0."""
    exponent = equation.invars[1]
    whole = isinstance(exponent, Literal) and float(exponent.val).is_integer()
    return lax.integer_pow(x, int(exponent.val)) if whole else lax.pow(x, y)


REWRITTEN: dict[str, Callable[..., Any]] = {
    "acos": lambda _, x: lax.atan2(lax.sqrt(1 - x * x), x),
    "asin": lambda _, x: lax.atan2(x, lax.sqrt(1 - x * x)),
    "atan": lambda _, x: lax.atan2(x, jnp.ones_like(x)),
    "cbrt": lambda _, x: lax.sign(x) * lax.exp(lax.log(lax.abs(x)) / 3),
    "exp2": lambda _, x: lax.exp(x * math.log(2)),
    "pow": _power,
    "tan": lambda _, x: lax.sin(x) / lax.cos(x),
}
