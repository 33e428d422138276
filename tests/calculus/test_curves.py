"""Lengths, areas, volumes and surfaces of bodies that have formulas."""

import math

import jax
import jax.numpy as jnp
import pytest

from continua.calculus import Outcome, arc_length, area_between, surface_of_revolution, volume_of_revolution
from continua.core import ArgumentError, ArgumentTypeError


def circle(x):
    return jnp.sqrt(1 - x**2)


def check(found, exact):
    assert found.reached
    assert abs(float(found.value) - exact) <= min(float(found.error), 1e-12 * exact)


@pytest.mark.core
def test_lengths():
    """Half a circle as a graph, whose slope is infinite at either end; a turn of a helix of three lengths."""
    check(arc_length(circle, -1.0, 1.0), math.pi)
    helix = arc_length(lambda t: jnp.stack([3 * jnp.cos(t), 3 * jnp.sin(t), 4 * t]), 0.0, 2 * math.pi)
    check(helix, 10 * math.pi)


def test_ball():
    check(volume_of_revolution(circle, -1.0, 1.0), 4 / 3 * math.pi)
    check(2 * volume_of_revolution(circle, 0.0, 1.0, about="y"), 4 / 3 * math.pi)
    check(surface_of_revolution(circle, -1.0, 1.0), 4 * math.pi)
    check(2 * surface_of_revolution(circle, 0.0, 1.0, about="y"), 4 * math.pi)


def test_horn():
    """Torricelli's trumpet has a volume and no surface."""
    check(volume_of_revolution(lambda x: 1 / x, 1.0, jnp.inf), math.pi)
    assert surface_of_revolution(lambda x: 1 / x, 1.0, jnp.inf).outcome == Outcome.DIVERGES


def test_areas():
    check(area_between(lambda x: x**3, lambda x: 0.25 * x, -1.0, 1.0), 2 * (1 / 64 + 9 / 64))  # three crossings

    def area(c):
        return area_between(lambda x: c * x**2, lambda x: x, 0.0, 1.0).value

    found, slope = jax.jit(jax.value_and_grad(area))(2.0)
    assert float(found) == pytest.approx(0.25, abs=1e-12)  # 1/(3c²) + c/3 − 1/2
    assert float(slope) == pytest.approx(0.25, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: arc_length(2.0, 0.0, 1.0), ArgumentTypeError, "`curve` of `arc_length` must be a function"),
        (lambda: arc_length(lambda t: jnp.ones((2, 2)) * t, 0.0, 1.0), ArgumentError, r"or a point \[dim\]"),
        (lambda: area_between(jnp.sin, 2, 0.0, 1.0), ArgumentTypeError, "`g` of `area_between`"),
        (lambda: area_between(jnp.sin, jnp.cos, 0.0, jnp.inf), ArgumentError, "must be finite. Got inf"),
        (lambda: volume_of_revolution(jnp.sin, 0.0, 1.0, about="z"), ArgumentError, 'must be "x" or "y"'),
        (lambda: surface_of_revolution(lambda x: x > 0, 0.0, 1.0), ArgumentError, r"Got bool\[\]"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)
