"""Rosenbrock methods: order, stability, stiff problems with known solutions, and exact derivatives through them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua.equations import HarmonicOscillator, Robertson, VanDerPol
from continua.methods import Rodas5P, Tsit5
from continua.solver import Fixed

METHOD = Rodas5P()


def driven(t, y, args):
    """Nonlinear, and its time enters by itself."""
    return jnp.stack([y[0] * (2 - 4 * y[1]) / 3 + jnp.sin(3 * t), y[1] * (y[0] - 1)])


def order_of(errors):
    return np.log2(np.asarray(errors[:-1]) / np.asarray(errors[1:]))


def test_observed_order_is_five():
    slope = lambda t, y: [y[0] * (2 - 4 * y[1]) / 3 + np.sin(3 * t), y[1] * (y[0] - 1)]  # noqa: E731
    exact = solve_ivp(slope, (0, 10), [1, 1.2], "DOP853", rtol=3e-14, atol=1e-15).y[:, -1]
    errors = []
    for count in (256, 512):
        control = Fixed(10.0 / count)
        y = continua.solve(
            driven, jnp.array([1.0, 1.2]), jnp.array([0.0, 10.0]), method=METHOD, step_control=control
        ).ys
        errors.append(float(np.abs(np.asarray(y[-1]) - exact).max()))
    assert order_of(errors)[0] == pytest.approx(5, abs=0.15)


def test_dense_output_has_order_four():
    inner, errors = jnp.linspace(0.0, 1.0, 9)[1:-1], []
    for h in (0.05, 0.025):
        lanes = jnp.ones_like(inner)[None]
        y = METHOD.interpolate(lambda t, y, args: jnp.cos(t) * y, 0 * lanes, h * lanes, lanes, None, inner[None])
        errors.append(float(jnp.abs(y[0] - jnp.exp(jnp.sin(inner * h))).max()))
    assert order_of(errors)[0] >= 5 - 0.2


def test_dense_output_meets_both_ends():
    t, h, y = jnp.array(0.2), jnp.array(0.1), jnp.array([1.0, 1.2])
    for theta, expected in ((0.0, y), (1.0, METHOD.advance(driven, t, h, y, None))):
        found = METHOD.interpolate(driven, t, h, y, None, jnp.array(theta))
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_fast_decay_is_gone_after_one_step():
    """L-stability: R(z) → 0 as z → −∞, and |R| ≤ 1 on the way."""
    for rate in (1.0, 1e2, 1e4, 1e8):
        step = METHOD.advance(lambda t, y, k: -k * y, jnp.zeros(()), jnp.ones(()), jnp.ones(1), rate)
        assert abs(float(step[0])) < max(np.exp(-rate) + 1e-3, 30 / rate)


def test_no_order_is_lost_on_prothero_and_robinsons_problem():
    """y' = −10⁶ (y − sin t) + cos t: the error falls as it does without stiffness, or nearly so."""
    errors = []
    for count in (10, 20, 40):
        y = continua.solve(
            lambda t, y, k: -k * (y - jnp.sin(t)) + jnp.cos(t),
            jnp.zeros(1),
            jnp.array([0.0, 2.0]),
            args=1e6,
            method=METHOD,
            step_control=Fixed(2.0 / count),
        ).ys
        errors.append(abs(float(y[-1, 0]) - np.sin(2.0)))
    assert max(errors) < 1e-8
    assert order_of(errors).min() > 3


def test_zero_step_is_the_identity():
    y, zero, law = jnp.array([1.0, 0.3]), jnp.array(0.0), HarmonicOscillator()
    assert (METHOD.step(law, zero, zero, y, None, None).increment == 0).all()
    pulled, _ = METHOD.pullback(law, zero, zero, y, None, jnp.array([2.0, 3.0]))
    np.testing.assert_allclose(pulled, [2.0, 3.0], rtol=1e-14)


def test_steps_a_tree_and_lanes_alike():
    t, h = jnp.array(0.3), jnp.array(0.1)
    states = jnp.array([[1.0, 1.2], [0.5, 2.0], [2.0, 0.1]])
    tree = lambda t, y, args: dict(zip("ab", driven(t, jnp.stack([y["a"], y["b"]]), args), strict=True))  # noqa: E731
    one = [METHOD.step(driven, t, h, y, None, None) for y in states]
    lanes = jnp.ones((1, 3))
    in_lanes = jax.vmap(driven, (0, -1, None), -1)
    many = METHOD.step(lambda t, y, args: in_lanes(t[0], y, args), t * lanes, h * lanes, states.T, None, None)
    np.testing.assert_allclose(many.increment.T, jnp.stack([s.increment for s in one]), rtol=1e-12)
    np.testing.assert_allclose(many.error.T, jnp.stack([s.error for s in one]), rtol=1e-6, atol=1e-15)
    of_tree = METHOD.step(tree, t, h, {"a": states[0, 0], "b": states[0, 1]}, None, None).increment
    np.testing.assert_allclose(jnp.stack([of_tree["a"], of_tree["b"]]), one[0].increment, rtol=1e-13)


