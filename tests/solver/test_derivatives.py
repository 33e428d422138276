"""Every way of differentiating and batching gives the same numbers."""

import functools

import jax
import jax.numpy as jnp
import pytest

import continua
from continua import methods
from continua.equations import Diagonal, LotkaVolterra, SecondOrder, SplitODE
from continua.methods import DOP853, DormandPrince5, Euler, Tsit5
from continua.solver import Fixed
from continua.solver import record as record_module

from .problems import BATCH, PARAMETERS, STATES, TS, WEIGHTS, Y0, P, apart, finite_difference, loss, one_by_one, values

pytestmark = pytest.mark.filterwarnings("error")
GRADIENTS = jax.jit(jax.grad(loss, (0, 1, 2)))  # one program, of which most tests take what they need
HESSIAN, JACOBIAN = jax.jit(jax.hessian(loss)), jax.jit(jax.jacfwd(values))


def gradient(p, y0):
    return GRADIENTS(p, y0, TS)[0]


@pytest.mark.core
@pytest.mark.parametrize("argument", [0, 1, 2], ids=["parameters", "y0", "ts"])
def test_gradient_equals_finite_differences(argument):
    inputs = [P, Y0, TS]

    def of(x):
        return loss(*[x if i == argument else v for i, v in enumerate(inputs)])

    assert apart(GRADIENTS(*inputs)[argument], finite_difference(of, inputs[argument])) < 1e-6


@pytest.mark.core
def test_forward_equals_reverse_and_finite_differences():
    forward = JACOBIAN(P, Y0)
    assert apart(forward, jax.jit(jax.jacrev(values))(P, Y0)) < 1e-12
    assert apart(forward, finite_difference(lambda p: values(p, Y0), P)) < 1e-6


def test_gradient_is_that_of_the_computed_numbers():
    """With fixed steps the numbers are a smooth function of p: the gradient is exact to the difference quotient."""

    def fixed(p):
        return (values(p, Y0, rtol=None, atol=None, method=Euler(), step_control=Fixed(0.01)) ** 2).sum()

    assert apart(jax.jit(jax.grad(fixed))(P), finite_difference(fixed, P, 1e-6)) < 1e-8


def test_hessian_by_forward_over_reverse_and_forward_over_forward():
    hessian = HESSIAN(P, Y0)
    assert apart(hessian, jax.jit(jax.jacfwd(jax.jacfwd(loss)))(P, Y0)) < 1e-10
    assert apart(hessian, finite_difference(lambda p: gradient(p, Y0), P)) < 1e-5
    assert apart(hessian, hessian.T) < 1e-10


def test_many_pages_give_the_gradient_of_one(monkeypatch):
    """Pages are stepped again, in a program that rounds otherwise, and must come to the same steps."""
    monkeypatch.setattr(record_module, "MOST_ROWS", 7)
    paged = functools.partial(loss, max_steps=7 * 73)  # a budget of its own, so that nothing traced before is used
    many = jax.jit(jax.grad(paged, (0, 1, 2)))(P, Y0, TS)
    assert all(apart(a, b) < 1e-12 for a, b in zip(many, GRADIENTS(P, Y0, TS), strict=True))
    assert apart(jax.jit(jax.jacfwd(functools.partial(values, max_steps=7 * 73)))(P, Y0), JACOBIAN(P, Y0)) < 1e-12
    assert apart(jax.jit(jax.hessian(paged))(P, Y0), HESSIAN(P, Y0)) < 1e-10
    lanes = jax.jit(jax.grad(lambda p: jax.vmap(lambda y: paged(p, y))(STATES).sum()))(P)
    assert apart(lanes, one_by_one(lambda y: gradient(P, y), STATES).sum(0)) < 1e-12


@pytest.mark.core
def test_vmap_of_states_parameters_and_both():
    assert apart(jax.vmap(lambda y: values(P, y))(STATES), one_by_one(lambda y: values(P, y), STATES)) < 1e-12
    assert apart(jax.vmap(lambda p: values(p, Y0))(PARAMETERS), one_by_one(lambda p: values(p, Y0), PARAMETERS)) < 1e-12
    assert apart(jax.vmap(values)(PARAMETERS, STATES), one_by_one(values, PARAMETERS, STATES)) < 1e-12


def test_vmap_over_other_axes():
    got = jax.vmap(lambda y: values(P, y), 1, 2)(STATES.T).transpose(2, 0, 1)
    assert apart(got, one_by_one(lambda y: values(P, y), STATES)) < 1e-12


