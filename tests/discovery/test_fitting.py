"""`fit`: the law of the lynx and the hare, what it may not depend on, and laws that made the data."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.discovery import NO_EQUATION, Unexplained
from continua.files import bundled_record, read_table

from .records import LAWS, ROWS, TIMES, additive, log_normal, record, solved, table

HARE = "Hare"
LYNX = "Lynx"
PUBLISHED = {"alpha": 0.55, "beta": 0.028, "gamma": 0.80, "delta": 0.024}  # Howard; Carpenter, Stan case study 2018


@pytest.fixture
def quick(monkeypatch):
    """Without the search for terms and the forecasts on rolling origins, where a test does not look at them."""
    monkeypatch.setattr("continua.discovery.fitting.rolling_origins", lambda *record: [])
    monkeypatch.setattr("continua.discovery.fitting.sparse_proposals", lambda *record: [])


def inside(interval, true, widened=0.6):
    """Whether the truth lies in a 95 % interval, made wider by a share of its half-width: there is one seed only."""
    low, high = interval
    extra = widened * (high - low) / 2
    return low - extra <= true <= high + extra


def all_inside(model, truth):
    return [name for name, true in truth.items() if not inside(model.intervals[name], true)] == []


# ---- lynx and hare


def test_lotka_volterra_is_chosen_by_itself(hares):
    assert (hares.law, hares.states, hares.noise, hares.unit) == ("Lotka–Volterra", (HARE, LYNX), "additive", "year")
    for name, value in PUBLISHED.items():
        assert hares.parameters[name] == pytest.approx(value, rel=0.25)
        low, high = hares.intervals[name]
        assert low < hares.parameters[name] < high


def test_its_likelihood_equals_the_independent_reference(hares):
    """Maximum likelihood with 42 numbers by another program: AICc 249.0 additive, 266.2 log-normal, 330 linear."""
    aicc = {(r.title, r.noise, r.states): r.aicc for r in hares.rivals}
    assert aicc["Lotka–Volterra", "additive", (HARE, LYNX)] <= 249.1
    assert aicc["Lotka–Volterra", "log-normal", (HARE, LYNX)] == pytest.approx(266.2, abs=0.2)
    assert aicc["linear dynamics", "additive", (LYNX, HARE)] == pytest.approx(330, abs=1)
    assert aicc["Lotka–Volterra", "additive", (LYNX, HARE)] > 300
    assert hares.sigma == pytest.approx([4.3, 3.2], rel=0.1)
    assert hares.fitted[0] == pytest.approx([34.9, 3.9], rel=0.1)


def test_the_fit_is_one_trajectory_and_its_aicc_follows_from_it(hares):
    y = solved(hares.field, hares.fitted[0], hares.time)
    np.testing.assert_allclose(y, hares.fitted, rtol=1e-3, atol=1e-3)
    misfit = y - hares.values
    sigma = np.sqrt((misfit**2).mean(0))
    np.testing.assert_allclose(sigma, hares.sigma, rtol=1e-3)
    count, free = misfit.size, 4 + 2 + 2
    likelihood = ROWS * (np.log(2 * np.pi * sigma**2) + 1).sum()
    assert hares.aicc == pytest.approx(likelihood + 2 * free + 2 * free * (free + 1) / (count - free - 1), abs=0.01)


def test_rivals_are_sorted_and_hold_every_candidate_once(hares):
    assert [r.aicc for r in hares.rivals] == sorted(r.aicc for r in hares.rivals)
    assert hares.rivals[0].behind == 0
    assert len({(r.title, r.noise, r.states) for r in hares.rivals}) == len(hares.rivals) == 2 * (5 * 2 + 2)


def test_the_searched_law_loses_to_the_textbook(hares):
    """A law found term by term pays for the choices it had."""
    behind = [r.behind for r in hares.rivals if r.title == "sparse law"]
    assert min(behind) > 0
    assert hares.terms.keys() == {HARE, LYNX}
    assert hares.terms[HARE] == pytest.approx(
        {"Hare": hares.parameters["alpha"], "Hare*Lynx": -hares.parameters["beta"]}
    )
    assert hares.caveats == ()


def test_its_meaning_is_said(hares):
    p = hares.parameters
    rest, turns = hares.meaning[-2:]
    assert rest.startswith(f"rests at Hare {p['gamma'] / p['delta']:.1f}, Lynx {p['alpha'] / p['beta']:.1f} (centre")
    assert turns.startswith("turns with period 10")


def test_its_forecasts_beat_the_baselines(hares):
    assert [s.horizon for s in hares.skills] == [1, 5]
    for skill in hares.skills:
        assert skill.origins >= 5
        assert skill.model < skill.persistence
        assert skill.skill == pytest.approx(1 - (skill.model / min(skill.baselines.values())) ** 2)
        assert skill.skill > 0.5


# ---- what the law may not depend on


def near(model, limit=100):
    """How far behind every rival is that was not left as hopeless, by noise and order."""
    return {
        (r.title, r.noise, r.states == model.states): pytest.approx(r.behind, abs=0.1)
        for r in model.rivals
        if r.behind < limit and r.title == model.law
    }


@pytest.mark.parametrize(("hare", "lynx", "origin"), [(1.0, 1.0, 0.0), (1000.0, 1 / 7, 500.0)])
def test_names_order_units_and_origin_do_not_matter(hares, quick, hare, lynx, origin):
    raw = read_table(bundled_record())
    columns = {"beta": hare * raw.values[:, 1], "t": raw.time + origin, "A": lynx * raw.values[:, 0]}
    model = continua.fit(columns)
    assert (model.law, model.noise, model.states) == (hares.law, hares.noise, ("beta", "A"))
    factor = {"alpha": 1.0, "beta": 1 / lynx, "delta": 1 / hare, "gamma": 1.0}
    for name, value in hares.parameters.items():
        assert model.parameters[name] == pytest.approx(value * factor[name], rel=1e-3)
        low, high = hares.intervals[name]
        assert model.intervals[name] == pytest.approx((low * factor[name], high * factor[name]), rel=1e-3)
    np.testing.assert_allclose(model.fitted, hares.fitted * [hare, lynx], rtol=1e-3)
    assert model.aicc == pytest.approx(hares.aicc + 2 * ROWS * np.log(hare * lynx), abs=0.01)
    assert near(hares) == near(model)


# ---- laws that we know


def test_lotka_volterra_is_recovered_with_additive_noise(quick):
    times, y = record("LotkaVolterra")
    model = continua.fit(table(times, additive(y, 0.02, 1)[:, ::-1], ("predators", "prey")))
    assert (model.law, model.noise, model.states) == ("Lotka–Volterra", "additive", ("prey", "predators"))
    assert all_inside(model, {"alpha": 0.55, "beta": 0.028, "delta": 0.024, "gamma": 0.80})
    assert model.parameters["alpha"] == pytest.approx(0.55, rel=0.02)
    assert model.sigma == pytest.approx(0.02 * y.std(0), rel=0.4)
    assert model.rivals[0].behind + 20 < min(r.behind for r in model.rivals if r.title != model.law)


def test_lotka_volterra_is_recovered_with_log_normal_noise(quick):
    times, y = record("LotkaVolterra")
    model = continua.fit(table(times, log_normal(y, 0.1, 2), ("prey", "predators")))
    assert (model.law, model.noise) == ("Lotka–Volterra", "log-normal")
    assert all_inside(model, {"alpha": 0.55, "beta": 0.028, "delta": 0.024, "gamma": 0.80})
    assert model.sigma == pytest.approx([0.1, 0.1], rel=0.3)


def test_a_linear_spiral_is_recovered(quick):
    times, y = record("Spiral")
    model = continua.fit(table(times, additive(y, 0.02, 3), ("x", "y")))
    law = LAWS["Spiral"][0]
    assert model.law == "linear dynamics"
    truth = {"A_11": law.A[0, 0], "A_12": law.A[0, 1], "A_21": law.A[1, 0], "A_22": law.A[1, 1]}
    assert all_inside(model, {**truth, "b_1": law.b[0], "b_2": law.b[1]})


def test_van_der_pol_is_recovered_in_other_units(quick):
    times, y = record("VanDerPol")
    model = continua.fit(table(times, additive(y, 0.02, 4), ("x", "v")))
    assert (model.law, model.states) == ("Van der Pol oscillator", ("x", "v"))
    assert all_inside(model, {"mu": 1.5, "scale_1": 10.0, "scale_2": 0.2, "rate": 1.0})
    now, state = jnp.zeros(()), jnp.array([20.0, 0.3])
    np.testing.assert_allclose(model.field(now, state, None), LAWS["VanDerPol"][0](now, state, None), rtol=0.05)
    first, second = model.equation.splitlines()  # multiplied out: no scale is left to divide by in one's head
    number = re.fullmatch(r"d x/dt = ([\d.]+)\((\d+)\) v", first)
    assert number is not None
    assert float(number[1]) == pytest.approx(50.0, rel=0.02)
    assert second.count("v") == 3
    assert "/" not in second.removeprefix("d v/dt")


def test_logistic_growth_is_recovered(yeast):
    assert yeast.law == "logistic growth"
    assert all_inside(yeast, {"r": 0.9, "K": 50.0})


def test_logistic_growth_is_recovered_from_irregular_samples_with_gaps(quick):
    times = np.sort(np.random.default_rng(7).uniform(0.0, 10.0, ROWS))
    y = additive(solved(*LAWS["Logistic"], times), 0.02, 9)
    y[[3, 4, 9, 15]] = np.nan
    model = continua.fit({"time": times, "yeast": y[:, 0], "nothing": np.full(ROWS, np.nan)})
    assert model.law == "logistic growth"
    assert all_inside(model, {"r": 0.9, "K": 50.0})
    assert any("nothing" in note for note in model.notes)


def test_exponential_decay_is_recovered(quick):
    times, y = record("ExponentialDecay")
    model = continua.fit(table(times, additive(y, 0.02, 6), ("amount",)))
    assert model.law == "exponential decay"
    assert all_inside(model, {"k": 0.7})


def test_an_epidemic_is_recovered_from_permuted_columns(epidemic):
    assert (epidemic.law, epidemic.states) == ("SIR epidemic", ("S", "I", "R"))
    assert all_inside(epidemic, {"beta": 0.5, "gamma": 0.2, "scale_2": 1.0, "scale_3": 1.0})


def test_gaps_of_single_states_cost_precision_only(quick):
    times, y = record("LotkaVolterra")
    y = additive(y, 0.02, 1)
    y[[3, 9, 14], 0] = np.nan
    y[[6, 17], 1] = np.nan
    model = continua.fit(table(times, y, ("prey", "predators")))
    assert (model.law, model.states) == ("Lotka–Volterra", ("prey", "predators"))
    assert all_inside(model, {"alpha": 0.55, "beta": 0.028, "delta": 0.024, "gamma": 0.80})
    assert np.isfinite(model.fitted).all()
    assert (np.isnan(model.values) == np.isnan(y)).all()


def test_too_few_rows_for_any_law_is_no_law(quick):
    model = continua.fit(table(TIMES["LotkaVolterra"][:4], record("LotkaVolterra")[1][:4], ("a", "b")))
    assert isinstance(model, Unexplained)
    assert model.equation is None
    assert any("few" in reason or "cannot determine" in reason for reason in model.reasons)


@pytest.mark.parametrize("walk", [False, True])
def test_noise_and_a_random_walk_have_no_law(tmp_path, walk):
    rows = np.random.default_rng(3).standard_normal(80)
    model = continua.fit({"t": np.arange(80.0), "x": rows.cumsum() if walk else rows}, degree=2 if walk else None)
    assert (model.law, model.equation, model.terms, model.parameters) == (NO_EQUATION, None, {}, {})
    assert ("random walk" if walk else "white noise") in model.reasons[0]
    assert np.isfinite(model.forecast(4).expected).all()
    folder = model.save(tmp_path / "m")
    again = continua.load(folder)
    assert again.reasons == model.reasons
    np.testing.assert_array_equal(again.forecast(4).expected, model.forecast(4).expected)
    assert "no equation supported" in (folder / "report.html").read_text()


def test_a_law_of_ones_own_is_tried(quick):
    """Growth with crowding that hits in full only at half the capacity: no textbook law here has it."""
    law = '[equations]\nyeast = "r*yeast*(1 - (yeast/K)**2)"\n[parameters]\nr = { start = 1.0, positive = true }\n'
    times = np.linspace(0.0, 10.0, ROWS)
    y = solved(lambda t, y, args: 0.9 * y * (1 - (y / 8.0) ** 2), [0.5], times)
    model = continua.fit(table(times, additive(y, 0.01, 2), ("yeast",)), equations=[law + "K = { start = 5.0 }\n"])
    assert model.terms["yeast"] == pytest.approx({"yeast": 0.9, "yeast**3": -0.9 / 64}, rel=0.1)
    assert all_inside(model, {"r": 0.9, "K": 8.0})


def test_a_new_law_is_found_term_by_term(monkeypatch, tmp_path):
    """Predators that interfere: x' = x − xy, y' = xy − y − y²/2, which no named system is."""
    monkeypatch.setattr("continua.discovery.fitting.rolling_origins", lambda *record: [])
    times = TIMES["LotkaVolterra"]
    field = lambda t, y, args: jnp.stack([y[0] - y[0] * y[1], y[0] * y[1] - 0.4 * y[1] - 0.3 * y[1] ** 2])  # noqa: E731
    y = solved(field, [1.5, 0.3], times)
    model = continua.fit(table(times, additive(y, 0.01, 2), ("x", "y")), degree=2)
    assert model.law == "sparse law"
    truth = {"x": {"x": 1.0, "x*y": -1.0}, "y": {"x*y": 1.0, "y": -0.4, "y**2": -0.3}}
    for state, terms in truth.items():
        assert model.terms[state] == pytest.approx(terms, rel=0.1)
    again = continua.load(model.save(tmp_path / "m"))
    assert again.terms == model.terms
    assert again.equation == model.equation


def test_progress_is_told_to_the_end(quick):
    told = []
    times, y = record("ExponentialDecay")
    continua.fit(table(times, y + 0.1 * np.cos(7 * times)[:, None], ("a",)), progress=lambda *both: told.append(both))
    assert told == [(done, told[-1][1]) for done in range(told[-1][1] + 1)]
