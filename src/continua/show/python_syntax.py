"""A tree as text in Python's syntax, which the grammar reads back as the same tree."""

from collections.abc import Sequence

from continua.show.expression import MINUS_ONE, Call, Expression, Number, Power, Product, Sum, Symbol, multiply, power

LARGEST_WHOLE = 1e15  # above it the digits of an int would pretend to an exactness that a float has not


def python_text(expression: Expression) -> str:
    """The expression in Python's syntax, with as few parentheses as it needs.

    `parse(python_text(tree), names)` is `tree` again for every tree that `parse` made, if names are words. Numbers are
    written by `repr`, whole ones without a decimal point.

    Example:
        >>> from continua.show.grammar import parse
        >>> python_text(parse("(0.5*x)*((1 - (x/K))^2)", ["x", "K"]))
        '0.5*x*(1 - x/K)**2'
    """
    (negative, first), *rest = [_term(term) for term in terms_of(expression)]
    return ("-" if negative else "") + first + "".join((" - " if n else " + ") + text for n, text in rest)


def _term(term: Expression) -> tuple[bool, str]:
    """Whether it is negative, and its size as text."""
    match factors_of(term):
        case (Number(value), *rest):
            shown = rest if abs(value) == 1.0 and rest else [Number(abs(value)), *rest]
            return value < 0.0, _fraction(shown)
        case factors:
            return False, _fraction(factors)


def _fraction(factors: Sequence[Expression]) -> str:
    """Above and below one bar where that is the same tree, else factor by factor."""
    divisors = [_divisor(factor) for factor in factors]
    below = [divisor for divisor in divisors if divisor is not None]
    above = [factor for factor, divisor in zip(factors, divisors, strict=True) if divisor is None]
    if not below:
        return "*".join(map(_factor, above))
    if multiply(*above, power(multiply(*below), MINUS_ONE)) != multiply(*factors):
        signs = ["*" + _factor(f) if d is None else "/" + _factor(d) for f, d in zip(factors, divisors, strict=True)]
        return "".join(signs)[1:] if divisors[0] is None else "1" + "".join(signs)
    divisor = "*".join(map(_factor, below))
    return f"{'*'.join(map(_factor, above)) or '1'}/{f'({divisor})' if len(below) > 1 else divisor}"


def _divisor(factor: Expression) -> Expression | None:
    """What is divided by, if it is written so; 3**-2 is not, for 1/3**2 would be read as 1/9."""
    match factor:
        case Power(Number() as base, exponent):
            return base if exponent == MINUS_ONE else None
        case Power(_, Number(exponent)) if exponent < 0.0:
            return power(factor, MINUS_ONE)
        case _:
            return None


def _factor(factor: Expression) -> str:
    match factor:
        case Power(base, Number(0.5)):
            return f"sqrt({python_text(base)})"
        case Power(base, Number(exponent)):
            return f"{_atom(base)}**{_number(exponent)}"
        case Power(base, Power() as exponent):
            return f"{_atom(base)}**{_factor(exponent)}"
        case Power(base, exponent):
            return f"{_atom(base)}**{_atom(exponent)}"
        case _:
            return _atom(factor)


def _atom(expression: Expression) -> str:
    """Text to which a sign beside it can do no harm."""
    match expression:
        case Number(value) if value >= 0.0:
            return _number(value)
        case Symbol(name):
            return name
        case Call(function, arguments):
            return f"{function}({', '.join(map(python_text, arguments))})"
        case _:
            return f"({python_text(expression)})"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) <= LARGEST_WHOLE else repr(value)


def terms_of(expression: Expression) -> tuple[Expression, ...]:
    """The terms of a sum, or the one term that it is."""
    match expression:
        case Sum(terms):
            return terms
        case _:
            return (expression,)


def factors_of(expression: Expression) -> tuple[Expression, ...]:
    """The factors of a product, or the one factor that it is."""
    match expression:
        case Product(factors):
            return factors
        case _:
            return (expression,)
