"""An expression as a line of text: 0.48(6) hare − 0.025(4) hare·lynx."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from continua.show.decimals import MINUS, SUBSCRIPTS, format_number, superscript
from continua.show.expression import Call, Expression, Number, Power, Product, Sum, Symbol, substitute
from continua.show.names import split_name
from continua.show.terms import Term, is_coefficient, is_number, terms_of

FUNCTION_NAMES = {"log": "ln", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sign": "sgn"}


def text(expression: Expression, numbers: Mapping[str, str] | None = None) -> str:
    """The expression on one line.

    Args:
        expression: what to print.
        numbers: values to print in place of parameters, already formatted; a negative one turns the sign of its term.

    Example:
        >>> from continua.show.expression import Symbol, add, multiply, negate
        >>> hare, lynx = Symbol("hare", "state"), Symbol("lynx", "state")
        >>> rate = add(multiply(Symbol("alpha"), hare), negate(multiply(Symbol("beta"), hare, lynx)))
        >>> text(rate)
        'α hare − β hare·lynx'
        >>> text(rate, {"alpha": "0.48(6)", "beta": "-0.025(4)"})
        '0.48(6) hare + 0.025(4) hare·lynx'
    """
    return _sum(substitute(expression, numbers or {}))


def _sum(expression: Expression) -> str:
    first, *rest = terms_of(expression)
    signed = [(MINUS if first.negative else "") + _fraction(first)]
    signed += [(f" {MINUS} " if term.negative else " + ") + _fraction(term) for term in rest]
    return "".join(signed)


def _fraction(term: Term) -> str:
    above = _factors(term.numerator)
    if not term.denominator:
        return above
    below = _factors(term.denominator)
    return f"{above}/{below}" if len(term.denominator) == 1 else f"{above}/({below})"


def _factors(factors: Sequence[Expression]) -> str:
    """Factors beside each other: a blank after the coefficient, dots elsewhere."""
    return _factor(factors[0]) + "".join(_between(a, b) + _factor(b) for a, b in pairwise(factors))


def _between(left: Expression, right: Expression) -> str:
    if is_number(left):
        return "·" if is_number(right) else " "
    return "·" if is_coefficient(left) == is_coefficient(right) else " "


def _factor(expression: Expression) -> str:
    return f"({_sum(expression)})" if isinstance(expression, Sum | Product) else _atom(expression)


def _atom(expression: Expression) -> str:
    match expression:
        case Number(value):
            return format_number(value)
        case Symbol():
            return _symbol(expression)
        case Power(base, exponent):
            return _power(base, exponent)
        case Call(function, arguments):
            inside = ", ".join(_sum(argument) for argument in arguments)
            return f"|{inside}|" if function == "abs" else f"{FUNCTION_NAMES.get(function, function)}({inside})"
        case _:
            return f"({_sum(expression)})"


def _symbol(symbol: Symbol) -> str:
    """States as the user named them; parameters with Greek letters and subscripts."""
    if symbol.shown is not None:
        return symbol.shown
    if symbol.kind == "state":
        return symbol.name
    word, subscript = split_name(symbol.name)
    digits = subscript.translate(SUBSCRIPTS) if subscript.replace(",", "").isdecimal() else f"_{subscript}"
    return word + (digits if subscript else "")


def _power(base: Expression, exponent: Expression) -> str:
    within = f"({_sum(base)})"
    shown = _atom(base) if _stands_alone(base) else within
    if not isinstance(exponent, Number):
        return f"{shown}^{_symbol(exponent)}" if isinstance(exponent, Symbol) else f"{shown}^({_sum(exponent)})"
    if exponent.value == 0.5:
        return f"√{within if isinstance(base, Call) else shown}"
    if exponent.value.is_integer() and abs(exponent.value) < 100:
        return shown + superscript(int(exponent.value))
    return f"{shown}^{format_number(exponent.value)}"


def _stands_alone(base: Expression) -> bool:
    """Whether an exponent beside it can only belong to all of it."""
    if isinstance(base, Symbol):
        return base.shown is None and " " not in base.name
    return isinstance(base, Number | Call)
