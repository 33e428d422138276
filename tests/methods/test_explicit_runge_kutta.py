"""Every explicit method through the same invariants."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.equations import HarmonicOscillator, LotkaVolterra
from continua.methods import RK4, BogackiShampine3, DormandPrince5, Euler, Heun, Midpoint, Tsit5
from continua.solver import Fixed

METHODS = [Euler(), Heun(), Midpoint(), RK4(), BogackiShampine3(), DormandPrince5(), Tsit5()]
INTERPOLATION_ORDER = {"DormandPrince5": 4, "Tsit5": 4}

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


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
    counts = {1: [8192, 16384], 4: [128, 256], 5: [256, 512]}.get(method.order, [1024, 2048])
    errors = []
    for n in counts:
        y = continua.solve(equation, y0, ts, method=method, step_control=Fixed(10.0 / n)).ys[-1]
        errors.append(float(np.abs(np.asarray(y) - exact).max()))
    assert observed_order(errors) == pytest.approx(method.order, abs=0.1)


@every_method
def test_dense_output_has_its_order(method):
    def step(t, y, args):
        return jnp.cos(t) * y

    y0, errors = jnp.array([1.0]), []
    inner = jnp.linspace(0.0, 1.0, 9)[1:-1]
    for h in (0.05, 0.025):
        lanes = jnp.ones_like(inner)[None]
        y = method.interpolate(step, 0 * lanes, h * lanes, y0[0] * lanes, None, inner[None])
        errors.append(float(jnp.abs(y[0] - jnp.exp(jnp.sin(inner * h))).max()))
    expected = INTERPOLATION_ORDER.get(type(method).__name__, min(method.order, 3))
    assert observed_order(errors) >= expected + 1 - 0.15


@every_method
def test_tableau_is_consistent(method):
    tableau = method.tableau
    stages = len(tableau.b)
    a = np.array([[*row, *[0.0] * (stages - len(row))] for row in tableau.a])
    assert np.allclose(a.sum(1), tableau.c, atol=1e-14)
    b, c = np.array(tableau.b), np.array(tableau.c)
    for k in range(method.order):
        assert b @ c**k == pytest.approx(1 / (k + 1), abs=1e-13)
    if tableau.b_error is not None:
        assert sum(tableau.b_error) == pytest.approx(0, abs=1e-15)
    if tableau.dense is not None:
        assert np.allclose(tableau.dense.sum(1), b, atol=1e-13)


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


def test_euler_is_stable_up_to_its_limit():
    def decay(t, y, rate):
        return -rate * y

    for rate, bounded in ((19.8, True), (20.2, False)):  # |1 − 0.1 rate| < 1 up to rate 20
        y0, ts, step = jnp.array([1.0]), jnp.array([0.0, 50.0]), Fixed(0.1)
        y = continua.solve(decay, y0, ts, args=rate, method=Euler(), step_control=step).ys
        assert (abs(float(y[-1, 0])) < 1) is bounded
