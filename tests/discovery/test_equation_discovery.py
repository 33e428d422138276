"""The estimator: whatever the data come in it is the same law, its slopes are the law's, and scikit-learn takes it."""

import copy
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.core import ArgumentError, ArgumentTypeError, FailedSolve
from continua.discovery import EquationDiscovery
from continua.equations import parse
from continua.show import evaluate

TIMES = np.linspace(0.0, 12.0, 121)
MATRIX = np.array([[0.0, 1.0], [-1.0, -0.2]])


def swing(start, times, noise=0.02, seed=0):
    clean = solve_ivp(lambda _, s: MATRIX @ s, (0.0, times[-1]), start, t_eval=times, rtol=1e-9, atol=1e-9).y.T
    return clean + noise * clean.std(0) * np.random.default_rng(seed).standard_normal(clean.shape)


X = swing([2.0, 0.0], TIMES)


@pytest.fixture(scope="module")
def model():
    return EquationDiscovery().fit(X, TIMES, feature_names=["x", "y"])


def test_the_law_is_the_one_that_made_the_data(model):
    assert {state: set(row) for state, row in model.terms_.items()} == {"x": {"y"}, "y": {"x", "y"}}
    np.testing.assert_allclose(model.coefficients_[:, 1:3], MATRIX, atol=0.01)
    assert model.library_terms_ == ("1", "x", "y", "x**2", "x*y", "y**2")
    assert model.coefficients_.shape == model.standard_errors_.shape == (2, 6)
    assert model.reproduction_ > 0.99
    assert (model.n_features_in_, model.feature_names_in_.tolist(), model.state_names_) == (2, ["x", "y"], ("x", "y"))


def test_slopes_are_those_of_the_law(model):
    states = np.random.default_rng(1).normal(size=(7, 2))
    expected = states @ model.coefficients_[:, 1:3].T
    np.testing.assert_allclose(model.predict(states), expected, rtol=1e-12)
    np.testing.assert_allclose(model.predict(states.tolist()), expected, rtol=1e-12)
    both = model.predict([states, states[:3]])
    np.testing.assert_array_equal(both[1], model.predict(states[:3]))
    frame = pl.DataFrame({"y": states[:, 1], "other": states[:, 0], "x": states[:, 0]})
    np.testing.assert_array_equal(model.predict(frame), model.predict(states))


def test_a_free_run_is_the_solution_of_the_law(model):
    matrix, times = model.coefficients_[:, 1:3], np.linspace(0.0, 5.0, 11)
    values, vectors = np.linalg.eig(matrix)
    exact = [(vectors * np.exp(values * t) @ np.linalg.solve(vectors, [1.0, -1.0])).real for t in times]
    np.testing.assert_allclose(model.simulate([1.0, -1.0], times), exact, atol=1e-6)
    with jax.enable_x64(True):
        ys = continua.solve(model.field_, jnp.array([1.0, -1.0]), jnp.asarray(times), rtol=1e-9, atol=1e-9).ys
    np.testing.assert_allclose(ys, exact, atol=1e-6)


def test_a_law_that_diverges_says_where():
    t = np.linspace(0.0, 0.9, 60)
    model = EquationDiscovery().fit(1 / (1 - t)[:, None], t)
    assert model.equations() == ["x0**2"]
    with pytest.raises(FailedSolve, match="blows up near t="):
        model.simulate([1.0], np.linspace(0.0, 2.0, 20))


def test_the_texts_are_the_law_and_can_be_read_back(model):
    state = {"x": 0.3, "y": -1.1}
    slopes = [evaluate(parse(side, ["x", "y"]), state) for side in model.equations(precision=12)]
    np.testing.assert_allclose(slopes, model.predict([[0.3, -1.1]])[0], rtol=1e-9)
    assert [line.partition(" = ")[0] for line in model.equation_.split("\n")] == ["d x/dt", "d y/dt"]
    assert "(" in model.equation_


@pytest.mark.parametrize(
    ("data", "times"),
    [
        (X.tolist(), TIMES.tolist()),
        ([X], [TIMES]),
        ([X], TIMES),
        (pl.DataFrame({"t": TIMES, "x": X[:, 0], "y": X[:, 1]}), None),
        (pl.DataFrame({"x": X[:, 0], "when": TIMES, "y": X[:, 1]}), "when"),
        ({"x": X[:, 0], "y": X[:, 1]}, TIMES),
        (pl.DataFrame({"x": X[:, 0], "y": X[:, 1]}), TIMES),
    ],
)
def test_however_the_data_come_the_law_is_the_same(model, data, times):
    again = EquationDiscovery().fit(data, times, feature_names=["x", "y"])
    np.testing.assert_array_equal(again.coefficients_, model.coefficients_)


def test_a_sampling_interval_stands_for_evenly_spaced_times(model):
    again = EquationDiscovery().fit(X, 0.1)
    np.testing.assert_allclose(again.coefficients_, model.coefficients_, rtol=1e-6)
    assert again.state_names_ == ("x0", "x1")


def test_trajectories_of_different_lengths():
    times = [TIMES[:70], TIMES[:41] + 3.0]
    data = [swing([2.0, 0.0], times[0]), swing([-1.0, 1.5], times[1] - 3.0, seed=1)]
    model = EquationDiscovery(degree=[1, 2]).fit(data, times)
    np.testing.assert_allclose(model.predict(np.eye(2)).T, MATRIX, atol=0.03)
    assert [states.shape for states in model.law_.states] == [(70, 2), (41, 2)]
    assert model.score(data, times) > 0.98
    frames = [pl.DataFrame({"t": t, "x": x[:, 0], "y": x[:, 1]}) for t, x in zip(times, data, strict=True)]
    again = EquationDiscovery(degree=[1, 2]).fit(frames, "t")
    np.testing.assert_array_equal(again.coefficients_, model.coefficients_)


