"""Every ending is told apart, with its place and what to try; what was computed before it stays."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua import Status
from continua.core import ContinuaError, FailedSolve
from continua.equations import HarmonicOscillator, Robertson, VanDerPol
from continua.methods import Euler, Tsit5
from continua.solver import Fixed

EULER = {"method": Euler(), "step_control": Fixed(0.01)}


class Case(NamedTuple):
    """A solve that fails: at `t` within 1e-3 of it, with `words` in its message."""

    status: Status
    equation: Any
    y0: list[float]
    end: float
    t: float
    words: list[str]
    options: dict[str, Any] = {}  # noqa: RUF012

    def solve(self, **more):
        ts = jnp.linspace(0.0, self.end, 9)
        return continua.solve(self.equation, jnp.array(self.y0), ts, **self.options, **more)


def square(t, y, args):
    """Reaches infinity at t = 1 from 1."""
    return y**2


def exponential(t, y, args):
    """−ln(1 − t), slowly to infinity, in the second component."""
    return jnp.stack([-y[0], jnp.exp(y[1])])


def undefined(t, y, args):
    """√(1 − t) ends at t = 1."""
    return -1 / (2 * y)


def below_zero(t, y, args):
    """Torricelli's outflow, whose root has no value below zero."""
    return jnp.stack([jnp.cos(t), -jnp.sqrt(y[1])])


def stable_decay(t, y, args):
    """Euler steps of 0.01 multiply by 1 − 10 = −9."""
    return -1000 * y


def cube(t, y, args):
    """Overflows in the equation before it does in the state."""
    return y**3


def broken_at_the_start(t, y, args):
    """0 / 0 in the third component."""
    return jnp.stack([y[1], -y[0], (y[0] - 1) / (y[0] - 1)])


def pole(t, y, args):
    """1/t at t = 0."""
    return y / t


FINE = ["max_steps=10 at t=", "Raise `max_steps`"]
STIFF = ["max_steps=2000 at t=", "looks stiff", "|∂f/∂y|", "Rodas5P"]
EXPLICIT = {"max_steps": 2000, "method": Tsit5()}
CASES = {
    "budget": Case(Status.STEP_BUDGET, HarmonicOscillator(), [1.0, 0.0], 20.0, 1.6, FINE, {"max_steps": 10}),
    "budget of fixed steps": Case(
        Status.STEP_BUDGET, HarmonicOscillator(), [1.0, 0.0], 2.0, 0.1, FINE, {"max_steps": 10, **EULER}
    ),
    "Robertson": Case(Status.STIFF, Robertson(), [1.0, 0.0, 0.0], 1e3, 3.0, STIFF, EXPLICIT),
    "Van der Pol": Case(Status.STIFF, VanDerPol(1000.0), [2.0, 0.0], 2e3, 2.2, STIFF, EXPLICIT),
    "square": Case(Status.BLOW_UP, square, [1.0], 2.0, 1.0, ["blows up near t=1:", "y[0]"]),
    "backward": Case(Status.BLOW_UP, lambda t, y, args: -(y**2), [1.0], -2.0, -1.0, ["blows up near t=-1:"]),
    "exponential": Case(Status.BLOW_UP, exponential, [1.0, 0.0], 2.0, 1.0, ["blows up near t=1:", "y[1] is 33"]),
    "to minus infinity": Case(
        Status.BLOW_UP, lambda t, y, args: -1 - y**2, [0.0], 2.0, np.pi / 2, ["blows up near t=1.5708", "is -1"]
    ),
    "unstable steps": Case(Status.BLOW_UP, stable_decay, [1.0], 8.0, 3.2, ["shorten fixed steps"], EULER),
    "overflow in the equation": Case(Status.BLOW_UP, cube, [1.0], 2.0, 0.59, ["blows up near t=0.5"], EULER),
    "NaN at the start": Case(
        Status.NON_FINITE_FIELD, broken_at_the_start, [1.0, 0.0, 0.0], 1.0, 0.0, ["NaN or infinity for y[2] at t=0,"]
    ),
    "pole at the start": Case(Status.NON_FINITE_FIELD, pole, [1.0], 1.0, 0.0, ["for y[0] at t=0,", "division by zero"]),
    "undefined": Case(Status.STEP_UNDERFLOW, undefined, [1.0], 2.0, 1.0, ["round-off at t=1 (y[0]", "end `ts` before"]),
    "below zero": Case(Status.STEP_UNDERFLOW, below_zero, [0.0, 1.0], 4.0, 2.0, ["round-off at t=2"]),
}


SHORT = ("budget", "Robertson", "square", "NaN at the start", "undefined")  # one of each kind


