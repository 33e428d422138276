"""Events: found to the last digits, with their exact first derivatives, alone and in batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua import Status
from continua.core import ArgumentError, ArgumentTypeError, FailedSolve
from continua.equations import HarmonicOscillator
from continua.methods import RK4, Rodas5P, Tsit5
from continua.solver import Event, Fixed
from continua.solver import record as record_module

from .problems import apart, finite_difference

BALL = jnp.array([9.81, 0.8])  # gravity, and the share of the speed that a bounce leaves


def falling(t, y, args):
    return jnp.stack([y[1], -args[0] + 0.0 * y[0]])


def height(t, y, args):
    return y[0]


def bounce(t, y, args):
    return jnp.stack([0.0 * y[0], -args[1] * y[1]])


TWO_SECONDS = jnp.linspace(0.0, 2.0, 9)
BOUNCE = Event(height, direction=-1, reset=bounce)


def bouncing(args, start=1.0, ts=TWO_SECONDS, **options):
    y0 = jnp.stack([jnp.asarray(start), jnp.zeros_like(start)])
    return continua.solve(falling, y0, ts, args=args, **({"events": BOUNCE, "method": Tsit5(), "rtol": 1e-8} | options))


def bounces(count, start=1.0, args=BALL):
    """The closed form: each flight is shorter than the last by the share of the speed."""
    gravity, share = np.asarray(args)
    fall = np.sqrt(2 * start / gravity)
    return fall + 2 * fall * np.cumsum([0.0, *share ** np.arange(1, count)])


@pytest.mark.parametrize("method", [pytest.param(None, marks=pytest.mark.core), Rodas5P()])
def test_a_bouncing_ball_is_its_closed_form(method):
    solution = bouncing(BALL, method=method)
    times, states = solution.events.of(0)
    np.testing.assert_allclose(times, bounces(3), rtol=1e-13)
    np.testing.assert_allclose(states[:, 0], 0, atol=1e-13)
    np.testing.assert_allclose(states[:, 1], -np.sqrt(2 * 9.81) * 0.8 ** np.arange(3), rtol=1e-12)
    last, flown = bounces(3)[2], 2.0 - bounces(3)[2]
    assert last < 2.0
    speed = np.sqrt(2 * 9.81) * 0.8**3
    assert solution.ys[-1, 0] == pytest.approx(speed * flown - 9.81 * flown**2 / 2, rel=1e-12)
    assert solution.status is Status.SUCCESS


@pytest.mark.parametrize("forward", [False, True])
def test_derivatives_through_resets_and_of_event_times(forward):
    @jax.jit
    def both(p):
        solution = bouncing(p[:2], p[2])
        return jnp.stack([solution.ys[-1, 0], solution.events.ts[2], solution.events.ys[1, 1]])

    p = jnp.array([*BALL, 1.0])
    jacobian = jax.jit((jax.jacfwd if forward else jax.jacrev)(both))(p)
    assert apart(jacobian, finite_difference(both, p, 1e-6)) < 1e-7
    fall = np.sqrt(2 / 9.81)
    assert jacobian[1, 2] == pytest.approx(bounces(3)[2] / 2, rel=1e-10)  # all times grow as the root of the height
    assert jacobian[1, 1] == pytest.approx(2 * fall * (1 + 2 * 0.8), rel=1e-10)


def test_batches_are_their_members(monkeypatch):
    starts = jnp.array([0.5, 1.0, 2.0])
    alone = [bouncing(BALL, start) for start in starts]
    lanes = jax.vmap(lambda start: bouncing(BALL, start))(starts)
    assert apart(lanes.ys, np.stack([one.ys for one in alone])) < 1e-13
    np.testing.assert_allclose(lanes.events.ts, np.stack([one.events.ts for one in alone]), rtol=1e-13)

    def loss(args, start, **options):
        solution = bouncing(args, start, **options)
        return solution.ys[-1, 0] + jnp.nansum(solution.events.ts[:2])

    gradient = jax.jit(jax.grad(loss))
    each = np.stack([gradient(BALL, start) for start in starts])
    whole = jax.jit(jax.grad(lambda args: jax.vmap(lambda start: loss(args, start))(starts).sum()))(BALL)
    assert apart(whole, each.sum(0)) < 1e-12
    monkeypatch.setattr(record_module, "MOST_ROWS", 3)  # several pages, stepped again with their events
    paged = jax.jit(jax.grad(lambda args: loss(args, starts[1], max_steps=3**9)))  # a budget that no program has yet
    assert apart(paged(BALL), each[1]) < 1e-12


def test_a_terminal_event_ends_the_solve_and_its_time_has_a_derivative():
    """A cosine's first root at π/2ω."""

    turning = lambda t, y, rate: rate * jnp.stack([y[1], -y[0]])  # noqa: E731
    stop = Event(height, terminal=True)

    def ended(rate, sign=1.0):
        ts = sign * jnp.linspace(0, 4, 9)
        return continua.solve(turning, jnp.array([1.0, 0.0]), ts, args=rate, events=stop, rtol=1e-10)

    solution = ended(1.0)
    assert solution.status is Status.EVENT
    assert solution.ending.t[0] == pytest.approx(np.pi / 2, rel=1e-9)
    assert solution.events.ts[0] == solution.ending.t[0]
    np.testing.assert_allclose(solution.ys[:4, 0], np.cos(np.linspace(0, 1.5, 4)), atol=1e-8)
    assert np.isnan(solution.ys[4:]).all()
    assert jax.jit(jax.grad(lambda rate: ended(rate).events.ts[0]))(1.0) == pytest.approx(-np.pi / 2, rel=1e-8)
    assert ended(1.0, -1.0).ending.t[0] == pytest.approx(-np.pi / 2, rel=1e-9)
    jitted = jax.jit(ended)(1.0)
    assert int(jitted.status) == Status.EVENT
    np.testing.assert_allclose(jitted.events.ts[0], solution.events.ts[0], rtol=1e-14)


