"""`solve` against closed forms, against scipy, and against what it promises."""

import re
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.progress import Progress
from scipy.integrate import solve_ivp

import continua
from continua import Solution, Status
from continua.core import ArgumentError
from continua.equations import ExponentialDecay, HarmonicOscillator, LotkaVolterra, Robertson, VanDerPol
from continua.methods import RK4, Euler, Rodas5P, Switching, Tsit5
from continua.solver import Adaptive, Fixed, by_its_steps
from tests.equations.systems import SYSTEMS

from .problems import apart

TS = jnp.linspace(0.0, 5.0, 11)
START = jnp.array([1.0, 0.5])
LOTKA = LotkaVolterra(2 / 3, 4 / 3, 1.0, 1.0)


def turning(t, y, rate):
    """A rotation, whose solutions are cosines and sines."""
    return rate * jnp.stack([y[1], -y[0]])


def rotated(t, start=START, rate=1.0):
    """The closed form of `turning`: [time, 2]."""
    c, s = np.cos(rate * np.asarray(t)), np.sin(rate * np.asarray(t))
    return np.stack([c * start[0] + s * start[1], c * start[1] - s * start[0]], -1)


def reference(system, ts):
    """scipy's DOP853 at 1e-12 on the formula in numpy."""
    span, start = (float(ts[0]), float(ts[-1])), system.start
    options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14, "t_eval": np.asarray(ts)}
    return solve_ivp(lambda t, y: system.formula(t, y, system.equation), span, start, **options).y.T


@pytest.mark.core
def test_closed_forms():
    ts = jnp.linspace(0.0, 4.0, 9)
    y = continua.solve(ExponentialDecay(), jnp.array([2.0]), ts, rtol=1e-10, atol=1e-12).ys
    assert apart(y[:, 0], 2 * np.exp(-0.5 * np.asarray(ts))) < 1e-9
    w = np.sqrt(1 - 0.1**2)
    y = continua.solve(HarmonicOscillator(), jnp.array([1.0, 0.0]), ts, rtol=1e-10, atol=1e-12).ys
    assert apart(y[:, 0], np.exp(-0.1 * ts) * (np.cos(w * ts) + 0.1 / w * np.sin(w * ts))) < 1e-8


@pytest.mark.parametrize(
    "name", ["LotkaVolterra", "Duffing", "Pendulum", pytest.param("Lorenz", marks=pytest.mark.core), "SIR"]
)
def test_equals_scipy(name):
    system = SYSTEMS[name]
    ts = jnp.linspace(0.0, system.end, 21)
    solution = continua.solve(system.equation, jnp.array(system.start), ts, rtol=1e-8, atol=1e-10)
    assert solution.status is Status.SUCCESS
    assert apart(solution.ys, reference(system, ts)) < (1e-5 if name == "Lorenz" else 1e-6)


@pytest.mark.core
def test_the_error_falls_with_the_tolerance():
    rtols = 10.0 ** -np.arange(4, 10)
    errors = [
        np.abs(continua.solve(turning, START, TS, args=1.0, rtol=r, atol=r).ys[-1] - rotated(5.0)).max() for r in rtols
    ]
    slope = np.polyfit(np.log10(rtols), np.log10(errors), 1)[0]
    assert slope == pytest.approx(1, abs=0.2)
    assert (np.array(errors) < 20 * rtols).all()


def test_outputs_are_the_solution_called_and_do_not_change_the_steps():
    options = {"args": 1.0, "rtol": 1e-6, "atol": 1e-6}
    two = continua.solve(turning, START, TS[jnp.array([0, -1])], **options)
    many = continua.solve(turning, START, jnp.linspace(0.0, 5.0, 101), **options)
    for count in ("steps", "accepted", "rejected", "nfe"):
        assert getattr(two.stats, count) == getattr(many.stats, count)
    assert jnp.array_equal(two.ys[-1], many.ys[-1])
    assert apart(two(many.ts), many.ys) < 1e-14
    assert apart(many.ys, rotated(many.ts)) < 1e-5
    assert two(1.5).shape == (2,)
    assert apart(two(jnp.array([[4.0, 0.5, 2.0], [0.0, 5.0, 1.0]])), rotated([[4.0, 0.5, 2.0], [0.0, 5.0, 1.0]])) < 1e-5


