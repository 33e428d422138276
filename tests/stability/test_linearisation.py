"""Jacobians and eigenvalues."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua import ContinuaError
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import Duffing, Lorenz, LotkaVolterra
from continua.stability import eigenvalues, jacobian


def test_jacobians_are_exact():
    p = LotkaVolterra(0.55, 0.028, 0.024, 0.8)
    x, y = 30.0, 4.0
    expected = [[0.55 - 0.028 * y, -0.028 * x], [0.024 * y, 0.024 * x - 0.8]]
    np.testing.assert_allclose(jacobian(p, [x, y]), expected, rtol=1e-14)
    np.testing.assert_allclose(jacobian(Lorenz(), [1, 2, 3]), [[-10, 10, 0], [25, -1, -1], [2, 1, -8 / 3]], rtol=1e-14)


def test_time_and_args_reach_the_equation():
    def driven(t, y, args):
        return args["rate"] * jnp.cos(t) * y

    assert jacobian(driven, [1.0], t=np.pi, args={"rate": 2.0}) == pytest.approx(-2.0)
    assert jacobian(Duffing(gamma=1.0), [0.5, 0.0], t=3.0)[1, 0] == pytest.approx(1 - 0.75)


def test_eigenvalues_stand_by_their_growth():
    rho, beta = 28.0, 8 / 3
    s = np.sqrt(beta * (rho - 1))
    cubic = np.roots([1, 11 + beta, beta * (10 + rho), 20 * beta * (rho - 1)])
    found = eigenvalues(Lorenz(), [s, s, rho - 1])
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(cubic), rtol=1e-12)
    assert found[0].imag > 0
    assert found[1] == np.conj(found[0])
    assert (np.diff(found.real) <= 0).all()


@pytest.mark.parametrize(
    ("equation", "point", "error", "words"),
    [
        (Lorenz, [1.0, 1.0, 1.0], ArgumentTypeError, "the class Lorenz"),
        (lambda y: y, [1.0], ArgumentTypeError, r"\(t, y, args\)"),
        (lambda t, y, args: y[:1], [1.0, 2.0], ArgumentError, r"float64\[1\]"),
        (lambda t, y, args: (y, y), [1.0], ArgumentError, "real slopes"),
        (lambda t, y, args: jax.lax.complex(y, y), [1.0], ArgumentError, "complex128"),
        (Lorenz(), [[1.0, 1.0, 1.0]], ArgumentError, r"one state \[state\]"),
        (Lorenz(), [1.0, np.nan, 1.0], ArgumentError, "finite"),
        (Lorenz(), "abc", ArgumentTypeError, "real numbers"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(equation, point, error, words):
    with pytest.raises(error, match=words) as caught:
        jacobian(equation, point)
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.complex_numbers(),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=6,
    )
)
def test_no_point_brings_it_down(point):
    try:
        matrix = jacobian(falling, point)
    except ContinuaError as refused:
        words = str(refused)
    else:
        np.testing.assert_array_equal(matrix, -np.eye(len(matrix)))
        words = ""
    assert "\n" not in words


def falling(t, y, args):
    return 1 - y
