"""Metrics, curvature and derivatives in curved coordinates: closed forms, and two routes to the same number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.calculus import (
    christoffel,
    covariant_divergence,
    divergence,
    gaussian_curvature,
    laplace_beltrami,
    laplacian,
    metric,
    ricci,
    riemann,
    scalar_curvature,
)
from continua.core import ArgumentError, ArgumentTypeError


def spherical(u):
    """r, colatitude, longitude."""
    r, theta, phi = u
    return r * jnp.stack([jnp.sin(theta) * jnp.cos(phi), jnp.sin(theta) * jnp.sin(phi), jnp.cos(theta)])


def torus(u, R=2.0, r=0.5):
    distance = R + r * jnp.cos(u[0])
    return jnp.stack([distance * jnp.cos(u[1]), distance * jnp.sin(u[1]), r * jnp.sin(u[0])])


def wavy(u):
    return jnp.stack([u[0], u[1], jnp.sin(u[0]) * jnp.exp(u[1] / 2) + u[0] * u[1]])


AT = jnp.array([1.3, 0.7, 0.4])


@pytest.mark.core
def test_spherical_coordinates():
    r, theta, _ = map(float, AT)
    g = metric(spherical)
    at, gamma, R = jax.jit(lambda u: (g(u), christoffel(g)(u), riemann(g)(u)))(AT)
    np.testing.assert_allclose(at, np.diag([1, r**2, (r * np.sin(theta)) ** 2]), atol=1e-14)
    expected = np.zeros((3, 3, 3))
    expected[0, 1, 1], expected[0, 2, 2] = -r, -r * np.sin(theta) ** 2
    expected[1, 0, 1] = expected[1, 1, 0] = expected[2, 0, 2] = expected[2, 2, 0] = 1 / r
    expected[1, 2, 2] = -np.sin(theta) * np.cos(theta)
    expected[2, 1, 2] = expected[2, 2, 1] = 1 / np.tan(theta)
    np.testing.assert_allclose(gamma, expected, atol=1e-13)
    np.testing.assert_allclose(R, 0, atol=1e-12)


def test_laplacian_and_divergence_do_not_depend_on_coordinates():
    def f(x):
        return x[0] ** 2 * x[1] + jnp.exp(x[2])

    def flow(x):
        return jnp.stack([x[0] * x[1], jnp.sin(x[2]), x[2] ** 2 * x[0]])

    def components(u):
        return jnp.linalg.solve(jax.jacfwd(spherical)(u), flow(spherical(u)))

    @jax.jit
    def both(u):
        g, x = metric(spherical), spherical(u)
        return (
            (laplace_beltrami(lambda u: f(spherical(u)), g)(u), laplacian(f)(x)),
            (covariant_divergence(components, g)(u), divergence(flow)(x)),
        )

    for curved, straight in both(AT):
        np.testing.assert_allclose(curved, straight, rtol=1e-11)


@pytest.mark.core
def test_harmonics_of_the_sphere():
    r"""Δ Y = −l(l + 1) Y on the unit sphere, here for l = 2: Y = sin²θ cos 2φ."""

    def sphere(u):
        return jnp.diag(jnp.stack([jnp.ones_like(u[0]), jnp.sin(u[0]) ** 2]))

    def harmonic(u):
        return jnp.sin(u[0]) ** 2 * jnp.cos(2 * u[1])

    np.testing.assert_allclose(laplace_beltrami(harmonic, sphere)(AT[1:]), -6 * harmonic(AT[1:]), rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(radius=st.floats(0.1, 10.0), theta=st.floats(0.3, 2.8))
def test_sphere_is_bent_alike_everywhere(radius, theta):
    """K = 1/R², the scalar curvature 2/R², and the Ricci tensor is the metric over R²."""
    found = of_a_sphere(jnp.array([theta, 1.0]), radius)
    np.testing.assert_allclose(np.array(found[:2]) * radius**2, [1.0, 2.0], rtol=1e-10)
    np.testing.assert_allclose(found[2] * radius**2, found[3], atol=1e-10 * radius**2)


@jax.jit
def of_a_sphere(u, radius):
    def surface(u):
        return spherical(jnp.stack([radius, u[0], u[1]]))

    g = metric(surface)
    return gaussian_curvature(surface)(u), scalar_curvature(g)(u), ricci(g)(u), g(u)


def test_torus():
    r"""K = cos u / (r (R + r cos u)): positive outside, negative inside, 0 on top."""
    u = jnp.stack([jnp.linspace(0.1, 3.0, 7), jnp.linspace(0.0, 5.0, 7)], axis=1)
    found = jax.jit(jax.vmap(gaussian_curvature(torus)))(u)
    np.testing.assert_allclose(found, np.cos(u[:, 0]) / (0.5 * (2 + 0.5 * np.cos(u[:, 0]))), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("surface", [torus, wavy])
def test_curvature_is_seen_from_within(surface):
    """Gauss's theorema egregium: the bend in space is half of the curvature that lengths alone show."""
    u = jnp.array([0.4, 0.9])
    outside, inside = jax.jit(lambda u: (gaussian_curvature(surface)(u), scalar_curvature(metric(surface))(u)))(u)
    np.testing.assert_allclose(outside, inside / 2, rtol=1e-10)


