"""`solve_ensemble` gives the numbers and derivatives of `jax.vmap` over `solve`, and of a loop over it."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua import Status, solve_ensemble
from continua.core import ArgumentError, ArgumentTypeError, FailedSolve
from continua.equations import HarmonicOscillator, LotkaVolterra, VanDerPol
from continua.methods import RK4, Rodas5P
from continua.solver import Event, Fixed
from continua.solver import ensemble as ensemble_module
from continua.solver import lanes as lanes_module

from .problems import apart

COUNT, LANES = 53, 8  # seven blocks, the last one with five
RANDOM = np.random.default_rng(0)
STATES = RANDOM.standard_normal((COUNT, 2))
STIFFNESS = 10 ** RANDOM.uniform(-1, 1, COUNT)  # from 20 to 200 attempts
SPAN, TS = np.array([0.0, 4.0]), np.linspace(0.0, 4.0, 5)
ALL_OWN = {"y0": 0, "args": {"mu": 0}}
OPTIONS = {"rtol": 1e-7, "atol": 1e-7}


def oscillator(t, y, args):
    """Van der Pol with a frequency that all share."""
    return jnp.stack([args["w"] * y[1], args["mu"] * (1 - y[0] ** 2) * y[1] - args["w"] * y[0]])


def by_vmap(mu, w, y0, ts):
    return jax.vmap(lambda mu, y0: continua.solve(oscillator, y0, ts, args={"mu": mu, "w": w}, **OPTIONS).ys)(mu, y0)


def by_ensemble(mu, w, y0, ts):
    args = {"mu": mu, "w": w}
    return solve_ensemble(oscillator, y0, ts, args=args, in_axes=ALL_OWN, lanes=LANES, **OPTIONS).ys


POINT = jnp.asarray(STIFFNESS), jnp.array(1.2), jnp.asarray(STATES)


def loss_of(values):
    """Every output of every trajectory enters with another weight."""

    def loss(mu, w, y0, ts):
        ys = values(mu, w, y0, ts)
        return (ys**2 * jnp.cos(jnp.arange(float(ys.size))).reshape(ys.shape)).sum()

    return loss


def value_and_gradient(of, ts):
    """With respect to parameters of each, a parameter of all, starts and times."""
    return jax.jit(jax.value_and_grad(loss_of(of), (0, 1, 2, 3)))(*POINT, jnp.asarray(ts))


@pytest.mark.parametrize("ts", [pytest.param(SPAN, marks=pytest.mark.core), TS], ids=["end", "outputs"])
def test_values_and_gradients_are_those_of_vmap(ts):
    (value, gradient), (wanted, slopes) = (value_and_gradient(of, ts) for of in (by_ensemble, by_vmap))
    assert float(value) == pytest.approx(float(wanted), rel=1e-13)
    assert all(apart(a, b) < 1e-10 for a, b in zip(gradient, slopes, strict=True))


def test_values_are_those_of_a_loop():
    ensemble = solve_ensemble(
        VanDerPol(STIFFNESS), STATES, TS, in_axes={"y0": 0, "equation": 0}, lanes=LANES, **OPTIONS
    )
    assert len(ensemble) == COUNT
    for i in range(0, COUNT, 13):
        alone = continua.solve(VanDerPol(STIFFNESS[i]), STATES[i], TS, **OPTIONS)
        assert apart(ensemble.ys[i], alone.ys) < 1e-12
        for count in ("steps", "accepted", "rejected", "nfe"):
            assert getattr(ensemble.stats, count)[i] == getattr(alone.stats, count)
    one = ensemble[COUNT - 1]
    assert one.status is Status.SUCCESS
    assert apart(one(TS), ensemble.ys[-1]) < 1e-12


@pytest.mark.core
def test_forward_mode_and_second_derivatives():
    """Σ cos(ω tᵢ) and its derivatives."""
    ts = np.linspace(1.0, 4.0, 11)

    def total(omega):
        spans = jnp.stack([jnp.zeros(11), jnp.asarray(ts)], 1)
        how = {"in_axes": {"ts": 0}, "method": RK4(), "step_control": Fixed(0.01)}  # few stages, soon compiled
        found = solve_ensemble(HarmonicOscillator(omega, 0.0), jnp.array([1.0, 0.0]), spans, lanes=4, **how)
        return found.ys[:, -1, 0].sum()

    omega = jnp.array(1.2)
    first = jax.jit(lambda omega: jax.jvp(total, (omega,), (jnp.ones(()),))[1])(omega)
    assert float(first) == pytest.approx(-(ts * np.sin(1.2 * ts)).sum(), rel=1e-7)
    assert float(jax.jit(jax.hessian(total))(omega)) == pytest.approx(-(ts**2 * np.cos(1.2 * ts)).sum(), rel=1e-6)


def test_vmap_over_ensembles():
    rates = jnp.array([0.5, 1.0, 1.5])

    def total(rate, y0=STATES[:11]):
        return (solve_ensemble(LotkaVolterra(rate), jnp.abs(y0), SPAN, lanes=4, **OPTIONS).ys ** 2).sum()

    gradient = jax.grad(total)
    assert apart(jax.jit(jax.vmap(gradient))(rates), [jax.jit(gradient)(rate) for rate in rates]) < 1e-11


def test_each_may_have_its_own_times():
    ends = np.linspace(-4.0, 4.0, COUNT)[:, None] + 0.01  # forward and backward
    ts = ends * np.linspace(0.0, 1.0, 4)
    start = np.tile([1.0, 0.0], (COUNT, 1))
    ensemble = solve_ensemble(
        HarmonicOscillator(1.0, 0.0), start, ts, in_axes={"y0": 0, "ts": 0}, lanes=LANES, rtol=1e-10, atol=1e-10
    )
    assert apart(ensemble.ys[..., 0], np.cos(ts)) < 1e-8
    assert np.array_equal(ensemble.reached, ts[:, -1])


def square(t, y, args):
    """Reaches infinity at t = 1 / y₀."""
    return y**2


@pytest.mark.parametrize("ts", [[0.0, 2.0], np.linspace(0.0, 2.0, 9)], ids=["end", "outputs"])
def test_each_ends_for_itself(ts):
    start = np.linspace(-1.0, 0.94, COUNT)[:, None]
    start[7] = np.nan
    bad = start[:, 0] > 0.5
    ensemble = solve_ensemble(square, start, ts, lanes=LANES, throw=False, rtol=1e-9, atol=1e-12)
    expected = np.where(bad, Status.BLOW_UP, Status.SUCCESS)
    expected[7] = Status.NON_FINITE_FIELD
    assert np.array_equal(ensemble.status, expected)
    assert np.allclose(ensemble.reached[bad], 1 / start[bad, 0], rtol=1e-5)
    assert np.isnan(ensemble.ys[bad][:, -1]).all()
    good = ~bad & np.isfinite(start[:, 0])
    exact = start[good] / (1 - start[good] * np.asarray(ts))
    assert np.allclose(ensemble.ys[good][..., 0], exact, rtol=1e-6)
    first = int(np.argmax(bad))
    with pytest.raises(FailedSolve, match=r"NaN or infinity .* in batch entry 7, "):
        ensemble.check()
    with pytest.raises(FailedSolve, match=f"in batch entry {first - 1}: .*grows without bound") as caught:
        solve_ensemble(square, np.delete(start, 7, 0), ts, lanes=LANES, rtol=1e-9, atol=1e-12)
    assert caught.value.solution.status[first - 1] == Status.BLOW_UP


def test_gradients_of_what_came_before_the_failures_are_finite():
    def before(start):
        ys = solve_ensemble(square, start, [0.0, 0.5, 2.0], lanes=4, throw=False, rtol=1e-9, atol=1e-12).ys
        return ys[:, 1, 0].sum()

    start = jnp.linspace(0.1, 1.0, 11)[:, None]
    assert apart(jax.jit(jax.grad(before))(start), 1 / (1 - start / 2) ** 2) < 1e-6


def test_every_trajectory_has_the_whole_budget():
    counted = solve_ensemble(
        VanDerPol(STIFFNESS), STATES, SPAN, in_axes={"y0": 0, "equation": 0}, lanes=LANES, **OPTIONS
    )
    budget = int(np.median(counted.stats.steps))
    short = solve_ensemble(
        VanDerPol(STIFFNESS),
        STATES,
        SPAN,
        in_axes={"y0": 0, "equation": 0},
        lanes=LANES,
        max_steps=budget,
        throw=False,
        **OPTIONS,
    )
    enough = np.asarray(counted.stats.steps) <= budget
    assert np.array_equal(short.status == Status.SUCCESS, enough)
    assert (short.stats.steps[~enough] == budget).all()
    assert np.array_equal(short.ys[enough], counted.ys[enough])


def test_only_those_that_are_stiff_get_a_stiff_method():
    equation, start, ts = VanDerPol(np.array([1.0, 900.0, 2.0, 1000.0, 3.0])), [2.0, 0.0], [0.0, 60.0]
    ensemble = solve_ensemble(equation, start, ts, in_axes={"equation": 0}, lanes=2, max_steps=3000)
    assert np.array_equal(ensemble.stiff, [False, True, False, True, False])
    for i, method in ((0, None), (3, Rodas5P())):
        alone = continua.solve(VanDerPol(equation.mu[i]), start, ts, method=method, max_steps=3000)
        assert apart(ensemble.ys[i], alone.ys) < 1e-10
        assert ensemble.stats.nfe[i] == alone.stats.nfe
        assert ensemble[i].question.method == alone.question.method
    named = solve_ensemble(
        equation, start, ts, in_axes={"equation": 0}, lanes=2, max_steps=3000, method=Rodas5P(), throw=False
    )
    assert not np.any(named.stiff)
    assert apart(named.ys[1::2], ensemble.ys[1::2]) < 1e-10


def tree_field(t, y, args):
    """A rotation and a decay, in a PyTree."""
    return {"turn": args["w"] * jnp.stack([y["turn"][1], -y["turn"][0]]), "fall": (-args["rate"] * y["fall"][0],)}


def test_trees_axes_fixed_steps_and_single_precision():
    """Axes other than the first, and by leaf; the numbers of each follow its own."""
    turn, fall = RANDOM.standard_normal((2, COUNT)).astype(np.float32), np.float32(2.0)
    rates = np.linspace(0.0, 1.0, COUNT, dtype=np.float32)
    ensemble = solve_ensemble(
        tree_field,
        {"turn": turn, "fall": (fall,)},
        [0.0, 1.0, 2.0],
        args={"w": np.float32(1.5), "rate": rates},
        in_axes={"y0": {"turn": 1, "fall": (None,)}, "args": {"w": None, "rate": 0}},
        method=RK4,
        step_control=Fixed(1 / 128),
        lanes=LANES,
    )
    assert ensemble.ys["turn"].shape == (COUNT, 3, 2)
    assert ensemble.ys["turn"].dtype == jnp.float32
    assert (np.asarray(ensemble.stats.steps) == 256).all()
    times = np.array([0.0, 1.0, 2.0])
    assert apart(ensemble.ys["fall"][0], 2 * np.exp(-rates[:, None] * times)) < 1e-5
    c, s = np.cos(1.5 * times), np.sin(1.5 * times)
    assert apart(ensemble.ys["turn"][..., 0], turn[0][:, None] * c + turn[1][:, None] * s) < 1e-5


def test_chunks_of_any_size_and_files_on_both_sides(tmp_path):
    """Chunks of 20 leave 13, of which the rest is filled up."""
    states = np.lib.format.open_memmap(tmp_path / "y0.npy", "w+", float, STATES.shape)
    states[:] = STATES
    out = np.lib.format.open_memmap(tmp_path / "ys.npy", "w+", float, (COUNT, len(TS), 2))
    args = {"mu": STIFFNESS, "w": 1.2}
    ensemble = solve_ensemble(
        oscillator, states, TS, args=args, in_axes=ALL_OWN, lanes=LANES, chunk=20, out=out, **OPTIONS
    )
    assert ensemble.ys is out
    out.flush()
    wanted = np.asarray(by_vmap(*POINT, TS))
    assert np.array_equal(np.load(tmp_path / "ys.npy"), wanted)
    found = solve_ensemble(oscillator, STATES, TS, args=args, in_axes=ALL_OWN, lanes=LANES, chunk=20, **OPTIONS)
    assert np.array_equal(found.ys, wanted)
    assert np.array_equal(found.status, np.zeros(COUNT))


def test_what_does_not_fit_is_cut(monkeypatch):
    chunks = []
    run = ensemble_module.in_chunks
    monkeypatch.setattr(
        ensemble_module,
        "in_chunks",
        lambda who, plan, chunk, *rest: chunks.append(chunk) or run(who, plan, chunk, *rest),
    )
    monkeypatch.setattr(ensemble_module, "CHUNK_BYTES", 20 * 8 * 2 * (2 + ensemble_module.BESIDE))
    solve_ensemble(LotkaVolterra(), np.abs(STATES), SPAN)
    assert chunks == [18]  # three chunks of nearly one size


def test_new_numbers_do_not_compile_anew():
    traced = []

    def field(t, y, args):
        traced.append(1)
        return -args * y

    def run(rate, count=COUNT, **more):
        return solve_ensemble(field, np.ones((count, 1)), SPAN, args=rate, lanes=LANES, rtol=1e-8, **more).ys[0, -1, 0]

    assert float(run(1.0)) == pytest.approx(np.exp(-4), rel=1e-6)
    count = len(traced)
    assert float(run(0.5)) == pytest.approx(np.exp(-2), rel=1e-6)
    assert len(traced) == count
    run(0.5, chunk=20)
    count = len(traced)
    run(0.25, count=77, chunk=20)
    assert len(traced) == count


PROGRAM = """
    import numpy as np, jax, continua
    continua.configure(devices=2, float64=True)
    assert len(jax.devices()) == 2
    from tests.solver.test_ensemble import ALL_OWN, LANES, OPTIONS, SPAN, STATES, STIFFNESS, TS, by_ensemble
    from tests.solver.test_ensemble import oscillator, value_and_gradient
    args = {{"mu": STIFFNESS, "w": 1.2}}
    chunked = continua.solve_ensemble(
        oscillator, STATES, TS, args=args, in_axes=ALL_OWN, lanes=LANES, chunk=20, **OPTIONS
    )
    _, gradient = value_and_gradient(by_ensemble, SPAN)
    np.savez("{file}", chunked.ys, *gradient)
