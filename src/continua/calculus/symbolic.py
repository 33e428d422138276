"""Formulas as sympy's expressions: read from text without evaluating it, from JAX's functions, and turned into them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from continua.calculus.array_functions import ARRAY_FUNCTIONS
from continua.calculus.integrands import result_of
from continua.core import ArgumentError
from continua.show import Algebra, NotExpressible, evaluate, is_word, names_in, parse_into, trace_expressions

if TYPE_CHECKING:
    import sympy

LARGEST_DENOMINATOR = 10_000  # a float that is such a fraction, or such a multiple of π, is written as one

# What sympy calls otherwise, or has besides; on arrays.
OTHER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": jnp.abs,
    "Add": lambda *terms: reduce(operator.add, terms),
    "Equality": operator.eq,
    "ExprCondPair": lambda value, condition: (value, condition),
    "GreaterThan": operator.ge,
    "LessThan": operator.le,
    "Max": ARRAY_FUNCTIONS["max"],
    "Min": ARRAY_FUNCTIONS["min"],
    "Mul": lambda *factors: reduce(operator.mul, factors),
    "Piecewise": lambda *cases: reduce(lambda rest, case: jnp.where(case[1], case[0], rest), cases[::-1], jnp.nan),
    "Pow": operator.pow,
    "StrictGreaterThan": operator.gt,
    "StrictLessThan": operator.lt,
    "Unequality": operator.ne,
    "acosh": jnp.arccosh,
    "asinh": jnp.arcsinh,
    "atanh": jnp.arctanh,
    "ceiling": jnp.ceil,
    "cot": lambda x: 1 / jnp.tan(x),
    "csc": lambda x: 1 / jnp.sin(x),
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "sec": lambda x: 1 / jnp.cos(x),
}


def to_jax(expression: str | sympy.Expr, names: Sequence[str] | str) -> Callable[..., Any]:
    """A formula as a function of arrays.

    Args:
        expression: text in the grammar of `equations.parse`, which is never evaluated as Python, or an expression of
            sympy.
        names: the names of the arguments, in their order.

    Returns:
        A function of numbers or arrays, which JAX differentiates, maps and compiles.

    Raises:
        ArgumentError: the text is not in the grammar, a name in it is no argument, or a function has no counterpart.

    Example:
        >>> print(to_jax("x**2 + sin(pi*y)", "xy")(3.0, 0.5))
        10.0
    """
    names = _checked(names, "names")
    formula = read(expression, names) if isinstance(expression, str) else expression
    unknown = sorted({str(symbol) for symbol in formula.free_symbols} - set(names))
    if unknown:
        raise ArgumentError(f"`names` of `to_jax` must hold all names. Got {names}, without `{unknown[0]}`. Add it.")

    def function(*values: Any) -> Any:
        arrays = [_floating(value) for value in values]
        found = _of_arrays(formula, dict(zip(names, arrays, strict=True)))
        shape = jnp.broadcast_shapes(*(array.shape for array in arrays))
        return jnp.broadcast_to(jnp.asarray(found, jnp.result_type(*arrays)), shape)

    number = jax.ShapeDtypeStruct((), jnp.result_type(float))
    jax.eval_shape(function, *[number] * len(names))  # an unknown function is an error here, and not where it is used
    return function


def to_symbolic(f: Callable[..., Any], names: Sequence[str] | str) -> sympy.Expr:
    """A function made of `jax.numpy`'s functions as an expression of sympy, read from its jaxpr.

    Args:
        f: takes as many numbers as there are names, gives one.
        names: of its arguments, in their order.

    Returns:
        An expression in real symbols; a float that is a simple fraction or multiple of π becomes one.

    Raises:
        ArgumentError: f gives no single number, or uses what has no formula, such as a loop or a branch.

    Example:
        >>> to_symbolic(lambda x, y: jnp.sin(x) ** 2 / 3 + jnp.pi * y, "xy")
        pi*y + sin(x)**2/3
    """
    import sympy

    names = _checked(names, "names")
    number = jax.ShapeDtypeStruct((), jnp.result_type(float))
    result_of(f, *[number] * len(names), name="f", of="to_symbolic")
    try:
        tree = trace_expressions(lambda t, y, p: jnp.broadcast_to(f(*y), (len(names),)), y=names)[0]
    except NotExpressible as problem:
        raise ArgumentError(f"`f` of `to_symbolic` has no formula: it uses {problem}. Use functions of jnp.") from None
    found = sympy.sympify(evaluate(tree, symbols(names), _functions()))
    return found.xreplace({number: _exact(float(number)) for number in found.atoms(sympy.Float)})


def read(text: str, names: Sequence[str]) -> sympy.Expr:
    """The expression of a text, whose numbers are exact; `names` may occur in it."""
    import sympy

    algebra = Algebra(
        number=lambda digits: sympy.Rational(digits) if float(digits) else sympy.Integer(0),
        add=sympy.Add,
        multiply=sympy.Mul,
        power=sympy.Pow,
        call=lambda name, *arguments: _functions()[name](*arguments),
        constants={"pi": sympy.pi, "e": sympy.E},
    )
    found = parse_into(algebra, text, symbols(_checked(names, "names")))
    if found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
        raise ArgumentError(f"`{text[:60]}` is no real number anywhere. Look for a division by 0 or a root of -1.")
    return found


def symbols(names: Sequence[str]) -> dict[str, sympy.Symbol]:
    """Real symbols by name."""
    import sympy

    return {name: sympy.Symbol(name, real=True) for name in names}


def names_of(text: str, variable: str) -> list[str]:
    """The names in a text, with the variable, which must be a word."""
    _checked([variable], "variable")
    return list(dict.fromkeys([*(name for name in names_in(text) if name not in ("pi", "e")), variable]))


def written(expression: Any) -> str:
    """An expression in the grammar, as far as it goes."""
    import sympy

    renamed = {sympy.Abs: "abs", sympy.ceiling: "ceil", sympy.Max: "max", sympy.Min: "min"}
    for function, name in renamed.items():
        expression = expression.replace(function, sympy.Function(name))
    plain = {dummy: sympy.Symbol(dummy.name) for dummy in expression.atoms(sympy.Dummy)}
    return str(expression.xreplace(plain | {sympy.E: sympy.Symbol("e")}))


def _checked(names: Sequence[str] | str, argument: str) -> tuple[str, ...]:
    """Words that are different from each other."""
    names = tuple(names) if isinstance(names, str | Sequence) else (names,)
    for name in names:
        if not isinstance(name, str) or not is_word(name):
            raise ArgumentError(f'`{argument}` must be words such as "x". Got {name!r:.60}.')
    if len(set(names)) < len(names) or not names:
        raise ArgumentError(f'`{argument}` must name each argument once. Got {names}. Use ["x", "y"].')
    return names


def _functions() -> dict[str, Callable[..., Any]]:
    """Those of the grammar, as sympy has them."""
    import sympy

    other = {"abs": sympy.Abs, "ceil": sympy.ceiling, "max": sympy.Max, "min": sympy.Min}
    return {name: other.get(name) or getattr(sympy, name) for name in ARRAY_FUNCTIONS}


def _exact(value: float) -> sympy.Expr:
    """A simple fraction, a simple multiple of π or e, or the number as it is."""
    import sympy

    for unit, size in ((sympy.Integer(1), 1.0), (sympy.pi, math.pi), (sympy.E, math.e)):
        fraction = Fraction(value / size).limit_denominator(LARGEST_DENOMINATOR)
        if math.isclose(float(fraction) * size, value, rel_tol=4e-16):
            return sympy.Rational(fraction.numerator, fraction.denominator) * unit
    return sympy.Float(value)


def _floating(value: Any) -> Any:
    """An array; whole numbers become floats."""
    array = jnp.asarray(value)
    return array if jnp.issubdtype(array.dtype, jnp.inexact) else array.astype(float)


def _of_arrays(node: Any, values: dict[str, Any]) -> Any:
    """The value of an expression, from those of its parts."""
    if node.args:
        name = type(node).__name__
        function = ARRAY_FUNCTIONS.get(name) or OTHER_FUNCTIONS.get(name)
        if function is None:
            raise ArgumentError(
                f"`{name}` in `{written(node)[:60]}` has no counterpart in JAX. Evaluate it with sympy."
            )
        return function(*(_of_arrays(part, values) for part in node.args))
    if node.is_Symbol:
        return values[node.name]
    return bool(node) if node.is_Boolean else int(node) if node.is_Integer else float(node)
