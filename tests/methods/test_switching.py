"""Explicit where the equation is mild, implicit where it is stiff: by its own steps, under every transformation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.equations import LotkaVolterra, Robertson
from continua.methods import Rodas5P, Switching, Tsit5

MILD_AND_STIFF = jnp.array([0.5, 5.0, 50.0, 1000.0])
TS = jnp.linspace(0.0, 50.0, 5)


def van_der_pol(t, y, mu):
    return jnp.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])


def swung(mu, method=None):
    """y [time] of Van der Pol's oscillator."""
    start = jnp.array([2.0, 0.0])
    return continua.solve(van_der_pol, start, TS, args=mu, method=method, rtol=1e-6, atol=1e-8, throw=False)


def loss(mu, method=None):
    return (swung(mu, method).ys ** 2).sum()


SOLVED, SLOPE = jax.jit(swung), jax.jit(jax.value_and_grad(loss))


def remembered(stiff, attempts, reach):
    """How the memory is behind one more attempt, and how it changes by one of no length: one lane a reach of |h| ρ."""
    memory = jnp.stack([jnp.full(len(reach), x) for x in (stiff, attempts, attempts, 16.0)])
    h = jnp.ones((1, len(reach)))

    def after(h):
        decay = lambda t, y, rate: -rate * y  # noqa: E731
        return Switching().remember(decay, 0 * h, h, jnp.ones_like(h), jnp.array([reach]), memory)

    return after(h), after(0 * h) - memory


@pytest.mark.core
def test_the_decision_is_made_by_how_far_a_step_reaches():
    """Above 2 it turns stiff, below 1 mild, between it stays; no length, no change; and no glance before its turn."""
    reach = [0.5, 1.5, 2.5]
    for stiff, expected in ((0.0, [0, 0, 1]), (1.0, [0, 1, 1])):
        after, still = remembered(stiff, 15.0, reach)
        np.testing.assert_array_equal(after[0], expected)
        np.testing.assert_array_equal(after[1:3], 0)
        np.testing.assert_array_equal(still, 0)
        early, _ = remembered(stiff, 3.0, reach)
        np.testing.assert_array_equal(early[:3], [[stiff] * 3, [4] * 3, [4] * 3])
    assert list(remembered(0.0, 15.0, reach)[0][3]) == [32, 32, 16]


@pytest.mark.core
def test_an_equation_that_is_not_stiff_takes_the_steps_of_the_explicit_method():
    ways = [
        jax.jit(lambda y, m=m: continua.solve(LotkaVolterra(), y, [0.0, 30.0], method=m, rtol=1e-8))
        for m in (None, Tsit5())
    ]
    one, other = (way(jnp.array([1.0, 1.2])) for way in ways)
    assert isinstance(one.question.method, Switching)
    assert int(one.stats.steps) == int(other.stats.steps) > 100
    np.testing.assert_allclose(one.ys, other.ys, rtol=1e-12)


def test_robertson_takes_hardly_more_steps_than_by_the_stiff_method_alone():
    def solved(method):
        start = jnp.array([1.0, 0.0, 0.0])
        how = {"method": method, "throw": False}
        return jax.jit(lambda rtol: continua.solve(Robertson(), start, [0.0, 1e5], rtol=rtol, atol=1e-3 * rtol, **how))

    switching, alone = solved(None), solved(Rodas5P())
    for rtol in (1e-6, 1e-9):
        one, other = switching(rtol), alone(rtol)
        assert int(one.stats.steps) < 1.5 * int(other.stats.steps)
        np.testing.assert_allclose(one.ys[-1], other.ys[-1], rtol=10 * rtol)


def test_relaxation_goes_back_and_forth():
    """Each period of Van der Pol's oscillator has two slow branches, which are stiff, and two jumps, which are not."""
    seen = []

    def telling(method):
        class Telling(type(method)):
            def step(self, equation, t, h, y, args, cache):
                jax.debug.callback(lambda t: seen.append((float(t[0]), type(method).__name__)), t)
                return super().step(equation, t, h, y, args, cache)

        return Telling()

    method = Switching(telling(Tsit5()), telling(Rodas5P()))
    found = jax.jit(
        lambda y: continua.solve(van_der_pol, y, [0.0, 4000.0], args=1000.0, method=method, rtol=1e-6, atol=1e-9)
    )(jnp.array([2.0, 0.0]))
    jax.effects_barrier()
    assert len(seen) == found.stats.steps
    turns = [name for (_, before), (_, name) in zip(sorted(seen), sorted(seen)[1:], strict=False) if name != before]
    assert turns[:5] == ["Rodas5P", "Tsit5", "Rodas5P", "Tsit5", "Rodas5P"]
    assert {name for time, name in seen if 100 < time < 700} == {"Rodas5P"}


def test_gradients_under_jit_are_those_of_the_steps():
    """Forward and reverse to the last digits; to the tolerance those by the stiff method alone."""
    mu = MILD_AND_STIFF[2]
    _, reverse = SLOPE(mu)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(loss))(mu), reverse, rtol=1e-10)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda mu: loss(mu, Rodas5P())))(mu), reverse, rtol=1e-3)


@pytest.mark.core
def test_mild_and_stiff_members_of_a_batch_are_as_alone():
    alone = [SOLVED(mu) for mu in MILD_AND_STIFF]
    together = jax.jit(jax.vmap(swung))(MILD_AND_STIFF)
    np.testing.assert_array_equal(together.stats.steps, [one.stats.steps for one in alone])
    np.testing.assert_allclose(together.ys, [one.ys for one in alone], rtol=1e-9, atol=1e-12)
    assert int(together.stats.steps[-1]) < 100  # explicit steps alone would be tens of thousands


def test_gradients_of_a_batch_are_those_of_its_members():
    alone = [SLOPE(mu)[1] for mu in MILD_AND_STIFF]
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(loss)))(MILD_AND_STIFF), alone, rtol=1e-8)


def test_single_precision():
    start = jnp.array([1.0, 0.0, 0.0], jnp.float32)
    ts = jnp.array([0.0, 1e4], jnp.float32)
    found = jax.jit(lambda y: continua.solve(Robertson(), y, ts, rtol=1e-4, atol=1e-8))(start)
    exact = continua.solve(Robertson(), jnp.array([1.0, 0.0, 0.0]), [0.0, 1e4], method=Rodas5P(), rtol=1e-9)
    assert found.ys.dtype == jnp.float32
    assert int(found.stats.steps) < 200
    np.testing.assert_allclose(found.ys[-1], exact.ys[-1], rtol=2e-3)
