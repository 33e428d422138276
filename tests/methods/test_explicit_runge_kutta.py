"""Every explicit method through the same invariants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.equations import HarmonicOscillator, LotkaVolterra
from continua.methods import (
    DOP853,
    RK4,
    RKC,
    SSPRK3,
    BogackiShampine3,
    DormandPrince5,
    Euler,
    Extragradient,
    Heun,
    Midpoint,
    Tsit5,
    Vern7,
)
from continua.solver import Fixed

from .order_conditions import residuals, square

TABLEAUX = [
    Euler(),
    Extragradient(),
    Heun(),
    Midpoint(),
    SSPRK3(),
    RK4(),
    BogackiShampine3(),
    DormandPrince5(),
    Tsit5(),
    Vern7(),
    DOP853(),
]
METHODS = [*TABLEAUX, RKC(), RKC(spectral_radius=2e4, most_stages=60)]
STEPS = {1: [8192, 16384], 4: [128, 256], 5: [256, 512], 7: [64, 128], 8: [16, 32]}  # by order; else 1024 and 2048

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
every_tableau = pytest.mark.parametrize("method", TABLEAUX, ids=lambda m: type(m).__name__)


def observed_order(errors: list[float]) -> float:
    """From errors at halved steps."""
    return float(np.log2(errors[-2] / errors[-1]))


@pytest.mark.core
@every_method
def test_observed_order_is_the_order(method):
    equation, y0, ts = LotkaVolterra(2 / 3, 4 / 3, 1.0, 1.0), jnp.array([1.0, 1.2]), jnp.array([0.0, 10.0])
    exact = solve_ivp(
        lambda t, y: [y[0] * (2 - 4 * y[1]) / 3, y[1] * (y[0] - 1)], (0, 10), [1, 1.2], "DOP853", rtol=3e-14, atol=1e-15
    ).y[:, -1]
    if method.order > 6:  # there, rounding is met before the leading term of the error rules
        equation, y0, exact = HarmonicOscillator(1.0, 0.0), jnp.array([1.0, 0.0]), np.array([np.cos(10), -np.sin(10)])
    errors = []
    for n in STEPS.get(method.order, [1024, 2048]):
        y = continua.solve(equation, y0, ts, method=method, step_control=Fixed(10.0 / n)).ys[-1]
        errors.append(float(np.abs(np.asarray(y) - exact).max()))
    assert observed_order(errors) == pytest.approx(method.order, abs=0.1)


@every_method
def test_dense_output_has_its_order(method):
    def step(t, y, args):
        return jnp.cos(t) * y

    y0, errors = jnp.array([1.0]), []
    inner = jnp.linspace(0.0, 1.0, 9)[1:-1]
    order = min(method.order, method.dense_order)
    for h in (0.05, 0.025) if order < 6 else (0.2, 0.1):
        lanes = jnp.ones_like(inner)[None]
        y = method.interpolate(step, 0 * lanes, h * lanes, y0[0] * lanes, None, inner[None])
        errors.append(float(jnp.abs(y[0] - jnp.exp(jnp.sin(inner * h))).max()))
    assert observed_order(errors) >= order + 1 - 0.15


@pytest.mark.core
@every_tableau
def test_every_order_condition_holds(method):
    """The method, its embedded ones and its dense output, by rooted trees: exactly of their orders."""
    tableau = method.tableau
    a, b = square(tableau.a), np.array(tableau.b)
    assert np.allclose(a.sum(1), tableau.c, atol=2e-14)

    def order_of(weights, theta=1.0):  # there are 286 trees of nine nodes: beyond order 8 nothing is looked at
        return next((p for p in range(8) if np.abs(residuals(weights, stages, p + 1, theta)).max() > 1e-12), 8)

    stages = a
    assert order_of(b) == method.order
    if tableau.b_error is not None:
        expected = 5 if tableau.b_error_low else method.order - 1
        assert order_of(b - np.array(tableau.b_error)) == expected
    if tableau.b_error_low is not None:
        assert order_of(b - np.array(tableau.b_error_low)) == 3
    if tableau.dense is not None:
        stages = square([*tableau.a, *tableau.a_dense])
        assert np.allclose(stages.sum(1), [*tableau.c, *tableau.c_dense], atol=2e-14)
        powers = np.arange(1, tableau.dense.shape[1] + 1)
        for theta in (0.21, 0.5, 0.83):
            assert order_of(tableau.dense @ theta**powers, theta) == method.dense_order
        assert np.allclose(tableau.dense.sum(1), np.append(b, np.zeros(len(stages) - len(b))), atol=3e-13)


@every_method
def test_zero_step_is_the_identity(method):
    y, zero = jnp.array([1.0, 0.3]), jnp.array(0.0)
    equation = HarmonicOscillator()
    step = method.step(equation, zero, zero, y, None, method.start(equation, zero, y, None))
    assert (step.increment == 0).all()
    pulled, _ = method.pullback(equation, zero, zero, y, None, jnp.array([2.0, 3.0]))
    assert (pulled == jnp.array([2.0, 3.0])).all()


@every_method
def test_the_cache_only_saves_work(method):
    equation, t, h, y = HarmonicOscillator(), jnp.array(0.0), jnp.array(0.1), jnp.array([1.0, 0.3])
    first = method.step(equation, t, h, y, None, method.start(equation, t, y, None))
    after = y + first.increment
    with_cache = method.step(equation, t + h, h, after, None, first.cache).increment
    anew = method.step(equation, t + h, h, after, None, method.start(equation, t + h, after, None)).increment
    assert jnp.allclose(with_cache, anew, rtol=1e-14, atol=1e-15)


@every_method
def test_steps_a_tree(method):
    def field(t, y, args):
        return {"x": y["v"], "v": -y["x"]}

    oscillator, tree, y = (
        HarmonicOscillator(1.0, 0.0),
        {"x": jnp.array(1.0), "v": jnp.array(0.3)},
        jnp.array([1.0, 0.3]),
    )
    t, h = jnp.array(0.0), jnp.array(0.1)
    of_tree = method.step(field, t, h, tree, None, method.start(field, t, tree, None)).increment
    flat = method.step(oscillator, t, h, y, None, method.start(oscillator, t, y, None)).increment
    assert jnp.allclose(jnp.stack([of_tree["x"], of_tree["v"]]), flat, rtol=1e-14, atol=1e-16)


@every_method
def test_steps_lanes_and_single_precision(method):
    """Lanes, each with its own step forward or backward, are their members; no constant widens a float32 state."""
    law = HarmonicOscillator(1.0, 0.1)
    states, h = jnp.array([[1.0, 1.2], [0.5, 2.0], [2.0, 0.1]]), jnp.array([0.1, -0.2, 0.0])
    in_lanes = jax.vmap(law, (None, -1, None), -1)
    field, t = lambda t, y, args: in_lanes(t[0, 0], y, args), jnp.zeros((1, 3))
    many = method.step(field, t, h[None], states.T, None, method.start(field, t, states.T, None))
    inside = method.interpolate(field, t, h[None], states.T, None, jnp.full((1, 3), 0.3))
    for i, (y, step) in enumerate(zip(states, h, strict=True)):
        zero = jnp.array(0.0)
        one = method.step(law, zero, step, y, None, method.start(law, zero, y, None))
        np.testing.assert_allclose(many.increment[:, i], one.increment, rtol=1e-12, atol=1e-16)
        if one.error is not None:
            np.testing.assert_allclose(many.error[:, i], one.error, rtol=1e-6, atol=1e-15)
        np.testing.assert_allclose(
            inside[:, i], method.interpolate(law, zero, step, y, None, jnp.array(0.3)), rtol=1e-12
        )
    single = [jnp.asarray(x, jnp.float32) for x in (0.0, 0.1, states[0])]
    narrow = HarmonicOscillator(jnp.float32(1.0), jnp.float32(0.1))
    found = jax.eval_shape(
        lambda t, h, y: method.step(narrow, t, h, y, None, method.start(narrow, t, y, None)), *single
    )
    assert {x.dtype for x in jax.tree.leaves(found)} == {jnp.dtype(jnp.float32)}


@every_method
def test_the_pullback_is_the_transposed_step(method):
    """⟨λ, Φ' (δy, δk)⟩ = ⟨Φ'ᵀ λ, (δy, δk)⟩, for the step and for its dense output."""

    def field(t, y, k):
        return jnp.stack([y[0] * (k - y[1]) + jnp.sin(3 * t), y[1] * (y[0] - k * k)])

    t, h, y, k = (jnp.array(x) for x in (0.2, 0.3, [1.0, 1.2], 0.9))
    direction, cotangent = (jnp.array([0.3, -0.7]), jnp.array(0.4)), jnp.array([1.1, 0.6])

    def inside(y, k):
        return method.interpolate(field, t, h, y, k, jnp.array(0.4))

    _, along = jax.jvp(lambda y, k: method.advance(field, t, h, y, k), (y, k), direction)
    back = method.pullback(field, t, h, y, k, cotangent)
    assert float(back[0] @ direction[0] + back[1] * direction[1]) == pytest.approx(float(cotangent @ along), rel=1e-12)
    _, along = jax.jvp(inside, (y, k), direction)
    back = jax.vjp(inside, y, k)[1](cotangent)
    assert float(back[0] @ direction[0] + back[1] * direction[1]) == pytest.approx(float(cotangent @ along), rel=1e-12)


def test_euler_is_stable_up_to_its_limit():
    def decay(t, y, rate):
        return -rate * y

    for rate, bounded in ((19.8, True), (20.2, False)):  # |1 − 0.1 rate| < 1 up to rate 20
        y0, ts, step = jnp.array([1.0]), jnp.array([0.0, 50.0]), Fixed(0.1)
        y = continua.solve(decay, y0, ts, args=rate, method=Euler(), step_control=step).ys
        assert (abs(float(y[-1, 0])) < 1) is bounded


def test_the_estimate_of_two_orders():
    """DOP853's: of order 8, at least what the norms of both parts give, zero without NaN, never hiding one."""
    method, y, zero = DOP853(), jnp.array([1.0, 0.3]), jnp.array(0.0)

    def error(h, field=HarmonicOscillator(1.0, 0.2)):  # noqa: B008
        return np.asarray(method.step(field, zero, jnp.array(h), y, None, method.start(field, zero, y, None)).error)

    assert observed_order([np.linalg.norm(error(h)) for h in (0.4, 0.2)]) == pytest.approx(8, abs=0.1)
    slopes = np.array(method._slopes(HarmonicOscillator(1.0, 0.2), zero, jnp.array(0.4), y, None, None))
    high, low = (
        0.4 * np.linalg.norm(np.array(b) @ slopes) for b in (method.tableau.b_error, method.tableau.b_error_low)
    )
    of_norms = high**2 / np.hypot(high, low / 10)
    assert of_norms <= np.linalg.norm(error(0.4)) < 3 * of_norms
    assert (error(0.4, lambda t, y, args: 0 * y) == 0).all()
    assert not np.isfinite(error(0.4, lambda t, y, args: jnp.where(t > 0.3, jnp.nan, -y))).any()