"""


def test_two_devices_give_the_numbers_of_one(tmp_path):
    """53 trajectories on two devices: one place stays empty; gradients of what all share are summed over devices."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    program = textwrap.dedent(PROGRAM).format(file=tmp_path / "two.npz")
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    values, *gradient = np.load(tmp_path / "two.npz").values()
    assert apart(values, by_vmap(*POINT, TS)) < 1e-12
    _, wanted = value_and_gradient(by_vmap, SPAN)
    assert all(apart(a, b) < 1e-10 for a, b in zip(gradient, wanted, strict=True))


Y0 = np.ones((3, 2))
BAD = {
    "not a dict": ({"in_axes": 0}, ArgumentTypeError, "`in_axes`.*dict with keys.*Got 0. Use {'y0': 0, 'args': 0}"),
    "another name": ({"in_axes": {"y": 0}}, ArgumentTypeError, "`in_axes`.*Got {'y': 0}"),
    "half an axis": ({"in_axes": {"y0": 0.5}}, ArgumentTypeError, "`in_axes`.*ints and None. Got 0.5"),
    "an axis of nothing": ({"in_axes": {"y0": 2}}, ArgumentError, "`in_axes`.*Got 2 for y0 of shape (3, 2)"),
    "no axis": ({"in_axes": {}}, ArgumentError, "`in_axes`.*at least one trajectory. Got none. Use in_axes={'y0': 0}"),
    "no trajectory": ({"y0": np.ones((0, 2))}, ArgumentError, "`in_axes`.*Got an empty one"),
    "two lengths": (
        {"args": np.ones(4), "in_axes": {"y0": 0, "args": 0}},
        ArgumentError,
        "`in_axes`.*of one length. Got 3 of y0, 4 of args. Use None",
    ),
    "another structure": (
        {"args": {"a": np.ones(3)}, "in_axes": {"y0": 0, "args": {"b": 0}}},
        ArgumentTypeError,
        "`in_axes`.*like `args`.*Got {'b': 0}",
    ),
    "a scalar": (
        {"args": {"a": 1.0}, "in_axes": {"y0": 0, "args": 0}},
        ArgumentError,
        "`in_axes`.*Got 0 for args['a'] of shape (). Use None",
    ),
    "another field": (
        {"equation": LotkaVolterra(), "in_axes": {"y0": 0, "equation": {"mu": 0}}},
        ArgumentError,
        "`in_axes`.*fields of the equation. Got 'mu' for LotkaVolterra. Use one of alpha, beta",
    ),
    "whole numbers": ({"y0": np.ones((3, 2), int)}, ArgumentTypeError, "`y0`.*floating. Got int64"),
    "times of one backward": (
        {"ts": np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]), "in_axes": {"y0": 0, "ts": 0}},
        ArgumentError,
        "`ts`.*strictly decreasing. Got ts[0]=0, ts[1]=0",
    ),
    "a table of times": ({"ts": np.ones((3, 2))}, ArgumentError, "`ts`.*Got shape (3, 2)"),
    "no lanes": ({"lanes": 0}, ArgumentError, "`lanes`.*positive int. Got 0. Use 256"),
    "no chunk": ({"chunk": 0}, ArgumentError, "`chunk`.*positive int. Got 0"),
    "no array to fill": ({"out": [1.0]}, ArgumentTypeError, "`out`.*structure of ys, float64[3, 2, 2]"),
    "an array of JAX to fill": ({"out": jnp.ones((3, 2, 2))}, ArgumentTypeError, "`out`.*writable array of numpy. Got"),
    "an event of two numbers": (
        {"events": Event(lambda t, y, args: y)},
        ArgumentError,
        "`condition` of `Event`.*one number. Got shape (2,). Use y[0]",
    ),
    "no event": ({"events": [None]}, ArgumentTypeError, "`events`.*must be an Event or a list of them. Got"),
    "a short array to fill": ({"out": np.ones((3, 2))}, ArgumentError, "`out`.*float64[3, 2, 2]. Got float64[3, 2]"),
    "single precision to fill": (
        {"out": np.ones((3, 2, 2), np.float32)},
        ArgumentError,
        "`out`.*float64[3, 2, 2]. Got float32[3, 2, 2]",
    ),
}


