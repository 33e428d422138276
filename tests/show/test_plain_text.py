"""Expressions and numbers on one line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continua.show import format_number, format_uncertain, text
from continua.show.expression import Number, Symbol, add, call, divide, multiply, negate, power, subtract

X, Y, LONG = Symbol("x", "state"), Symbol("y", "state"), Symbol("angular velocity", "state")
A, B, OMEGA, N, T = Symbol("a"), Symbol("beta"), Symbol("omega_0"), Symbol("n"), Symbol("t", "time")
ONE, TWO = Number(1.0), Number(2.0)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Number(0.0), "0"),
        (Number(-1.5e-7), "−1.5×10⁻⁷"),
        (subtract(multiply(A, X), multiply(B, X, Y)), "a x − β x·y"),
        (negate(multiply(TWO, A, B, X)), "−2 a·β x"),
        (power(X, Number(12.0)), "x¹²"),
        (divide(X, power(Y, TWO)), "x/y²"),
        (divide(A, multiply(B, X)), "a/(β x)"),
        (divide(ONE, add(ONE, X)), "1/(1 + x)"),
        (divide(add(ONE, X), Y), "(1 + x)/y"),
        (negate(add(X, Y)), "−(x + y)"),
        (power(add(X, Y), TWO), "(x + y)²"),
        (power(X, N), "x^n"),
        (power(X, negate(N)), "x^(−n)"),
        (power(X, add(N, ONE)), "x^(n + 1)"),
        (power(X, Number(1.5)), "x^1.5"),
        (power(X, Number(0.5)), "√x"),
        (power(add(X, Y), Number(0.5)), "√(x + y)"),
        (power(call("sin", X), Number(0.5)), "√(sin(x))"),
        (power(multiply(add(X, Y), add(X, A)), Number(0.5)), "√((x + y)·(x + a))"),
        (power(X, Number(-0.5)), "1/√x"),
        (power(call("sin", X), TWO), "sin(x)²"),
        (multiply(LONG, LONG), "(angular velocity)²"),
        (multiply(A, call("cos", multiply(OMEGA, T))), "a cos(ω₀ t)"),
        (call("abs", negate(X)), "|−x|"),
        (call("max", X, Number(0.0)), "max(x, 0)"),
        (call("log", X), "ln(x)"),
        (Symbol("k_cat"), "k_cat"),
        (Symbol("lambda_"), "λ"),
        (Symbol("Omega2"), "Ω₂"),
        (Symbol("alpha", "state"), "alpha"),
    ],
)
def test_text(expression, expected):
    assert text(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (subtract(multiply(A, X), multiply(B, X, Y)), "0.48(6) x + 0.025(4) x·y"),
        (multiply(TWO, A, X), "2·0.48(6) x"),
        (multiply(A, B, X), "−0.48(6)·0.025(4) x"),
        (power(A, TWO), "(0.48(6))²"),
        (power(B, TWO), "(0.025(4))²"),
        (power(A, Number(0.5)), "√(0.48(6))"),
        (add(A, B), "0.48(6) − 0.025(4)"),
        (call("cos", multiply(B, T)), "cos(−0.025(4) t)"),
        (divide(X, A), "x/0.48(6)"),
    ],
)
def test_values_in_place_of_parameters(expression, expected):
    assert text(expression, {"a": "0.48(6)", "beta": "-0.025(4)"}) == expected


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.4812, 0.06, "0.48(6)"),
        (-0.4812, 0.06, "−0.48(6)"),
        (1.23e-5, 3e-6, "1.2(3)×10⁻⁵"),
        (12345, 678, "12300(700)"),
        (1234567, 8900, "1.235(9)×10⁶"),
        (0.4812, 0.096, "0.48(10)"),
        (0.4812, 0.0123, "0.481(12)"),
        (3.456, 1.24, "3.5(1.2)"),
        (9.97, 0.6, "10.0(6)"),
        (0.4812, 3, "0(3)"),
        (-0.001, 3, "0(3)"),
        (0, 0.2, "0.0(2)"),
        (0.5, 0, "0.5"),
        (0.5, math.nan, "0.5(?)"),
        (0.5, math.inf, "0.5(?)"),
        (math.nan, 1, "nan"),
        (-math.inf, 1, "−∞"),
        (1.0, 1e-20, "1"),
        (5e-324, 5e-324, "5(5)×10⁻³²⁴"),
    ],
)
def test_uncertain_numbers(value, error, expected):
    assert format_uncertain(value, error) == expected


@given(value=st.floats(), error=st.floats())
def test_any_uncertain_number_is_short(value, error):
    assert 1 <= len(format_uncertain(value, error)) <= 40


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.0, "2"), (-0.25, "−0.25"), (1e-5, "10⁻⁵"), (6.02e23, "6.02×10²³"), (0.1 + 0.2, "0.3"), (math.inf, "∞")],
)
def test_numbers(value, expected):
    assert format_number(value) == expected
