"""Every bad argument is answered at the door: which one, what came, how to mend it, in one line."""

import re

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import continua
from continua import Solution, Status
from continua.core import ArgumentError, ArgumentTypeError, ContinuaError
from continua.equations import Lorenz
from continua.methods import RK4, ExplicitRungeKutta, Tsit5
from continua.solver import Adaptive, Fixed, StepControl

Y0, TS = jnp.array([1.0, 0.5]), jnp.array([0.0, 1.0])
KINDS = (ArgumentError, ArgumentTypeError)


@pytest.fixture(autouse=True, scope="module")
def _as_users_run_it():
    """The door answers by itself: the annotations are not checked here, as they are in the other tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def decay(t, y, args):
    """For any PyTree."""
    return jax.tree.map(jnp.negative, y)


# What is handed over, the exception, and words of the message.
BAD = {
    "a class": ({"equation": Lorenz}, ArgumentTypeError, "`equation`.*the class Lorenz. Use Lorenz("),
    "no equation": ({"equation": 3}, ArgumentTypeError, "`equation`.*Got 3"),
    "two arguments": ({"equation": lambda t, y: y}, ArgumentTypeError, "`equation`.*(t, y, args). Got <lambda>(t, y)"),
    "other structure": ({"equation": lambda t, y, args: [y]}, ArgumentTypeError, "`equation`.*Got [float64[2]]"),
    "no slope": ({"equation": lambda t, y, args: None}, ArgumentTypeError, "`equation`.*Got None"),
    "other shape": ({"equation": lambda t, y, args: y[:1]}, ArgumentError, "`equation`.*float64[2]. Got float64[1]"),
    "complex slope": (
        {"equation": lambda t, y, args: jax.lax.complex(y, y)},
        ArgumentTypeError,
        "`equation`.*real slopes for a real y0. Got complex128",
    ),
    "no state": ({"y0": None}, ArgumentError, "`y0`.*at least one number. Got None"),
    "empty list": ({"y0": []}, ArgumentError, "`y0`.*Got []"),
    "empty array": ({"y0": {"a": jnp.zeros(0)}}, ArgumentError, "`y0`.*empty"),
    "words": ({"y0": {"a": "b"}}, ArgumentTypeError, "`y0`.*Got 'b'"),
    "array of words": ({"y0": np.array(["b"])}, ArgumentTypeError, "`y0`.*must hold numbers"),
    "a date": ({"y0": np.datetime64("2020-01-01")}, ArgumentTypeError, "`y0`.*must hold numbers"),
    "an object": ({"y0": [1.0, object()]}, ArgumentTypeError, "`y0`.*must hold numbers. Got <object"),
    "unsortable keys": ({"y0": {1: 1.0, "a": 2.0}}, ArgumentTypeError, "`y0`.*keys"),
    "whole numbers": ({"y0": [1, 2]}, ArgumentTypeError, "`y0`.*floating. Got int64. Use y0 = jnp.asarray(y0, float)"),
    "flags": ({"y0": jnp.array([True])}, ArgumentTypeError, "`y0`.*floating. Got bool"),
    "two precisions": (
        {"y0": [Y0, Y0.astype(jnp.float32)]},
        ArgumentTypeError,
        "`y0`.*one precision. Got float32, float64",
    ),
    "NaN": ({"y0": jnp.array([1.0, jnp.nan])}, ArgumentError, "`y0`.*finite"),
    "no times": ({"ts": None}, ArgumentTypeError, "`ts`.*Got None"),
    "ragged times": ({"ts": [[0.0], [1.0, 2.0]]}, ArgumentTypeError, "`ts`.*array of times. Got [[0.0], [1.0, 2.0]]"),
    "dates": ({"ts": np.array(["2020", "2021"], "M8[D]")}, ArgumentTypeError, "`ts`.*datetime64"),
    "one time": ({"ts": [1.0]}, ArgumentError, "`ts`.*Got shape (1,)"),
    "a number as times": ({"ts": 1.0}, ArgumentError, "`ts`.*Got shape ()"),
    "a table of times": ({"ts": np.ones((2, 2))}, ArgumentError, "`ts`.*Got shape (2, 2)"),
    "infinite time": ({"ts": [0.0, jnp.inf]}, ArgumentError, "`ts`.*finite"),
    "unsorted times": ({"ts": [0.0, 2.0, 1.0, 3.0]}, ArgumentError, "`ts`.*increasing. Got ts[1]=2, ts[2]=1"),
    "unsorted backward": ({"ts": [3.0, 1.0, 2.0, 0.0]}, ArgumentError, "`ts`.*decreasing. Got ts[1]=1, ts[2]=2"),
    "unsigned times": ({"ts": np.array([1, 3, 2], np.uint8)}, ArgumentError, "`ts`.*increasing. Got ts[1]=3, ts[2]=2"),
    "equal times": ({"ts": [1.0, 1.0]}, ArgumentError, "`ts`.*strictly.*Got ts[0]=1, ts[1]=1"),
    "equal in float32": (
        {"ts": [1e9, 1e9 + 1], "y0": Y0.astype(jnp.float32)},
        ArgumentError,
        "`ts`.*differ in float32.*jax_enable_x64",
    ),
    "beyond float32": (
        {"ts": [0.0, 1e300], "y0": Y0.astype(jnp.float32)},
        ArgumentError,
        "`ts`.*float32. Got 0 … 1e+300",
    ),
    "too long a span": ({"ts": [-1e308, 1e308]}, ArgumentError, "`ts`.*within float64"),
    "a name as method": ({"method": "RK4"}, ArgumentTypeError, "`method`.*Got 'RK4'"),
    "an abstract method": ({"method": ExplicitRungeKutta}, ArgumentTypeError, "`method`.*Method"),
    "cannot adapt": ({"method": RK4()}, ArgumentError, "`method`.*Got RK4(). Use step_control=Fixed(h), or Tsit5()"),
    "a class as control": ({"step_control": Fixed}, ArgumentTypeError, "`step_control`.*the class Fixed"),
    "a number as control": ({"step_control": 0.1}, ArgumentTypeError, "`step_control`.*Got 0.1. Use Fixed(h=0.01)"),
    "two controls": ({"step_control": Fixed(0.1), "rtol": 1e-3}, ArgumentError, "`rtol` and `atol`.*exclude"),
    "two controls, atol": ({"step_control": Fixed(0.1), "atol": 1e-3}, ArgumentError, "exclude `step_control`"),
    "negative rtol": ({"rtol": -1.0}, ArgumentError, "`rtol`.*positive. Got -1.0"),
    "zero rtol": ({"rtol": 0.0}, ArgumentError, "`rtol`.*positive. Got 0.0"),
    "NaN as rtol": ({"rtol": np.nan}, ArgumentError, "`rtol`.*positive. Got nan"),
    "words as rtol": ({"rtol": "1e-6"}, ArgumentTypeError, "`rtol`.*number. Got '1e-6'"),
    "a list as rtol": ({"rtol": [1e-6]}, ArgumentTypeError, "`rtol`.*number. Got [1e-06]"),
    "complex rtol": ({"rtol": 1e-6 + 0j}, ArgumentTypeError, "`rtol`.*number"),
    "a flag as rtol": ({"rtol": True}, ArgumentTypeError, "`rtol`.*number. Got True"),
    "rtol for other states": (
        {"rtol": np.full(3, 1e-6), "atol": 1e-6},
        ArgumentError,
        "`rtol`.*like y0. Got float64[3] for",
    ),
    "rtol beyond float32": (
        {"rtol": 1e-9, "y0": Y0.astype(jnp.float32)},
        ArgumentError,
        "`rtol`.*float32, which reaches 4.8e-07.*jax_enable_x64",
    ),
    "rtol beyond float64": ({"rtol": 1e-17}, ArgumentError, "`rtol`.*beyond float64.*Loosen it"),
    "no rtol": ({"step_control": Adaptive(None, 1e-6)}, ArgumentTypeError, "`rtol`.*number. Got None"),
    "no atol": ({"step_control": Adaptive(1e-6, None)}, ArgumentTypeError, "`atol`.*number. Got None"),
    "negative atol": ({"atol": jnp.array([1.0, -1.0])}, ArgumentError, "`atol`.*positive"),
    "zero atol": ({"atol": 0.0}, ArgumentError, "`atol`.*positive. Got 0.0"),
    "words as atol": ({"atol": {"a": "b"}}, ArgumentTypeError, "`atol`.*number. Got 'b'"),
    "atol for other states": (
        {"atol": jnp.full(3, 1e-6)},
        ArgumentError,
        "`atol`.*like y0. Got float64[3] for float64[2]",
    ),
    "negative step": ({"step_control": Fixed(-0.1)}, ArgumentError, "`h` of `Fixed`.*positive. Got -0.1"),
    "words as step": ({"step_control": Fixed("a")}, ArgumentTypeError, "`h` of `Fixed`.*number. Got 'a'"),
    "no step": ({"step_control": Fixed(None)}, ArgumentTypeError, "`h` of `Fixed`.*number. Got None"),
    "many steps": (
        {"step_control": Fixed(jnp.array([0.1, 0.2]))},
        ArgumentError,
        "`h` of `Fixed`.*one number. Got shape (2,)",
    ),
    "no budget": ({"max_steps": 0}, ArgumentError, "`max_steps`.*positive int.*Got 0. Use 65536"),
    "half a step": ({"max_steps": 10.5}, ArgumentError, "`max_steps`.*Got 10.5"),
    "a flag as budget": ({"max_steps": True}, ArgumentError, "`max_steps`.*Got True"),
    "endless budget": ({"max_steps": 2**40}, ArgumentError, "`max_steps`.*below 2**31. Got 1099511627776"),
}
TOLERANCES_OF_OTHERS = {"rtol for other states", "atol for other states"}  # found beside the structure of the state


@pytest.mark.core
@pytest.mark.parametrize("name", BAD)
def test_is_refused_in_one_line(name):
    change, kind, words = BAD[name]
    traced = []

    def watched(t, y, args):
        traced.append(1)
        return decay(t, y, args)

    inputs = {"equation": watched, "y0": Y0, "ts": TS} | change
    with pytest.raises(ContinuaError) as caught:
        continua.solve(inputs.pop("equation"), inputs.pop("y0"), inputs.pop("ts"), **inputs)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert isinstance(caught.value, ValueError if kind is ArgumentError else TypeError)
    assert all(re.escape(part) in re.escape(message) for part in words.split(".*")), message
    assert "\n" not in message
    assert re.match(r"`\w+`( and `\w+`)? of `\w+` ", message)
    assert re.search(r"Got .*(Use|Loosen|Switch|Look|Check)", message)
    assert len(message) < 300
    assert not traced or name in TOLERANCES_OF_OTHERS


def test_lists_and_tuples_of_numbers_are_arrays():
    solution = continua.solve(decay, [1.0, 0.0], [0, 1])
    assert solution.ys.shape == (2, 2)
    assert solution.ts.dtype == solution.ys.dtype == jnp.float64
    assert jnp.array_equal(continua.solve(decay, np.array([1.0, 0.0]), (0.0, 1.0)).ys, solution.ys)
    assert jnp.array_equal(continua.solve(decay, [1, 0.0], np.array([0, 1], np.uint8)).ys, solution.ys)


@pytest.mark.core
def test_a_solution_is_asked_between_its_ends():
    solution = continua.solve(decay, Y0, TS)
    for t, kind, words in (
        (1.5, ArgumentError, r"`t` of `solution\(t\)` must lie in \[0, 1\]. Got 1.5 … 1.5. Use"),
        ([-0.1, 0.5], ArgumentError, "Got -0.1 … 0.5"),
        (np.nan, ArgumentError, "Got nan"),
        ("now", ArgumentTypeError, "Got 'now'. Use 0.5"),
        (None, ArgumentTypeError, "Got None"),
    ):
        with pytest.raises(kind, match=words):
            solution(t)
    assert solution(jnp.zeros((0,))).shape == (0, 2)


def test_arguments_under_transformations_are_not_refused():
    """A tracer has no values to check, but its shape and dtype are checked all the same."""

    def end(y0, t1, rtol):
        return continua.solve(decay, y0, [0.0, t1], rtol=rtol).ys[-1]

    assert jax.jit(end)(Y0, 1.0, 1e-6).shape == (2,)
    with pytest.raises(ArgumentTypeError, match=r"`y0` of `solve` must be floating\. Got int64"):
        jax.jit(end)(jnp.array([1, 2]), 1.0, 1e-6)
    with pytest.raises(ArgumentError, match="`ts` of `solve` must be"):
        jax.jit(lambda ts: continua.solve(decay, Y0, ts).ys)(jnp.zeros((2, 2)))


class Impatient(StepControl):
    """Accepts everything and doubles the step: a control of one's own."""

    length: float

    def first(self, method, field, t, end, y, p):
        return jnp.copysign(jnp.broadcast_to(self.length, t.shape), end - t)

    def judge(self, method, error, before, after):
        return jnp.ones((1, *after.shape[1:]), bool), jnp.full((1, *after.shape[1:]), 2.0)