@pytest.mark.core
@pytest.mark.parametrize("name", BAD)
def test_is_refused_in_one_line(name):
    change, kind, words = BAD[name]
    inputs = {"equation": lambda t, y, args: -y, "y0": Y0, "ts": [0.0, 1.0]} | change
    with pytest.raises(kind) as caught:
        solve_ensemble(inputs.pop("equation"), inputs.pop("y0"), inputs.pop("ts"), **inputs)
    message = str(caught.value)
    assert all(part in message for part in words.split(".*")), message
    assert "\n" not in message
    assert " Use " in message


def test_files_and_chunks_are_refused_under_transformations():
    with pytest.raises(ArgumentError, match="`chunk` of `solve_ensemble` is for arrays of the host"):
        jax.jit(lambda y0: solve_ensemble(square, y0, SPAN, chunk=2).ys)(jnp.ones((3, 1)))


def test_a_bar_on_a_terminal_alone(capsys, monkeypatch):
    def run(**more):
        solve_ensemble(LotkaVolterra(), np.abs(STATES), SPAN, chunk=20, lanes=LANES, **more)
        return capsys.readouterr()

    assert run() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(progress=False) == ("", "")
    said = run()
    assert said.out == ""
    assert "chunks" in said.err


def test_a_large_batch_of_vmap_goes_through_lanes_by_itself(monkeypatch):
    """Their numbers do not depend on it: exp(-k) and its derivatives, over outputs inside, in closures too."""
    seen = []
    original = lanes_module.Batch.blocks
    monkeypatch.setattr(lanes_module.Batch, "blocks", lambda *given: seen.append(given[2]) or original(*given))
    rates, ts = jnp.linspace(0.1, 2.0, 1100), jnp.array([0.0, 0.5, 1.0])

    def value(rate):
        ys = continua.solve(lambda t, y, args: -rate * y, jnp.ones(1), ts, rtol=1e-10).ys
        return ys[1, 0] + ys[2, 0]

    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(value)))(rates)
    assert apart(values, jnp.exp(-rates / 2) + jnp.exp(-rates)) < 1e-9
    assert apart(slopes, -jnp.exp(-rates / 2) / 2 - jnp.exp(-rates)) < 1e-9
    assert set(seen) == {256}


