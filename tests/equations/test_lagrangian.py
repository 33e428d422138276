"""Motion from a Lagrangian and along geodesics: the known paths, what is kept, and two ways to the same equation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.calculus import metric
from continua.core import ArgumentError
from continua.equations import EulerLagrange, Geodesic, SecondOrder
from continua.methods import RK4
from continua.solver import Fixed


def solved(equation, start, ts, steps=500):
    """By steps of one length: the shortest to compile."""
    step = Fixed((ts[-1] - ts[0]) / steps)
    return continua.solve(equation, start, jnp.asarray(ts), method=RK4(), step_control=step).ys


@pytest.mark.core
def test_a_pendulum_from_its_lagrangian():
    """The same path as from its acceleration, and the same derivative by its length."""

    def lagrangian(t, angle, speed, length):
        return length**2 * speed**2 / 2 + 9.81 * length * jnp.cos(angle)

    def acceleration(t, q, length):
        return -9.81 / length * jnp.sin(q)

    @jax.jit
    def end(equation, length):
        start, ts = jnp.array([2.0, 0.0]), jnp.array([0.0, 1.5])
        return continua.solve(equation, start, ts, args=length, method=RK4(), step_control=Fixed(0.01)).ys[-1]

    own, given = (
        jax.jvp(lambda length, equation=equation: end(equation, length), (1.2,), (1.0,))
        for equation in (EulerLagrange(lagrangian), SecondOrder(acceleration))
    )
    np.testing.assert_allclose(own, given, rtol=1e-12)


def test_a_double_pendulum_keeps_its_energy():
    """Masses and lengths 1; the mass matrix depends on the angles, and the state is a tree."""

    def lagrangian(t, q, v, args):
        upper, lower = jnp.stack([jnp.sin(q["a"]), -jnp.cos(q["a"])]), jnp.stack([jnp.sin(q["b"]), -jnp.cos(q["b"])])
        first = v["a"] * jnp.stack([jnp.cos(q["a"]), jnp.sin(q["a"])])
        second = first + v["b"] * jnp.stack([jnp.cos(q["b"]), jnp.sin(q["b"])])
        return (first @ first + second @ second) / 2 - 9.81 * (2 * upper[1] + lower[1])

    equation = EulerLagrange(lagrangian)
    start = ({"a": jnp.array(2.0), "b": jnp.array(1.0)}, {"a": jnp.array(0.0), "b": jnp.array(0.5)})
    ys = solved(equation, start, np.linspace(0.0, 3.0, 5))
    energies = jax.vmap(lambda y: equation.energy(0.0, y, None))(ys)
    np.testing.assert_allclose(energies, energies[0], rtol=1e-6)
    assert np.ptp(ys[0]["b"]) > 1


def test_the_fastest_slide_is_a_cycloid():
    r"""L = √((1 + y'²) / 2gy): x = a (θ − sin θ), y = a (1 − cos θ), from θ = 1 to 2.5."""
    equation = EulerLagrange(lambda x, y, slope, args: jnp.sqrt((1 + slope**2) / (2 * 9.81 * y)))
    theta = np.linspace(1.0, 2.5, 6)
    x, y = theta - np.sin(theta), 1 - np.cos(theta)
    start = jnp.array([y[0], np.sin(theta[0]) / (1 - np.cos(theta[0]))])
    ys = solved(equation, start, x)
    np.testing.assert_allclose(ys[:, 0], y, atol=1e-7)
    energies = jax.vmap(lambda y: equation.energy(0.0, y, None))(ys)
    np.testing.assert_allclose(energies, energies[0], rtol=1e-7)


def sphere(u):
    return jnp.stack([jnp.sin(u[0]) * jnp.cos(u[1]), jnp.sin(u[0]) * jnp.sin(u[1]), jnp.cos(u[0])])


def cone(u, half=jnp.pi / 6):
    return u[0] * jnp.stack([jnp.sin(half) * jnp.cos(u[1]), jnp.sin(half) * jnp.sin(u[1]), jnp.cos(half)])


@pytest.mark.core
def test_geodesics_of_a_sphere_are_great_circles():
    """x(t) = x₀ cos t + v₀ sin t, for a velocity of length 1; after 2π it is back."""
    equation = Geodesic(metric(sphere))
    start = jnp.array([[1.2, 0.3], [0.6, 0.8 / np.sin(1.2)]])
    ts = np.linspace(0.0, 2 * np.pi, 9)
    ys = solved(equation, start, ts)
    at, velocity = sphere(start[0]), jax.jacfwd(sphere)(start[0]) @ start[1]
    expected = np.cos(ts)[:, None] * np.asarray(at) + np.sin(ts)[:, None] * np.asarray(velocity)
    np.testing.assert_allclose(jax.vmap(sphere)(ys[:, 0]), expected, atol=1e-6)
    np.testing.assert_allclose(jax.vmap(lambda y: equation.energy(0.0, y, None))(ys), 0.5, rtol=1e-7)


def test_geodesics_of_a_cone_are_straight_once_it_is_unrolled():
    """Unrolled, a cone of half angle 30° is a half disc: longitude φ becomes the angle φ/2."""
    ys = solved(Geodesic(metric(cone)), jnp.array([[1.0, 0.0], [0.2, 0.7]]), np.linspace(0.0, 2.0, 5))
    r, angle = ys[:, 0, 0], ys[:, 0, 1] / 2
    flat = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    np.testing.assert_allclose(np.diff(flat, axis=0), [[0.1, 0.175]] * 4, atol=1e-7)


def test_a_geodesic_is_the_free_motion_of_its_metric():
    """L = g(v, v)/2: the mass matrix and Christoffel's symbols give the same acceleration."""
    g = metric(lambda u: jnp.stack([u[0], u[1], jnp.sin(u[0]) * u[1] ** 2]))
    free = EulerLagrange(lambda t, q, v, args: v @ g(q) @ v / 2)
    y = jnp.array([[0.7, -0.4], [0.3, 1.1]])
    straight, moved = jax.jit(lambda y: (Geodesic(g)(jnp.zeros(()), y, None), free(jnp.zeros(()), y, None)))(y)
    np.testing.assert_allclose(straight, moved, rtol=1e-12)


def test_bad_states_are_one_line():
    with pytest.raises(ArgumentError, match="`y0` of `Geodesic` must be a pair of two states alike"):
        continua.solve(Geodesic(metric(sphere)), jnp.ones(3), [0.0, 1.0])
    with pytest.raises(continua.ContinuaError, match=r"gives NaN or infinity for y\[1\] at t=0"):
        continua.solve(EulerLagrange(lambda t, q, v, args: q * v), jnp.ones(2), [0.0, 1.0])
