"""Step control: every controller holds the tolerance, jumps are stepped to, and no unit of time matters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.equations import LotkaVolterra, VanDerPol
from continua.methods import Rodas5P
from continua.solver import PI, PID, Adaptive, Controller, H211b, I
from continua.solver import record as record_module

from .problems import apart, finite_difference

LOTKA, START, TS = LotkaVolterra(2 / 3, 4 / 3, 1.0, 1.0), jnp.array([1.0, 1.2]), jnp.linspace(0.0, 20.0, 5)
CONTROLLERS = {"I": I, "PI": PI, "PID": PID, "H211b": H211b, "own": Controller((0.7, -0.4))}


@pytest.mark.parametrize("name", CONTROLLERS)
def test_every_controller_holds_the_tolerance(name):
    exact = continua.solve(LOTKA, START, TS, rtol=1e-12, atol=1e-12).ys
    errors, steps = [], []
    for tolerance in (1e-5, 1e-7, 1e-9):
        control = Adaptive(tolerance, tolerance, CONTROLLERS[name])
        solution = continua.solve(LOTKA, START, TS, step_control=control)
        errors.append(np.abs(solution.ys - exact).max() / tolerance)
        steps.append(int(solution.stats.steps))
        assert int(solution.stats.rejected) < 0.25 * steps[-1]
    assert max(errors) < 100
    plain = [int(continua.solve(LOTKA, START, TS, rtol=r, atol=r).stats.steps) for r in (1e-5, 1e-7, 1e-9)]
    assert (np.array(steps) < 1.3 * np.array(plain)).all()


def test_filters_change_smooth_steps_less_abruptly():
    """At the edge of stability the plain controller makes steps swing; PI was made to settle them."""

    def rejected(controller):
        decay = lambda t, y, args: -200 * (y - jnp.cos(t))  # noqa: E731
        control = Adaptive(1e-4, 1e-4, controller)
        return int(continua.solve(decay, jnp.array([1.0]), jnp.array([0.0, 20.0]), step_control=control).stats.rejected)

    assert rejected(PI) < rejected(I)


def test_pages_start_with_an_empty_memory_and_give_the_same_gradient(monkeypatch):
    def loss(p, budget=512):
        control = Adaptive(1e-8, 1e-8, PI)
        return (continua.solve(LotkaVolterra(*p), START, TS, step_control=control, max_steps=budget).ys ** 2).sum()

    p = jnp.array([2 / 3, 4 / 3, 1.0, 1.0])
    assert apart(jax.jit(jax.grad(loss))(p), finite_difference(loss, p)) < 1e-4  # steps differ from one p to the next
    monkeypatch.setattr(record_module, "MOST_ROWS", 11)
    paged = lambda p: loss(p, 11 * 47)  # noqa: E731  # a budget of its own: nothing traced before is used
    assert apart(jax.jit(jax.grad(paged))(p), jax.jit(jax.jacfwd(paged))(p)) < 1e-12


@pytest.mark.parametrize("method", [None, Rodas5P()])
@pytest.mark.parametrize("sign", [1.0, pytest.param(-1.0, marks=pytest.mark.core)])
def test_a_jump_is_stepped_to(method, sign):
    """Slope 1 before the jump at 1.3, slope -2 behind it, both integrated without error."""

    def jumping(t, y, args):
        return jnp.where(sign * t < 1.3, sign, -2.0 * sign) * jnp.ones_like(y)

    ts = sign * jnp.array([0.0, 1.3, 2.0, 3.0])
    stops = sign * jnp.array([7.0, 1.3, 0.0])
    solution = continua.solve(jumping, jnp.array([0.0]), ts, tstops=stops, method=method, rtol=1e-10)
    np.testing.assert_allclose(solution.ys[:, 0], [0.0, 1.3, -0.1, -2.1], atol=1e-13)
    assert solution.stats.rejected == 0
    np.testing.assert_allclose(solution(sign * jnp.array([0.7, 1.6])), [[0.7], [0.7]], atol=1e-13)
    blind = continua.solve(jumping, jnp.array([0.0]), ts, method=method, rtol=1e-10)
    assert blind.stats.rejected > 3


def test_jumps_in_batches_and_derivatives():
    def run(rate, stop):
        forced = lambda t, y, args: rate * jnp.where(t < stop, 1.0, 0.0) - y  # noqa: E731
        return continua.solve(forced, jnp.array([0.2]), jnp.array([0.0, 1.0, 3.0]), tstops=[stop], rtol=1e-9).ys[:, 0]

    rates, stops = jnp.array([1.0, 2.0, 3.0]), jnp.array([0.5, 1.5, 9.0])
    lanes = jax.vmap(run)(rates, stops)
    alone = np.stack([run(rate, stop) for rate, stop in zip(rates, stops, strict=True)])
    assert apart(lanes, alone) < 1e-13
    charged = 0.2 * np.exp(-3.0) + rates[:2] * (np.exp(-(3.0 - stops[:2])) - np.exp(-3.0))
    np.testing.assert_allclose(lanes[:2, 2], charged, rtol=1e-8)
    gradient = jax.jit(jax.vmap(jax.grad(lambda rate, stop: run(rate, stop)[2])))(rates, stops)
    np.testing.assert_allclose(gradient[:2], np.exp(-(3.0 - stops[:2])) - np.exp(-3.0), rtol=1e-8)


def test_no_unit_of_time_matters():
    """From 1e-12 to 1e12: the same steps, but for rounding."""
    counts, ends = [], []
    for unit in (1e-12, 1.0, 1e12):
        system = lambda t, y, args: VanDerPol()(t, y, args) / args  # noqa: E731
        solution = continua.solve(system, jnp.array([2.0, 0.0]), unit * jnp.array([0.0, 10.0]), args=unit, rtol=1e-8)
        counts.append(int(solution.stats.steps))
        ends.append(solution.ys[-1])
    assert len(set(counts)) == 1
    assert apart(ends[0], ends[1]) < 1e-12
    assert apart(ends[2], ends[1]) < 1e-12


@pytest.mark.core
def test_a_late_origin_of_time_costs_single_precision_nothing():
    """At t = 1e5 a float32 resolves 0.008; steps of 1e-3 are summed all the same."""
    fast = lambda t, y, args: 100 * jnp.stack([y[1], -y[0]])  # noqa: E731
    start, span = jnp.array([1.0, 0.0], jnp.float32), jnp.array([0.0, 1.0], jnp.float32)
    early = continua.solve(fast, start, span, rtol=1e-5)
    late = continua.solve(fast, start, span + jnp.float32(1e5), rtol=1e-5)
    assert abs(int(early.stats.steps) - int(late.stats.steps)) <= 2
    np.testing.assert_allclose(late.ys[-1], early.ys[-1], atol=1e-4)
