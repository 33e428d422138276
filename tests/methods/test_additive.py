"""Implicit–explicit methods: all order conditions, order, stiffness, exact derivatives."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import continua
from continua.core import ArgumentTypeError
from continua.equations import Diagonal, SplitODE
from continua.methods import Banded, Coloured, Given, KenCarp3, KenCarp4, MatrixFree, Method, Tsit5
from continua.solver import Event, Fixed

from .order_conditions import square
from .split_problems import NONLINEAR, TS, Y0, check_derivatives, observed_orders, rest, stiff

METHODS = [KenCarp3(newton_tolerance=1e-14), KenCarp4(newton_tolerance=1e-14)]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


@every_method
def test_every_condition_is_fulfilled_with_both_matrices_in_every_place(method):
    """Of the order for the method, one less for the estimate and for dense output; stiffly accurate."""
    tableau, stages = method.tableau, len(method.tableau.c)
    both = square(tableau.a), np.pad(square(method.explicit), ((0, 0), (0, stages - len(method.explicit[-1]) - 1)))
    c, b, ones = np.array(tableau.c), np.array(tableau.b), np.ones(stages)
    conditions = [(1, 1, ones), (2, 2, c), (3, 3, c**2), (4, 4, c**3)]
    for a in both:
        np.testing.assert_allclose(a @ ones, c, atol=1e-15)
        conditions += [(3, 6, a @ c), (4, 8, c * (a @ c)), (4, 12, a @ c**2)]
    conditions += [(4, 24, a @ (other @ c)) for a, other in itertools.product(both, both)]
    dense, low = np.array(tableau.dense), b - np.array(tableau.b_error)
    for order, density, weights in conditions:
        if order <= method.order:
            assert b @ weights == pytest.approx(1 / density, abs=1e-15)
        if order < method.order:
            assert low @ weights == pytest.approx(1 / density, abs=1e-15)
            powers = np.arange(1, dense.shape[1] + 1)
            np.testing.assert_allclose(weights @ dense, (powers == order) / density, atol=1e-14)
    np.testing.assert_allclose(dense.sum(1), b, atol=1e-14)
    np.testing.assert_array_equal(tableau.a[-1], tableau.b)


@pytest.mark.core
@every_method
def test_observed_order(method):
    orders = observed_orders(NONLINEAR, method, (80, 160))
    assert orders[-1] == pytest.approx(method.order, abs=0.1)
    assert orders[0] > method.dense_order - 0.1  # at another place of its step each time


@pytest.mark.core
@every_method
def test_a_stiff_part_takes_no_small_steps_and_loses_no_digits(method):
    """Prothero and Robinson's problem beside a slow part that grows: an explicit method needs 10⁶ steps."""
    law = SplitODE(lambda t, y, k: jnp.cos(t) - k * (y - jnp.sin(t)), lambda t, y, k: y - jnp.sin(t))

    @jax.jit
    def run(rtol):
        found = continua.solve(law, jnp.zeros(1), [0.0, 2.0], args=1e6, method=method, rtol=rtol)
        return found.ys[-1, 0], found.stats.steps

    ends, steps = zip(*[run(rtol) for rtol in (1e-3, 1e-5, 1e-7)], strict=True)
    errors = np.abs(np.array(ends) - np.sin(2.0))
    assert (errors < 30 * np.array([1e-3, 1e-5, 1e-7])).all()
    assert max(steps) < {3: 2000, 4: 400}[method.order]


@every_method
def test_a_fast_decay_is_gone_after_one_step(method):
    """L-stability of the implicit half, every decay in a lane of its own."""
    rates = jnp.array([1.0, 1e2, 1e4, 1e8])
    law = SplitODE(lambda t, y, k: -k * y, lambda t, y, k: jnp.zeros_like(y))
    step = jax.jit(jax.vmap(lambda k: method.advance(law, 0.0, jnp.array(1.0), jnp.ones(1), k)[0]))
    assert (np.abs(step(rates)) <= np.where(rates == 1, 0.51, 30 / rates)).all()


