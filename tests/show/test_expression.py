"""Expressions keep their value, whatever is tidied."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.show.expression import (
    Call,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    add,
    call,
    divide,
    evaluate,
    expand,
    multiply,
    negate,
    power,
    substitute,
    subtract,
)

A, B = Symbol("a"), Symbol("b")
X, Y = Symbol("x", "state"), Symbol("y", "state")
VALUES = {"a": 0.7, "b": -1.3, "x": 1.9, "y": 0.4}


@pytest.mark.parametrize(
    ("tidy", "expected"),
    [
        (add(X, Number(0.0)), X),
        (add(), Number(0.0)),
        (add(Number(1.0), X, Number(2.0)), Sum((Number(3.0), X))),
        (add(X, add(Y, A)), Sum((X, Y, A))),
        (multiply(X, Number(1.0)), X),
        (multiply(X, Number(0.0), Y), Number(0.0)),
        (multiply(), Number(1.0)),
        (multiply(X, B, Number(2.0), A), Product((Number(2.0), B, A, X))),
        (multiply(negate(X), negate(Y)), Product((X, Y))),
        (multiply(X, X), Power(X, Number(2.0))),
        (divide(X, X), Number(1.0)),
        (divide(X, Number(2.0)), Product((Number(0.5), X))),
        (divide(X, Number(3.0)), Product((Power(Number(3.0), Number(-1.0)), X))),
        (power(multiply(Number(2.0), X), Number(2.0)), Product((Number(4.0), Power(X, Number(2.0))))),
        (power(X, Number(1.0)), X),
        (power(X, Number(0.0)), Number(1.0)),
        (negate(negate(X)), X),
        (multiply(subtract(negate(X), Y), A), Product((Number(-1.0), A, Sum((X, Y))))),
        (call("exp", Number(0.0)), Number(1.0)),
        (call("log", Number(-1.0)), Call("log", (Number(-1.0),))),
    ],
)
def test_tidy_forms(tidy, expected):
    assert tidy == expected


def test_expand_multiplies_out_and_collects():
    assert expand(multiply(add(X, Y), subtract(X, Y))) == subtract(power(X, Number(2.0)), power(Y, Number(2.0)))
    assert expand(power(add(X, Number(1.0)), Number(2.0))) == Sum(
        (power(X, Number(2.0)), multiply(Number(2.0), X), Number(1.0))
    )
    logistic = multiply(A, X, subtract(Number(1.0), divide(X, B)))
    assert expand(logistic) == subtract(multiply(A, X), multiply(A, power(B, Number(-1.0)), power(X, Number(2.0))))
    assert expand(subtract(X, X)) == Number(0.0)


def test_a_negative_value_turns_the_sign_of_its_term():
    shown = substitute(subtract(X, multiply(A, Y)), {"a": "-0.5", "x": "9"})
    assert shown == Sum((X, Product((Symbol("a", "parameter", "0.5"), Y))))
    assert substitute(multiply(A, A, X), {"a": "−2"}) == Product((Power(Symbol("a", "parameter", "2"), Number(2.0)), X))


LEAVES = st.sampled_from([A, B, X, Y, Number(0.0), Number(1.0), Number(-2.0), Number(0.5), Number(3.0)])


def bigger(inner):
    return st.one_of(
        st.tuples(st.just("add"), inner, inner),
        st.tuples(st.just("subtract"), inner, inner),
        st.tuples(st.just("multiply"), inner, inner),
        st.tuples(st.just("square"), inner),
        st.tuples(st.just("negate"), inner),
        st.tuples(st.just("tanh"), inner),
        st.tuples(st.just("divide"), inner, st.sampled_from([A, B, Y, Number(3.0), Number(-4.0)])),
    )


RULES = {
    "add": (add, lambda a, b: a + b),
    "subtract": (subtract, lambda a, b: a - b),
    "multiply": (multiply, lambda a, b: a * b),
    "divide": (divide, lambda a, b: a / b),
    "square": (lambda a: power(a, Number(2.0)), lambda a: a * a),
    "negate": (negate, lambda a: -a),
    "tanh": (lambda a: call("tanh", a), math.tanh),
}


def built(tree):
    return RULES[tree[0]][0](*(built(part) for part in tree[1:])) if isinstance(tree, tuple) else tree


def computed(tree):
    if isinstance(tree, tuple):
        return RULES[tree[0]][1](*(computed(part) for part in tree[1:]))
    return evaluate(tree, VALUES)


@settings(max_examples=300, deadline=None)
@given(tree=st.recursive(LEAVES, bigger, max_leaves=8))
def test_tidying_and_expanding_keep_the_value(tree):
    expected = computed(tree)
    scale = 1e-9 * (1.0 + abs(expected))
    assert evaluate(built(tree), VALUES) == pytest.approx(expected, rel=1e-9, abs=1e3 * scale)
    assert evaluate(expand(built(tree)), VALUES) == pytest.approx(expected, rel=1e-6, abs=1e3 * scale)