@pytest.mark.parametrize(("direction", "found"), [(0, [0, 1, 2, 3]), (1, [1, 3]), (-1, [0, 2])])
def test_directions(direction, found):
    roots = np.pi / 2 + np.pi * np.arange(4)
    oscillator = HarmonicOscillator(omega=1.0, zeta=0.0)
    solution = continua.solve(
        oscillator, jnp.array([1.0, 0.0]), jnp.array([0.0, 12.0]), events=Event(height, direction), rtol=1e-10
    )
    np.testing.assert_allclose(solution.events.of(0)[0], roots[found], rtol=1e-9)
    assert int(solution.events.count) == len(found)


def test_one_that_starts_on_an_event_goes_on_to_the_next():
    solution = continua.solve(
        lambda t, y, args: jnp.stack([y[1], -y[0]]),
        jnp.array([0.0, 1.0]),
        jnp.array([0.0, 7.0]),
        events=Event(height),
        rtol=1e-10,
    )
    np.testing.assert_allclose(solution.events.of(0)[0], [np.pi, 2 * np.pi], rtol=1e-9)


def test_two_crossings_within_a_step_are_seen():
    """Steps of 1.5 over a parabola that dips below zero for 0.6."""
    solution = continua.solve(
        lambda t, y, args: 2 * (t - 1.55) + 0.0 * y,
        jnp.array([1.55**2 - 0.09]),
        jnp.array([0.0, 3.0]),
        method=RK4(),
        step_control=Fixed(3.0),
        events=Event(height),
    )
    np.testing.assert_allclose(solution.events.of(0)[0], [1.25, 1.85], rtol=1e-12)


def test_several_events_and_those_at_the_same_time():
    events = [
        Event(height, reset=lambda t, y, args: y + 3),
        Event(lambda t, y, args: t - 1, reset=lambda t, y, args: 2 * y),
        Event(lambda t, y, args: t - 2.5, terminal=True),
    ]
    solution = continua.solve(
        lambda t, y, args: -jnp.ones_like(y), jnp.array([1.0]), jnp.array([0.0, 2.0, 4.0]), events=events
    )
    np.testing.assert_array_equal(solution.events.which[:2], [[True, True, False], [False, False, True]])
    np.testing.assert_allclose(solution.events.ts[:2], [1.0, 2.5], rtol=1e-13)
    np.testing.assert_allclose(solution.ys[:2, 0], [1.0, 2 * 3 - 1], rtol=1e-12)
    assert solution.events.ys[1, 0] == pytest.approx(6 - 1.5, rel=1e-12)


