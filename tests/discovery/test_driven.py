"""Laws with inputs, of second order with a hidden velocity, and records of several trajectories."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.core import ArgumentError
from continua.discovery.proposing import sparse_proposals

from .records import LAWS, additive, solved, table

ROWS = 300
TIMES = 0.1 * np.arange(ROWS)
FORCE = np.interp(TIMES, TIMES[::5], 2 * np.random.default_rng(0).standard_normal(ROWS // 5))
TRUTH = {"x": -1.0, "x_dot": -0.2, "x**3": -0.5, "u": 1.0}


def duffing(t, y):
    """x'' = −x − x'/5 − x³/2 + u(t), u along lines."""
    return [y[1], -y[0] - 0.2 * y[1] - 0.5 * y[0] ** 3 + np.interp(t, TIMES, FORCE)]


def swung(start, times=TIMES):
    span = (times[0], times[-1])
    return solve_ivp(duffing, span, start, t_eval=times, rtol=1e-9, atol=1e-9, max_step=0.1).y.T


@pytest.fixture(scope="module")
def driven():
    """The position, with 2 % noise, and the force; nothing else."""
    x = additive(swung([0.5, 0.0])[:, :1], 0.02, 1)[:, 0]
    return continua.fit({"time": TIMES, "x": x, "u": FORCE}, inputs=["u"], degree=3)


def test_a_driven_oscillator_is_found_from_its_position_alone(driven):
    assert (driven.law, driven.states, driven.inputs) == ("sparse law of second order", ("x", "x_dot"), ("u",))
    assert driven.terms["x"] == {"x_dot": 1.0}
    assert driven.terms["x_dot"] == pytest.approx(TRUTH, rel=0.05)
    assert not driven.held  # the force runs along lines
    assert driven.measured.tolist() == [True, False]
    np.testing.assert_allclose(driven.fitted, swung([0.5, 0.0]), atol=0.05)
    assert driven.scatter == pytest.approx({"x": 0.02 * swung([0.5, 0.0])[:, 0].std()}, rel=0.2)


def test_no_law_without_the_input_is_tried(driven):
    assert {rival.title for rival in driven.rivals} == {"sparse law", "sparse law of second order"}


def test_it_simulates_other_inputs(driven):
    start = np.array([1.0, -0.5])
    found = driven.simulate(TIMES, start, {"u": FORCE})
    np.testing.assert_allclose(found, swung(start), atol=0.15)
    np.testing.assert_array_equal(driven.simulate(TIMES, start, FORCE[:, None]), found)
    np.testing.assert_allclose(driven.simulate(TIMES[:2], [1.0], FORCE[:2])[0], [1.0, 0.0])  # at rest unless said


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (None, "Got none"),
        ({"v": FORCE}, "It lacks u"),
        (FORCE[:-1], "of shape (300, 1)"),
        (np.full(ROWS, np.nan), "finite numbers"),
    ],
)
def test_inputs_that_cannot_be_are_one_line(driven, inputs, words):
    with pytest.raises(ArgumentError) as caught:
        driven.simulate(TIMES, [1.0, 0.0], inputs)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_forecast_holds_the_last_input_unless_told(driven):
    plain = driven.forecast(6)
    np.testing.assert_allclose(plain.time, TIMES[-1] + 0.1 * np.arange(1, 7))
    assert plain.states == ("x",)
    held = driven.forecast(6, inputs={"u": np.full(6, FORCE[-1])})
    np.testing.assert_allclose(held.expected, plain.expected, rtol=1e-6)
    pushed = driven.forecast(6, inputs={"u": np.full(6, FORCE[-1] + 5.0)})
    assert pushed.expected[-1, 0] > plain.expected[-1, 0] + 0.2


