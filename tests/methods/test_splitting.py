"""Splittings: order, exact parts, derivatives, invariants of the parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import Diagonal, SecondOrder, SplitODE
from continua.methods import ETD1, RK4, Lie, Projected, Rodas5P, Strang, Tsit5, Verlet
from continua.solver import Fixed

from .split_problems import NONLINEAR, SPECTRAL, TS, Y0, check_derivatives, observed_orders, rest


@pytest.mark.core
@pytest.mark.parametrize("equation", [NONLINEAR, SPECTRAL], ids=["stiff", "spectral"])
def test_observed_orders(equation):
    inner = Rodas5P() if equation is NONLINEAR else ETD1()
    assert observed_orders(equation, Lie(inner, RK4()), (160, 320))[-1] == pytest.approx(1, abs=0.1)
    assert observed_orders(equation, Strang(inner, RK4()), (80, 160)) == pytest.approx(2, abs=0.1)


def test_a_splitting_of_parts_that_commute_is_exact():
    """Two linear parts, both stepped exactly, with one step over the whole time."""
    both = SplitODE(Diagonal(jnp.array([-3.0, 2.0])), Diagonal(jnp.array([1.0, -50.0])))
    for span, rates in (([0.0, 2.0], [-4.0, -96.0]), ([2.0, 1.5], [1.0, 24.0])):
        end = continua.solve(both, Y0, span, method=Strang(ETD1(), ETD1()), step_control=Fixed(2.0)).ys[-1]
        np.testing.assert_allclose(end, Y0 * np.exp(rates), rtol=1e-13, atol=1e-15)


def test_mechanics_with_friction():
    """Each part keeps what is its own: energy decays as the closed form of the damped spring, step after step."""
    friction = lambda t, y, rate: (jnp.zeros_like(y[0]), -2 * rate * y[1])  # noqa: E731
    spring = SplitODE(SecondOrder(lambda t, q, rate: -q), friction)
    start, ts, rate = (jnp.array(1.0), jnp.array(0.0)), jnp.linspace(0.0, 20.0, 5), 0.1
    q, v = continua.solve(spring, start, ts, args=rate, method=Strang(Verlet(), RK4()), step_control=Fixed(0.01)).ys
    omega = np.sqrt(1 - rate**2)
    exact = np.exp(-rate * ts) * (np.cos(omega * ts) + rate / omega * np.sin(omega * ts))
    np.testing.assert_allclose(q, exact, atol=2e-5)
    assert float(q[-1] ** 2 + v[-1] ** 2) < 0.03


def test_derivatives():
    build = lambda p: SplitODE(Diagonal(-p), rest)  # noqa: E731
    check_derivatives(Strang(ETD1(), RK4()), build, jnp.array([3.0, 2.0]), Y0, batch=False, step_control=Fixed(0.1))


def test_trees_and_projections():
    tree = {"a": Y0[:1], "b": Y0[1:]}
    flat = lambda y: jnp.concatenate([y["a"], y["b"]])  # noqa: E731
    both = lambda f: lambda t, y, args: dict(zip("ab", jnp.split(f(t, flat(y), args), 2), strict=True))  # noqa: E731
    options = {"method": Strang(Rodas5P(), Tsit5()), "step_control": Fixed(0.1)}
    one = continua.solve(NONLINEAR, Y0, TS, **options)
    of_tree = continua.solve(SplitODE(both(NONLINEAR.stiff), both(rest)), tree, TS, **options).ys
    np.testing.assert_allclose(flat(jax.tree.map(jnp.transpose, of_tree)), one.ys.T, rtol=1e-10)
    put = Projected(Strang(ETD1(), RK4()), lambda t, y, args: jnp.maximum(y, 0.4))
    assert continua.solve(SPECTRAL, Y0, TS, method=put, step_control=Fixed(0.1)).ys.min() == 0.4


def test_what_does_not_fit_is_said():
    options = {"step_control": Fixed(0.1)}
    with pytest.raises(ArgumentTypeError, match=r"`equation` of `Strang` must be a SplitODE\. Got ODE\. Use SplitODE"):
        continua.solve(rest, Y0, TS, method=Strang(Rodas5P(), RK4()), **options)
    with pytest.raises(ArgumentTypeError, match=r"`equation` of `Verlet` must be in two halves\. Got Partial"):
        continua.solve(NONLINEAR, Y0, TS, method=Strang(Verlet(), RK4()), **options)
    short = SplitODE(stiff=lambda t, y, args: {"a": y["a"][:1]}, rest=lambda t, y, args: y)
    with pytest.raises(ArgumentError, match=r"`stiff` of `SplitODE` .* \[2\] for y\['a'\]\. Got \[1\]"):
        continua.solve(short, {"a": Y0}, TS)
    missing = SplitODE(stiff=lambda t, y, args: {"a": y["a"]}, rest=lambda t, y, args: y)
    with pytest.raises(ArgumentError, match=r"`stiff` of `SplitODE` must return the structure .* at \['b'\]"):
        continua.solve(missing, {"a": Y0, "b": Y0}, TS)