def test_vmap_over_times_and_tolerances():
    spans = TS[None] * (1 + 0.1 * jnp.arange(float(BATCH)))[:, None]
    got = jax.vmap(lambda ts: values(P, Y0, ts))(spans)
    assert apart(got, one_by_one(lambda ts: values(P, Y0, ts), spans)) < 1e-12
    rtols = jnp.array([1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
    got = jax.vmap(lambda r: values(P, Y0, rtol=r, atol=r))(rtols)
    assert apart(got, one_by_one(lambda r: values(P, Y0, rtol=r, atol=r), rtols)) < 1e-12


def test_gradients_of_batches():
    shared = jax.jit(jax.grad(lambda p: jax.vmap(lambda y: loss(p, y))(STATES).sum()))(P)
    assert apart(shared, one_by_one(lambda y: gradient(P, y), STATES).sum(0)) < 1e-11
    own = jax.jit(jax.grad(lambda p: jax.vmap(lambda q: loss(q, Y0))(p).sum()))(PARAMETERS)
    assert apart(own, one_by_one(lambda p: gradient(p, Y0), PARAMETERS)) < 1e-11
    start = jax.jit(jax.grad(lambda y: jax.vmap(lambda p: loss(p, y))(PARAMETERS).sum()))(Y0)
    assert apart(start, one_by_one(lambda p: GRADIENTS(p, Y0, TS)[1], PARAMETERS).sum(0)) < 1e-11


def test_batches_of_gradients():
    lanes = jax.jit(jax.vmap(lambda y: jax.grad(loss)(P, y)))(STATES)
    assert apart(lanes, one_by_one(lambda y: gradient(P, y), STATES)) < 1e-11
    own = jax.jit(jax.vmap(jax.grad(loss)))(PARAMETERS, STATES)
    assert apart(own, one_by_one(gradient, PARAMETERS, STATES)) < 1e-11
    forward = jax.jit(jax.vmap(jax.jacfwd(values)))(PARAMETERS, STATES)
    assert apart(forward, one_by_one(JACOBIAN, PARAMETERS, STATES)) < 1e-11


def test_batches_of_hessians_and_hessians_of_batches():
    each = one_by_one(lambda y: HESSIAN(P, y), STATES)
    assert apart(jax.jit(jax.vmap(lambda y: jax.hessian(loss)(P, y)))(STATES), each) < 1e-10
    whole = jax.jit(jax.hessian(lambda p: jax.vmap(lambda y: loss(p, y))(STATES).sum()))(P)
    assert apart(whole, each.sum(0)) < 1e-10


def test_vmap_of_vmap():
    both = jax.vmap(lambda p: jax.vmap(lambda y: values(p, y))(STATES))(PARAMETERS)
    assert apart(both[1], one_by_one(lambda y: values(PARAMETERS[1], y), STATES)) < 1e-12
    scales = (1.0, 1.1)

    def nested(p):
        return jax.vmap(lambda q: jax.vmap(lambda y: loss(p * q, y))(STATES).sum())(jnp.array(scales)).sum()

    plain = sum(q * one_by_one(lambda y, q=q: gradient(P * q, y), STATES).sum(0) for q in scales)
    assert apart(jax.jit(jax.grad(nested))(P), plain) < 1e-11


def test_inside_jit_checkpoint_scan_and_linearize():
    eager = jax.grad(loss)(P, Y0)
    assert apart(gradient(P, Y0), eager) < 1e-12
    assert apart(jax.jit(jax.grad(jax.checkpoint(loss)))(P, Y0), eager) < 1e-12
    transposed = jax.jit(lambda p: jax.linear_transpose(jax.linearize(lambda q: loss(q, Y0), p)[1], p)(1.0)[0])
    assert apart(transposed(P), eager) < 1e-12

    def chained(p):
        return jax.lax.scan(lambda y, _: (values(p, y)[-1], None), Y0, None, length=3)[0].sum()

    assert apart(jax.jit(jax.grad(chained))(P), finite_difference(jax.jit(chained), P)) < 1e-6


def closure_loss(p):
    """A plain function that closes over a traced array."""

    def field(t, y, args):
        return jnp.stack([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])

    return (continua.solve(field, Y0, TS, rtol=1e-9, atol=1e-9).ys ** 2 * WEIGHTS).sum()


def test_gradients_reach_what_a_function_closes_over():
    expected = gradient(P, Y0)
    assert apart(jax.grad(closure_loss)(P), expected) < 1e-11
    assert apart(jax.jit(jax.grad(closure_loss))(P), expected) < 1e-11
    assert apart(jax.jit(jax.vmap(closure_loss))(PARAMETERS), one_by_one(lambda p: loss(p, Y0), PARAMETERS)) < 1e-11
    each = one_by_one(lambda p: gradient(p, Y0), PARAMETERS)
    assert apart(jax.jit(jax.vmap(jax.grad(closure_loss)))(PARAMETERS), each) < 1e-11


def test_hessians_reach_what_a_function_closes_over():
    assert apart(jax.jit(jax.hessian(closure_loss))(P), HESSIAN(P, Y0)) < 1e-10


def test_gradient_with_respect_to_the_equation_itself():
    def of(equation):
        return (continua.solve(equation, Y0, TS, rtol=1e-9, atol=1e-9).ys ** 2 * WEIGHTS).sum()

    found = jax.jit(jax.grad(of))(LotkaVolterra(*P))
    assert apart(jnp.stack([found.alpha, found.beta, found.delta, found.gamma]), gradient(P, Y0)) < 1e-12


@pytest.mark.parametrize("method", [DormandPrince5(), Tsit5(), DOP853()], ids=lambda m: type(m).__name__)
def test_gradient_through_dense_output(method):
    def of(p):
        return (values(p, Y0, method=method)[1:-1] ** 2).sum()

    assert apart(jax.jit(jax.grad(of))(P), finite_difference(of, P)) < 1e-6


def test_gradient_through_a_solution_called():
    def of(t):
        return continua.solve(LotkaVolterra(*P), Y0, TS, rtol=1e-9, atol=1e-9)(t).sum()

    assert apart(jax.jit(jax.grad(of))(jnp.array(1.3)), finite_difference(of, jnp.array(1.3))) < 1e-6


def test_backward_in_time_has_the_same_derivatives():
    def back(p, ts=TS[::-1]):
        return (values(p, Y0, ts) ** 2 * WEIGHTS).sum()

    by_parameters, by_times = jax.jit(jax.grad(back, (0, 1)))(P, TS[::-1])
    assert apart(by_parameters, finite_difference(back, P)) < 1e-6
    assert apart(by_times, finite_difference(lambda ts: back(P, ts), TS[::-1])) < 1e-6


def driven(p):
    """A damped, driven state; the damping alone is linear."""
    return SplitODE(Diagonal(-p), lambda t, y, args: jnp.sin(y[::-1]) + jnp.cos(t))


def swing(p):
    return SecondOrder(lambda t, q, args: jnp.cos(t) - p * jnp.sin(q))


IN_PARTS = {"Lie": methods.Lie(methods.ETD1(), methods.RK4())}
ORBITS = ["SymplecticEuler", "Yoshida4"]
ONE_STEP = ["Heun", "Midpoint", "RK4", "SSPRK3", "BogackiShampine3", "Vern7", "RKC"]
STIFF = ["ImplicitEuler", "Trapezoidal", "Rosenbrock23", "KenCarp3", "ETD1", "Lie"]


@pytest.mark.parametrize("name", ONE_STEP + STIFF + ORBITS)
def test_forward_equals_reverse_for_every_method(name):
    """⟨gradient, v⟩ = the derivative along v; the methods not here have this test beside others of their own."""
    method = IN_PARTS[name] if name in IN_PARTS else getattr(methods, name)()
    law, y0 = (swing, (Y0, -Y0)) if name in ORBITS else (driven, Y0)

    def total(inputs):
        p, y0, t1 = inputs
        ys = continua.solve(law(p), y0, jnp.stack([0.0 * t1, t1]), method=method, step_control=Fixed(0.2)).ys
        return sum((y[-1] ** 3).sum() for y in jax.tree.leaves(ys))

    @jax.jit
    def both(inputs, directions):
        gradient = jax.grad(total)(inputs)
        return gradient, jax.jvp(total, (inputs,), (directions,))[1]

    inputs = jnp.array([1.3, 0.4]), y0, jnp.array(1.0)
    directions = jax.tree.map(lambda x: jnp.cos(jnp.arange(1.0, x.size + 1)).reshape(x.shape), inputs)
    gradient, along = both(inputs, directions)
    dot = sum((g * d).sum() for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(directions), strict=True))
    assert abs(float(along)) > 1e-3
    assert float(dot) == pytest.approx(float(along), rel=1e-9)