def test_a_step_control_of_ones_own():
    solution = continua.solve(decay, Y0, TS, method=Tsit5(), step_control=Impatient(0.125))
    assert int(solution.stats.steps) == 4  # 1/8, 1/4, 1/2 and the rest
    assert np.allclose(solution.ys[-1], Y0 * np.exp(-1), rtol=1e-4)


NUMBERS = st.floats(allow_subnormal=False) | st.integers() | st.booleans() | st.complex_numbers()
SCRAPS = st.none() | st.text(max_size=3) | st.binary(max_size=3) | st.just(object()) | st.just(Tsit5) | NUMBERS
DTYPES = st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "M8[D]"])
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, st.sampled_from([(), (0,), (2,), (3,), (2, 2)])))
KEYS = st.text(max_size=1) | st.integers(0, 2)
JUNK = st.recursive(
    SCRAPS | ARRAYS | st.just(np.array([None, 1], object)),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=2),
)
STATES = st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2)
SPANS = st.lists(st.floats(), min_size=2, max_size=2)


@pytest.mark.core
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(y0=JUNK | STATES, ts=JUNK | SPANS, rtol=JUNK | st.floats(0, 1))
@example(y0=[1.0, 0.0], ts=[0.0, 5e-324], rtol=1e-3)
@example(y0=[1e308, -1e308], ts=[0.0, 1e308], rtol=1e300)
@example(y0=[5e-324, 0.0], ts=[1.0, 0.0], rtol=None)
def test_junk_is_refused_or_solved_but_breaks_nothing(y0, ts, rtol):
    try:
        solution = continua.solve(decay, y0, ts, rtol=rtol, max_steps=16, throw=False)
    except KINDS as refusal:
        answer = str(refusal)
    else:
        answer = Status(solution.status).name
        assert isinstance(solution, Solution)
    assert "\n" not in answer