def test_counts_add_up():
    stats = continua.solve(turning, START, TS, args=1.0, rtol=1e-6, atol=1e-6).stats
    assert stats.accepted + stats.rejected == stats.steps
    assert 0 < stats.accepted < 100
    assert stats.nfe == 6 * stats.steps + 3


def test_a_tree_equals_its_flat_state():
    def field(t, y, args):
        turn = jnp.stack([y["pair"][0][1], -y["pair"][0][0]])
        return {"pair": (turn,), "table": -y["table"], "one": y["one"] * 0 + jnp.cos(t)}

    def flat_field(t, y, args):
        return jnp.concatenate([jnp.cos(t)[None], jnp.stack([y[2], -y[1]]), -y[3:]])

    table = jnp.arange(1.0, 5.0).reshape(2, 2)
    tree = continua.solve(field, {"pair": (START,), "table": table, "one": jnp.array(0.0)}, TS, rtol=1e-8).ys
    flat = continua.solve(flat_field, jnp.concatenate([jnp.zeros(1), START, table.reshape(-1)]), TS, rtol=1e-8).ys
    assert tree["table"].shape == (11, 2, 2)
    assert tree["one"].shape == (11,)
    assert apart(tree["one"], flat[:, 0]) < 1e-14
    assert apart(tree["pair"][0], flat[:, 1:3]) < 1e-14
    assert apart(tree["table"].reshape(11, 4), flat[:, 3:]) < 1e-14
    assert apart(tree["one"], np.sin(TS)) < 1e-7


@pytest.mark.core
def test_single_precision_follows_y0():
    rate, start = jnp.array(1.0, jnp.float32), START.astype(jnp.float32)

    def values(rate, y):
        return continua.solve(turning, y, np.asarray(TS), args=rate, rtol=1e-5, atol=1e-5).ys

    wide = r"f64\[(?!1?\]).*"  # literals are weakly typed scalars, and harmless
    assert not re.findall(wide, str(jax.make_jaxpr(values)(rate, start)))
    ys = values(rate, start)
    assert ys.dtype == jnp.float32
    assert 1e-9 < apart(ys, rotated(TS)) < 3e-5
    default = continua.solve(turning, start, TS, args=rate)
    assert default.ts.dtype == jnp.float32
    assert apart(default.ys, rotated(TS)) < 1e-3


@pytest.mark.core
def test_backward_in_time_returns_to_the_start():
    there = continua.solve(LOTKA, START, TS, rtol=1e-10, atol=1e-10).ys
    back = continua.solve(LOTKA, there[-1], TS[::-1], rtol=1e-10, atol=1e-10).ys
    assert apart(back[::-1], there) < 1e-8
    shifted = continua.solve(LOTKA, START, TS - 7.0, rtol=1e-10, atol=1e-10).ys
    assert apart(shifted, there) < 1e-12


def test_time_enters_the_equation():
    ts = jnp.linspace(-1.0, 1.5, 6)
    y = continua.solve(lambda t, y, args: 2 * t * y, jnp.array([1.0]), ts, rtol=1e-9, atol=1e-12).ys
    assert apart(y[:, 0], np.exp(np.asarray(ts) ** 2 - 1)) < 1e-7


def test_numbers_only_and_scalars():
    assert continua.solve(turning, [1.0, 0.0], [0, 1], args=1.0).ys.shape == (2, 2)
    y = continua.solve(lambda t, y, args: -y, 1.0, (0, 1), rtol=1e-8).ys
    assert y.shape == (2,)
    assert float(y[-1]) == pytest.approx(np.exp(-1), rel=1e-7)


@pytest.mark.core
def test_fixed_steps_are_the_methods_own():
    """34 steps by hand, the last one shorter: 33 × 0.03 + 0.01 = 1."""
    h, method = 0.03, RK4()
    solution = continua.solve(turning, START, [0.0, 1.0], args=1.0, method=method, step_control=Fixed(h))
    t, y = jnp.array(0.0), START
    advance = jax.jit(lambda t, h, y: method.advance(turning, t, h, y, 1.0))
    for n in range(34):
        step = jnp.array(h) if n < 33 else 1.0 - t
        y, t = advance(t, step, y), t + step
    assert int(solution.stats.steps) == int(solution.stats.accepted) == 34
    assert apart(solution.ys[-1], y) < 1e-15
    assert float(solution.ending.t[0]) == 1.0
    assert apart(solution.ys[-1], rotated(1.0)) < 1e-7