def test_stops_and_what_is_kept_are_those_of_solve():
    """A push that sets in at t = 1, of which the energy and a flag are kept."""

    def pushed(t, y, push):
        return jnp.stack([y[1], jnp.where(t < 1, 0.0, push) - y[0]])

    def kept(t, y, push):
        return {"energy": (y**2).sum() / 2, "late": t > 1.5}

    pushes, start, ts = jnp.linspace(0.0, 3.0, 20), jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0, 2.0])
    options = {"tstops": [1.0], "save": kept, "rtol": 1e-10}
    found = solve_ensemble(pushed, start, ts, args=pushes, in_axes={"args": 0}, lanes=4, chunk=10, **options)
    wanted = [continua.solve(pushed, start, ts, args=push, **options).ys for push in pushes[::7]]
    assert all(apart(found.ys["energy"][7 * i], one["energy"]) < 1e-12 for i, one in enumerate(wanted))
    assert np.array_equal(found.ys["late"], np.tile([False, False, True], (20, 1)))
    angle = np.array([np.cos(1.0) - pushes, np.full(20, -np.sin(1.0))])
    turn = np.array([[np.cos(1.0), np.sin(1.0)], [-np.sin(1.0), np.cos(1.0)]])
    end = turn @ angle + np.array([pushes, np.zeros(20)])
    assert apart(found.ys["energy"][:, 2], (end**2).sum(0) / 2) < 1e-8
    out = {"energy": np.empty((20, 3)), "late": np.empty((20, 3), bool)}
    solve_ensemble(pushed, start, ts, args=pushes, in_axes={"args": 0}, lanes=4, chunk=10, out=out, **options)
    assert np.array_equal(out["energy"], found.ys["energy"])