def test_symmetries_of_the_curvature():
    """Antisymmetric in both pairs, symmetric under their exchange, and cyclic (Bianchi)."""

    def g(u):
        bumps = jnp.stack([jnp.sin(u[1] * u[2]), u[0] ** 2, jnp.cos(u[0])])
        return jnp.eye(3) * 2 + jnp.outer(bumps, bumps) / 2

    R, metric_at = jax.jit(lambda u: (riemann(g)(u), g(u)))(AT)
    low = np.einsum("ak,klij->alij", metric_at, R)
    np.testing.assert_allclose(low, -low.transpose(1, 0, 2, 3), atol=1e-12)
    np.testing.assert_allclose(low, low.transpose(2, 3, 0, 1), atol=1e-12)
    np.testing.assert_allclose(low + low.transpose(0, 2, 3, 1) + low.transpose(0, 3, 1, 2), 0, atol=1e-12)
    assert np.abs(low).max() > 0.01


def test_space_round_a_star_is_bent_but_not_by_matter_there():
    r"""Schwarzschild's metric, of signature −+++: its Ricci tensor vanishes, R_{abcd} R^{abcd} = 48 M²/r⁶ does not."""

    def schwarzschild(u, M=1.0):
        _, r, theta, _ = u
        lapse = 1 - 2 * M / r
        return jnp.diag(jnp.stack([-lapse, 1 / lapse, r**2, (r * jnp.sin(theta)) ** 2]))

    u = jnp.array([0.0, 5.0, 1.1, 0.4])
    R, averaged, g = jax.jit(lambda u: (riemann(schwarzschild)(u), ricci(schwarzschild)(u), schwarzschild(u)))(u)
    np.testing.assert_allclose(averaged, 0, atol=1e-12)
    up = np.linalg.inv(g)
    low = np.einsum("ak,klij->alij", g, R)
    squared = np.einsum("abcd,efgh,ae,bf,cg,dh->", low, low, up, up, up, up, optimize=True)
    np.testing.assert_allclose(squared, 48 / 5.0**6, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: metric(lambda u: u[0])(jnp.ones(2)), ArgumentError, r"must return a point \[place\]"),
        (lambda: metric(spherical)(jnp.arange(3)), ArgumentTypeError, "`u` of `metric` must hold floats"),
        (lambda: christoffel(lambda u: u)(jnp.ones(2)), ArgumentError, r"must return the metric \[2, 2\]"),
        (lambda: christoffel(metric(spherical))(jnp.zeros(3)), ArgumentError, "`g` of `christoffel` must have finite"),
        (lambda: gaussian_curvature(lambda u: u)(jnp.ones(2)), ArgumentError, r"must return a point \[3\]"),
        (lambda: gaussian_curvature(torus)(jnp.ones(3)), ArgumentError, r"must be a point \[2\]. Got float64\[3\]"),
        (lambda: laplace_beltrami(lambda u: u, metric(torus))(jnp.ones(2)), ArgumentError, "must return one number"),
        (lambda: covariant_divergence(jnp.sum, metric(torus))(jnp.ones(2)), ArgumentError, "a vector like x"),
        (lambda: ricci(3.0), ArgumentTypeError, "`g` of `ricci` must be a function"),
    ],
)
def test_bad_input_is_one_line(call, error, words):
    with pytest.raises(error, match=words):
        call()