def test_robertsons_reactions_over_eleven_decades():
    """Published: y = (2.0833e-8, 8.3334e-14, 1) at t = 1e11; and scipy's Radau on the way."""
    ts, law = np.array([0.0, 0.4, 40.0, 4e3, 1e11]), Robertson()
    solution = continua.solve(law, jnp.array([1.0, 0.0, 0.0]), ts, method=METHOD, rtol=1e-9, atol=1e-16)
    k = [float(x) for x in (law.k1, law.k2, law.k3)]

    def slope(t, y):
        first, second, third = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
        return [third - first, first - third - second, second]

    radau = solve_ivp(slope, (0, 4e3), [1.0, 0, 0], "Radau", t_eval=ts[1:4], rtol=1e-11, atol=1e-16).y.T
    np.testing.assert_allclose(solution.ys[1:4], radau, rtol=1e-7)
    published = [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]
    np.testing.assert_allclose(solution.ys[4], published, rtol=1e-6)
    np.testing.assert_allclose(solution.ys.sum(1), 1.0, rtol=1e-12)
    assert int(solution.stats.steps) < 2000


def test_it_takes_the_steps_that_accuracy_asks_for_alone():
    """Van der Pol with μ = 1000: an explicit method needs hundreds of times more."""
    ts, y0, law = jnp.array([0.0, 800.0]), jnp.array([2.0, 0.0]), VanDerPol(mu=1000.0)
    stiff = continua.solve(law, y0, ts, method=METHOD, rtol=1e-6, atol=1e-6)
    slope = lambda t, y: [y[1], 1000 * (1 - y[0] ** 2) * y[1] - y[0]]  # noqa: E731
    exact = solve_ivp(slope, (0, 800), [2, 0], "Radau", rtol=1e-10, atol=1e-10).y[:, -1]
    np.testing.assert_allclose(stiff.ys[-1], exact, rtol=1e-4)
    explicit = continua.solve(law, y0, ts, method=Tsit5(), rtol=1e-6, atol=1e-6, max_steps=20_000, throw=False)
    assert int(stiff.stats.steps) < 400
    assert explicit.status == continua.Status.STIFF


def end(p):
    """Robertson's states at two times, of a size, with its parameters times p."""
    law, ts = Robertson(*(p * jnp.array([0.04, 3e7, 1e4]))), jnp.array([0.0, 1.0, 100.0])
    y0, tolerances = jnp.array([1.0, 0.0, 0.0]), {"rtol": 1e-8, "atol": 1e-12, "max_steps": 256}
    return continua.solve(law, y0, ts, method=METHOD, **tolerances).ys[1:] * jnp.array([[1.0, 1e4, 1.0]])


def test_derivatives_agree_with_each_other_and_with_differences():
    p, step = jnp.ones(3), 1e-4
    forward = jax.jacfwd(end)(p)
    np.testing.assert_allclose(jax.jacrev(end)(p), forward, rtol=1e-8, atol=1e-10)
    for i in range(3):
        moved = step * jnp.eye(3)[i]
        np.testing.assert_allclose(
            (end(p + moved) - end(p - moved)) / (2 * step), forward[..., i], rtol=1e-4, atol=1e-7
        )


def test_a_batch_is_its_members():
    ps = 1 + 0.1 * jnp.arange(3.0)[:, None] * jnp.array([[1.0, -0.5, 0.3]])
    np.testing.assert_allclose(jax.vmap(end)(ps), jnp.stack([end(p) for p in ps]), rtol=1e-10, atol=1e-14)
    gradient = jax.grad(lambda p: (end(p) ** 2).sum())
    np.testing.assert_allclose(jax.vmap(gradient)(ps), jnp.stack([gradient(p) for p in ps]), rtol=1e-8, atol=1e-10)


def test_single_precision_keeps_its_type():
    y0, ts = jnp.array([1.0, 0.0, 0.0], jnp.float32), jnp.array([0.0, 10.0], jnp.float32)
    law = Robertson(*(jnp.asarray(k, jnp.float32) for k in (0.04, 3e7, 1e4)))
    found = continua.solve(law, y0, ts, method=METHOD, rtol=1e-4, atol=1e-8)
    assert found.ys.dtype == jnp.float32
    exact = continua.solve(Robertson(), y0.astype(float), ts.astype(float), method=METHOD, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.ys[-1], exact.ys[-1], rtol=1e-3)
