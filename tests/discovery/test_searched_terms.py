"""Terms that are searched where asked for, that stand because they are known, and that are forbidden."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.core import ArgumentError
from continua.discovery.proposing import sparse_proposals, symbol_names
from continua.discovery.searched_terms import SearchedTerms
from continua.files import read_table

from .records import additive, table

TIMES = np.linspace(0.0, 12.0, 121)
WAVES = ("sin(x)", "cos(x)", "sin(y)", "cos(y)")
SATURATIONS = ("1/(1 + x**2)", "x/(1 + x**2)", "1/(1 + y**2)", "y/(1 + y**2)")


@pytest.fixture(scope="module")
def swing():
    """x' = y, y' = −x − y³/5, with 1 % noise."""
    clean = solve_ivp(
        lambda _, s: [s[1], -s[0] - 0.2 * s[1] ** 3], (0.0, 12.0), [2.0, 0.0], t_eval=TIMES, rtol=1e-9, atol=1e-9
    ).y.T
    return table(TIMES, additive(clean, 0.01, 0), ["Place", "speed"])


def test_libraries_have_what_is_asked_for():
    plain = ("1", "x", "y")
    assert [library.terms for library in SearchedTerms(1).libraries("xy")] == [plain]
    assert [library.terms for library in SearchedTerms(1, trigonometric=True).libraries("xy")] == [(*plain, *WAVES)]
    both = SearchedTerms(1, trigonometric=True, rational=True).libraries("xy")
    assert [library.terms for library in both] == [(*plain, *WAVES, *SATURATIONS)]
    assert [len(library.terms) for library in SearchedTerms([1, 2]).libraries("xy")] == [3, 6]


def test_without_a_degree_it_depends_on_the_number_of_states():
    assert [len(library.terms) for library in SearchedTerms().libraries("xy")] == [6, 10, 14]
    assert [len(library.terms) for library in SearchedTerms(rational=True).libraries("xy")] == [10, 14, 14]
    assert [len(library.terms) for library in SearchedTerms().libraries("xyzw")] == [5, 15]
    assert SearchedTerms().libraries("xy", rows=8) == []


def test_a_driven_law_gets_waves_only_where_asked():
    free = {term for library in SearchedTerms().libraries("xy", "u") for term in library.terms}
    assert {"x", "u", "x**3", "x*y**2"} <= free
    assert free.isdisjoint((*WAVES, *SATURATIONS))
    asked = SearchedTerms(trigonometric=True).libraries("xy", "u")
    assert all(set(WAVES) <= set(library.terms) for library in asked)


def test_states_may_be_called_as_in_the_table():
    asked = SearchedTerms(2, known={"the state": ["x_2*the_state"]}, forbidden={"2": ["1"]})
    named = asked.of(["the state", "2"], symbol_names(["the state", "2"]))
    assert named.known == {"the_state": ["x_2*the_state"]}
    assert named.forbidden == {"x_2": ["1"]}


def test_a_known_coefficient_is_no_parameter_of_the_proposed_law(swing):
    record = read_table(swing)
    terms = SearchedTerms(3, known={"Place": {"speed": 1.0}}, forbidden=["Place*speed**2"])
    (search,) = sparse_proposals(record, terms.of(record.states, symbol_names(record.states)))
    proposal = search()
    field = proposal.family.equation(jnp.array([-3.0, 5.0]))
    assert len(proposal.family.names) == 2
    np.testing.assert_allclose(field(jnp.array(0.0), jnp.array([2.0, 0.5]), None), [0.5, -3 * 2 + 5 * 0.5**3])


def test_fit_keeps_what_is_known(swing, monkeypatch, tmp_path):
    monkeypatch.setattr("continua.discovery.fitting.rolling_origins", lambda *record: [])
    monkeypatch.setattr("continua.discovery.fitting.families", lambda states: [])
    model = continua.fit(swing, degree=3, known={"Place": {"speed": 1.0}, "speed": ["speed**3"]})
    assert model.law == "sparse law"
    assert model.terms["Place"] == {"speed": 1.0}
    assert model.terms["speed"] == pytest.approx({"Place": -1.0, "speed**3": -0.2}, rel=0.05)
    again = continua.load(model.save(tmp_path / "law"))
    assert again.terms == model.terms
    assert again.equation == model.equation


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"known": {"place": ["speed"]}}, "`known` names the state `place`. There is none. Use one of Place, speed."),
        ({"known": {"Place": ["speed*"]}}, "`known`: `speed*`"),
        ({"degree": 2, "known": {"Place": ["sin(speed)"]}}, "`known` names `sin(speed)` for `Place`"),
        ({"degree": 2, "forbidden": ["speed**3"]}, "`forbidden` names `speed**3` for `Place`"),
        ({"forbidden": {"q": ["speed"]}}, "`forbidden` names the state `q`"),
    ],
)
def test_fit_refuses_in_a_line_before_it_works(swing, options, said, monkeypatch):
    monkeypatch.setattr("continua.discovery.fitting._tried", lambda *everything: pytest.fail("it began to work"))
    with pytest.raises(ArgumentError) as error:
        continua.fit(swing, **options)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
