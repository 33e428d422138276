"""Known and forbidden terms as the command line takes them."""

import pytest

from continua.app.term_options import forbidden_terms, known_terms
from continua.core import ArgumentError


def test_known_terms_with_and_without_their_coefficient():
    assert known_terms(["x: x, y = -2.5", "y: x*y", "x:y**2=1e3"]) == {
        "x": {"x": None, "y": -2.5, "y**2": 1000.0},
        "y": {"x*y": None},
    }
    assert known_terms([]) == {}


def test_forbidden_terms_of_one_state_or_of_all():
    assert forbidden_terms(["x: x*y, 1", "y**2"], ["x", "y"]) == {"x": ["x*y", "1", "y**2"], "y": ["y**2"]}


@pytest.mark.parametrize("text", ["x", ": x", "x: y = fast", "x: y,", "x:", "x: y = "])
def test_known_terms_that_make_no_sense_are_refused_in_a_line(text):
    with pytest.raises(ArgumentError, match="`--known`") as error:
        known_terms([text])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["x: ", "", "x*y, , y"])
def test_forbidden_terms_that_make_no_sense_are_refused_in_a_line(text):
    with pytest.raises(ArgumentError, match="`--forbid`"):
        forbidden_terms([text], ["x"])
