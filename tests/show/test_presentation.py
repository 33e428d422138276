"""MathML is well formed and nests as the expression does."""

from xml.etree import ElementTree

import pytest

from continua.show import mathml, mathml_equation
from continua.show.expression import Number, Symbol, add, call, divide, multiply, negate, power

X, Y, A, N = Symbol("x", "state"), Symbol("y", "state"), Symbol("alpha"), Symbol("n")
CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2}


def outline(markup):
    """The tags and texts, without spaces and invisible operators."""

    def told(element):
        inner = [
            told(child) for child in element if child.tag != "mspace" and (child.text or "") not in ("\u2062", "\u2061")
        ]
        return f"{element.tag}({' '.join(inner)})" if len(element) else f"{element.text}"

    return told(ElementTree.fromstring(markup))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (X, "x"),
        (A, "α"),
        (Symbol("A_11"), "msub(A 11)"),
        (negate(multiply(A, X)), "mrow(− mrow(α x))"),
        (multiply(Number(2.0), X), "mrow(2 x)"),
        (multiply(Symbol("hare", "state"), X), "mrow(hare · x)"),
        (divide(X, add(Number(1.0), Y)), "mfrac(x mrow(1 + y))"),
        (divide(add(X, Y), A), "mfrac(mrow(x + y) α)"),
        (power(X, Number(2.0)), "msup(x 2)"),
        (power(add(X, Y), N), "msup(mrow(( mrow(x + y) )) n)"),
        (power(power(X, N), Number(0.5)), "msqrt(msup(x n))"),
        (call("exp", negate(X)), "msup(e mrow(− x))"),
        (call("sin", X), "mrow(sin mrow(( x )))"),
        (call("max", X, Number(0.0)), "mrow(max mrow(( mrow(x , 0) )))"),
        (call("abs", X), "mrow(| x |)"),
        (multiply(add(X, Y), X), "mrow(mrow(( mrow(x + y) )) x)"),
    ],
)
def test_nesting(expression, expected):
    assert outline(mathml(expression)) == expected
    for element in ElementTree.fromstring(mathml(expression)).iter():
        assert len(element) == CHILDREN.get(element.tag, len(element))


def test_values_in_place_of_parameters():
    assert outline(mathml(multiply(A, X), {"alpha": "-0.48(6)"})) == "mrow(− mrow(0.48(6) x))"
    assert outline(mathml(multiply(Number(2.0), A), {"alpha": "0.5"})) == "mrow(2 · 0.5)"


@pytest.mark.parametrize("name", ["a<b", "R & D", 'say "x"', "x'", "</math><script>", "a\0b\x1b", "\ud800"])
def test_any_column_name_is_escaped(name):
    state, parameter = Symbol(name, "state"), Symbol(name)
    markup = mathml_equation(name, divide(multiply(parameter, state), power(state, N)), {"n": name}, time=name)
    root = ElementTree.fromstring(markup)
    assert (root.tag, root.get("display")) == ("math", "block")
    assert {element.tag for element in root.iter()} <= {
        "math",
        "mrow",
        "mi",
        "mo",
        "mn",
        "mfrac",
        "msup",
        "msub",
        "mspace",
    }


def test_an_equation():
    markup = mathml_equation("hare", multiply(A, Symbol("hare", "state")))
    assert outline(markup) == "math(mrow(mfrac(mrow(d hare) mrow(d t)) = mrow(α hare)))"


def test_a_long_equation_goes_on_in_further_lines():
    terms = [multiply(Symbol(f"c_{i}"), power(X, Number(float(i)))) for i in range(1, 8)]
    markup = mathml_equation("x", add(*terms))
    rows = ElementTree.fromstring(markup).findall("mtable/mtr")
    assert [len(row.findall("mtd")) for row in rows] == [3, 3]
    assert outline(ElementTree.tostring(rows[0][0], "unicode")) == "mtd(mfrac(mrow(d x) mrow(d t)))"
    assert outline(ElementTree.tostring(rows[1][2], "unicode")).startswith("mtd(mrow(+ mrow(msub(c 6)")
    together = "".join("".join(cell.itertext()) for row in rows for cell in row)
    assert together.count("+") == len(terms) - 1