def test_fixed_steps_that_divide_the_span_are_not_one_too_many():
    """0.1 has no exact sum: ten of them leave 1e-16, which belongs to the last step."""
    for h, count in ((0.1, 10), (0.25, 4), (2.0, 1), (0.4, 3)):
        solution = continua.solve(turning, START, [0.0, 1.0], args=1.0, method=RK4(), step_control=Fixed(h))
        assert int(solution.stats.steps) == count
        assert float(solution.ending.t[0]) == 1.0


def test_fixed_steps_by_a_method_that_could_adapt():
    solution = continua.solve(turning, START, [0.0, 1.0], args=1.0, method=Tsit5(), step_control=Fixed(0.05))
    assert int(solution.stats.steps) == 20
    assert apart(solution.ys[-1], rotated(1.0)) < 1e-8


def test_a_class_serves_as_method():
    of_class = continua.solve(turning, START, [0.0, 1.0], args=1.0, method=RK4, step_control=Fixed(0.1))
    of_instance = continua.solve(turning, START, [0.0, 1.0], args=1.0, method=RK4(), step_control=Fixed(0.1))
    assert jnp.array_equal(of_class.ys, of_instance.ys)


def two_scales(t, y, args):
    """Two oscillators whose sizes lie six orders apart."""
    return jnp.stack([y[1], -y[0], y[3], -y[2]])


def test_absolute_tolerance_by_component():
    start, ts = jnp.array([1.0, 0.0, 1e-6, 0.0]), jnp.array([0.0, 6.0])
    sizes = jnp.array([1.0, 1.0, 1e-6, 1e-6])

    def run(atol):
        return continua.solve(two_scales, start, ts, step_control=Adaptive(1e-12, atol))

    loose, tight = run(1e-6 * sizes), run(1e-6 * jnp.ones(4))
    exact = np.cos(6.0)
    assert abs(float(loose.ys[-1, 2]) * 1e6 - exact) < 1e-4
    assert loose.stats.steps >= tight.stats.steps
    one = continua.solve(two_scales, start, ts, rtol=1e-12, atol=1e-6 * sizes)
    assert jnp.array_equal(one.ys, loose.ys)


def two_rotations(t, y, args):
    """Two rotations that know nothing of each other; one that starts at 0 stays there, and its error is exactly 0."""
    return {name: turning(t, part, 1.0) for name, part in y.items()}


def test_absolute_tolerance_as_a_tree():
    start = {"x": START, "v": 3 * START}
    one = continua.solve(two_rotations, start, [0.0, 3.0], rtol=1e-9, atol=1e-8)
    tree = continua.solve(two_rotations, start, [0.0, 3.0], rtol=1e-9, atol={"x": 1e-8, "v": jnp.full(2, 1e-8)})
    assert one.stats.steps == tree.stats.steps
    assert apart(tree.ys["x"], one.ys["x"]) < 1e-14


@pytest.mark.parametrize("moving", ["x", "v"])
def test_each_leaf_of_an_absolute_tolerance_acts_on_its_own_leaf_of_the_state(moving):
    resting = "v" if moving == "x" else "x"
    start = {moving: START, resting: 0 * START}

    def accepted(of_moving, of_resting):
        atol = {moving: jnp.full(2, of_moving), resting: of_resting}
        return int(continua.solve(two_rotations, start, [0.0, 20.0], rtol=1e-14, atol=atol).stats.accepted)

    strict, loose = accepted(1e-11, 1e-11), accepted(1e-6, 1e-11)
    assert loose < strict / 5  # steps grow with tolerance^(1/5), here tenfold
    assert accepted(1e-11, 1e-6) == strict
    assert accepted(1e-6, 1e-6) == loose


def test_the_step_budget_costs_nothing():
    def compiled(budget):
        def of(y):
            return (continua.solve(LOTKA, y, TS, rtol=1e-6, atol=1e-6, max_steps=budget).ys ** 2).sum()

        return jax.jit(jax.value_and_grad(of)).lower(START).compile()

    programs = [compiled(budget) for budget in (2**10, 2**16, 2**20)]
    (value, gradient), *others = [program(START) for program in programs]
    assert all(float(v) == float(value) and jnp.array_equal(g, gradient) for v, g in others)
    assert all(program.memory_analysis().temp_size_in_bytes < 2**22 for program in programs)


