"""Runge–Kutta–Chebyshev: the polynomials of its stages, diffusion that it was made for, and exact derivatives of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ArgumentError
from continua.methods import RKC, Tsit5
from continua.methods.power_iteration import spectral_radius
from continua.methods.rkc import STAGES, coefficients, reach
from continua.solver import Fixed

POINTS = 200
GRID = np.arange(1, POINTS + 1) / (POINTS + 1)
RATE = 4 * (POINTS + 1) ** 2  # 4 D/Δx² for D = 1
START = jnp.asarray(np.sin(np.pi * GRID) + np.where(GRID < 0.5, GRID, 0))
END = 0.1


def heat(t, y, diffusivity):
    """Diffusion on a line between cold ends."""
    padded = jnp.pad(y, 1)
    return diffusivity * (POINTS + 1) ** 2 * (padded[2:] - 2 * y + padded[:-2])


def heated(y, duration):
    """The closed form, by the sine modes of the difference operator."""
    modes = np.arange(1, POINTS + 1)
    sines = np.sin(np.pi * np.outer(GRID, modes))
    decay = np.exp(-RATE * np.sin(np.pi * modes / 2 / (POINTS + 1)) ** 2 * duration)
    return 2 / (POINTS + 1) * sines @ (decay * (sines.T @ np.asarray(y)))


def end(y, diffusivity, rtol=1e-4, method=RKC()):  # noqa: B008
    """The temperatures at the end."""
    return continua.solve(heat, y, jnp.array([0.0, END]), args=diffusivity, method=method, rtol=rtol, atol=rtol).ys[-1]


def polynomial(stages, z):
    """What a step makes of y' = λ y at z = h λ."""
    rows = coefficients(stages)
    before, now = 0 * z, rows[0, 3] * z
    for _, mu, nu, own, whole in rows[1:]:
        before, now = now, mu * now + nu * before + z * (own * (1 + now) + whole)
    return 1 + now


@pytest.mark.core
@pytest.mark.parametrize("stages", STAGES)
def test_every_number_of_stages_is_stable_as_far_as_it_says(stages):
    """|P| ≤ 1 up to β = 0.65 s² and hardly further, damped to 0.96 inside; P = exp to the second order."""
    far = reach(stages)
    assert far == pytest.approx(2 / 3 * (stages**2 - 1) * (1 - 2 / 15 * 2 / 13), rel=0.02)
    inside = polynomial(stages, -np.linspace(0, far, 5001))
    assert np.abs(inside).max() < 1 + 1e-9
    assert stages < 4 or np.abs(inside[len(inside) // 3 : -100]).max() < 0.96
    assert np.abs(polynomial(stages, -far * np.linspace(1, 1.3 + 1 / stages, 100))).max() > 1
    h = np.array([1e-2, 5e-3])
    assert np.log2(np.divide(*(polynomial(stages, h) - np.exp(h)))) == pytest.approx(3, abs=0.1)


def test_stages_grow_with_the_step_and_no_more_than_needed():
    method, h = RKC(spectral_radius=100.0), jnp.geomspace(1e-3, 1e2, 60)
    table, sizes = method._ladder()
    found = sizes[jax.vmap(lambda h: method._level(heat, jnp.array(0.0), h, START, 1.0))(h)]
    enough = [next(s for s in STAGES if 100 * x <= reach(s)) for x in np.asarray(h)]
    assert list(found) == enough
    assert [int((rows[:, 3] != 0).sum()) for rows in table] == list(STAGES)


def test_the_estimated_spectral_radius_is_close_and_below():
    found = float(spectral_radius(heat, jnp.array(0.0), START, 1.0))
    assert 0.9 * RATE < found <= RATE * (1 + 1e-12)
    swing = spectral_radius(lambda t, y, args: jnp.stack([9 * y[1], -4 * y[0]]), jnp.array(0.0), jnp.ones(2), None)
    assert 6 <= swing <= 9 + 1e-12
    lanes = jnp.stack([START, 2 * START], 1)
    each = jax.vmap(heat, (None, -1, -1), -1)
    both = spectral_radius(lambda t, y, k: each(t[0, 0], y, k), jnp.zeros((1, 2)), lanes, jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(both, [[found, 2 * found]], rtol=1e-12)


def test_diffusion_takes_few_steps_and_the_tolerance_says_how_exact():
    exact = heated(START, END)
    errors = []
    for rtol in (1e-3, 1e-5):
        solution = continua.solve(heat, START, jnp.array([0.0, END]), args=1.0, method=RKC(), rtol=rtol, atol=rtol)
        errors.append(np.abs(solution.ys[-1] - exact).max())
        assert int(solution.stats.steps) < 150
        assert int(solution.stats.nfe) == -1
    assert errors[0] < 2e-3
    assert errors[1] < 1e-4
    options = {"args": 1.0, "rtol": 1e-3, "atol": 1e-3, "max_steps": 2000, "throw": False}
    explicit = continua.solve(heat, START, jnp.array([0.0, END]), method=Tsit5(), **options)
    assert explicit.status == continua.Status.STIFF


def test_a_bound_of_ones_own_gives_nearly_the_same():
    np.testing.assert_allclose(end(START, 1.0, method=RKC(spectral_radius=RATE)), end(START, 1.0), atol=5e-5)


def test_derivatives_agree_with_differences():
    weights = jnp.cos(7 * jnp.asarray(GRID))

    @jax.jit
    def fixed(k):
        ts, method, control = jnp.array([0.0, 0.02, 0.05]), RKC(spectral_radius=1.1 * RATE), Fixed(0.015)
        return continua.solve(heat, START, ts, args=k, method=method, step_control=control).ys[1:] @ weights

    # The stages' polynomials bend sharply in k: a larger difference would not be exact enough.
    np.testing.assert_allclose(jax.jit(jax.jacrev(fixed))(1.0), (fixed(1 + 2e-6) - fixed(1 - 2e-6)) / 4e-6, rtol=1e-7)


def test_a_batch_is_its_members():
    rates = jnp.array([0.05, 0.3, 1.0])
    np.testing.assert_allclose(
        jax.vmap(lambda k: end(START, k))(rates), jnp.stack([end(START, k) for k in rates]), rtol=1e-10
    )


def test_single_precision_keeps_its_type():
    found = end(START.astype(jnp.float32), jnp.float32(1.0), 1e-3)
    assert found.dtype == jnp.float32
    assert np.abs(np.asarray(found) - heated(START, END)).max() < 2e-3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spectral_radius": -1.0}, "Got -1.0"),
        ({"spectral_radius": float("inf")}, "Got inf"),
        ({"most_stages": 1}, "from 2 to 200"),
        ({"most_stages": 999}, "Got 999"),
    ],
)
def test_bad_input_is_answered_in_one_line(options, words):
    with pytest.raises(ArgumentError, match=words):
        RKC(**options)
