"""Sparse laws: the right terms in any units and order, from gaps and pieces, with terms known and forbidden."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.core import ArgumentError
from continua.discovery.sparse import Library, Trajectory, corrected_aic, sparse_law

from .records import LORENZ, OSCILLATOR, lorenz, noisy, oscillator, solved, supports

TIMES = np.linspace(0.0, 12.0, 121)
PLANE = Library.polynomial(("x", "y"), degree=2)


@pytest.fixture(scope="module")
def swing():
    """[row, state]: a damped oscillator with 5 % noise."""
    return noisy(solved(oscillator, [2.0, 0.0], TIMES), 0.05, 0)


@pytest.fixture(scope="module")
def swing_law(swing):
    return sparse_law([(TIMES, swing)], PLANE)


def test_lorenz_with_ten_percent_noise():
    times = np.linspace(0.0, 10.0, 501)
    clean = solved(lorenz, [-8.0, 7.0, 27.0], times)
    law = sparse_law([(times, noisy(clean, 0.1, 3))], Library.polynomial(("x", "y", "z"), degree=2))
    assert supports(law.terms) == supports(LORENZ)
    truth = np.array([c for row in LORENZ.values() for c in row.values()])
    found = np.array([law.terms[state][term] for state, row in LORENZ.items() for term in row])
    errors = np.array([law.standard_errors[i][law.support[i]] for i in range(3)], object)
    assert np.abs(found / truth - 1).max() < 0.1
    order = [law.terms[state] for state in LORENZ]
    spread = np.concatenate(
        [[e for _, e in sorted(zip(row, own, strict=True))] for row, own in zip(order, errors, strict=True)]
    )
    ranked = np.concatenate(
        [[LORENZ[s][t] - row[t] for t in sorted(row)] for s, row in zip(LORENZ, order, strict=True)]
    )
    assert np.abs(ranked / spread).max() < 4
    np.testing.assert_allclose(law.sigma / clean.std(0), 0.1, rtol=0.1)
    assert np.sqrt(np.mean((law.states[0] - clean) ** 2, 0) / clean.var(0)).max() < 0.03


def test_the_oscillator_and_how_sure_it_is(swing_law):
    assert supports(swing_law.terms) == supports(OSCILLATOR)
    assert swing_law.coefficients.shape == swing_law.support.shape == swing_law.standard_errors.shape == (2, 6)
    assert (swing_law.coefficients[~swing_law.support] == 0).all()
    truth = np.zeros((2, 6))
    truth[0, 2], truth[1, 1], truth[1, 2] = 1.0, -1.0, -0.2
    miss = (swing_law.coefficients - truth)[swing_law.support]
    assert miss @ np.linalg.solve(swing_law.covariance, miss) < 16.3  # χ² of three, one in a thousand
    assert all(rival.behind >= 0 for rival in swing_law.rivals)
    assert all(supports(swing_law.terms) != {s: set(t) for s, t in rival.terms.items()} for rival in swing_law.rivals)


def test_the_same_seed_gives_the_same_law(swing, swing_law):
    again = sparse_law([(TIMES, swing)], PLANE)
    np.testing.assert_array_equal(again.coefficients, swing_law.coefficients)
    assert again.criterion == swing_law.criterion


@pytest.mark.parametrize(("states", "time"), [((1e6, 1e-5), 1.0), ((1.0, 1.0), 1e9), ((1e-9, 1e3), 1e-7)])
def test_units_play_no_part(swing, swing_law, states, time):
    size = np.array(states)
    law = sparse_law([(TIMES * time, swing * size)], PLANE)
    np.testing.assert_array_equal(law.support, swing_law.support)
    features = np.array([1.0, size[0], size[1], size[0] ** 2, size[0] * size[1], size[1] ** 2])
    np.testing.assert_allclose(law.coefficients / size[:, None] * features * time, swing_law.coefficients, rtol=1e-4)
    np.testing.assert_allclose(law.sigma / size, swing_law.sigma, rtol=1e-4)
    assert law.criterion - 2 * 121 * np.log(size).sum() == pytest.approx(swing_law.criterion, abs=0.01)


def test_the_order_of_the_states_plays_no_part(swing, swing_law):
    law = sparse_law([(TIMES, swing[:, ::-1])], Library.polynomial(("y", "x"), degree=2))
    assert supports(law.terms) == supports(swing_law.terms)
    for state, row in swing_law.terms.items():
        np.testing.assert_allclose([law.terms[state][term] for term in row], list(row.values()), rtol=1e-3)


def test_gaps_and_uneven_times():
    random = np.random.default_rng(5)
    times = np.sort(random.choice(np.linspace(0.0, 12.0, 601), 150, replace=False))
    times = times - times[0]
    y = noisy(solved(oscillator, [2.0, 0.0], times), 0.05, 1)
    y[random.uniform(size=y.shape) < 0.2] = np.nan
    law = sparse_law([(times, y)], PLANE)
    assert supports(law.terms) == supports(OSCILLATOR)
    assert np.isfinite(law.states[0]).all()


def test_two_trajectories_of_different_length():
    pieces = [
        (times, noisy(solved(oscillator, start, times), 0.05, seed))
        for seed, (times, start) in enumerate([(TIMES[:70], [2.0, 0.0]), (TIMES[:41] + 5.0, [-1.0, 1.5])])
    ]
    law = sparse_law([(pieces[0]), (pieces[1][0], solved(oscillator, [-1.0, 1.5], TIMES[:41]))], PLANE)
    assert supports(law.terms) == supports(OSCILLATOR)
    assert [states.shape for states in law.states] == [(70, 2), (41, 2)]


@pytest.mark.parametrize("held", [False, True])
def test_an_input_runs_as_it_is_said_to(held):
    from scipy.integrate import solve_ivp

    times = np.linspace(0.0, 20.0, 101)
    u = np.repeat(np.random.default_rng(2).normal(size=21), 5)[:101, None]

    def field(t, s):
        now = u[min(int(t / 0.2 + 1e-9), 100), 0] if held else np.interp(t, times, u[:, 0])
        return [-0.8 * s[0] + 1.5 * now]

    clean = solve_ivp(field, (0.0, 20.0), [0.5], t_eval=times, rtol=1e-8, atol=1e-8, max_step=0.02).y.T
    library = Library.polynomial(("x",), degree=2, inputs=("u",))
    law = sparse_law([Trajectory(times, noisy(clean, 0.02, 0), u, held)], library)
    assert supports(law.terms) == {"x": {"x", "u"}}
    np.testing.assert_allclose([law.terms["x"]["x"], law.terms["x"]["u"]], [-0.8, 1.5], rtol=0.02)
    other = sparse_law([Trajectory(times, noisy(clean, 0.02, 0), u, not held)], library)
    assert law.criterion < other.criterion - 10


def test_known_terms_stay_and_forbidden_ones_do_not_come(swing):
    law = sparse_law([(TIMES, swing)], PLANE, known={"x": ["x**2"]}, forbidden={"y": ["y"]})
    assert "x**2" in law.terms["x"]
    assert "y" not in law.terms["y"]
    everywhere = sparse_law([(TIMES, swing)], PLANE, forbidden=["1", "x*y"])
    assert not {"1", "x*y"} & (set(everywhere.terms["x"]) | set(everywhere.terms["y"]))


def test_a_cheaper_term_makes_longer_laws(swing, swing_law):
    assert sparse_law([(TIMES, swing)], PLANE, penalty=corrected_aic).support.sum() >= swing_law.support.sum()


def test_without_noise_the_law_is_exact_where_the_flow_is():
    law = sparse_law([(TIMES, solved(oscillator, [2.0, 0.0], TIMES))], PLANE)
    assert supports(law.terms) == supports(OSCILLATOR)
    assert law.terms["y"]["x"] == pytest.approx(-1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"known": {"x": ["sin(x)"]}}, "known"),
        ({"forbidden": {"q": ["x"]}}, "forbidden"),
        ({"known": {"x": ["x"]}, "forbidden": ["x"]}, "known"),
    ],
)
def test_terms_that_are_not_there_are_refused(swing, options, word):
    with pytest.raises(ArgumentError, match=f"`{word}`"):
        sparse_law([(TIMES, swing)], PLANE, **options)


@pytest.mark.parametrize(
    ("t", "y"),
    [
        (TIMES[::-1], np.zeros((121, 2))),
        (TIMES, np.zeros((121, 3))),
        (TIMES, np.zeros((120, 2))),
        (TIMES, np.full((121, 2), np.inf)),
        (np.zeros(121), np.zeros((121, 2))),
    ],
)
def test_trajectories_that_make_no_sense_are_refused(t, y):
    with pytest.raises(ArgumentError):
        sparse_law([(t, y)], PLANE)


def finite(law):
    return law is None or all(
        np.isfinite(part).all() for part in (law.coefficients, law.covariance, law.sigma, *law.states)
    )


@settings(max_examples=6, deadline=None)
@given(
    st.sampled_from([1, 3, 5, 9, 20]),
    st.sampled_from(["noise", "zero", "walk", "huge", "gaps", "line"]),
    st.integers(0, 99),
)
def test_whatever_comes_the_answer_is_finite_or_none(rows, kind, seed):
    random = np.random.default_rng(seed)
    t, y = np.sort(random.uniform(0.0, 5.0, rows)), random.normal(size=(rows, 2))
    t += 1e-3 * np.arange(rows)
    if kind == "zero":
        y[:] = 0.0
    elif kind == "walk":
        y = np.cumsum(y, 0)
    elif kind == "huge":
        y = 1e150 * y
    elif kind == "gaps":
        y[random.uniform(size=y.shape) < 0.7] = np.nan
    elif kind == "line":
        y = np.stack([t, 2 * t], 1)
    assert finite(sparse_law([(t, y)], PLANE))


def test_nothing_gives_nothing():
    assert sparse_law([], PLANE) is None
    assert sparse_law([(np.zeros(1), np.zeros((1, 2)))], PLANE) is None
    assert sparse_law([(TIMES, np.full((121, 2), np.nan))], PLANE) is None