@pytest.mark.parametrize(
    "case", [pytest.param(CASES[name], id=name, marks=[pytest.mark.core] * (name in SHORT)) for name in CASES]
)
def test_ending(case):
    solution = case.solve(throw=False)
    assert solution.status is case.status
    assert float(solution.ending.t[0]) == pytest.approx(case.t, abs=1e-3 if case.status > Status.STIFF else 0.3)
    with pytest.raises(FailedSolve) as caught:
        solution.check()
    message = str(caught.value)
    assert "\n" not in message
    assert all(words in message for words in case.words), message
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, ContinuaError)
    assert caught.value.solution is solution
    before = np.abs(solution.ts) <= abs(float(solution.ending.t[0]))
    assert np.isfinite(solution.ys[before]).all()
    assert np.isnan(solution.ys[~before]).all()
    assert before[0]
    assert not before[-1]


def test_what_was_computed_before_is_right():
    ys = CASES["square"].solve(throw=False, rtol=1e-9, atol=1e-9).ys[:4, 0]
    assert np.allclose(ys, 1 / (1 - np.arange(4) / 4), rtol=1e-7)


@pytest.mark.core
def test_raises_unless_told_not_to():
    with pytest.raises(FailedSolve, match="blows up near t=1:") as caught:
        CASES["square"].solve()
    assert caught.value.solution.status is Status.BLOW_UP
    assert int(caught.value.solution.stats.rejected) > 0


@pytest.mark.core
def test_under_jit_the_status_tells():
    @jax.jit
    def run(y0):
        solution = continua.solve(square, y0, jnp.linspace(0.0, 2.0, 9))
        return solution, solution.status

    solution, status = run(jnp.array([1.0]))
    assert int(status) == Status.BLOW_UP
    assert np.isnan(solution.ys[-1]).all()
    with pytest.raises(FailedSolve, match="blows up near t=1:"):
        solution.check()
    assert run(jnp.array([0.1]))[0].status is Status.SUCCESS


@pytest.mark.core
def test_each_lane_of_a_batch_ends_for_itself():
    ts, starts = jnp.linspace(0.0, 2.0, 9), jnp.array([[0.1], [0.3], [1.0], [-2.0], [0.75]])

    def run(y0):
        return continua.solve(square, y0, ts, rtol=1e-9, atol=1e-9)

    solution = jax.vmap(run)(starts)
    good = np.array([True, True, False, True, False])
    assert (np.asarray(solution.status) == np.where(good, Status.SUCCESS, Status.BLOW_UP)).all()
    exact = starts[good] / (1 - starts[good] * ts[None])
    assert np.allclose(solution.ys[good][..., 0], exact, rtol=1e-7)
    assert np.isnan(solution.ys[~good][:, -1]).all()
    assert np.allclose(solution.ending.t[~good][:, 0], [1.0, 4 / 3], atol=1e-4)
    with pytest.raises(FailedSolve, match=r"blows up near t=1 in batch entry 2: y\[0\]"):
        solution.check()
    alone = run(starts[1])
    assert np.allclose(solution.ys[1], alone.ys, rtol=1e-13)
    assert solution.stats.steps[1] == alone.stats.steps


def test_a_batch_of_batches_names_both_entries():
    starts = jnp.array([[0.1, 0.2], [0.3, 1.0]])[..., None]
    solution = jax.vmap(jax.vmap(lambda y0: continua.solve(square, y0, [0.0, 2.0])))(starts)
    with pytest.raises(FailedSolve, match="in batch entry 1, 1:"):
        solution.check()


def test_components_are_named_as_the_state_names_them():
    def field(t, y, args):
        return {"calm": -y["calm"], "wild": jnp.stack([-y["wild"][0], y["wild"][1] ** 2])}

    start = {"calm": jnp.array(1.0), "wild": jnp.array([1.0, 1.0])}
    with pytest.raises(FailedSolve, match=r"blows up near t=1: y\['wild'\]\[1\] is"):
        continua.solve(field, start, [0.0, 2.0])
    with pytest.raises(FailedSolve, match="for velocity at t=0"):
        continua.solve(HarmonicOscillator(omega=jnp.nan), jnp.array([1.0, 0.0]), [0.0, 2.0])


def test_gradients_of_what_came_before_the_failure_are_finite():
    def of(y0):
        return continua.solve(square, y0, jnp.linspace(0.0, 2.0, 9), rtol=1e-9, atol=1e-9, throw=False).ys[2, 0]

    assert float(jax.jit(jax.grad(of))(jnp.array([1.0]))[0]) == pytest.approx(4.0, rel=1e-6)
