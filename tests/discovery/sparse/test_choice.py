"""Free runs, and the choice among libraries."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from continua.discovery.sparse import Library, Trajectory, best_law, reproduction, simulate, sparse_law

from .records import noisy, oscillator, solved, supports

TIMES = np.linspace(0.0, 12.0, 121)


def test_a_free_run_is_the_solution_of_the_law():
    record = (TIMES, noisy(solved(oscillator, [2.0, 0.0], TIMES), 0.02, 0))
    law = sparse_law([record], Library.polynomial(("x", "y"), degree=1))
    matrix = law.coefficients[:, 1:]
    start = np.array([1.0, -1.0])
    expected = solved(lambda _, s: matrix @ s + law.coefficients[:, 0], start, TIMES)
    np.testing.assert_allclose(simulate(law, record, start), expected, atol=1e-4)
    assert reproduction(law, [record]) > 0.99


def test_a_run_that_diverges_is_none():
    t = np.linspace(0.0, 0.9, 60)
    law = sparse_law([(t, 1 / (1 - t)[:, None])], Library.polynomial(("x",), degree=2))
    assert supports(law.terms) == {"x": {"x**2"}}
    assert simulate(law, (np.linspace(0.0, 2.0, 60), np.ones((60, 1)))) is None


@pytest.mark.parametrize("held", [False, True])
def test_a_free_run_takes_its_inputs(held):
    times = np.linspace(0.0, 10.0, 51)
    u = np.sin(times)[:, None]
    clean = solve_ivp(
        lambda t, s: [-s[0] + (u[min(int(t / 0.2 + 1e-9), 50), 0] if held else np.interp(t, times, u[:, 0]))],
        (0.0, 10.0), [1.0], t_eval=times, rtol=1e-8, atol=1e-8, max_step=0.01,
    ).y.T  # fmt: skip
    piece = Trajectory(times, clean, u, held)
    law = sparse_law([piece], Library.polynomial(("x",), degree=1, inputs=("u",)))
    np.testing.assert_allclose(simulate(law, piece), clean, atol=2e-3)


def test_the_library_that_has_the_law_is_chosen():
    times = np.linspace(0.0, 12.0, 121)
    pendulum = solved(lambda _, s: [s[1], -np.sin(s[0])], [2.8, 0.0], times)
    names = ("angle", "rate")
    libraries = [Library.polynomial(names, 1, trigonometric=waves) for waves in (False, True)]
    found = best_law([(times, noisy(pendulum, 0.02, 0))], libraries)
    assert supports(found.law.terms) == {"angle": {"rate"}, "rate": {"sin(angle)"}}
    assert found.reproduction > 0.95


def test_no_law_is_none():
    assert best_law([(np.zeros(1), np.zeros((1, 1)))], [Library.polynomial(("x",), 1)]) is None