@every_method
def test_zero_steps_pullbacks_lanes_and_trees(method):
    """A step of no length is the identity; what is written by hand is what JAX transposes."""
    law = SplitODE(
        lambda t, y, p: jnp.stack([p[0] * y[1] - 20 * y[0], -p[1] * y[0] ** 3]),
        lambda t, y, p: jnp.stack([jnp.cos(3 * t) * y[1] * p[1], -y[0] * y[1]]),
    )
    y, cotangent, p = jnp.array([1.0, 0.3]), jnp.array([2.0, 3.0]), jnp.array([0.7, 2.0])

    @jax.jit
    def both(h):
        of = lambda pull: pull(method, law, jnp.array(0.4), h, y, p, cotangent)  # noqa: E731
        return method.step(law, jnp.array(0.4), h, y, p, None), of(type(method).pullback), of(Method.pullback)

    step, (own, own_args), (plain, _) = both(0.0)
    for zero in (step.increment, step.error, own - cotangent, own_args, plain - cotangent):
        assert not zero.any()
    step, own, plain = both(0.2)
    for a, b in zip(own, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11)
    split = lambda f: lambda t, y, p: dict(zip("ab", f(t, jnp.stack([y["a"], y["b"]]), p), strict=True))  # noqa: E731
    tree = SplitODE(split(law.stiff), split(law.rest))
    of_tree = method.step(tree, jnp.array(0.4), jnp.array(0.2), {"a": y[0], "b": y[1]}, p, None).increment
    np.testing.assert_allclose([of_tree["a"], of_tree["b"]], step.increment, rtol=1e-13)


def test_derivatives_and_batches():
    def build(p):
        return SplitODE(lambda t, y, args: p[0] * stiff(t, y, args), lambda t, y, args: p[1] * rest(t, y, args))

    check_derivatives(KenCarp4(), build, jnp.array([1.0, 0.8]), Y0, step_control=Fixed(0.2))


def test_backward_dense_output_and_events():
    options = {"method": KenCarp4(), "rtol": 1e-9}
    there = continua.solve(NONLINEAR, Y0, TS, **options)
    back = continua.solve(NONLINEAR, there.ys[-1], TS[::-1], **options)
    np.testing.assert_allclose(back.ys[-1], Y0, rtol=1e-6)
    stopped = continua.solve(NONLINEAR, Y0, TS, events=Event(lambda t, y, args: y[0] - 0.6, terminal=True), **options)
    np.testing.assert_allclose(there(stopped.events.ts[0])[0], 0.6, atol=1e-7)


def fisher(cells):
    """Diffusion of a front in [0, 1] with u(1 − u): stiff, and the stiffness is linear."""

    def diffusion(t, u, d):
        wide = jnp.concatenate([u[:1], u, u[-1:]])
        return d * float(cells) ** 2 * (wide[2:] - 2 * u + wide[:-2])

    x = (jnp.arange(float(cells)) + 0.5) / cells
    return SplitODE(diffusion, lambda t, u, d: 50 * u * (1 - u)), 1 / (1 + jnp.exp(40 * (x - 0.2)))


def test_a_front_takes_a_tenth_of_the_explicit_steps():
    law, start = fisher(48)
    options = {"args": 0.5, "rtol": 1e-4}
    explicit = continua.solve(law, start, [0.0, 0.2], method=Tsit5(), **options)
    for jacobian in (Banded(1, 1), Coloured(), MatrixFree(most=100)):
        implicit = continua.solve(law, start, [0.0, 0.2], method=KenCarp4(jacobian), **options)
        np.testing.assert_allclose(implicit.ys[-1], explicit.ys[-1], atol=2e-4)
        assert int(implicit.stats.steps) * 8 < int(explicit.stats.steps)


def test_a_given_jacobian_is_one_of_the_stiff_part():
    def matrix(t, y, args):
        return jnp.array([[-3.0, 1.0], [1.0, 0.0]]) - jnp.diag(jnp.stack([0 * y[1], 6 * y[1] ** 2]))

    found = continua.solve(NONLINEAR, Y0, TS, method=KenCarp4(Given(matrix)), rtol=1e-8).ys
    np.testing.assert_allclose(found, continua.solve(NONLINEAR, Y0, TS, method=KenCarp4(), rtol=1e-8).ys, rtol=1e-12)


def test_complex_spectral_states():
    """Advection and diffusion of waves, y' = (ik − k²) y + its rest, against the closed form."""
    k = jnp.array([1.0, 30.0])
    rates = lax.complex(-(k**2), k)
    law = SplitODE(Diagonal(rates), lambda t, y, args: -0.5 * y)
    end = continua.solve(law, jnp.ones(2, complex), [0.0, 1.0], method=KenCarp4(Coloured()), rtol=1e-8).ys[-1]
    np.testing.assert_allclose(end, np.exp(rates - 0.5), atol=1e-8)


def test_what_does_not_fit_is_said():
    with pytest.raises(ArgumentTypeError, match=r"`equation` of `KenCarp4` must be a SplitODE\. Got ODE\."):
        continua.solve(rest, Y0, TS, method=KenCarp4())
