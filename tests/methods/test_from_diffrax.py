"""A solver of diffrax takes the steps of ours, and has our derivatives."""

import builtins
import math

import diffrax
import jax
import jax.numpy as jnp
import pytest

from continua import solve, solve_ensemble
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import LotkaVolterra
from continua.methods import FromDiffrax, Tsit5
from continua.solver import Event, Fixed

TS, START = jnp.linspace(0.0, 5.0, 6), jnp.array([1.0, 2.0])
OPTIONS = {"rtol": 1e-8, "atol": 1e-8}


def test_without_diffrax_one_line_says_so(monkeypatch):
    original = builtins.__import__

    def without(name, *rest, **named):
        if name == "diffrax":
            raise ImportError(name)
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ArgumentError, match=r"`FromDiffrax` needs diffrax.* Use pip install diffrax"):
        FromDiffrax(None)


def test_the_same_pair_takes_the_same_steps_and_has_the_same_gradient():
    def both(method):
        def value(y0):
            solution = solve(LotkaVolterra(), y0, TS, method=method, **OPTIONS)
            return (solution.ys**2).sum(), solution.stats.steps

        return jax.jit(jax.value_and_grad(value, has_aux=True))

    ours, theirs = both(Tsit5()), both(FromDiffrax(diffrax.Tsit5()))
    ((value, steps), slope), ((same, count), gradient) = ours(START), theirs(START)
    assert int(steps) == int(count)
    assert float(same) == pytest.approx(float(value), rel=1e-12)
    assert jnp.allclose(gradient, slope, rtol=1e-11)
    batch = jax.jit(jax.vmap(theirs))(jnp.stack([1.1 * START, START]))
    assert jnp.allclose(batch[1][1], slope, rtol=1e-11)


def test_an_ensemble_and_a_large_batch_are_a_loop_of_solve():
    """JAX maps the solver: its steps know no lanes."""
    starts = START[None] * jnp.linspace(0.8, 1.2, 5)[:, None]
    how = {"method": FromDiffrax(diffrax.Heun()), "step_control": Fixed(0.25)}

    def one(y0):
        return (solve(LotkaVolterra(), y0, TS, **how).ys ** 2).sum()

    def together(y0):
        return (solve_ensemble(LotkaVolterra(), y0, TS, lanes=2, **how).ys ** 2).sum()

    values, slopes = jax.jit(lambda y0: jax.lax.map(jax.value_and_grad(one), y0))(starts)
    value, gradient = jax.jit(jax.value_and_grad(together))(starts)
    assert float(value) == pytest.approx(float(values.sum()), rel=1e-13)
    assert jnp.allclose(gradient, slopes, rtol=1e-12)
    large = jax.jit(jax.vmap(jax.grad(one)))(jnp.tile(starts, (100, 1)))
    assert jnp.allclose(large, jnp.tile(slopes, (100, 1)), rtol=1e-12)


def test_an_implicit_solver_an_event_and_forward_mode():
    def fall(rate):
        event = Event(lambda t, y, args: y[0] - 0.5, terminal=True)
        method = FromDiffrax(diffrax.Kvaerno3())
        found = solve(
            lambda t, y, k: -k * y,
            jnp.ones(1),
            jnp.array([0.0, 9.0]),
            args=rate,
            method=method,
            events=event,
            **OPTIONS,
        )
        return found.events.ts[0]

    time, slope = jax.jit(lambda k: jax.jvp(fall, (k,), (1.0,)))(2.0)
    assert float(time) == pytest.approx(math.log(2) / 2, rel=1e-7)
    assert float(slope) == pytest.approx(-math.log(2) / 4, rel=1e-6)


def test_what_cannot_stand_for_a_method_is_refused():
    with pytest.raises(ArgumentTypeError, match=r"must be a solver of diffrax. Got Tsit5"):
        FromDiffrax(Tsit5())
    with pytest.raises(ArgumentError, match=r"must solve one ODETerm. Got KenCarp4\(\)"):
        FromDiffrax(diffrax.KenCarp4())
    with pytest.raises(ArgumentError, match=r"must start anew in every step. Got LeapfrogMidpoint"):
        FromDiffrax(diffrax.LeapfrogMidpoint())
