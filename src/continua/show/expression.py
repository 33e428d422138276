"""The nodes of an expression, tidy as soon as they are built: flat, numbers folded, signs in front.

Number    0.5
Symbol    a state, the time, a parameter, or a parameter's value as text
Sum       terms, in the order in which they were written
Product   a number, then what depends on parameters only, then the rest; each base once
Power     base and exponent; x/y is x · y⁻¹, √x is x^½
Call      sin, exp, max, …
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from typing import Any, Literal

LARGEST_EXPANDED_POWER = 8
LARGEST_MULTIPLIED_POWER = 64
SHORT_DECIMAL = 6  # 1/8 is 0.125, 1/3 stays 1/3

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "atan2": math.atan2,
    "ceil": lambda x: float(math.ceil(x)),
    "cos": math.cos,
    "cosh": math.cosh,
    "exp": math.exp,
    "floor": lambda x: float(math.floor(x)),
    "log": math.log,
    "max": max,
    "min": min,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "sin": math.sin,
    "sinh": math.sinh,
    "tan": math.tan,
    "tanh": math.tanh,
}


@dataclass(frozen=True)
class Number:
    """A number that stands in the code."""

    value: float


@dataclass(frozen=True)
class Symbol:
    """A name; `shown` is a parameter's value as text, where that is to be printed in its place."""

    name: str
    kind: Literal["state", "time", "parameter"] = "parameter"
    shown: str | None = None


@dataclass(frozen=True)
class Sum:
    """Two or more terms."""

    terms: tuple["Expression", ...]


@dataclass(frozen=True)
class Product:
    """Two or more factors; only the first may be a number."""

    factors: tuple["Expression", ...]


@dataclass(frozen=True)
class Power:
    """A base and its exponent."""

    base: "Expression"
    exponent: "Expression"


@dataclass(frozen=True)
class Call:
    """A function of `FUNCTIONS` and its arguments."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Number | Symbol | Sum | Product | Power | Call

ZERO, ONE, MINUS_ONE = Number(0.0), Number(1.0), Number(-1.0)


def add(*terms: Expression) -> Expression:
    """The sum: nested sums flat, numbers folded where the first one stands, zeros dropped."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Sum) else (term,))]
    total = sum(part.value for part in flat if isinstance(part, Number))
    kept: list[Expression] = []
    folded = False
    for part in flat:
        if not isinstance(part, Number):
            kept.append(part)
        elif not folded and total != 0.0:
            kept.append(Number(total))
            folded = True
    return ZERO if not kept else kept[0] if len(kept) == 1 else Sum(tuple(kept))


def multiply(*factors: Expression) -> Expression:
    """The product: nested ones flat, numbers and signs in front, equal bases as one power, parameters before states."""
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    coefficient = 1.0
    rest: list[Expression] = []
    for part in flat:
        if isinstance(part, Number):
            coefficient *= part.value
        elif isinstance(part, Sum) and all(_is_negative(term) for term in part.terms):
            coefficient = -coefficient
            rest.append(Sum(tuple(negate(term) for term in part.terms)))
        else:
            rest.append(part)
    if coefficient == 0.0:
        return ZERO
    rest = sorted(_merged(rest), key=_depends_on_state_or_time)
    parts = rest if coefficient == 1.0 and rest else [Number(coefficient), *rest]
    return parts[0] if len(parts) == 1 else Product(tuple(parts))


def negate(expression: Expression) -> Expression:
    """−x."""
    return multiply(MINUS_ONE, expression)


def subtract(left: Expression, right: Expression) -> Expression:
    """The difference x − y."""
    return add(left, negate(right))


def divide(left: Expression, right: Expression) -> Expression:
    """The quotient x / y."""
    return multiply(left, power(right, MINUS_ONE))


def power(base: Expression, exponent: Expression) -> Expression:
    """The power: numbers folded, whole exponents moved into products and onto powers."""
    if exponent == ZERO:
        return ONE
    if exponent == ONE:
        return base
    if isinstance(base, Number) and isinstance(exponent, Number):
        return _number_power(base, exponent)
    if isinstance(exponent, Number) and exponent.value.is_integer():
        if isinstance(base, Product):
            return multiply(*(power(factor, exponent) for factor in base.factors))
        if isinstance(base, Power):
            return power(base.base, multiply(base.exponent, exponent))
    return Power(base, exponent)


def call(function: str, *arguments: Expression) -> Expression:
    """The function of its arguments, folded where these are numbers."""
    values = [argument.value for argument in arguments if isinstance(argument, Number)]
    if len(values) == len(arguments):
        try:
            return Number(float(FUNCTIONS[function](*values)))
        except (ValueError, OverflowError):
            return Call(function, arguments)
    return Call(function, arguments)


def symbols_of(expression: Expression) -> Iterator[Symbol]:
    """Every symbol in it, as often as it occurs."""
    if isinstance(expression, Symbol):
        yield expression
    for part in _parts(expression):
        yield from symbols_of(part)