@pytest.mark.core
def test_under_jit_it_returns_a_solution():
    @jax.jit
    def run(start):
        solution = continua.solve(turning, start, TS, args=1.0)
        return solution, solution.status, solution.stats

    solution, status, stats = run(START)
    assert isinstance(solution, Solution)
    assert solution.status is Status.SUCCESS
    assert int(status) == Status.SUCCESS
    assert stats.steps == solution.stats.steps
    assert solution.check() is solution
    assert apart(solution.ys, continua.solve(turning, START, TS, args=1.0).ys) < 1e-13
    assert apart(jax.jit(lambda s, t: s(t))(solution, jnp.array(2.5)), solution.ys[5]) < 1e-13


@pytest.mark.core
def test_many_steps_cross_the_pages_of_the_record():
    ts = jnp.linspace(0.0, 100.0, 6)
    solution = continua.solve(turning, START, ts, args=1.0, method=Euler(), step_control=Fixed(0.02))
    assert int(solution.stats.steps) == 5000
    growth = (1 + 0.02**2) ** (25 * ts[:, None])  # each step of 0.02 turns and stretches by the root of 1 + h²
    assert apart(solution.ys, growth * rotated(ts * np.arctan(0.02) / 0.02)) < 1e-3
    fine = continua.solve(turning, START, ts, args=1.0, rtol=1e-13, atol=1e-13)
    assert int(fine.stats.steps) > 4096
    assert apart(fine.ys, rotated(ts)) < 1e-10


def test_new_numbers_do_not_compile_anew():
    traced = []

    def field(t, y, args):
        traced.append(1)
        return args["rate"] * jnp.stack([y[1], -y[0]])

    def run(start, rate, rtol, end):
        return continua.solve(field, start, jnp.linspace(0.0, end, 5), args={"rate": rate}, rtol=rtol, atol=rtol).ys[-1]

    first = run(START, 1.0, 1e-5, 1.0)
    count = len(traced)
    assert count > 0
    assert apart(run(2 * START, 1.0, 1e-5, 1.0), 2 * first) < 1e-4
    assert apart(run(START, 1.0, 1e-9, 2.0), rotated(2.0)) < 1e-7
    assert apart(run(START, jnp.array(2.0), 1e-9, 1.0), rotated(2.0)) < 1e-7
    assert apart(run(np.array([0.5, 1.0]), jnp.array(1.0), np.float64(1e-9), 2.0), rotated(2.0, [0.5, 1.0])) < 1e-7
    assert len(traced) == count


def test_new_parameters_of_an_equation_do_not_compile_anew(monkeypatch):
    traced, slope = [], HarmonicOscillator.__call__

    def counting(self, t, y, args):
        traced.append(1)
        return slope(self, t, y, args)

    monkeypatch.setattr(HarmonicOscillator, "__call__", counting)
    for omega in (1.0, 2.0, 3.0):
        y = continua.solve(HarmonicOscillator(omega, 0.0), jnp.array([1.0, 0.0]), [0.0, 1.0], rtol=1e-9, atol=1e-9).ys
        assert float(y[-1, 0]) == pytest.approx(np.cos(omega), abs=1e-7)
        count = count if omega > 1 else len(traced)
    assert len(traced) == count


