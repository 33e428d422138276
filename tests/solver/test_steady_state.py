"""Steady states: the roots of the slope that trajectories come to, with implicit derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import FailedSolve
from continua.methods import Tsit5
from continua.solver import steady_state

from .problems import apart, finite_difference


def reactor(t, y, args):
    """A ⇌ B with an inflow of A and an outflow of both, rates far apart."""
    forth, back, flow, supply = args
    a, b = y["a"], y["b"]
    return {"a": flow * (supply - a) - forth * a + back * b, "b": forth * a - back * b - flow * b}


def closed_form(args):
    forth, back, flow, supply = args
    a = supply * (back + flow) / (forth + back + flow)
    return np.array([a, supply - a])


ARGS = jnp.array([1e3, 2e2, 0.1, 5.0])
EMPTY = {"a": jnp.array(0.0), "b": jnp.array(0.0)}


def at_rest(args):
    y = steady_state(reactor, EMPTY, args=args).y
    return jnp.stack([y["a"], y["b"]])


def test_it_is_the_root_and_its_derivatives_are_implicit():
    np.testing.assert_allclose(at_rest(ARGS), closed_form(np.asarray(ARGS)), rtol=1e-13)
    exact = finite_difference(closed_form, ARGS, 1e-6)
    backward, forward = jax.jit(jax.jacrev(at_rest))(ARGS), jax.jit(jax.jacfwd(at_rest))(ARGS)
    assert apart(backward, exact) < 1e-7
    assert apart(forward, backward) < 1e-12
    second = jax.jit(jax.hessian(lambda flow: at_rest(ARGS.at[2].set(flow))[0]))(0.1)
    around = [closed_form([1e3, 2e2, flow, 5.0])[0] for flow in (0.09, 0.1, 0.11)]
    assert second == pytest.approx((around[0] - 2 * around[1] + around[2]) / 1e-4, rel=1e-3)


@pytest.mark.core
def test_batches_and_jit():
    batch = jnp.stack([ARGS, 2 * ARGS, ARGS[::-1]])
    found = jax.jit(jax.vmap(at_rest))(batch)
    np.testing.assert_allclose(found, np.stack([closed_form(np.asarray(one)) for one in batch]), rtol=1e-12)


def test_the_start_decides_which_one_and_only_that():
    """y' = y − y³: two sinks at ±1 with a source between them."""
    cubic = lambda t, y, scale: scale * y - y**3  # noqa: E731
    for start, end in ((0.1, 2.0), (-3.0, -2.0)):
        rest = steady_state(cubic, jnp.array([start]), args=4.0, method=Tsit5())
        assert rest.y[0] == pytest.approx(end, rel=1e-14)
        assert rest.found
    end = jax.grad(lambda y, scale: steady_state(cubic, y, args=scale).y[0], (0, 1))
    slope = jax.jit(end)(jnp.array([0.1]), 4.0)
    assert slope[0][0] == 0
    assert slope[1] == pytest.approx(0.25, rel=1e-12)


def test_one_that_starts_at_rest_or_goes_to_zero():
    assert steady_state(lambda t, y, args: 2.0 - y, jnp.array([2.0])).y[0] == 2.0
    assert abs(steady_state(lambda t, y, args: -y, jnp.array([1.0])).y[0]) < 1e-12


def test_what_never_rests_is_told():
    turning = lambda t, y, args: jnp.stack([y[1], -y[0]])  # noqa: E731
    with pytest.raises(FailedSolve, match="did not come to rest by t=100"):
        steady_state(turning, jnp.array([1.0, 0.0]), horizon=100.0)
    rest = steady_state(turning, jnp.array([1.0, 0.0]), horizon=100.0, throw=False)
    assert not rest.found
    assert np.isnan(rest.y).all()
    with pytest.raises(FailedSolve, match="blows up near t=1"):
        steady_state(lambda t, y, args: y**2, jnp.array([1.0]))