def test_a_forecast_is_a_simulation_from_the_last_state(driven):
    force = np.array([1.0, -2.0, 0.5, 0.0])
    times = TIMES[-1] + 0.1 * np.arange(5)
    simulated = driven.simulate(times, driven.fitted[-1], np.concatenate([FORCE[-1:], force]))
    ahead = driven.forecast(times[1:], inputs=force)
    np.testing.assert_allclose(ahead.expected[:, 0], simulated[1:, 0], atol=1e-4)


def test_it_is_saved_with_its_inputs(driven, tmp_path):
    again = continua.load(driven.save(tmp_path / "m"))
    assert (again.equation, again.inputs, again.held) == (driven.equation, driven.inputs, driven.held)
    np.testing.assert_array_equal(again.forecast(3).expected, driven.forecast(3).expected)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("continua.discovery.fitting.rolling_origins", lambda *record: [])


def test_inputs_that_are_held_are_found_to_be(quick, monkeypatch):
    """x' = −x + 2u with u constant between samples that lie far apart: the exact solution."""
    times = 0.5 * np.arange(120)
    u = np.random.default_rng(2).choice([-1.0, 0.0, 1.5], 120)
    x = [0.3]
    for value in u[:-1]:
        x.append(2 * value + (x[-1] - 2 * value) * np.exp(-0.5))
    x = np.array(x) + 0.01 * np.random.default_rng(3).standard_normal(120)
    first_order = lambda *record: sparse_proposals(*record)[:1]  # noqa: E731
    monkeypatch.setattr("continua.discovery.fitting.sparse_proposals", first_order)
    model = continua.fit({"time": times, "x": x, "u": u}, inputs=["u"], degree=1)
    assert (model.law, model.held) == ("sparse law", True)
    assert model.terms["x"] == pytest.approx({"x": -1.0, "u": 2.0}, rel=0.02)


def test_several_trajectories_make_parameters_surer(quick, monkeypatch):
    monkeypatch.setattr("continua.discovery.fitting.sparse_proposals", lambda *record: [])
    law, times = LAWS["LotkaVolterra"][0], np.linspace(0.0, 10.0, 21)
    starts = ([30.0, 4.0], [60.0, 20.0], [20.0, 30.0])
    runs = [additive(solved(law, start, times), 0.05, seed) for seed, start in enumerate(starts)]
    one = continua.fit(table(times, runs[0], ("prey", "predators")))
    columns = table(np.tile(times, 3), np.concatenate(runs), ("prey", "predators"))
    every = continua.fit({**columns, "run": np.repeat(["a", "b", "c"], 21)}, trajectory="run")
    assert (every.law, every.states, every.begins) == ("Lotka–Volterra", ("prey", "predators"), (0, 21, 42))
    for name, true in {"alpha": 0.55, "beta": 0.028, "delta": 0.024, "gamma": 0.80}.items():
        low, high = every.intervals[name]
        assert abs(every.parameters[name] - true) < 0.75 * (high - low)
        assert high - low < 0.8 * np.diff(one.intervals[name])[0]
    for start, piece in zip(starts, (0, 21, 42), strict=True):
        np.testing.assert_allclose(every.fitted[piece], start, rtol=0.2)
    ahead = every.forecast(4)  # goes on from the last trajectory
    np.testing.assert_allclose(ahead.expected, solved(law, starts[2], [0.0, *ahead.time])[1:], rtol=0.15, atol=1.0)


def test_a_law_that_explains_little_and_forecasts_worse_is_not_believed():
    """An oscillation that forgets its phase: a disturbed oscillator, which no undisturbed law follows."""
    random, x = np.random.default_rng(5), [0.0, 1.0]
    for _ in range(78):  # 80 rows, as in other tests: their compiled programs serve here too
        x.append(1.5 * x[-1] - 0.75 * x[-2] + random.standard_normal())
    model = continua.fit({"time": np.arange(80.0), "x": np.array(x)}, degree=1)
    assert model.equation is None
    assert any("forecasts no better than" in reason or "than its mean" in reason for reason in model.reasons)
    assert np.isfinite(model.forecast(5).expected).all()
