"""Trees as text in Python's syntax: few parentheses, and the same tree when it is read again."""

import ast

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from continua.core import ArgumentError
from continua.show import kinds_of, parse, python_text

KINDS = kinds_of(["x", "y"], ["a", "b"])


@pytest.mark.core
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("((a)*(x)) - ((b*x)*y)", "a*x - b*x*y"),
        ("a*x*(1-x/b)", "a*x*(1 - x/b)"),
        ("-x", "-x"),
        ("-(x+y)", "-(x + y)"),
        ("-x-y", "-x - y"),
        ("(-2)*x", "-2*x"),
        ("2.5*x", "2.5*x"),
        ("1e-9*x", "1e-09*x"),
        ("1e20*x", "1e+20*x"),
        ("x*x*y", "x**2*y"),
        ("x^2", "x**2"),
        ("1/x", "1/x"),
        ("a/(x*y)", "a/(x*y)"),
        ("a/x/y", "a/(x*y)"),
        ("x**-2", "1/x**2"),
        ("(x + y)**3", "(x + y)**3"),
        ("(x + y)/(a + b)", "(x + y)/(a + b)"),
        ("x/3", "x/3"),
        ("3**-2*x", "3**-2*x"),
        ("x**0.5", "sqrt(x)"),
        ("1/sqrt(x + 1)", "1/sqrt(x + 1)"),
        ("x**(-a)", "x**(-a)"),
        ("x**(a**b)", "x**a**b"),
        ("(x**a)**b", "(x**a)**b"),
        ("2**x", "2**x"),
        ("sin(x + 1)**2", "sin(x + 1)**2"),
        ("max(x, min(y, 1))", "max(x, min(y, 1))"),
        ("x - (y - a)", "x - (y - a)"),
        ("-y + x", "-y + x"),
        ("x**(y + 1)", "x**(y + 1)"),
        ("0*x", "0"),
    ],
)
def test_forms(written, expected):
    tree = parse(written, KINDS)
    assert python_text(tree) == expected
    assert parse(python_text(tree), KINDS) == tree


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=0.0).map(repr) | st.sampled_from(
    ["0", "1", "2", "3", "10"]
)
LEAVES = st.sampled_from(["x", "y", "a", "b", "t"]) | NUMBERS
FUNCTIONS = st.sampled_from(["sin", "exp", "log", "sqrt", "abs", "sign", "tanh"])


def bigger(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda p: f"({p[0]}){p[1]}({p[2]})"),
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda p: f"{p[0]}{p[1]}{p[2]}"),
        inner.map(lambda part: f"-{part}"),
        st.tuples(FUNCTIONS, inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, st.sampled_from([-3, -2, -1, -0.5, 0.5, 2, 3])).map(lambda p: f"({p[0]})**{p[1]}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    )


@settings(max_examples=300, deadline=None)
@given(written=st.recursive(LEAVES, bigger, max_leaves=12))
def test_what_is_written_is_read_as_the_same_tree(written):
    try:
        tree = parse(written, KINDS)
    except ArgumentError:
        reject()
    shown = python_text(tree)
    assert parse(shown, KINDS) == tree
    assert python_text(parse(shown, KINDS)) == shown
    ast.parse(shown, mode="eval")
