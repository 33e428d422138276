"""Exponential methods: exact linear parts, order, kept matrices, exact derivatives."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.signal import cont2discrete

import continua
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import Diagonal, Linear, Matrix, SplitODE
from continua.methods import ETD1, ETDRK4, Tsit5, zero_order_hold
from continua.solver import Fixed

from .split_problems import DENSE, NONLINEAR, SPECTRAL, TS, Y0, A, check_derivatives, observed_orders, reference, rest

every_method = pytest.mark.parametrize("method", [ETD1(), ETDRK4()], ids=lambda m: type(m).__name__)
FAST = np.array([[-0.1, -1.0, 0.0], [1.0, -0.1, 2.0], [0.0, 0.0, -500.0]])
DRIVE = np.array([0.2, 0.0, 1.0])


@pytest.mark.core
@every_method
@pytest.mark.parametrize("equation", [DENSE, SPECTRAL], ids=["matrix", "diagonal"])
def test_observed_order(method, equation):
    orders = observed_orders(equation, method, {1: (320, 640), 4: (40, 80)}[method.order])
    assert orders == pytest.approx(method.order, abs=0.1)


@every_method
def test_linear_equations_are_exact_with_steps_of_any_length(method):
    """Against the matrix exponential of the augmented system; between steps and after few of them."""
    start, end = np.array([1.0, 2.0, 3.0]), 20.0

    def exact(t):
        block = np.zeros((4, 4))
        block[:3, :3], block[:3, 3] = FAST * t, DRIVE * t
        return (expm(block) @ np.append(start, 1))[:3]

    for control in (Fixed(end / 3), None) if isinstance(method, ETD1) else (Fixed(end / 3),):
        found = continua.solve(Linear(FAST, DRIVE), start, [0.0, 1.1, end], method=method, step_control=control)
        np.testing.assert_allclose(found.ys[1:], [exact(1.1), exact(end)], rtol=1e-12, atol=1e-13)
        assert int(found.stats.steps) < 12


def test_held_inputs():
    """The recurrence is scipy's, and a step of `ETD1` is one of the recurrence."""
    B, u = np.array([[1.0, 0.5], [0.0, -1.0], [2.0, 1.0]]), jnp.array([0.3, -1.2])
    decay, drive = zero_order_hold(FAST, B, 0.7)
    theirs = cont2discrete((FAST, B, np.eye(3), np.zeros((3, 2))), 0.7)
    np.testing.assert_allclose(decay, theirs[0], atol=1e-14)
    np.testing.assert_allclose(drive, theirs[1], atol=1e-14)
    law = SplitODE(Matrix(FAST), lambda t, y, u: jnp.asarray(B) @ u)
    held = continua.solve(law, np.ones(3), [0.0, 2.1], args=u, method=ETD1(), step_control=Fixed(0.7)).ys[-1]
    x = np.ones(3)
    for _ in range(3):
        x = decay @ x + drive @ u
    np.testing.assert_allclose(held, x, rtol=1e-12)
    rates, B = np.array([-1.0 + 2j, -300.0, 0.0]), B.astype(complex)
    one, two = zero_order_hold(rates, B, 0.7), zero_order_hold(np.diag(rates), B, 0.7)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-12)
    with pytest.raises(ArgumentError, match=r"must be \[state, state\] or \[state\], and \[state, input\]\. Got \[3\]"):
        zero_order_hold(rates, B[0], 0.7)


@every_method
def test_zero_steps_and_kept_matrices(method):
    """h = 0 changes nothing; a matrix that is a diagonal gives the diagonal's numbers, kept or made anew."""
    step = method.step(SPECTRAL, 0.0, jnp.array(0.0), Y0, None, None)
    assert not step.increment.any()
    assert not step.error.any()
    rates = jnp.array([-3.0, -200.0])
    control = Fixed(0.1) if isinstance(method, ETDRK4) else None
    parts = (Diagonal(rates), Matrix(jnp.diag(rates)))
    options = {"method": method, "step_control": control}
    np.testing.assert_allclose(
        *(continua.solve(SplitODE(part, rest), Y0, TS, **options).ys for part in parts), rtol=1e-11
    )


