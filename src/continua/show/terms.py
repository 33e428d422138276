"""An expression as a person writes it: a row of signed terms, each a fraction of factors."""

from dataclasses import dataclass

from continua.show.expression import ONE, Expression, Number, Power, Product, Sum, Symbol, symbols_of


@dataclass(frozen=True)
class Term:
    """−, and what stands above and below the bar."""

    negative: bool
    numerator: tuple[Expression, ...]
    denominator: tuple[Expression, ...]


def terms_of(expression: Expression) -> list[Term]:
    """The terms of a sum, or the one term that it is."""
    return [_term(part) for part in (expression.terms if isinstance(expression, Sum) else (expression,))]


def _term(expression: Expression) -> Term:
    factors = expression.factors if isinstance(expression, Product) else (expression,)
    negative = isinstance(factors[0], Number) and factors[0].value < 0.0
    if isinstance(factors[0], Number):
        factors = (Number(abs(factors[0].value)), *factors[1:])
    below = tuple(_reciprocal(factor) for factor in factors if _is_below(factor))
    above = tuple(factor for factor in factors if not _is_below(factor) and factor != ONE)
    return Term(negative, above or (ONE,), below)


def _is_below(factor: Expression) -> bool:
    return isinstance(factor, Power) and isinstance(factor.exponent, Number) and factor.exponent.value < 0.0


def _reciprocal(factor: Expression) -> Expression:
    assert isinstance(factor, Power)
    assert isinstance(factor.exponent, Number)
    exponent = -factor.exponent.value
    return factor.base if exponent == 1.0 else Power(factor.base, Number(exponent))


def is_number(expression: Expression) -> bool:
    """Whether it is printed in digits."""
    base = expression.base if isinstance(expression, Power) else expression
    return isinstance(base, Number) or (isinstance(base, Symbol) and base.shown is not None)


def is_coefficient(expression: Expression) -> bool:
    """Whether it holds neither a state nor the time."""
    return all(symbol.kind == "parameter" for symbol in symbols_of(expression))
