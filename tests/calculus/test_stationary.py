"""Stationary points are the known ones, each once, with the kind that they have."""

import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import extrema, stationary_points
from continua.core import ArgumentError


@pytest.mark.core
def test_himmelblaus_four_valleys():
    """Himmelblau, Applied Nonlinear Programming (1972): four minima of value 0, one maximum, four saddles."""
    found = stationary_points(
        lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2, jnp.full(2, -5.0), jnp.full(2, 5.0)
    )
    assert [each.kind for each in found] == ["minimum"] * 4 + ["saddle"] * 4 + ["maximum"]
    valleys = sorted(each.x.tolist() for each in found[:4])
    expected = [[-3.779310, -3.283186], [-2.805118, 3.131313], [3.0, 2.0], [3.584428, -1.848127]]
    np.testing.assert_allclose(valleys, expected, atol=1e-6)
    np.testing.assert_allclose(found[-1].x, [-0.270845, -0.923039], atol=1e-6)
    assert found[-1].value == pytest.approx(181.617, abs=1e-3)
    np.testing.assert_allclose(found[-1].curvatures, [-45.605, -16.066], atol=1e-3)


@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda x: x[0] ** 2 - x[1] ** 2, "saddle"),
        (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, "degenerate"),
        (lambda x: x[0] ** 4 + x[1] ** 2, "degenerate"),
        (lambda x: -jnp.cosh(x[0]) - 1e-8 * x[1] ** 2, "degenerate"),
    ],
    ids=["saddle", "monkey saddle", "flat valley", "nearly flat ridge"],
)
def test_the_origin_is_told_by_its_curvatures(f, kind):
    (found,) = stationary_points(f, jnp.full(2, -1.0), jnp.full(2, 1.5), starts=32)
    assert found.kind == kind
    np.testing.assert_allclose(found.x, 0, atol=1e-4)


def test_units_do_not_matter():
    def f(x):
        return 1e-9 * ((x[0] / 1e6) ** 3 - 3 * (x[0] / 1e6) + (x[1] / 1e-6) ** 2)

    found = stationary_points(f, jnp.array([-2e6, -1e-6]), jnp.array([2e6, 1.5e-6]), starts=32)
    assert [each.kind for each in found] == ["minimum", "saddle"]
    np.testing.assert_allclose(found[0].x, [1e6, 0.0], atol=1e-9)


@pytest.mark.core
def test_extrema_of_a_swing():
    r"""(e^(−x/5) cos x)' = 0 where tan x = −1/5; all of them, and both ends."""
    found = extrema(lambda x: jnp.exp(-x / 5) * jnp.cos(x), 0.0, 20.0)
    places = [each.x for each in found[1:-1]]
    np.testing.assert_allclose(places, np.pi * np.arange(1, 7) - np.arctan(0.2), rtol=1e-12)
    assert [each.kind for each in found] == [
        "maximum at an end",
        *["minimum", "maximum"] * 3,
        "minimum at an end",
    ]


@pytest.mark.parametrize(
    ("f", "kinds"),
    [
        (lambda x: x**4, ["maximum at an end", "minimum", "maximum at an end"]),
        (lambda x: x**5, ["minimum at an end", "inflection", "maximum at an end"]),
        (lambda x: -(jnp.abs(x) ** 3), ["minimum at an end", "maximum", "minimum at an end"]),
        (lambda x: x, ["minimum at an end", "maximum at an end"]),
        (lambda x: x**2 * jnp.where(x > 0, 0.0, 1.0) + 0.0, "degenerate"),
    ],
    ids=["x⁴", "x⁵", "−|x|³", "x", "flat half"],
)
def test_kinds_where_the_second_derivative_does_not_decide(f, kinds):
    found = [each.kind for each in extrema(f, -1.0, 1.5, starts=32)]
    assert found == kinds if isinstance(kinds, list) else kinds in found


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: extrema(jnp.sin, 1.0, 0.0), r"`low` of `extrema` must be below `high`. Got \[1.0\] and \[0.0\]"),
        (lambda: extrema(lambda x: x * jnp.ones(2), 0.0, 1.0), "must return one number"),
        (lambda: extrema(lambda x: x / 0, 0.0, 1.0), "must be finite somewhere"),
        (lambda: stationary_points(jnp.sum, jnp.zeros(2), jnp.ones(3)), "must be below"),
        (lambda: stationary_points(jnp.sum, 0.0, 1.0), r"must be a point \[axis\]"),
        (lambda: stationary_points(jnp.sum, jnp.zeros(2), jnp.ones(2), starts=0), "`starts` of `stationary_points`"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