def test_derivatives_and_batches():
    """With respect to the matrix; those of eigenvalues are in the tests of splittings."""
    build = lambda p: SplitODE(Matrix(p * A), rest)  # noqa: E731
    check_derivatives(ETDRK4(), build, jnp.array([[1.0], [0.8]]), Y0, step_control=Fixed(0.2))


def test_backward_and_trees():
    options = {"method": ETDRK4(), "rtol": 1e-9}
    there = continua.solve(SPECTRAL, Y0, TS[:2], **options)
    np.testing.assert_allclose(there.ys[-1], reference(SPECTRAL)[1], rtol=1e-7)
    back = continua.solve(SPECTRAL, there.ys[-1], TS[1::-1], **options)
    np.testing.assert_allclose(back.ys[-1], Y0, rtol=1e-7)
    tree = {"a": Y0[:1], "b": Y0[1:]}

    def both(t, y, args):
        return dict(zip("ab", jnp.split(rest(t, jnp.concatenate([y["a"], y["b"]]), args), 2), strict=True))

    law = SplitODE(Diagonal({"a": -3.0, "b": jnp.array([-2.0])}), both)
    found = continua.solve(law, tree, TS[:2], **options).ys
    np.testing.assert_allclose([found["a"][-1, 0], found["b"][-1, 0]], there.ys[-1], rtol=1e-11)


def kuramoto_sivashinsky(modes, length):
    """u_t = −u_xx − u_xxxx − u u_x in Fourier space, two thirds of the modes kept; and Kassam & Trefethen's start."""
    k = 2 * np.pi / length * np.arange(modes // 2 + 1)
    kept = np.arange(modes // 2 + 1) < modes / 3
    bend = jnp.asarray(-0.5j * k * kept)

    def transport(t, u, args):
        return bend * jnp.fft.rfft(jnp.fft.irfft(u, modes) ** 2)

    x = length * np.arange(1, modes + 1) / modes
    start = np.cos(2 * np.pi * x / length) * (1 + np.sin(2 * np.pi * x / length))
    return SplitODE(Diagonal(k**2 - k**4), transport), jnp.fft.rfft(start)


def test_kuramoto_sivashinsky_takes_a_tenth_of_the_explicit_steps():
    law, start = kuramoto_sivashinsky(128, 32 * np.pi)
    fine = continua.solve(law, start, [0.0, 20.0], method=ETDRK4(), rtol=1e-9).ys[-1]
    default = continua.solve(law, start, [0.0, 20.0], rtol=1e-5)
    assert isinstance(default.question.method, ETDRK4)
    fixed = continua.solve(law, start, [0.0, 20.0], method=ETDRK4(), step_control=Fixed(0.25))
    explicit = continua.solve(law, start, [0.0, 20.0], method=Tsit5(), rtol=1e-5)
    size = np.abs(fine).max()
    for found in (default, fixed, explicit):
        assert np.abs(found.ys[-1] - fine).max() < 1e-4 * size
    assert 10 * int(fixed.stats.steps) < int(explicit.stats.steps)
    assert 3 * int(default.stats.steps) < int(explicit.stats.steps)


@every_method
def test_what_does_not_fit_is_said(method):
    name = type(method).__name__
    with pytest.raises(
        ArgumentTypeError, match=rf"`equation` of `{name}` must have a linear part\. Got ODE\. Use Split"
    ):
        continua.solve(rest, Y0, TS, method=method)
    with pytest.raises(
        ArgumentTypeError, match=rf"`stiff` of `SplitODE` must be a Diagonal or a Matrix for `{name}`\."
    ):
        continua.solve(NONLINEAR, Y0, TS, method=method)
    with pytest.raises(
        ArgumentError, match=r"`entries` of `Matrix` must be \[state, state\] .* Got \[3, 3\] for \[2\]"
    ):
        continua.solve(SplitODE(Matrix(jnp.eye(3)), rest), Y0, TS, method=method)
