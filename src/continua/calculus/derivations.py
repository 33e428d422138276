"""Derivatives and antiderivatives of formulas, with the steps that lead to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

from continua.calculus.symbolic import names_of, read, symbols, written
from continua.core import ArgumentError

INDENT = "  "
LARGEST_POWER = 12  # of a sum or a function: sympy multiplies out what it integrates

RULES = {  # of sympy's integration, by the names of their classes
    "AddRule": "sum rule",
    "ArctanRule": "arctangent",
    "CompleteSquareRule": "completing the square",
    "ConstantRule": "constant",
    "ConstantTimesRule": "constant factor",
    "CyclicPartsRule": "by parts until it comes back",
    "EiRule": "exponential integral",
    "ErfRule": "error function",
    "ExpRule": "exponential",
    "PartsRule": "by parts",
    "PowerRule": "power rule",
    "ReciprocalRule": "logarithm",
    "RewriteRule": "rewritten",
    "SiRule": "sine integral",
    "TrigSubstitutionRule": "trigonometric substitution",
    "URule": "substitution",
}


class Derivation(NamedTuple):
    """A result and how it comes about.

    Attributes:
        result: in the grammar of `equations.parse`, for `to_jax`; an antiderivative may hold functions beyond it.
        steps: a line for each rule, those that it needs indented below it.
    """

    result: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.steps)


class _Step(NamedTuple):
    """A derivative, the rule that gave it, and what it needed."""

    expression: Any
    result: Any
    rule: str
    below: tuple[_Step, ...] = ()


def differentiate(text: str, variable: str = "x") -> Derivation:
    """The derivative of a formula, rule by rule.

    Args:
        text: in the grammar of `equations.parse`; never evaluated as Python. Other names are constants.
        variable: by which it is differentiated.

    Returns:
        A `Derivation`: `result`, `steps`.

    Raises:
        ArgumentError: the text is not in the grammar, or a product of hundreds of factors.

    Example:
        >>> print(differentiate("x**2*sin(x)"))
        d/dx x**2*sin(x) = x**2*cos(x) + 2*x*sin(x)   (product rule: (u v)' = u' v + u v')
          d/dx x**2 = 2*x   (power rule: (u^n)' = n u^(n-1) u')
          d/dx sin(x) = cos(x)   (sin(x)' = cos(x))
    """
    names = names_of(text, variable)
    try:
        found = _derived(read(text, names), symbols(names)[variable])
    except RecursionError:
        raise ArgumentError(f"`{text[:60]}` has too many factors for a step each. Use to_jax and jax.grad.") from None
    return Derivation(written(found.result), tuple(_lines(found, f"d/d{variable}", 0)))


def antiderivative(text: str, variable: str = "x") -> Derivation:
    """A formula whose derivative is the given one, rule by rule.

    Args:
        text: in the grammar of `equations.parse`; never evaluated as Python. Other names are constants.
        variable: by which it is integrated.

    Returns:
        A `Derivation`: `result` without the constant of integration, `steps`.

    Raises:
        ArgumentError: the text is not in the grammar, no rule leads to an antiderivative (most formulas have none), or
            it holds a power that would be multiplied out into very many terms.

    Source: the rules are those of sympy's `manualintegrate`, which tries them one after another: products of powers of
    sines and cosines may take minutes.

    Example:
        >>> print(antiderivative("x*exp(x)"))
        int x*exp(x) dx = x*exp(x) - exp(x)   (by parts: u = x, dv = exp(x) dx)
          int exp(x) dx = exp(x)   (exponential)
    """
    from sympy import Pow
    from sympy.integrals.manualintegrate import integral_steps

    names = names_of(text, variable)
    formula = read(text, names)
    large = [power for power in formula.atoms(Pow) if power.base.args and _is_large(power.exp)]
    if large:
        raise ArgumentError(
            f"`{written(large[0])[:60]}` has too large an exponent for its rules. Use at most {LARGEST_POWER}."
        )
    rule: Any = integral_steps(formula, symbols(names)[variable])
    if rule.contains_dont_know():
        raise ArgumentError(f"`{text[:60]}` has no antiderivative that the rules find. Use integrate for numbers.")
    return Derivation(written(rule.eval()), tuple(_integral_lines(rule, 0)))


def _lines(step: _Step, sign: str, depth: int) -> Iterator[str]:
    """The line of a step, and below it those that it needs."""
    yield f"{INDENT * depth}{sign} {_bracketed(step.expression)} = {written(step.result)}   ({step.rule})"
    for one in step.below:
        yield from _lines(one, sign, depth + 1)


def _bracketed(expression: Any) -> str:
    return f"({written(expression)})" if expression.is_Add else written(expression)


def _derived(expression: Any, x: Any) -> _Step:
    """By the rule that its outermost sign asks for."""
    if not expression.has(x):
        return _Step(expression, expression * 0, "constant")
    if expression == x:
        return _Step(expression, x / x, "the variable itself")
    if expression.is_Add:
        parts = tuple(_derived(term, x) for term in expression.as_ordered_terms())
        return _Step(
            expression, expression.func(*(part.result for part in parts)), "sum rule: (u + v)' = u' + v'", parts
        )
    if expression.is_Mul:
        return _of_product(expression, x)
    if expression.is_Pow:
        return _of_power(expression, x)
    return _of_call(expression, x)


def _of_product(expression: Any, x: Any) -> _Step:
    """Constants in front, then a quotient, then two factors."""
    from sympy import fraction

    constant, rest = expression.as_independent(x, as_Add=False)
    if constant != 1:
        part = _derived(rest, x)
        return _Step(expression, constant * part.result, "constant factor: (c u)' = c u'", (part,))
    above, below = fraction(expression, exact=True)
    if below.has(x) and above.has(x):
        u, v = _derived(above, x), _derived(below, x)
        result = (u.result * below - above * v.result) / below**2
        return _Step(expression, result, "quotient rule: (u/v)' = (u' v - u v')/v^2", (u, v))
    first, second = expression.as_two_terms()
    u, v = _derived(first, x), _derived(second, x)
    return _Step(expression, u.result * second + first * v.result, "product rule: (u v)' = u' v + u v'", (u, v))


def _of_power(expression: Any, x: Any) -> _Step:
    """Of which the base varies, or the exponent, or both."""
    from sympy import log

    base, exponent = expression.as_base_exp()
    if not exponent.has(x):
        inner = _derived(base, x)
        result = exponent * base ** (exponent - 1) * inner.result
        return _Step(expression, result, "power rule: (u^n)' = n u^(n-1) u'", _needed(inner, x))
    if not base.has(x):
        inner = _derived(exponent, x)
        rule = "exponential rule: (a^u)' = a^u log(a) u'"
        return _Step(expression, expression * log(base) * inner.result, rule, _needed(inner, x))
    inner = _derived(exponent * log(base), x)
    return _Step(expression, expression * inner.result, "logarithmic rule: (u^v)' = u^v (v log(u))'", (inner,))


def _of_call(expression: Any, x: Any) -> _Step:
    """The chain rule."""
    import sympy

    name = written(expression).partition("(")[0]
    if isinstance(expression, sympy.Max | sympy.Min):
        return _of_larger(expression, x)
    if isinstance(expression, sympy.floor | sympy.ceiling | sympy.sign):
        return _Step(expression, sympy.Integer(0), f"{name} is flat between its jumps")
    if len(expression.args) > 1:
        return _Step(expression, expression.diff(x), f"the derivative of {name}")
    (inside,) = expression.args
    u = x if inside == x else sympy.Symbol("u", real=True)
    outer = expression.func(u).diff(u)
    inner = _derived(inside, x)
    rule = f"{name}({u})' = {_bracketed(outer)}"
    rule = rule if inside == x else f"chain rule: {rule} u'"
    return _Step(expression, outer.subs(u, inside) * inner.result, rule, _needed(inner, x))


def _of_larger(expression: Any, x: Any) -> _Step:
    """Of two arguments, and what is the larger or smaller of more: the one that it is."""
    import sympy

    first, *others = expression.args
    rest = expression.func(*others)
    u, v = _derived(first, x), _derived(rest, x)
    chosen = sympy.sign(first - rest) * (1 if isinstance(expression, sympy.Max) else -1)
    result = (u.result * (1 + chosen) + v.result * (1 - chosen)) / 2
    return _Step(expression, result, "that of the one that it is", (u, v))


def _needed(inner: _Step, x: Any) -> tuple[_Step, ...]:
    """That the derivative of the variable is 1 needs no line."""
    return () if inner.expression == x else (inner,)


def _integral_lines(rule: Any, depth: int) -> Iterator[str]:
    """The line of an integral, and below it those that it needs."""
    name = type(rule).__name__
    if name == "AlternativeRule":
        yield from _integral_lines(rule.alternatives[0], depth)
        return
    words = RULES.get(name, name.removesuffix("Rule").lower())
    if name == "PartsRule":
        words += f": u = {written(rule.u)}, dv = {written(rule.dv)} d{written(rule.variable)}"
    elif name == "URule":
        words += f": {written(rule.u_var)} = {written(rule.u_func)}"
    elif hasattr(rule, "rewritten"):
        words += f": {written(rule.rewritten)}"
    integral = f"int {_bracketed(rule.integrand)} d{written(rule.variable)}"
    yield f"{INDENT * depth}{integral} = {written(rule.eval())}   ({words})"
    below = []
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        for one in value if isinstance(value, list) else [value]:
            if hasattr(one, "contains_dont_know") and getattr(one, "integrand", None) is not None:
                below += _integral_lines(one, depth + 1)
    yield from dict.fromkeys(below)  # by parts, v and the rest may be the same integral


def _is_large(exponent: Any) -> bool:
    return exponent.is_number and bool(abs(exponent) > LARGEST_POWER)
