"""Known and forbidden terms: however they are written, in every library that has them, with and without a number."""

import numpy as np
import pytest

from continua.core import ArgumentError
from continua.discovery.sparse import Library, best_law, holding, sparse_law
from continua.discovery.sparse.wanted import wanted

from .records import noisy, oscillator, solved

TIMES = np.linspace(0.0, 12.0, 121)
PLANE = Library.polynomial(("x", "y"), degree=2)
WAVES = Library.polynomial(("x", "y"), degree=1, trigonometric=True, rational=True)


@pytest.fixture(scope="module")
def swing():
    return TIMES, noisy(solved(oscillator, [2.0, 0.0], TIMES), 0.05, 0)


def test_masks_stand_where_the_terms_do():
    asked = wanted(PLANE, {"x": ["y*x"], "y": {"x*x": None, "1": 2.5}}, {"x": "y"})
    assert np.flatnonzero(asked.required).tolist() == [4, 6 + 3]
    assert np.flatnonzero(~asked.allowed).tolist() == [2, 6 + 0]
    assert asked.fixed.tolist() == [[0.0] * 6, [2.5, 0.0, 0.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("term", ["x/(1 + x**2)", "x/(x*x + 1)", "1/(x**2 + 1)", "sin(x)"])
def test_every_way_of_writing_a_term_is_read(term):
    assert wanted(WAVES, {"x": [term]}, ()).required.sum() == 1


def test_a_forbidden_term_alone_is_forbidden_in_every_equation():
    assert np.flatnonzero(~wanted(PLANE, {}, ["x*y"]).allowed).tolist() == [4, 10]
    np.testing.assert_array_equal(wanted(PLANE, {}, "x*y").allowed, wanted(PLANE, {}, ["x*y"]).allowed)


def test_a_known_coefficient_is_kept_and_the_others_are_as_good(swing):
    law = sparse_law([swing], PLANE, known={"x": {"y": 1.0}})
    free = sparse_law([swing], PLANE)
    assert law.terms["x"] == {"y": 1.0}
    assert law.terms["y"] == pytest.approx(free.terms["y"], rel=0.03)
    assert not law.support[0].any()
    assert (law.standard_errors[0] == 0).all()
    assert law.covariance.shape == (2, 2)


@pytest.mark.parametrize("size", [1e-4, 1e5])
def test_a_known_coefficient_is_in_the_units_of_the_data(swing, size):
    times, y = swing
    law = sparse_law([(times, y * [1.0, size])], PLANE, known={"x": {"y": 1 / size}})
    assert law.terms["x"] == pytest.approx({"y": 1 / size})
    assert law.terms["y"]["x"] / size == pytest.approx(-1.0, rel=0.05)


def test_a_wrong_coefficient_costs(swing):
    right, wrong = (sparse_law([swing], PLANE, known={"x": {"y": value}}) for value in (1.0, 1.5))
    assert wrong.criterion > right.criterion + 50


def test_libraries_without_a_known_term_are_left_out():
    libraries = [PLANE, WAVES]
    assert [library for library, _ in holding(libraries, {"x": ["sin(y)"]}, ())] == [WAVES]
    assert [refused for _, refused in holding(libraries, {}, {"y": ["sin(y)", "y"]})] == [
        {"y": ["y"]},
        {"y": ["sin(y)", "y"]},
    ]


def test_the_chosen_law_has_what_is_known(swing):
    found = best_law([swing], [PLANE, WAVES], known={"y": ["y", "cos(x)"]}, forbidden={"x": ["cos(y)"]})
    assert found.law.library == WAVES
    assert {"y", "cos(x)"} <= set(found.law.terms["y"])


@pytest.mark.parametrize(
    ("known", "forbidden", "said"),
    [
        ({"q": ["x"]}, (), "`known` names the state `q`. There is none. Use one of x, y."),
        ({"x": ["x**4"]}, (), "`known` names `x**4` for `x`, which is none of the searched terms"),
        ({"x": ["x +"]}, (), "`known`: `x +`: expected a number"),
        ({"x": ["x + y"]}, (), "`known`: A term must be one product"),
        ({}, {"x": ["2*x"]}, "`forbidden`: A term must have no coefficient"),
        ({"x": ["x*y"]}, ["y*x"], "`known` and `forbidden` both name `y*x` for `x`"),
    ],
)
def test_what_cannot_be_wanted_is_refused_in_a_line(known, forbidden, said):
    with pytest.raises(ArgumentError) as error:
        wanted(PLANE, known, forbidden)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
