"""Adaptive explicit methods on problems with published end states: errors in proportion to the tolerance.

The comparison with scipy and diffrax on the whole set is benchmarks/reference_set.py.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.methods import DOP853, BogackiShampine3, DormandPrince5, Tsit5, Vern7

from .nonstiff_problems import SLOPES, nonstiff_problems

METHODS = [BogackiShampine3(), DormandPrince5(), Tsit5(), Vern7(), DOP853()]
PROBLEMS = ["DETEST-nonstiff-B4", "DETEST-nonstiff-B5"]
RTOLS = 10.0 ** -np.arange(4, 11)


@pytest.fixture(scope="module")
def problems(data_folder):
    return {problem.name: problem for problem in nonstiff_problems(data_folder)}


@pytest.mark.parametrize("name", SLOPES)
def test_right_hand_sides_are_those_of_the_published_values(name, problems):
    """The state, its end and its slope fit together: scipy's own steps with them end where they should."""
    from scipy.integrate import solve_ivp

    problem = problems[name]
    slope = jax.jit(problem.slope)
    options = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-11}
    end = solve_ivp(lambda t, y: np.asarray(slope(t, y)), (0.0, problem.t1), problem.y0, **options).y[:, -1]
    np.testing.assert_allclose(end, problem.end, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_error_is_in_proportion_to_the_tolerance(method, problems):
    rtols = RTOLS[RTOLS > 1e-8] if method.order < 4 else RTOLS

    def errors_on(problem):
        @jax.jit
        def end(rtol):
            y0, ts, options = jnp.asarray(problem.y0), jnp.array([0.0, problem.t1]), {"rtol": rtol, "atol": rtol}
            return continua.solve(lambda t, y, args: problem.slope(t, y), y0, ts, method=method, **options).ys[-1]

        return [(np.abs(end(rtol) - problem.end) / (1 + np.abs(problem.end))).max() for rtol in rtols]

    errors = np.array([errors_on(problems[name]) for name in PROBLEMS])
    assert (errors < 100 * rtols).all()
    slope = np.polyfit(np.log10(rtols), np.log10(errors).mean(0), 1)[0]
    assert slope == pytest.approx(1, abs=0.15)