HEIGHTS = np.linspace(0.3, 2.5, 11)
SHARES = np.linspace(0.5, 0.8, 11)  # of the speed that a bounce leaves
BOUNCING = (
    Event(lambda t, y, args: y[0], direction=-1, reset=lambda t, y, args: jnp.stack([0.0 * y[0], -args[1] * y[1]])),
    Event(lambda t, y, args: y[1] + 6.0, terminal=True),  # too fast
)
STEPS = {"events": BOUNCING, "max_events": 8, "method": RK4(), "step_control": Fixed(0.125), "throw": False}


def falling(t, y, args):
    return jnp.stack([y[1], -args[0] + 0.0 * y[0]])


def ball(height, share, gravity):
    """States at two times, events, counts and how it ended."""
    start, ts = jnp.stack([height, 0.0 * height]), jnp.array([0.0, 0.5, 0.9])
    found = continua.solve(falling, start, ts, args=(gravity, share), **STEPS)
    return found.ys, found.events, found.stats, found.status


def balls(heights, shares, gravity, lanes=None):
    """The same of all."""
    start, ts = jnp.stack([heights, 0.0 * heights], 1), jnp.array([0.0, 0.5, 0.9])
    own = {"y0": 0, "args": (None, 0)}
    found = solve_ensemble(falling, start, ts, args=(gravity, shares), in_axes=own, lanes=lanes, **STEPS)
    return found.ys, found.events, found.stats, found.status