def test_a_dependence_on_time_and_a_condition_with_parameters():
    """y' = cos t, event at y = p: t* = arcsin p, dt*/dp = 1/cos t*; behind it y' goes on from 0."""

    def after(p):
        event = Event(lambda t, y, args: y[0] - args, direction=1, reset=lambda t, y, args: 0.0 * y)
        return continua.solve(
            lambda t, y, args: jnp.cos(t) + 0.0 * y,
            jnp.zeros(1),
            jnp.array([0.0, 1.4]),
            args=p,
            events=event,
            rtol=1e-11,
            atol=1e-13,
        )

    p = jnp.asarray(0.5)

    def both(p):
        solution = after(p)
        return jnp.stack([solution.events.ts[0], solution.ys[-1, 0]])

    found, slopes = after(p), jax.jit(jax.jacrev(both))(p)
    assert found.events.ts[0] == pytest.approx(np.arcsin(0.5), rel=1e-10)
    assert found.ys[-1, 0] == pytest.approx(np.sin(1.4) - 0.5, rel=1e-9)
    assert slopes[0] == pytest.approx(1 / np.sqrt(0.75), rel=1e-8)
    assert slopes[1] == pytest.approx(-1, rel=1e-8)


def test_single_precision():
    solution = bouncing(BALL.astype(jnp.float32), jnp.float32(1.0), jnp.linspace(0, 2, 9, dtype=jnp.float32), rtol=1e-4)
    assert solution.events.ts.dtype == jnp.float32
    np.testing.assert_allclose(solution.events.of(0)[0], bounces(3), rtol=1e-5)


def test_events_without_end_are_told():
    """The bounces of a ball accumulate at 9 fall times."""
    with pytest.raises(FailedSolve, match=r"More than max_events=64 events happened by t=4\.0637\d of 20"):
        bouncing(BALL, ts=jnp.array([0.0, 20.0]))
    solution = bouncing(BALL, ts=jnp.linspace(0.0, 20.0, 11), throw=False)
    assert solution.status is Status.EVENT_FAILURE
    assert np.isfinite(solution.ys[:3]).all()
    assert np.isnan(solution.ys[3:]).all()
    assert int(solution.events.count) == 64


def test_a_condition_that_is_not_finite_is_told():
    event = Event(lambda t, y, args: jnp.sqrt(1 - t))
    with pytest.raises(FailedSolve, match="A condition of `events` gives NaN or infinity"):
        continua.solve(lambda t, y, args: -y, jnp.array([1.0]), jnp.array([0.0, 2.0]), events=event)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"events": lambda t, y, args: y[0]}, ArgumentTypeError, "must be an Event or a list of them"),
        ({"events": [BOUNCE, None]}, ArgumentTypeError, "must be an Event or a list of them"),
        ({"events": Event(height, 2)}, ArgumentError, "must be -1, 0 or 1. Got 2"),
        ({"events": Event(lambda t, y, args: y)}, ArgumentError, r"one number.*Got shape \(2,\)"),
        ({"events": Event(lambda t, y, args: 1j * y[0])}, ArgumentError, "one real number"),
        ({"events": Event(height, reset=lambda t, y, args: y[:1])}, ArgumentError, "like y0"),
        ({"max_events": 0}, ArgumentError, "`max_events` of `solve` must be a positive int"),
        ({"tstops": "x"}, ArgumentTypeError, "`tstops` of `solve` must be times"),
        ({"tstops": [np.inf]}, ArgumentError, "`tstops` of `solve` must be finite"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(options, kind, words):
    with pytest.raises(kind, match=words) as caught:
        bouncing(BALL, **options)
    assert "\n" not in str(caught.value)