def test_importing_changes_no_setting_of_jax():
    program = """
        import jax
        def settings():
            return {name: getattr(jax.config, name, None) for name in jax.config.values}

        before = settings()
        from continua import core, equations, methods, solve, solver
        assert settings() == before
        assert jax.config.jax_enable_x64 is False
        print("unchanged")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.stdout == "unchanged\n", done.stderr


@pytest.mark.parametrize(
    ("law", "start", "end"),
    [(Robertson(), [1.0, 0.0, 0.0], 1e4), (VanDerPol(1000.0), [2.0, 0.0], 2000.0)],
    ids=["Robertson", "Van der Pol"],
)
def test_without_a_method_a_stiff_equation_gets_a_stiff_one(law, start, end):
    ts = jnp.array([0.0, end])
    found = continua.solve(law, jnp.array(start), ts, rtol=1e-8, atol=1e-12)
    named = continua.solve(law, jnp.array(start), ts, method=Rodas5P(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.ys, named.ys, rtol=1e-7)
    assert isinstance(found.question.method, Switching)
    assert continua.solve(law, jnp.array(start), ts / 1e6).question.method == Tsit5()


def test_large_systems_and_traced_statuses_stay_explicit():
    run = lambda method: (method, jnp.array([Status.SUCCESS, Status.STIFF]))  # noqa: E731
    assert by_its_steps(run, 2) == Rodas5P()
    assert by_its_steps(run, 10_000) == Tsit5()
    assert by_its_steps(lambda method: (method, jnp.array(Status.STEP_BUDGET)), 2) == Tsit5()


def test_what_was_named_is_not_changed():
    ts, start = jnp.array([0.0, 2e3]), jnp.array([2.0, 0.0])
    solve = lambda y, **how: continua.solve(VanDerPol(1000.0), y, ts, max_steps=2000, throw=False, **how)  # noqa: E731
    assert solve(start, method=Tsit5()).status is Status.STIFF
    assert solve(start, step_control=Fixed(h=0.001)).question.method == Tsit5()


def test_a_stiff_equation_is_found_out_early_and_a_long_one_is_finished():
    asked = []

    def run(method, attempts=9999):
        asked.append((type(method).__name__, attempts))
        return asked[-1], np.array(first_status if attempts < 9999 and isinstance(method, Tsit5) else Status.SUCCESS)

    first_status = Status.STIFF
    assert by_its_steps(run, 2, most=9999) == ("Rodas5P", 9999)
    first_status = Status.STEP_BUDGET
    assert by_its_steps(run, 2, most=9999) == ("Tsit5", 9999)
    first_status = Status.SUCCESS
    assert by_its_steps(run, 2, most=9999) == ("Tsit5", 2048)
    assert by_its_steps(run, 2, most=1000) == ("Tsit5", 9999)
    solution = continua.solve(HarmonicOscillator(1.0, 0.0), jnp.array([1.0, 0.0]), jnp.array([0.0, 5000.0]), rtol=1e-8)
    assert isinstance(solution.question.method, Tsit5)
    assert int(solution.stats.steps) > 4096


def test_the_steps_of_a_solution_are_those_it_took():
    """From the start to the end, in order, as many as were accepted; the states there are those of the equation."""
    ts = jnp.array([1.0, 0.0, -2.0])
    solution = continua.solve(ExponentialDecay(1.0), jnp.ones(1), ts, rtol=1e-9, tstops=[0.5])
    steps = solution.steps()
    assert len(steps) == int(solution.stats.accepted) + 1
    assert (steps[0], steps[-1]) == (1.0, -2.0)
    assert (jnp.diff(steps) < 0).all()
    assert jnp.abs(steps - 0.5).min() < 1e-12
    assert apart(solution(steps)[:, 0], jnp.exp(1 - steps)) < 1e-8
    with pytest.raises(ArgumentError, match="`steps` of a Solution is for one solve"):
        jax.vmap(lambda y: continua.solve(ExponentialDecay(1.0), y, ts))(jnp.ones((2, 1))).steps()


def test_a_long_solve_shows_how_far_it_is(monkeypatch, capsys):
    """On a terminal, where it is wanted; the numbers are the same, and a program of the user's is left alone."""

    def run(progress=True):
        found = continua.solve(turn, jnp.array([1.0, 0.0]), [0.0, 100.0, 200.0], progress=progress, rtol=1e-10)
        assert found.question.shown is None  # what the solution is asked later shows nothing
        return found.ys, capsys.readouterr()

    def turn(t, y, args):
        return jnp.stack([y[1], -y[0]])

    plain, said = run()
    assert said == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shares, told = [], Progress.update

    def update(bar, task, completed):
        shares.append(completed)
        told(bar, task, completed=completed)

    monkeypatch.setattr(Progress, "update", update)
    shown, said = run()
    np.testing.assert_array_equal(shown, plain)
    assert said.out == ""
    assert "solving" in said.err
    assert sorted(shares) == shares
    assert shares[0] < shares[-1] == 1
    assert run(progress=False)[1] == ("", "")
    jax.jit(lambda y: continua.solve(turn, y, [0.0, 1.0], progress=True).ys)(jnp.array([1.0, 0.0]))
    assert capsys.readouterr().err == ""
