"""One tree for all ways of writing a product."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.core import ArgumentError
from continua.equations import canonical, parse, parse_term, python_text

NAMES = ["x", "y", "z"]


@pytest.mark.core
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x*y", "y*x"),
        ("x**2*y", "x*y*x"),
        ("x", "x**1"),
        ("1", "x/x"),
        ("x/y", "y**-1*x"),
        ("sin(x)*y", "y*sin(x)"),
        ("sin(x + y)", "sin(y + x)"),
        ("sin(x*y)", "sin(y*x)"),
        ("max(x, y)", "max(y, x)"),
        ("(x + 1)*z", "z*(1 + x)"),
        ("sqrt(x)", "x^0.5"),
        ("t*x", "x*t"),
    ],
)
def test_the_same_term(one, other):
    assert parse_term(one, NAMES) == parse_term(other, NAMES)


@pytest.mark.parametrize("pair", ["x*y x*z", "x 1", "x**2 x", "x/y y/x", "atan2(x,y) atan2(y,x)"])
def test_different_terms(pair):
    one, other = pair.split()
    assert parse_term(one, NAMES) != parse_term(other, NAMES)


@pytest.mark.parametrize("written", ["2*x", "-x", "0", "3", "0*x", "x/4", "x + y", "x - 1", "x +", "w", ""])
def test_no_terms(written):
    with pytest.raises(ArgumentError) as caught:
        parse_term(written, NAMES)
    assert str(caught.value).isprintable()


@settings(max_examples=25, deadline=None)
@given(data=st.data(), powers=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-3, 3)), min_size=1, max_size=5))
def test_the_order_of_factors_and_terms_does_not_matter(data, powers):
    shuffled = data.draw(st.permutations(powers))
    product, other = ("*".join(f"{n}**{k}" for n, k in p) for p in (powers, shuffled))
    assert parse_term(product, NAMES) == parse_term(other, NAMES)
    total, turned = (" + ".join(f"{n}**{k}*sin({n})" for n, k in p) for p in (powers, shuffled))
    tree = canonical(parse(total, NAMES))
    assert tree == canonical(parse(turned, NAMES))
    assert canonical(tree) == tree
    assert canonical(parse(python_text(tree), NAMES)) == tree