def with_gradient(of):
    """With the gradient of a sum that all states, event times and event states enter."""

    def loss(*point):
        ys, events, *_ = found = of(*point)
        return sum(jnp.nansum(x**2) for x in (ys, events.ts, events.ys)), found

    return jax.jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))


ONE_BALL = with_gradient(ball)


@pytest.mark.parametrize("lanes", [None, 2])
def test_events_and_their_gradients_are_those_of_a_loop_of_solve(lanes):
    gravity = jnp.array(9.81)
    (_, found), slopes = with_gradient(lambda *point: balls(*point, lanes))(HEIGHTS, SHARES, gravity)
    alone = [ONE_BALL(height, share, gravity) for height, share in zip(HEIGHTS, SHARES, strict=True)]
    wanted = jax.tree.map(lambda *parts: np.stack(parts), *(one for (_, one), _ in alone))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    *own, shared = (np.stack(parts) for parts in zip(*(slope for _, slope in alone), strict=True))
    assert all(apart(a, b) < 1e-10 for a, b in zip(slopes, [*own, shared.sum(0)], strict=True))
    fast = np.sqrt(2 * 9.81 * HEIGHTS) > 6
    rest = np.sqrt(2 * HEIGHTS / 9.81) * (1 + SHARES) / (1 - SHARES)  # when the bounces have become too many
    endings = np.where(fast, Status.EVENT, np.where(rest < 0.9, Status.EVENT_FAILURE, Status.SUCCESS))
    assert np.array_equal(found[-1], endings)
    assert len(set(endings)) == 3
    assert np.array_equal(found[1].which[:, 0], np.stack([~fast, fast], 1))
    assert np.isnan(found[0][fast, 2]).all()


