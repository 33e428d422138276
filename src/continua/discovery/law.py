"""A fitted law in words: its equations with numbers, its parameters with units and intervals."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from continua.discovery.model import Model
from continua.discovery.proposing import symbol_names
from continua.equations import canonical, python_text
from continua.show import (
    Expression,
    NotExpressible,
    Product,
    Sum,
    Symbol,
    add,
    evaluate,
    expand,
    format_number,
    format_uncertain,
    is_coefficient,
    mathml_equation,
    multiply,
    text,
    trace_expressions,
)

STEP = 1e-5  # of an unknown, for a difference quotient


def law_terms(model: Model) -> dict[str, dict[str, float]]:
    """Of each state, its terms multiplied out: {term in Python syntax: coefficient}; empty without a formula."""
    sides = right_hand_sides(model, symbol_names(model.states))
    return {state: _coefficients(side, model) for state, side in zip(model.states, sides, strict=False)}


def _coefficients(side: Expression, model: Model) -> dict[str, float]:
    pairs = _by_term(side)
    return {python_text(canonical(term)): evaluate(coefficient, model.parameters) for term, coefficient in pairs}


def _by_term(side: Expression) -> list[tuple[Expression, Expression]]:
    """(what depends on the states, its coefficient) of a sum that is multiplied out, each term once."""
    found: dict[str, tuple[Expression, Expression]] = {}
    multiplied = expand(side)
    for term in multiplied.terms if isinstance(multiplied, Sum) else (multiplied,):
        factors = term.factors if isinstance(term, Product) else (term,)
        rest = multiply(*(f for f in factors if not is_coefficient(f)))
        coefficient = multiply(*(f for f in factors if is_coefficient(f)))
        name = python_text(canonical(rest))
        found[name] = (rest, add(found[name][1], coefficient) if name in found else coefficient)
    return list(found.values())


def right_hand_sides(model: Model, names: Sequence[str] | None = None) -> list[Expression]:
    """One expression for each state, with the parameters as symbols; empty where the law has no formula."""
    family, size = model.family, len(model.states)
    inputs = symbol_names([*model.states, *model.inputs])[size:] if names else model.inputs

    def field(t: Any, y: Any, p: dict[str, Any]) -> Any:
        law = family.equation(jnp.stack([p[name] for name in family.names]))
        args = dict(zip(family.inputs, y[size:], strict=True))
        return jnp.concatenate([law(t, y[:size], args), jnp.zeros(len(inputs))])

    try:
        found = trace_expressions(field, y=(*(names or model.states), *inputs), p=dict.fromkeys(family.names, ()))
    except NotExpressible:
        return []
    return found[:size]


def formatted(model: Model) -> dict[str, str]:
    """Each parameter as 0.48(6): its value, and its standard error in the last digits."""
    pairs = zip(model.parameters.items(), model.errors, strict=True)
    return {name: format_uncertain(value, float(error)) for (name, value), error in pairs}


def law_lines(model: Model) -> list[str]:
    """The equations with numbers, a line each."""
    sides, numbers = _with_numbers(model)
    if not sides:
        return [", ".join(f"{name} = {value}" for name, value in formatted(model).items())]
    width = max(len(state) for state in model.states)
    return [
        f"d {s}/dt{' ' * (width - len(s))} = {text(side, numbers)}" for s, side in zip(model.states, sides, strict=True)
    ]


def law_mathml(model: Model, *, numbers: bool) -> list[str]:
    """The equations as MathML blocks, with the parameters as symbols or as numbers."""
    sides, values = _with_numbers(model) if numbers else (right_hand_sides(model), None)
    return [mathml_equation(s, side, values) for s, side in zip(model.states, sides, strict=False)]


def _with_numbers(model: Model) -> tuple[list[Expression], dict[str, str]]:
    """Right-hand sides, and what to print for parameters; multiplied out where a law stands in units of its own."""
    sides = right_hand_sides(model)
    own = set(model.family.names) - set(model.family.described)
    if not model.family.described or not own:
        return sides, formatted(model)
    numbers: dict[str, str] = {}
    return [_multiplied_out(side, model, numbers) for side in sides], numbers


def _multiplied_out(side: Expression, model: Model, numbers: dict[str, str]) -> Expression:
    """A coefficient for each term, with its standard error by the derivative with respect to the parameters."""
    terms = []
    for factor, coefficient in _by_term(side):
        value, error = _uncertain(coefficient, model)
        name = f"c_{len(numbers) + 1}"
        numbers[name] = format_uncertain(value, error)
        terms.append(multiply(Symbol(name), factor))
    return add(*terms)


def _uncertain(coefficient: Expression, model: Model) -> tuple[float, float]:
    u, covariance = model.belief.u, model.belief.covariance[: len(model.belief.u), : len(model.belief.u)]

    def value(u: np.ndarray) -> float:
        return evaluate(coefficient, model.parameters_at(u))

    steps = STEP * np.eye(len(u))
    gradient = np.array([(value(u + step) - value(u - step)) / (2 * STEP) for step in steps])
    return value(u), float(np.sqrt(max(gradient @ covariance @ gradient, 0.0)))


def unit_of(model: Model, unit: str) -> str:
    """A unit of a named system in the words of the data: its own state names and its unit of time."""
    for own, name in zip(model.family.own_states, model.states, strict=False):
        unit = unit.replace(own, name)
    return unit.replace("time", model.unit)


def parameter_rows(model: Model) -> list[list[str]]:
    """For a table: symbol, meaning, value, 95 % interval, unit."""
    rows = []
    for name, value in formatted(model).items():
        low, high = model.intervals[name]
        info = model.family.described.get(name)
        meaning, unit = (info.meaning, unit_of(model, info.unit)) if info else _meaning(model, name)
        rows.append([text(Symbol(name)), meaning, value, f"{_short(low)}\u00a0…\u00a0{_short(high)}", unit])
    return rows


def _short(value: float) -> str:
    return format_number(value, 3) if np.isfinite(value) else f"{'−' * (value < 0)}∞"


def _meaning(model: Model, name: str) -> tuple[str, str]:
    kind, _, place = name.partition("_")
    if kind == "scale":
        state = model.states[int(place) - 1]
        return f"one own unit of {state}", state
    if kind == "rate":
        return "own units of time in one unit of time", f"1/{model.unit}"
    if kind == "A":
        to, by = (model.states[int(i) - 1] for i in place)
        return f"effect of {by} on {to}", f"{to}/({by}·{model.unit})" if to != by else f"1/{model.unit}"
    return f"constant drive of {model.states[int(place) - 1]}", f"{model.states[int(place) - 1]}/{model.unit}"
