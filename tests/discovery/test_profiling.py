"""Intervals by profile likelihood: those of a growth curve that has a formula, found here by other means."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.stats import t as student

import continua
from continua.discovery.estimate import estimates
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Additive
from continua.discovery.observations import observe
from continua.discovery.profiling import profile_intervals
from continua.files import read_table

from .records import LAWS, ROWS, solved, table

GROWTH = next(f for f in families(1) if f.title == "logistic growth")


def grown(until, noise=1.0, seed=0):
    times = np.linspace(0.0, until, ROWS)
    y = solved(*LAWS["Logistic"], times)
    return times, y + noise * np.random.default_rng(seed).standard_normal(y.shape)


def estimated(times, y):
    (found,) = estimates(GROWTH, observe(read_table(table(times, y, ["yeast"])))[0], [Additive()])
    return found


def profiled(times, y, fixed, value):
    """N log of the smallest sum of squares with r or K fixed, of the formula of logistic growth."""

    def residuals(x):
        r, capacity = (value, np.exp(x[0])) if fixed == 0 else (np.exp(x[0]), value)
        start = np.exp(x[1])
        return capacity / (1 + (capacity / start - 1) * np.exp(-r * times)) - y[:, 0]

    starts = [[np.log(50.0 if fixed == 0 else 0.9), np.log(start)] for start in (1.0, 2.0, 4.0)]
    return len(times) * np.log(min(2 * least_squares(residuals, x).cost for x in starts))


@pytest.mark.parametrize("until", [4.5, 5.0])
def test_ends_are_where_the_likelihood_has_fallen(until):
    times, y = grown(until)
    found = estimated(times, y)
    lowest = profiled(times, y, 0, found.parameters[0])
    wanted = ROWS * np.log1p(student.ppf(0.975, ROWS - 3) ** 2 / (ROWS - 3))
    intervals = profile_intervals(found)
    for parameter, interval in enumerate(intervals):
        for end in interval:
            assert profiled(times, y, parameter, end) - lowest == pytest.approx(wanted, rel=0.25)
    quadratic = found.intervals
    assert intervals[1, 0] > quadratic[1, 0]  # a capacity is surer below than above
    assert intervals[1, 1] >= quadratic[1, 1]


def test_what_is_well_known_keeps_its_quadratic_interval():
    found = estimated(*grown(10.0, noise=0.2))
    np.testing.assert_array_equal(profile_intervals(found), found.intervals)


def test_what_the_data_cannot_determine_has_no_end_and_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("continua.discovery.fitting.rolling_origins", lambda *record: [])
    monkeypatch.setattr("continua.discovery.fitting.sparse_proposals", lambda *record: [])
    monkeypatch.setattr("continua.discovery.fitting.families", lambda states: [GROWTH])
    times, y = grown(3.0)
    model = continua.fit(table(times, y, ["yeast"]))
    low, high = model.intervals["K"]
    assert 45 < low < 55
    assert high == np.inf
    assert any(caveat.startswith("this data cannot determine `K`: every value above") for caveat in model.caveats)
    again = continua.load(model.save(tmp_path / "m"))
    assert again.intervals == model.intervals
    assert again.caveats == model.caveats
    assert "∞" in (tmp_path / "m" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", range(4))
def test_outliers_make_students_noise_the_better_one(seed):
    times, y = grown(10.0, noise=0.3, seed=seed)
    y[[5, 12]] += [[25.0], [-30.0]]
    data = observe(read_table(table(times, y, ["yeast"])))[0]
    found = [e for e in estimates(GROWTH, data, NOISES) if e is not None]
    best = min(found, key=lambda e: e.aicc)
    assert best.noise.title == "Student's t"
    np.testing.assert_allclose(best.parameters, [0.9, 50.0], rtol=0.02)
    np.testing.assert_allclose(best.sigma, [0.3], rtol=0.6)
    assert (np.abs(best.parameters - [0.9, 50.0]) < 4 * best.errors).all()


def test_good_noise_is_not_tried_as_heavy():
    times, y = grown(10.0, noise=0.3, seed=1)
    data = observe(read_table(table(times, y, ["yeast"])))[0]
    assert estimates(GROWTH, data, NOISES)[2] is None
