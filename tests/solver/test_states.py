"""States of every kind: complex numbers, functions of the state, and those that are put back where they belong."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ArgumentError, ArgumentTypeError
from continua.methods import RK4, Method, Projected, Rodas5P, Tsit5
from continua.solver import Event, Fixed

from .problems import TS, apart

RABI = jnp.array([[0.0, 0.7], [0.7, 0.4]])  # a two-level atom, driven off resonance


def schrodinger(t, y, hamiltonian):
    return -1j * (hamiltonian.astype(y.dtype) @ y)


def population(t, y, args):
    return jnp.abs(y[1]) ** 2


@pytest.mark.parametrize("method", [pytest.param(None, marks=pytest.mark.core), Rodas5P()])
def test_complex_states(method):
    """Rabi's formula: P(t) = Ω²/Ω'² sin²(Ω't/2), with Ω = 1.4, detuning 0.4."""
    start = jnp.array([1.0 + 0j, 0.0])
    solution = continua.solve(schrodinger, start, TS, args=RABI, method=method, rtol=1e-9, atol=1e-11)
    assert solution.ys.dtype == start.dtype
    whole = np.hypot(1.4, 0.4)
    np.testing.assert_allclose(
        np.abs(solution.ys[:, 1]) ** 2, (1.4 / whole * np.sin(whole * np.asarray(TS) / 2)) ** 2, atol=1e-8
    )
    assert apart(solution(TS[3]), solution.ys[3]) < 1e-12
    half = Event(lambda t, y, args: jnp.abs(y[1]) ** 2 - 0.5, terminal=True)
    stopped = continua.solve(schrodinger, start, TS, args=RABI, method=method, rtol=1e-9, atol=1e-11, events=half)
    assert stopped.events.ts[0] == pytest.approx(2 / whole * np.arcsin(np.sqrt(0.5) * whole / 1.4), rel=1e-7)


def test_derivatives_of_complex_states_are_those_of_their_parts():
    def kept(rate):
        hamiltonian = jnp.array([[0.0, 1.0], [1.0, 0.0]]) * rate
        return continua.solve(schrodinger, jnp.array([1.0 + 0j, 0.0]), TS, args=hamiltonian, save=population).ys[-1]

    back, forth = jax.jit(lambda rate: (jax.grad(kept)(rate), jax.jvp(kept, (rate,), (1.0,))[1]))(0.3)
    assert back == pytest.approx(5 * np.sin(2 * 0.3 * 5), rel=1e-5)  # of sin²(5 rate)
    assert forth == pytest.approx(float(back), rel=1e-12)


def test_real_and_complex_parts_of_one_state():
    start = {"field": jnp.array(1.0 + 1j), "level": jnp.array([2.0, 3.0])}
    turn = lambda t, y, args: {"field": 1j * y["field"], "level": -y["level"]}  # noqa: E731
    control = {"field": 1e-9, "level": jnp.array([1e-9, 1e-8])}
    ys = continua.solve(turn, start, TS, atol=control, rtol=1e-9).ys
    assert apart(ys["field"], np.exp(1j * np.asarray(TS)) * (1 + 1j)) < 1e-7
    assert apart(ys["level"], np.exp(-np.asarray(TS))[:, None] * np.array([2.0, 3.0])) < 1e-7
    batch = jax.vmap(lambda s: continua.solve(turn, {**start, "field": s}, TS, rtol=1e-9).ys["field"])
    assert apart(batch(jnp.array([1.0 + 0j, 1j])), np.exp(1j * np.asarray(TS)) * np.array([[1.0], [1j]])) < 1e-6


def test_real_slopes_of_a_complex_state_and_the_reverse():
    with pytest.raises(ArgumentTypeError, match=r"must return real slopes for a real y0\. Got complex128"):
        continua.solve(lambda t, y, args: y.astype(complex), jnp.array([1.0]), TS)
    ys = continua.solve(lambda t, y, args: -y.real, jnp.array([1.0 + 1j]), TS, rtol=1e-9).ys
    assert apart(ys[:, 0], np.exp(-np.asarray(TS)) + 1j) < 1e-7


@pytest.mark.core
def test_a_function_of_the_state_is_kept():
    decay = lambda t, y, rate: -rate * y  # noqa: E731
    energy = lambda t, y, rate: {"energy": (y**2).sum(), "time": rate * t, "sign": y[0] > 0.5}  # noqa: E731
    full = continua.solve(decay, jnp.array([1.0, 2.0]), TS, args=0.5)
    kept = continua.solve(decay, jnp.array([1.0, 2.0]), TS, args=0.5, save=energy)
    np.testing.assert_allclose(kept.ys["energy"], (full.ys**2).sum(1), rtol=1e-13)
    np.testing.assert_allclose(kept.ys["time"], 0.5 * TS)
    np.testing.assert_array_equal(kept.ys["sign"], full.ys[:, 0] > 0.5)
    assert kept(jnp.array([1.0, 2.0]))["energy"].shape == (2,)
    gradient = jax.grad(lambda r: continua.solve(decay, jnp.array([1.0]), TS, args=r, save=energy).ys["energy"][-1])
    assert jax.jit(gradient)(0.5) == pytest.approx(-10 * np.exp(-5.0), rel=1e-4)
    with pytest.raises(ArgumentTypeError, match="`save` of `solve` must be a function"):
        continua.solve(decay, jnp.array([1.0]), TS, args=0.5, save=3)


def on_circle(t, y, args):
    return y / jnp.linalg.norm(y)


@pytest.mark.core
def test_a_projection_keeps_an_invariant_that_the_steps_lose():
    turning = lambda t, y, args: jnp.stack([y[1], -y[0]])  # noqa: E731
    options = {"step_control": Fixed(0.5)}
    ts = jnp.linspace(0.0, 50.0, 11)
    plain = continua.solve(turning, jnp.array([1.0, 0.0]), ts, method=RK4(), **options).ys
    put = continua.solve(turning, jnp.array([1.0, 0.0]), ts, method=Projected(RK4(), on_circle), **options)
    assert abs(np.linalg.norm(plain[-1]) - 1) > 1e-2
    np.testing.assert_allclose(np.linalg.norm(put.ys, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(put(jnp.linspace(0, 50, 77)), axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize("inner", [Tsit5(), RK4(), Rodas5P()])
def test_a_projected_method_keeps_its_contract(inner: Method):
    method = Projected(inner, on_circle)
    assert (method.order, method.adaptive) == (inner.order, inner.adaptive)
    turning = lambda t, y, args: args * jnp.stack([y[1], -y[0]])  # noqa: E731
    y, h, t = jnp.array([0.6, 0.8]), jnp.array(0.2), jnp.array(0.3)
    first = method.step(turning, t, h, y, 1.0, method.start(turning, t, y, 1.0))
    after = y + first.increment
    anew = method.step(turning, t + h, h, after, 1.0, method.start(turning, t + h, after, 1.0))
    cached = method.step(turning, t + h, h, after, 1.0, first.cache)
    np.testing.assert_allclose(anew.increment, cached.increment, rtol=1e-13)
    np.testing.assert_array_equal(method.step(turning, t, 0 * h, y, 1.0, None).increment, 0.0)
    ends = [
        continua.solve(turning, y, jnp.array([0.0, 2.0]), args=1.0, method=method, step_control=Fixed(2.0 / n)).ys[-1]
        for n in (20, 40)
    ]
    exact = np.array([0.6 * np.cos(2) + 0.8 * np.sin(2), 0.8 * np.cos(2) - 0.6 * np.sin(2)])
    assert np.log2(np.abs(ends[0] - exact).max() / np.abs(ends[1] - exact).max()) > inner.order - 0.3

    def end(rate):
        span = jnp.array([0.0, 2.0])
        return continua.solve(turning, y, span, args=rate, method=method, step_control=Fixed(0.1)).ys[-1, 0]

    back, forth = jax.jit(lambda rate: (jax.grad(end)(rate), jax.jvp(end, (rate,), (1.0,))[1]))(1.1)
    assert back == pytest.approx(float(forth), rel=1e-12)


def test_what_cannot_be_negative_stays_so():
    """The last reactant of a fast reaction: plain steps at a loose tolerance undershoot zero."""
    react = lambda t, y, args: jnp.stack([-50 * y[0], 50 * y[0] - jnp.sqrt(jnp.maximum(y[1], 0))])  # noqa: E731
    ts = jnp.linspace(0.0, 4.0, 81)
    options = {"rtol": 1e-2, "atol": 1e-2}
    assert continua.solve(react, jnp.array([1.0, 0.0]), ts, **options).ys.min() < -1e-4
    kept = Projected(Tsit5(), lambda t, y, args: jnp.maximum(y, 0))
    assert continua.solve(react, jnp.array([1.0, 0.0]), ts, method=kept, **options).ys.min() >= 0


def test_a_projection_must_give_a_state():
    with pytest.raises(ArgumentError, match="`projection` of `Projected` must return a state like y0"):
        continua.solve(lambda t, y, args: -y, jnp.ones(2), TS, method=Projected(Tsit5(), lambda t, y, args: y[:1]))