@pytest.mark.core
def test_balls_fall_in_the_time_of_the_closed_form():
    """t = √(2h/g), in chunks and with its derivatives."""
    ground = {"events": Event(lambda t, y, args: y[0], terminal=True), "max_events": 1}
    how = {"method": RK4(), "step_control": Fixed(0.25)}

    def fall(heights, gravity, **more):
        start = jnp.stack([heights, 0.0 * heights], 1)
        return solve_ensemble(falling, start, [0.0, 1.0], args=(gravity, 0.0), **ground, **how, **more)

    found, times = fall(HEIGHTS, 9.81, chunk=4), np.sqrt(2 * HEIGHTS / 9.81)
    np.testing.assert_allclose(found.events.ts[:, 0], times, rtol=1e-13)
    np.testing.assert_allclose(found.events.of(0)[1], np.stack([0 * times, -9.81 * times], 1), rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found.reached, found.events.of(0)[0])
    assert np.array_equal(found.status, np.full(11, Status.EVENT))
    assert np.array_equal(found.events.count, np.ones(11))
    assert found[3].events.ts[0] == found.events.ts[3, 0]
    slopes = jax.jit(jax.grad(lambda *p: fall(*p).events.ts.sum(), (0, 1)))(HEIGHTS, 9.81)
    np.testing.assert_allclose(slopes[0], times / HEIGHTS / 2, rtol=1e-10)
    assert slopes[1] == pytest.approx(-times.sum() / 2 / 9.81, rel=1e-10)


def test_events_without_end_are_told_of_the_trajectory_that_has_them():
    """The lower ball comes to rest before the end; the upper one ends in its flight."""
    start, ts = np.array([[2.5, 0.0], [0.1, 0.0]]), [0.0, 0.9]
    with pytest.raises(FailedSolve, match=r"More than max_events=8 events .* in batch entry 1: ") as caught:
        solve_ensemble(falling, start, ts, args=(9.81, 0.2), **(STEPS | {"throw": True}))
    ensemble = caught.value.solution
    assert np.array_equal(ensemble.status, [Status.EVENT, Status.EVENT_FAILURE])
    assert np.array_equal(ensemble.events.count, [1, 8])