def absolute_monotonicity(tableau):
    """The largest r with (I + rK)⁻¹ ≥ 0 in the sense of Kraaijevanger, BIT 31 (1991) 482–528; K has a and b as rows."""
    stages = len(tableau.b)
    matrix = np.zeros((stages + 1, stages + 1))
    matrix[:stages, :stages], matrix[stages, :stages] = square(tableau.a), tableau.b

    def holds(r):
        inverse = np.linalg.inv(np.eye(stages + 1) + r * matrix)
        return (matrix @ inverse > -1e-12).all() and (r * (matrix @ inverse).sum(1) < 1 + 1e-12).all()

    radii = np.linspace(0, 3, 3001)
    return max(r for r in radii if holds(r))


def test_the_ssp_coefficient_is_that_of_the_tableau():
    assert absolute_monotonicity(SSPRK3.tableau) == pytest.approx(SSPRK3.ssp_coefficient, abs=2e-3)
    assert absolute_monotonicity(Euler.tableau) == pytest.approx(1, abs=2e-3)
    assert absolute_monotonicity(RK4.tableau) == 0


def test_total_variation_does_not_grow_on_upwind_advection():
    """A box carried around by upwind differences: at CFL 1, the coefficient times Euler's limit, and beyond it."""
    cells = 64
    box = jnp.where(jnp.arange(cells) < cells // 3, 1.0, 0.0)

    def upwind(t, y, args):
        return cells * (jnp.roll(y, 1) - y)

    def variations(cfl):
        step = jax.jit(lambda y: SSPRK3().advance(upwind, jnp.array(0.0), jnp.array(cfl / cells), y, None))
        found, y = [], box
        for _ in range(cells):
            found.append(float(jnp.abs(jnp.diff(y, append=y[:1])).sum()))
            y = step(y)
        return np.array(found)

    assert np.diff(variations(SSPRK3.ssp_coefficient)).max() < 1e-13
    assert np.diff(variations(1.05 * SSPRK3.ssp_coefficient)).max() > 1e-3