def test_columns_that_no_formula_can_hold_get_names_that_can():
    frame = pl.DataFrame({"time": TIMES, "left angle": X[:, 0], "2nd": X[:, 1]})
    model = EquationDiscovery(known={"left angle": {"x_2nd": 1.0}}).fit(frame, "time")
    assert model.state_names_ == ("left_angle", "x_2nd")
    assert model.terms_["left_angle"] == {"x_2nd": 1.0}


def test_the_score_is_one_without_noise_and_low_for_another_law(model):
    clean = swing([1.0, 1.0], TIMES, noise=0.0)
    assert model.score(clean, TIMES) > 0.999
    assert model.score(swing([1.0, 1.0], TIMES, noise=0.05), TIMES) > 0.98
    assert model.score(clean, TIMES[::1] * 3) < 0
    slopes = np.gradient(clean, TIMES, axis=0)
    share = np.sum((slopes - model.predict(clean)) ** 2, 0) / np.sum((slopes - slopes.mean(0)) ** 2, 0)
    assert model.score(clean, TIMES) == pytest.approx(np.mean(1 - share), abs=1e-3)


def test_options_reach_the_search():
    t = np.linspace(0.0, 12.0, 121)
    angle = solve_ivp(lambda _, s: [s[1], -np.sin(s[0])], (0, 12), [2.8, 0.0], t_eval=t, rtol=1e-9, atol=1e-9).y.T
    options = {"degree": 1, "trigonometric": True, "known": {"x0": {"x1": 1.0}}, "forbidden": ["cos(x0)"]}
    model = EquationDiscovery(**options).fit(angle, t)
    assert model.terms_ == {"x0": {"x1": 1.0}, "x1": {"sin(x0)": pytest.approx(-1.0, abs=1e-3)}}
    rational = EquationDiscovery(degree=1, rational=True, known={"x0": ["x0/(1 + x0**2)"]}).fit(angle, t)
    assert "x0/(1 + x0**2)" in rational.terms_["x0"]


# ---- what scikit-learn asks


def test_the_constructor_only_stores_and_parameters_go_round():
    names = set(inspect.signature(EquationDiscovery).parameters)
    options = {"degree": [-1], "known": {"?": ["?"]}, "forbidden": ["?"], "trigonometric": True, "rational": True}
    options |= {"proportional": None, "seed": -7}
    model = EquationDiscovery(**options)
    assert set(options) == set(vars(model)) == set(model.get_params()) == names
    assert all(model.get_params()[name] is value for name, value in options.items())
    assert model.set_params(degree=3) is model
    assert model.get_params(deep=False)["degree"] == 3
    assert repr(EquationDiscovery(degree=3)) == "EquationDiscovery(degree=3)"


def test_fitting_changes_no_parameter_and_forgets_the_law_before(model):
    given = copy.deepcopy(model.get_params())
    model = EquationDiscovery(**given)
    assert model.fit(X, TIMES) is model
    assert model.get_params() == given
    model.fit(np.exp(-TIMES)[:, None], TIMES)
    assert (model.n_features_in_, model.predict([[1.0]]).shape) == (1, (1, 1))


def test_scikit_learn_takes_it():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.validation import check_is_fitted

    model = EquationDiscovery(degree=1, known={"x0": ["x1"]})
    assert sklearn.base.clone(model).get_params() == model.get_params()
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(model)
    scaled = make_pipeline(StandardScaler(with_mean=False), model).fit(X, TIMES)
    check_is_fitted(model)
    slopes = scaled.predict(X) * scaled[0].scale_
    np.testing.assert_allclose(slopes, X @ MATRIX.T, atol=0.05)
    assert scaled.score(X, TIMES) > 0.95
    assert cross_val_score(model, X, TIMES, cv=TimeSeriesSplit(3)).min() > 0.8


# ---- refusals


@pytest.mark.parametrize(
    ("data", "times", "options", "said"),
    [
        (X, None, {}, "`t` must be given"),
        (X, "time", {}, "`t` must be given"),
        (X, TIMES[:-1], {}, "`t` must have one time"),
        (X, -0.1, {}, "`t` must be positive"),
        (X[:, 0], TIMES, {}, r"`X` must be \[row, state\]"),
        (np.zeros((0, 2)), np.zeros(0), {}, "`X` must be"),
        ([X, X[:, :1]], 0.1, {}, "`X` must have the same states"),
        ([X, X], [TIMES], {}, "`t` must have one entry"),
        (X, TIMES, {"feature_names": ["x"]}, "`feature_names`"),
        (X[:1], 0.1, {}, "`X` of `fit` supports no law"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_a_line(data, times, options, said):
    with pytest.raises(ArgumentError, match=said) as error:
        EquationDiscovery().fit(data, times, **options)
    assert "\n" not in str(error.value)


def test_other_refusals(model):
    with pytest.raises(ArgumentTypeError, match="`X` must hold numbers"):
        EquationDiscovery().fit([["a", "b"]], 0.1)
    with pytest.raises(ArgumentError, match="no law yet"):
        EquationDiscovery().predict(X)
    with pytest.raises(ArgumentError, match="2 columns"):
        model.predict(np.zeros((3, 3)))
    with pytest.raises(ArgumentError, match="column `y`"):
        model.predict(pl.DataFrame({"x": [1.0]}))
    with pytest.raises(ArgumentError, match="`x0`"):
        model.simulate([1.0], TIMES)
    with pytest.raises(ArgumentError, match="`depth` is no parameter"):
        model.set_params(depth=2)
    with pytest.raises(ArgumentError, match="`known` names the state `q`"):
        EquationDiscovery(known={"q": ["x0"]}).fit(X, TIMES)
