"""One tree for all ways of writing the same product: y*x is x*y."""

from continua.core import ArgumentError
from continua.show import (
    Call,
    Expression,
    Names,
    Number,
    Power,
    Product,
    Sum,
    add,
    call,
    factors_of,
    multiply,
    parse,
    power,
    printable,
    python_text,
)

COMMUTATIVE = ("max", "min")


def parse_term(text: str, names: Names, *, time: str = "t") -> Expression:
    """One term of a law, without its coefficient, in canonical form.

    Args:
        text: for example `"x*y"`, `"x**2"`, `"sin(x)"` or `"1"`.
        names: the states and inputs that may occur.
        time: the name of the time.

    Raises:
        ArgumentError: the text is not in the grammar, is a sum, or has a number in front.

    Example:
        >>> parse_term("y*x*x", ["x", "y"]) == parse_term("x**2*y", ["x", "y"])
        True
        >>> from continua.equations import python_text
        >>> python_text(parse_term("y*x*x", ["x", "y"]))
        'x**2*y'
    """
    tree = canonical(parse(text, names, time=time))
    shown = printable(text.strip()[:40])
    match factors_of(tree)[0]:
        case Sum() if len(factors_of(tree)) == 1:
            raise ArgumentError(f"A term must be one product. Got the sum `{shown}`. Use each of its terms by itself.")
        case Number(value) if value != 1.0:
            raise ArgumentError(f"A term must have no coefficient. Got `{shown}`. Use `x*y`, or `1` for a constant.")
    return tree


def canonical(expression: Expression) -> Expression:
    """The expression with terms, factors and the arguments of min and max in an order that only depends on them.

    Products of sums are not multiplied out; `continua.show.expand` does that.
    """
    match expression:
        case Sum(terms):
            return add(*sorted(map(canonical, terms), key=python_text))
        case Product(factors):
            return multiply(*sorted(map(canonical, factors), key=python_text))
        case Power(base, exponent):
            return power(canonical(base), canonical(exponent))
        case Call(function, arguments):
            parts = [canonical(argument) for argument in arguments]
            return call(function, *(sorted(parts, key=python_text) if function in COMMUTATIVE else parts))
        case _:
            return expression