def evaluate(
    expression: Expression,
    values: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
) -> Any:
    """The expression's value where each symbol has the value of its name.

    Args:
        expression: the tree.
        values: a number for each name, or anything with arithmetic, such as an array of JAX.
        functions: for values that are no plain numbers, what computes each of `FUNCTIONS` on them.

    Example:
        >>> evaluate(divide(Symbol("x"), add(ONE, Symbol("x"))), {"x": 3.0})
        0.75
    """
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Symbol):
        value = values[expression.name]
        return float(value) if isinstance(value, Real) else value
    parts = [evaluate(part, values, functions) for part in _parts(expression)]
    if isinstance(expression, Sum):
        return reduce(operator.add, parts)
    if isinstance(expression, Product):
        return reduce(operator.mul, parts)
    if isinstance(expression, Power):
        return _raised(*parts)
    return functions[expression.function](*parts)


def _raised(base: Any, exponent: Any) -> Any:
    """The power; whole exponents as int, which arrays multiply out and differentiate at zero."""
    if isinstance(exponent, float) and exponent.is_integer() and abs(exponent) <= LARGEST_MULTIPLIED_POWER:
        return base ** int(exponent)
    return base**exponent


def expand(expression: Expression) -> Expression:
    """The expression as a sum of products: (a + b) x becomes a x + b x, and equal terms are added.

    Example:
        >>> from continua.show.plain_text import text
        >>> x, k = Symbol("x", "state"), Symbol("k")
        >>> text(expand(multiply(add(ONE, negate(x)), k, x)))
        'k x − k x²'
    """
    rebuilt = _rebuilt(expression, expand)
    if isinstance(rebuilt, Product):
        terms: list[Expression] = [ONE]
        for factor in rebuilt.factors:
            terms = [multiply(term, part) for term in terms for part in _terms_of_power(factor)]
    else:
        terms = _terms_of_power(rebuilt)
    return _collected(add(*terms))


def substitute(expression: Expression, numbers: Mapping[str, str]) -> Expression:
    """Parameters replaced by their values as text; the minus of a negative value moves in front of its term."""
    if not isinstance(expression, Symbol):
        return _rebuilt(expression, lambda part: substitute(part, numbers))
    if expression.kind != "parameter" or expression.name not in numbers:
        return expression
    shown = numbers[expression.name].strip()
    if shown.startswith(("-", "−")):
        return negate(Symbol(expression.name, "parameter", shown[1:].lstrip()))
    return Symbol(expression.name, "parameter", shown)


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Power(base, exponent):
            return (base, exponent)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def _rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The same node of changed parts."""
    parts = [change(part) for part in _parts(expression)]
    match expression:
        case Sum():
            return add(*parts)
        case Product():
            return multiply(*parts)
        case Power():
            return power(*parts)
        case Call(function):
            return call(function, *parts)
        case _:
            return expression


def _is_negative(expression: Expression) -> bool:
    first = expression.factors[0] if isinstance(expression, Product) else expression
    return isinstance(first, Number) and first.value < 0.0


def _depends_on_state_or_time(expression: Expression) -> bool:
    return any(symbol.kind != "parameter" for symbol in symbols_of(expression))


def _merged(factors: list[Expression]) -> list[Expression]:
    """Equal bases with numbers as exponents become one power, where the first one stands."""
    exponents: dict[Expression, float] = {}
    for factor in factors:
        base, exponent = _base_and_exponent(factor)
        exponents[base] = exponents.get(base, 0.0) + exponent
    powers = [power(base, Number(exponent)) for base, exponent in exponents.items()]
    return [factor for factor in powers if factor != ONE]


def _base_and_exponent(factor: Expression) -> tuple[Expression, float]:
    if isinstance(factor, Power) and isinstance(factor.exponent, Number):
        return factor.base, factor.exponent.value
    return factor, 1.0


def _number_power(base: Number, exponent: Number) -> Expression:
    """A number, but 1/3 stays 1/3."""
    try:
        value = base.value**exponent.value
    except (ZeroDivisionError, OverflowError):
        return Power(base, exponent)
    if isinstance(value, complex) or (exponent.value < 0 and len(repr(value).lstrip("-")) > SHORT_DECIMAL):
        return Power(base, exponent)
    return Number(value)


def _terms_of_power(factor: Expression) -> list[Expression]:
    """A factor as terms to be multiplied out."""
    base, exponent = _base_and_exponent(factor)
    if not isinstance(base, Sum) or exponent not in range(1, LARGEST_EXPANDED_POWER + 1):
        return list(factor.terms) if isinstance(factor, Sum) else [factor]
    terms: list[Expression] = [ONE]
    for _ in range(int(exponent)):
        product = add(*(multiply(term, part) for term in terms for part in base.terms))
        collected = _collected(product)
        terms = list(collected.terms) if isinstance(collected, Sum) else [collected]
    return terms


def _collected(expression: Expression) -> Expression:
    """A sum whose terms differ in more than their number; x y and y x are the same."""
    coefficients: dict[frozenset[Expression], float] = {}
    written: dict[frozenset[Expression], tuple[Expression, ...]] = {}
    for term in expression.terms if isinstance(expression, Sum) else (expression,):
        factors = term.factors if isinstance(term, Product) else (term,)
        number = factors[0].value if isinstance(factors[0], Number) else 1.0
        rest = factors[1:] if isinstance(factors[0], Number) else factors
        key = frozenset(rest)
        written.setdefault(key, rest)
        coefficients[key] = coefficients.get(key, 0.0) + number
    return add(*(multiply(Number(number), *written[key]) for key, number in coefficients.items()))
