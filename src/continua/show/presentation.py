"""An expression as presentation MathML, which browsers draw without any script."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise

from continua.show.decimals import MINUS, format_number
from continua.show.expression import Call, Expression, Number, Power, Product, Sum, Symbol, substitute
from continua.show.markup import escaped
from continua.show.names import split_name
from continua.show.plain_text import FUNCTION_NAMES
from continua.show.terms import Term, is_coefficient, is_number, terms_of

DOT = "<mo>·</mo>"
THIN_SPACE = '<mspace width="0.1667em"/>'
TIMES = "<mo>&#x2062;</mo>" + THIN_SPACE
APPLY = "<mo>&#x2061;</mo>"
TERMS_A_LINE = 5


def mathml(expression: Expression, numbers: Mapping[str, str] | None = None) -> str:
    """The expression as one MathML element, to stand inside `<math>`.

    Args:
        expression: what to print.
        numbers: values to print in place of parameters, already formatted; a negative one turns the sign of its term.

    Example:
        >>> mathml(Power(Symbol("omega_0"), Number(2.0)))
        '<msup><msub><mi>ω</mi><mn>0</mn></msub><mn>2</mn></msup>'
    """
    return _sum(substitute(expression, numbers or {}))


def mathml_equation(
    state: str, expression: Expression, numbers: Mapping[str, str] | None = None, *, time: str = "t"
) -> str:
    """The equation d state / d time = expression, as a block; a long sum goes on in further lines."""
    rate = f"<mfrac>{_differential(state)}{_differential(time)}</mfrac>"
    terms = _signed_terms(substitute(expression, numbers or {}))
    lines = [_joined(terms[i : i + TERMS_A_LINE]) for i in range(0, len(terms), TERMS_A_LINE)]
    if len(lines) == 1:
        return f'<math display="block">{_row([rate, "<mo>=</mo>", lines[0]])}</math>'
    rows = zip([rate, *[""] * (len(lines) - 1)], ["<mo>=</mo>", *[""] * (len(lines) - 1)], lines, strict=True)
    return f'<math display="block"><mtable>{"".join(map(_table_row, rows))}</mtable></math>'


def _table_row(cells: Iterable[str]) -> str:
    return f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in cells)}</mtr>"


def _differential(name: str) -> str:
    return _row(['<mi mathvariant="normal">d</mi>', THIN_SPACE, f"<mi>{escaped(name)}</mi>"])


def _row(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _sum(expression: Expression) -> str:
    return _joined(_signed_terms(expression))


def _joined(terms: Iterable[Sequence[str]]) -> str:
    return _row(list(chain.from_iterable(terms)))


def _signed_terms(expression: Expression) -> list[list[str]]:
    """Each term with its sign, which a first one has only where it is negative."""
    first, *rest = terms_of(expression)
    sign = [f"<mo>{MINUS}</mo>"] if first.negative else []
    later = [[f"<mo>{MINUS if term.negative else '+'}</mo>", _fraction(term)] for term in rest]
    return [[*sign, _fraction(first)], *later]


def _fraction(term: Term) -> str:
    above = _factors(term.numerator, alone=bool(term.denominator))
    return f"<mfrac>{above}{_factors(term.denominator, alone=True)}</mfrac>" if term.denominator else above


def _factors(factors: Sequence[Expression], *, alone: bool) -> str:
    """Factors beside each other; a sum that stands `alone` above or below a bar needs no parentheses."""
    if alone and len(factors) == 1 and isinstance(factors[0], Sum):
        return _sum(factors[0])
    parts = [_factor(factors[0])]
    for left, right in pairwise(factors):
        parts += [_between(left, right), _factor(right)]
    return _row(parts)


def _between(left: Expression, right: Expression) -> str:
    if is_number(left) or is_number(right):
        return DOT if is_number(right) else TIMES
    return DOT if is_coefficient(left) == is_coefficient(right) and _is_word(left, right) else TIMES


def _is_word(*factors: Expression) -> bool:
    """Whether one of the factors is a name of several letters, which needs a dot beside the next."""
    bases = [factor.base if isinstance(factor, Power) else factor for factor in factors]
    return any(isinstance(base, Symbol) and len(_name(base)[0]) > 1 for base in bases)


def _enclosed(content: str, left: str = "(", right: str = ")") -> str:
    return f"<mrow><mo>{left}</mo>{content}<mo>{right}</mo></mrow>"


def _factor(expression: Expression) -> str:
    match expression:
        case Number(value):
            return f"<mn>{format_number(value)}</mn>"
        case Symbol():
            return _symbol(expression)
        case Power(base, exponent):
            return _power(base, exponent)
        case Call(function, arguments):
            return _call(function, arguments)
        case Sum() | Product():
            return _enclosed(_sum(expression))


def _name(symbol: Symbol) -> tuple[str, str]:
    """States as the user named them; parameters with Greek letters and subscripts."""
    return (symbol.name, "") if symbol.kind == "state" else split_name(symbol.name)


def _symbol(symbol: Symbol) -> str:
    if symbol.shown is not None:
        return f"<mn>{escaped(symbol.shown)}</mn>"
    word, subscript = _name(symbol)
    if not subscript:
        return f"<mi>{escaped(word)}</mi>"
    tag = "mn" if subscript.replace(",", "").isdecimal() else "mi"
    return f"<msub><mi>{escaped(word)}</mi><{tag}>{escaped(subscript)}</{tag}></msub>"


def _power(base: Expression, exponent: Expression) -> str:
    if exponent == Number(0.5):
        return f"<msqrt>{_sum(base)}</msqrt>"
    simple = isinstance(base, Number | Call) or (isinstance(base, Symbol) and base.shown is None)
    return f"<msup>{_factor(base) if simple else _enclosed(_sum(base))}{_sum(exponent)}</msup>"


def _call(function: str, arguments: Sequence[Expression]) -> str:
    inside = _row([part for argument in arguments for part in ("<mo>,</mo>", _sum(argument))][1:])
    if function == "abs":
        return _enclosed(inside, "|", "|")
    if function == "exp":
        return f"<msup><mi>e</mi>{inside}</msup>"
    return f"<mrow><mi>{FUNCTION_NAMES.get(function, function)}</mi>{APPLY}{_enclosed(inside)}</mrow>"
