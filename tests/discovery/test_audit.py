"""The audit's verdicts at their rates: noise and walks are refused, the records of laws are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import solve_ivp

from continua.discovery.audit import audit, noise_level, random_walk_chance, white_noise_chance

NAMES = ("x", "y", "z", "u", "v")


def findings(values, time=None, severity=None):
    """kind → finding."""
    values = np.asarray(values, float)
    time = np.arange(len(values)) * 1.0 if time is None else time
    found = audit(time, values, NAMES[: values.shape[1]])
    return {f.kind: f for f in found if severity in (None, f.severity)}


def refusals(records):
    """The kinds of refusal of each record."""
    return [set(findings(values, time, "refusal")) for time, values in records]


def noisy(time, values, share, seeds):
    spread = values.std(0)
    for seed in seeds:
        yield time, values + share * spread * np.random.default_rng(seed).standard_normal(values.shape)


def solved(field, start, time):
    return solve_ivp(field, (time[0], time[-1]), start, t_eval=time, rtol=1e-9, atol=1e-9).y.T


def lorenz(time):
    return solved(
        lambda _, u: [10 * (u[1] - u[0]), u[0] * (28 - u[2]) - u[1], u[0] * u[1] - 8 / 3 * u[2]], [-8, 8, 27], time
    )


def spiral(time):
    return np.exp(-0.15 * time)[:, None] * np.stack([np.cos(time), np.sin(time)], 1)


LAWS = {
    "Lorenz": (np.arange(0, 10, 0.04), lorenz, 0.1),
    "van der Pol": (
        np.linspace(0, 10, 21),
        lambda t: solved(lambda _, u: [u[1], 1.5 * (1 - u[0] ** 2) * u[1] - u[0]], [2, 0], t),
        0.1,
    ),
    "logistic": (np.linspace(0, 10, 21), lambda t: (50 / (1 + 24 * np.exp(-0.9 * t)))[:, None], 0.05),
    "decay": (np.linspace(0, 5, 21), lambda t: np.exp(-0.7 * t)[:, None], 0.05),
    "spiral": (np.linspace(0, 12, 21), spiral, 0.1),
    "damped oscillation": (np.linspace(0, 12, 21), lambda t: spiral(t)[:, :1], 0.1),
}


@pytest.mark.parametrize("rows", [50, 200])
@pytest.mark.parametrize("states", [1, 3])
def test_white_noise_is_refused(rows, states):
    records = ((np.arange(rows) * 0.1, np.random.default_rng(s).standard_normal((rows, states))) for s in range(40))
    assert sum("looks_like_noise" in kinds for kinds in refusals(records)) >= 35


@pytest.mark.parametrize("rows", [50, 200])
@pytest.mark.parametrize("states", [1, 3])
def test_a_random_walk_is_refused(rows, states):
    records = (
        (np.arange(rows) * 0.1, np.random.default_rng(s).standard_normal((rows, states)).cumsum(0)) for s in range(40)
    )
    assert sum("looks_like_random_walk" in kinds for kinds in refusals(records)) >= 35


def test_a_random_walk_on_irregular_times_is_one():
    refused = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        time = np.cumsum(random.exponential(1.0, 80) + 0.01)
        walk = np.cumsum(random.standard_normal(80) * np.sqrt(np.diff(time, prepend=0)))[:, None]
        refused += random_walk_chance(time, walk) > 0
    assert refused >= 26


@pytest.mark.parametrize("law", LAWS)
def test_the_record_of_a_law_is_not_refused(law):
    time, values, share = LAWS[law]
    assert sum(bool(kinds) for kinds in refusals(noisy(time, values(time), share, range(10)))) <= 1


@pytest.mark.parametrize("law", LAWS)
def test_an_exact_record_is_not_refused(law):
    time, values, _ = LAWS[law]
    assert not findings(values(time), time, "refusal")


def test_lynx_and_hare_are_not_refused(data_folder):
    rows = np.genfromtxt(data_folder / "series" / "hudson-bay-lynx-hare.csv", delimiter=",", skip_header=3)
    assert not findings(rows[:, 1:], rows[:, 0], "refusal")


def test_a_straight_line_is_a_law():
    assert not findings(np.arange(20.0)[:, None], severity="refusal")


def test_p_values_of_noise_are_uniform():
    chances = np.array([white_noise_chance(np.random.default_rng(s).standard_normal((12, 1))) for s in range(150)])
    assert (chances < 0.05).mean() <= 0.09
    assert 0.3 < np.median(chances) <= 1


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_the_noise_of_a_smooth_record_is_measured(share):
    time = np.sort(np.random.default_rng(1).uniform(0, 20, 400))
    values = np.sin(time) + share * np.random.default_rng(2).standard_normal(400)
    assert noise_level(time, values) == pytest.approx(share, rel=0.15)


def test_a_cubic_holds_no_noise():
    time = np.array([0.0, 0.3, 1.0, 1.2, 2.5, 3.0, 4.1])
    assert noise_level(time, time**3 - 4 * time) < 1e-12
    assert np.isnan(noise_level(time[:4], time[:4]))


@pytest.mark.parametrize(("rows_a_period", "factor"), [(2.5, 3.2), (4, 2.0), (6, 1.33), (12, None)])
def test_coarse_sampling_is_measured_against_the_fastest_mode(rows_a_period, factor):
    n = np.arange(200)
    slow, fast = np.sin(2 * np.pi * n / 60), np.sin(2 * np.pi * n / rows_a_period)
    found = findings((slow + 0.5 * fast + 0.05 * np.random.default_rng(0).standard_normal(200))[:, None])
    if factor is None:
        assert "coarse_sampling" not in found
    else:
        assert found["coarse_sampling"].amount == pytest.approx(factor, rel=0.05)
        assert "too coarse for the fastest mode" in found["coarse_sampling"].message


def test_a_decay_within_a_row_is_too_fast():
    decay = np.exp(-2.0 * np.arange(30))[:, None] + 1e-3 * np.random.default_rng(0).standard_normal((30, 1))
    assert findings(decay)["coarse_sampling"].amount == pytest.approx(4, rel=0.05)


def test_white_noise_is_seldom_called_coarse():
    random = (np.random.default_rng(s).standard_normal((60, 1)) for s in range(40))
    assert sum("coarse_sampling" in findings(values) for values in random) <= 2


def test_collinear_and_constant_columns_are_named():
    time = np.linspace(0, 12, 60)
    x, y = spiral(time).T
    found = findings(np.stack([x, y, 3 - 2 * x + 1e-3 * np.cos(7 * time), np.full(60, 7.0)], 1), time)
    assert found["collinear"].states == ("x", "z")
    assert found["collinear"].message == "x and z are collinear (.999)"
    assert found["constant"].states == ("u",)
    assert found["constant"].message == "u is constant (7)"


def test_a_sum_that_is_conserved_is_seen():
    time = np.linspace(0, 12, 60)
    x, y = spiral(time).T
    found = findings(np.stack([x, y, 1 - x - y], 1), time)
    assert found["collinear"].states == ("x", "y", "z")
    assert "collinear" not in findings(np.stack([x, y, np.sin(3 * time)], 1), time)


def test_gaps_and_steps_are_told():
    time = np.delete(np.arange(40.0), [20, 21, 22])
    values = np.sin(time / 3)[:, None]
    values[5:9] = np.nan
    found = findings(values, time)
    assert found["gaps"].severity == "note"
    assert "4 rows in a row" in found["gaps"].message
    assert found["irregular"].amount == 4
    values[5:25] = np.nan
    assert findings(values, time)["gaps"].severity == "warning"


def test_growth_is_a_trend():
    time = np.arange(50.0)
    values = np.stack([np.exp(time / 20), np.sin(time)], 1)
    assert findings(values)["trend"].states == ("x",)


def test_too_few_rows_for_the_states():
    values = np.random.default_rng(0).standard_normal((7, 5))
    assert findings(values)["few_rows"].severity == "refusal"
    assert findings(np.tile(values, (3, 1)))["few_rows"].severity == "warning"
    assert "few_rows" not in findings(np.tile(values, (30, 1)))


def test_a_state_that_is_noise_beside_a_law_is_named():
    time = np.linspace(0, 12, 80)
    values = np.column_stack([spiral(time), np.random.default_rng(4).standard_normal(80)])
    noise = findings(values, time)["looks_like_noise"]
    assert (noise.severity, noise.states) == ("warning", ("z",))


def test_refusals_come_first_and_the_same_every_time():
    values = np.random.default_rng(0).standard_normal((30, 2))
    values[3] = np.nan
    once, again = (audit(np.arange(30.0), values, ["x", "y"]) for _ in range(2))
    assert once == again
    assert [f.severity for f in once] == sorted((f.severity for f in once), key=["refusal", "warning", "note"].index)
    assert once[0].severity == "refusal"


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(float, st.tuples(st.integers(1, 25), st.integers(1, 3)), elements=st.floats(-1e300, 1e300, width=64)),
    st.sets(st.tuples(st.integers(0, 24), st.integers(0, 2))),
    st.lists(st.floats(1e-3, 1e3), min_size=25, max_size=25),
)
def test_no_record_raises_or_warns(values, gaps, steps):
    for row, state in gaps:
        if row < len(values) and state < values.shape[1]:
            values[row, state] = np.nan
    for finding in findings(values, np.cumsum(steps)[: len(values)]).values():
        assert "\n" not in finding.message + finding.remedy
        assert finding.message
        assert finding.remedy
