"""Every named adjoint gives the derivative it promises, with the exact one for a measure."""

import jax
import jax.numpy as jnp
import pytest

from continua import solve
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import HarmonicOscillator
from continua.methods import Heun, Projected, Tsit5, Vern7
from continua.solver import Backsolve, Discrete, Event, Fixed, Forward, Implicit, Reversible

from .problems import apart

TS = jnp.linspace(0.0, 3.0, 5)
RATES, START = jnp.array([1.0, 0.5, 0.7]), jnp.array([1.0, 2.0])
POINT = RATES, START, TS


def driven(t, y, rates):
    """Prey and predators with a season."""
    return jnp.stack(
        [rates[0] * y[0] - rates[1] * y[0] * y[1] + 0.1 * jnp.sin(t), rates[1] * y[0] * y[1] - rates[2] * y[1]]
    )


def loss(rates, y0, ts, adjoint, **how):
    how = how or {"rtol": 1e-9, "atol": 1e-9}
    ys = solve(driven, y0, ts, args=rates, adjoint=adjoint, **how).ys
    return (jnp.cos(ys) * jnp.arange(10.0).reshape(5, 2)).sum()


def gradient(adjoint, **how):
    return jax.jit(jax.grad(lambda *point: loss(*point, adjoint, **how), (0, 1, 2)))


EXACT = gradient(Discrete())


@pytest.mark.parametrize(
    "adjoint", [Backsolve(), Backsolve(method=Vern7()), pytest.param(Reversible(), marks=pytest.mark.core)], ids=str
)
def test_the_gradient_is_the_exact_one_within_the_tolerance(adjoint):
    found, exact = gradient(adjoint)(*POINT), EXACT(*POINT)
    assert all(apart(a, b) < 1e-8 for a, b in zip(found, exact, strict=True))


@pytest.mark.parametrize("adjoint", [Backsolve(), Reversible()], ids=str)
def test_batches_of_gradients(adjoint):
    starts = jnp.stack([START, 1.2 * START])
    batch = jax.jit(jax.vmap(lambda y: gradient(adjoint)(RATES, y, TS)))(starts)
    one = EXACT(RATES, starts[1], TS)
    assert all(apart(a[1], b) < 1e-8 for a, b in zip(batch, one, strict=True))


def test_reversible_steps_have_the_derivative_of_their_own_numbers():
    """Between steps so long that they are far from the equation's; the coupling's too."""
    how = {"method": Heun(), "step_control": Fixed(h=0.1)}
    run = jax.jit(lambda rates: loss(rates, START, TS, Reversible(coupling=0.9), **how))
    slope, way, size = gradient(Reversible(coupling=0.9), **how)(*POINT)[0], jnp.array([0.3, -1.0, 0.5]), 1e-5
    assert float(slope @ way) == pytest.approx(
        float(run(RATES + size * way) - run(RATES - size * way)) / (2 * size), 1e-7
    )
    assert abs(run(RATES) - loss(RATES, START, TS, Discrete(), **how)) > 1e-4


@pytest.mark.core
def test_tangents_that_travel_along_are_those_of_the_record():
    found = jax.jit(jax.jacfwd(lambda *point: loss(*point, Forward()), (0, 1, 2)))(*POINT)
    assert all(apart(a, b) < 1e-12 for a, b in zip(found, EXACT(*POINT), strict=True))
    with pytest.raises(ArgumentError, match=r"^`adjoint=Forward\(\)` .*forward mode alone.* Use jax.jacfwd"):
        jax.grad(loss)(*POINT, Forward())


def test_the_end_as_a_state_of_rest():
    """p = y³/2, whose root has the slope 2/(3 y²), whatever the way there."""

    def rest(supply, y0, ts):
        return solve(lambda t, y, p: p - 0.5 * y**3, y0, ts, args=supply, adjoint=Implicit(), rtol=1e-9).ys[-1, 0]

    ts, y0 = jnp.array([0.0, 60.0]), jnp.ones(1)
    slopes = jax.jit(jax.vmap(jax.grad(rest, (0, 1, 2)), (0, None, None)))(jnp.array([3.0, 4.0]), y0, ts)
    assert apart(slopes[0], 2 / 3 * jnp.array([6.0, 8.0]) ** (-2 / 3)) < 1e-7
    assert not any(x.any() for x in slopes[1:])
    assert float(jax.jvp(lambda p: rest(p, y0, ts), (4.0,), (1.0,))[1]) == pytest.approx(1 / 6, rel=1e-7)
    with pytest.raises(ArgumentError, match=r"state of rest alone. Got 3 times between the ends"):
        rest(3.0, y0, TS)


def test_a_way_back_that_fails_gives_no_numbers():
    """y' = y² from 1 ends at t = 1."""
    run = lambda y: solve(lambda t, y, _: y**2, y, jnp.array([0.0, 2.0]), throw=False, adjoint=Backsolve()).ys.sum()  # noqa: E731
    assert bool(jnp.isnan(jax.grad(run)(jnp.ones(1)))[0])


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"adjoint": "backsolve"}, ArgumentTypeError, r"^`adjoint` of `solve` must be an Adjoint. Got 'backsolve'"),
        (
            {"adjoint": Reversible, "events": Event(lambda t, y, args: y[0])},
            ArgumentError,
            r"must be Discrete\(\) where events are watched. Got Reversible",
        ),
        (
            {"adjoint": Backsolve, "method": Projected(Tsit5(), lambda t, y, args: y)},
            ArgumentError,
            r"cannot step Projected\(\) backward. Use Backsolve\(method=Tsit5\(\)\)",
        ),
    ],
)
def test_what_does_not_fit_is_said(how, kind, words):
    with pytest.raises(kind, match=words):
        solve(HarmonicOscillator(1.0, 0.0), START, TS, **how)


def test_a_coupling_outside_of_its_range_is_refused():
    with pytest.raises(ArgumentError, match=r"^`coupling` of `Reversible` must lie in \(0, 1\]. Got 1.5"):
        Reversible(coupling=1.5)
