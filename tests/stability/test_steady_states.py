"""Equilibria of systems whose equilibria are known."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua import ContinuaError
from continua.core import ArgumentError
from continua.equations import SIR, Duffing, Linear, Logistic, Lorenz, LotkaVolterra, Pendulum, Scaled
from continua.stability import equilibria

HARE_LYNX = np.array([[30.0, 4.0], [77.4, 35.2], [36.3, np.nan], [25.4, 45.7], [7.0, 9.0]])


def test_lotka_volterra_turns_about_its_coexistence_point():
    alpha, beta, delta, gamma = 0.55, 0.028, 0.024, 0.8
    origin, coexistence = equilibria(LotkaVolterra(alpha, beta, delta, gamma), HARE_LYNX)
    np.testing.assert_allclose(coexistence.point, [gamma / delta, alpha / beta], rtol=1e-12)
    np.testing.assert_allclose(coexistence.eigenvalues, np.array([1j, -1j]) * np.sqrt(alpha * gamma), rtol=1e-12)
    assert coexistence.kind == "centre to first order"
    assert coexistence.stable is None
    assert coexistence.period == pytest.approx(2 * np.pi / np.sqrt(alpha * gamma), rel=1e-12)
    assert coexistence.beyond == 0
    assert coexistence.doubling_time is None
    assert coexistence.half_life is None
    assert (origin.kind, origin.stable, origin.period) == ("saddle", False, None)
    assert origin.doubling_time == pytest.approx(np.log(2) / alpha)
    assert origin.beyond == pytest.approx(7 / 70.4)
    np.testing.assert_array_equal(origin.point, 0)


def test_lorenz_has_two_saddle_foci_and_a_saddle():
    left, origin, right = equilibria(Lorenz(), [[-18.0, -24.0, 2.0], [18.0, 24.0, 45.0]])
    s = math.sqrt(8 / 3 * 27)
    np.testing.assert_allclose(right.point, [s, s, 27], rtol=1e-12)
    np.testing.assert_allclose(left.point, [-s, -s, 27], rtol=1e-12)
    cubic = np.sort_complex(np.roots([1, 11 + 8 / 3, 8 / 3 * 38, 20 * 8 / 3 * 27]))
    for wing in (left, right):
        assert wing.kind == "saddle-focus"
        np.testing.assert_allclose(np.sort_complex(wing.eigenvalues), cubic, rtol=1e-11)
    root = math.sqrt(11**2 + 4 * 10 * 27)
    np.testing.assert_allclose(origin.eigenvalues, [(root - 11) / 2, -8 / 3, -(root + 11) / 2], rtol=1e-12)
    assert origin.kind == "saddle"


def test_a_logistic_population_has_a_growing_and_a_resting_state():
    zero, full = equilibria(Logistic(r=0.5, K=10.0), [[0.5], [9.0]])
    assert (zero.kind, full.kind) == ("unstable node", "stable node")
    np.testing.assert_allclose([zero.point[0], full.point[0]], [0, 10], rtol=1e-13)
    assert zero.doubling_time == pytest.approx(2 * np.log(2))
    assert full.half_life == pytest.approx(2 * np.log(2))
    assert (zero.half_life, full.doubling_time) == (None, None)


def test_the_margin_decides_how_far_outside_is_told():
    box = [[-2.0, -5.0], [2.0, 5.0]]
    hanging, pendulum = "stable focus", Pendulum()
    near = equilibria(pendulum, box)
    assert [e.kind for e in near] == ["saddle", hanging, "saddle"]
    np.testing.assert_allclose([e.point[0] for e in near], [-np.pi, 0, np.pi], atol=1e-12)
    assert [e.beyond for e in near] == pytest.approx([(np.pi - 2) / 4, 0, (np.pi - 2) / 4])
    assert [e.kind for e in equilibria(pendulum, box, margin=0.0)] == [hanging]
    far = equilibria(pendulum, box, margin=math.inf)
    assert len(far) > 3
    np.testing.assert_allclose([math.sin(e.point[0]) for e in far], 0, atol=1e-8)


def test_equilibria_that_are_not_isolated_are_told_as_families():
    beta, gamma = 0.5, 0.2
    data = [[0.99, 0.01, 0.0], [0.5, 0.2, 0.3], [0.1, 0.01, 0.89]]
    found = equilibria(SIR(beta, gamma), data)
    assert {e.family for e in found} == {2}
    by_kind = {e.kind: e for e in found}
    assert set(by_kind) <= {f"surface of equilibria, {end}" for end in ("attracting", "repelling", "degenerate")}
    safe, open_ = (by_kind[f"surface of equilibria, {end}"] for end in ("attracting", "repelling"))
    assert safe.point[0] < gamma / beta < open_.point[0]  # the threshold of an epidemic
    assert (safe.stable, open_.stable) == (True, False)
    assert safe.half_life == pytest.approx(np.log(2) / (gamma - beta * safe.point[0]))

    (circle, middle) = sorted(equilibria(ring, [[-1.0, -1.0], [1.0, 1.0]]), key=lambda e: -e.family)
    assert (circle.kind, circle.family) == ("curve of equilibria, attracting", 1)
    assert np.linalg.norm(circle.point) == pytest.approx(1)
    assert (middle.kind, middle.family) == ("unstable node", 0)


def ring(t, y, args):
    return y * (1 - (y**2).sum())


def power(t, y, args):
    return y ** args["n"]


@pytest.mark.parametrize("n", [2, 3])
def test_a_multiple_root_is_one_degenerate_equilibrium(n):
    (found,) = equilibria(power, [[-1.0], [1.3]], args={"n": n})
    assert (found.kind, found.family, found.stable) == ("degenerate", 0, None)
    assert abs(found.point[0]) < 1e-6


def test_where_nothing_rests_nothing_is_found():
    def upward(t, y, args):
        return jnp.exp(-y)  # comes as near to zero as you like, far away

    assert equilibria(upward, [[-1.0], [1.0]], margin=math.inf) == ()


def from_eigenvalues(values, basis):
    """A real matrix with a real, or a complex pair of eigenvalues."""
    a, b = values
    block = np.diag([a.real, b.real]) if a.imag == 0 else np.array([[a.real, -a.imag], [a.imag, a.real]])
    return basis @ block @ np.linalg.inv(basis)


PARTS = st.floats(0.05, 3.0)
SIGNS = st.sampled_from([-1.0, 1.0])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_linear_systems_of_all_kinds(data):
    first, second = (data.draw(SIGNS) * data.draw(PARTS) for _ in range(2))
    turning = data.draw(st.booleans())
    values = (first + 1j * abs(second), first - 1j * abs(second)) if turning else (complex(first), complex(second))
    basis = np.array([[1.0, data.draw(st.floats(-0.7, 0.7))], [data.draw(st.floats(-0.7, 0.7)), 1.0]])
    A = from_eigenvalues(values, basis)
    rest = np.array([data.draw(st.floats(-2, 2)), data.draw(st.floats(-2, 2))])
    (found,) = equilibria(Linear(A, -A @ rest), [[-2.5, -2.5], [2.5, 2.5]])
    np.testing.assert_allclose(found.point, rest, atol=1e-9)
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues), np.sort_complex(np.array(values)), atol=1e-6)
    np.testing.assert_allclose(found.jacobian, A, rtol=1e-9, atol=1e-9)
    words = "focus" if turning else "node"
    saddle = not turning and first * second < 0
    assert found.kind == ("saddle" if saddle else f"{'stable' if first < 0 else 'unstable'} {words}")
    if turning:
        assert found.period == pytest.approx(2 * np.pi / abs(second), rel=1e-6)


def test_units_change_the_numbers_as_they_must_and_nothing_else():
    scale, rate = np.array([1e-6, 1e9]), 3e-8
    other = Scaled(LotkaVolterra(0.55, 0.028, 0.024, 0.8), scale, rate)
    plain = equilibria(LotkaVolterra(0.55, 0.028, 0.024, 0.8), HARE_LYNX)
    scaled = equilibria(other, HARE_LYNX * scale)
    assert [e.kind for e in plain] == [e.kind for e in scaled]
    for a, b in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(b.point, a.point * scale, rtol=1e-10)
        np.testing.assert_allclose(b.eigenvalues, a.eigenvalues * rate, rtol=1e-10)
        np.testing.assert_allclose(b.jacobian, a.jacobian * rate * scale[:, None] / scale, rtol=1e-9, atol=1e-9 * rate)
        assert b.beyond == pytest.approx(a.beyond, abs=1e-12)


def test_the_answer_is_the_same_every_time():
    a, b = (equilibria(Lorenz(), [[-18.0, -24.0, 2.0], [18.0, 24.0, 45.0]]) for _ in range(2))
    assert [e.point.tolist() for e in a] == [e.point.tolist() for e in b]


def test_an_equation_that_depends_on_time_is_refused():
    with pytest.raises(ArgumentError, match="must not depend on time"):
        equilibria(Duffing(gamma=0.5), [[-1.0, -1.0], [1.0, 1.0]])
    assert len(equilibria(Duffing(gamma=0.0), [[-1.5, -1.0], [1.5, 1.0]])) == 3


@pytest.mark.parametrize(
    ("near", "options", "words"),
    [
        ([], {}, r"\[state\] or \[point, state\]"),
        (np.zeros((2, 2, 2)), {}, r"shape \(2, 2, 2\)"),
        ([[np.nan, 1.0]], {}, "a gap in every row"),
        ([[np.inf, 1.0]], {}, "infinity"),
        ([1.0, 1.0], {"margin": -1.0}, "`margin`"),
        ([1.0, 1.0], {"tolerance": 0.0}, "`tolerance`"),
        ([1.0, 1.0], {"starts": 0}, "`starts`"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(near, options, words):
    with pytest.raises(ArgumentError, match=words) as caught:
        equilibria(LotkaVolterra(), near, **options)
    assert "\n" not in str(caught.value)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats() | st.none() | st.text(max_size=2) | st.lists(st.floats(), max_size=3), max_size=4))
def test_no_sample_brings_it_down(near):
    try:
        found = equilibria(falling, near, starts=8)
    except ContinuaError as refused:
        words = str(refused)
    else:
        words = " ".join(e.kind for e in found)
    assert "\n" not in words


def falling(t, y, args):
    return 1 - y
