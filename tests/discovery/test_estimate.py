"""Estimates: a stationary likelihood, and errors that are what least squares says."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import t as student

import continua
from continua.discovery.estimate import estimates
from continua.discovery.fitting import _belief, _reasons
from continua.discovery.forecasting import Way, run_on
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Additive
from continua.discovery.observations import observe
from continua.discovery.rolling import Skill
from continua.files import read_table

from .records import ROWS, TIMES, record, table

ADDITIVE = Additive()
DECAY = next(f for f in families(1) if f.title == "exponential decay")


def estimated(times, values, family=DECAY, noises=(ADDITIVE,)):
    names = [f"s{i}" for i in range(values.shape[1])]
    return estimates(family, observe(read_table(table(times, values, names)))[0], noises)


def test_the_likelihood_is_stationary(hares):
    """In steps of one standard error, −2 log L of a single solve neither falls nor has a slope."""
    count, measured = 4, jnp.asarray(hares.values)

    def minus_two_log_likelihood(x):
        u, start = x[:count], x[count:]
        law = hares.family.equation(hares.family.values(u, jnp.asarray(hares.belief.typical)))
        y = continua.solve(law, start, jnp.asarray(hares.time - hares.time[0]), rtol=1e-9, atol=1e-9).ys
        return ROWS * jnp.log(((y - measured) ** 2).mean(0)).sum()

    best = jnp.asarray(np.concatenate([hares.belief.u, hares.fitted[0]]))
    step = np.concatenate([hares.errors / list(hares.parameters.values()), 0.1 * hares.sigma])
    function = jax.jit(jax.value_and_grad(minus_two_log_likelihood))
    lowest, slope = function(best)
    assert np.abs(slope * step).max() < 0.02
    for direction in np.random.default_rng(0).standard_normal((20, len(best))):
        assert function(best + direction * step)[0] > lowest


@pytest.mark.parametrize("noise", NOISES[:2], ids=lambda n: n.title)
def test_errors_equal_the_analytic_ones(noise):
    """y₀ exp(−kt), additive: J = (−t y, y/y₀); log-normal: a straight line, J = (−t, 1/y₀). s² with N − 2 degrees."""
    times, y = record("ExponentialDecay")
    measured = noise.quantile(y, 0.05 * np.random.default_rng(3).standard_normal(y.shape))
    (found,) = estimated(times, measured, noises=(noise,))
    y, start, k = found.fitted[:, 0], found.fitted[0, 0], found.parameters[0]
    np.testing.assert_allclose(y, start * np.exp(-k * times), rtol=1e-6)
    jacobian = np.stack([-times, np.full_like(times, 1 / start)], 1) * (y[:, None] if noise.title == "additive" else 1)
    variance = (noise.residuals(y, measured[:, 0])[0] ** 2).sum() / (ROWS - 2)
    error = np.sqrt(variance * np.linalg.inv(jacobian.T @ jacobian)[0, 0])
    assert found.errors[0] == pytest.approx(error, rel=1e-3)
    reach = student.ppf(0.975, ROWS - 2) * error
    assert found.intervals[0] == pytest.approx([k - reach, k + reach], rel=1e-4)
    if noise.title == "log-normal":
        slope = np.polyfit(times, np.log(measured[:, 0]), 1)[0]
        assert k == pytest.approx(-slope, rel=1e-5)


def test_intervals_and_bands_cover_95_percent():
    """80 records of a decay: the true rate in its interval, and 5 measurements that follow in their bands."""
    law, start, sigma, records = 0.7, 40.0, 1.5, 80
    random, times = np.random.default_rng(11), TIMES["ExponentialDecay"]
    ahead = times[-1] + np.arange(1, 6) * (times[1] - times[0])
    inside, within = 0, 0
    for _ in range(records):
        y, future = (start * np.exp(-law * t) + sigma * random.standard_normal(len(t)) for t in (times, ahead))
        (found,) = estimated(times, y[:, None])
        low, high = found.intervals[0]
        inside += low <= law <= high
        _, lower, upper = run_on(found.family, found.noise, _belief(found), Way(ahead - times[-1]))
        within += ((lower[:, 0] <= future) & (future <= upper[:, 0])).sum()
    assert inside / records > 0.89
    assert 0.90 < within / (5 * records) < 0.985


def test_more_unknowns_than_numbers_have_no_aicc():
    linear = next(f for f in families(2) if f.title == "linear dynamics")
    times, y = record("LotkaVolterra")
    (found,) = estimated(times[:5], y[:5], linear)
    assert found is None or found.aicc == np.inf


def test_a_law_without_a_coefficient_that_the_data_determines_is_not_believed_where_baselines_forecast_better():
    times = TIMES["ExponentialDecay"]
    y = (5 * np.exp(-0.5 * times) + 0.05 * np.random.default_rng(2).standard_normal(ROWS))[:, None]
    data = observe(read_table(table(times, y, ["s0"])))[0]
    (found,) = estimates(DECAY, data, [ADDITIVE])
    assert found is not None
    vague = replace(found, covariance=found.covariance * 1e6)
    assert found.determined.all()
    assert not vague.determined.any()
    better, worse = (Skill(1, 8, error, {"persistence": 0.5, "ETS": 0.4}) for error in (0.3, 0.6))
    assert _reasons(data, [], found, [worse]) == []
    assert _reasons(data, [], vague, [worse, better]) == []
    (said,) = _reasons(data, [], vague, [worse])
    assert said == (
        "this data determines no coefficient of the best law, exponential decay, which forecasts no better than ETS"
    )
