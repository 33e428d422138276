"""The linearised problem against automatic differentiation, and the flow against a fine solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.discovery.sparse import Library
from continua.discovery.sparse.normal_equations import Measurements, normal_equations

from .records import lorenz, solved

ROWS = 4


def problem(inputs, seed=0):
    """(features, x, theta, measurements, weight, tie) with a break behind the second row."""
    random = np.random.default_rng(seed)
    features = Library.polynomial(("x", "y"), 2, inputs="u"[:inputs], trigonometric=not inputs).features
    measurements = Measurements(
        jnp.asarray(random.normal(size=(2, ROWS))),
        jnp.asarray([0.3, 0.0, 0.4, 0.0]),
        *jnp.asarray(random.normal(size=(2, inputs, ROWS))),
        jnp.asarray([1.3, 0.7]),
        jnp.asarray(random.uniform(0.5, 2.0, features.count)),
    )
    x, theta = jnp.asarray(random.normal(size=(2, ROWS))), jnp.asarray(0.3 * random.normal(size=(2, features.count)))
    weight = jnp.asarray(random.uniform(0.0, 2.0, (2, ROWS)))
    tie = jnp.asarray(random.uniform(1.0, 2.0, (2, ROWS)) * (np.asarray(measurements.step) > 0))
    return features, x, theta, measurements, weight, tie


def residuals(features, x, theta, data, weight, tie, substeps):
    """All residuals, written as plainly as can be."""

    def slope(x, u):
        return theta @ (features(jnp.concatenate([x * data.unit, u])) / data.feature_unit)

    gaps = []
    for k in range(ROWS - 1):
        state, h = x[:, k], data.step[k] / substeps
        for j in range(substeps):
            u0, u1, u2 = (
                data.left[:, k] + (j + c) / substeps * (data.right[:, k] - data.left[:, k]) for c in (0, 0.5, 1)
            )
            k1 = slope(state, u0)
            k2 = slope(state + h / 2 * k1, u1)
            k3 = slope(state + h / 2 * k2, u1)
            k4 = slope(state + h * k3, u2)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        gaps.append(tie[:, k] * (x[:, k + 1] - state))
    return (weight * (x - data.y)).T.ravel(), jnp.concatenate(gaps)


@pytest.mark.parametrize(("inputs", "substeps"), [(0, 1), (1, 2)])
def test_it_is_gauss_newton(inputs, substeps):
    features, x, theta, data, weight, tie = problem(inputs)
    normal = normal_equations(features, x, theta, data, weight, tie, jnp.asarray(substeps))

    def everything(flat_x, flat_theta):
        own = flat_x.reshape(ROWS, 2).T, flat_theta.reshape(theta.shape)
        return jnp.concatenate(residuals(features, *own, data, weight, tie, substeps))

    point = x.T.ravel(), theta.ravel()
    by_x, by_theta = jax.jit(jax.jacfwd(everything, (0, 1)))(*point)
    r = everything(*point)
    hessian = by_x.T @ by_x
    band = np.zeros_like(normal.band)
    for b in range(len(band)):
        band[b, : hessian.shape[0] - b] = np.diag(hessian, -b)
    np.testing.assert_allclose(normal.band, band, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(normal.coupling, by_theta.T @ by_x, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(normal.slopes @ normal.slopes.T, by_theta.T @ by_theta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(normal.gradient, by_x.T @ r, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(-normal.slopes @ normal.gaps, by_theta.T @ r, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(normal.misfit.sum() + normal.defect.sum(), r @ r, rtol=1e-12)


def test_the_flow_is_of_fourth_order():
    library = Library.polynomial(("x", "y", "z"), 2)
    theta = np.zeros((3, 10))
    for row, terms in enumerate(({"x": -10, "y": 10}, {"x": 28, "y": -1, "x*z": -1}, {"z": -8 / 3, "x*y": 1})):
        for term, c in terms.items():
            theta[row, library.terms.index(term)] = c
    start = np.array([-8.0, 7.0, 27.0])
    end = solved(lorenz, start, np.array([0.0, 0.05]))[-1]
    x = jnp.asarray(np.stack([start, end], 1))
    nothing = jnp.zeros((0, 2))
    data = Measurements(x, jnp.asarray([0.05, 0.0]), nothing, nothing, jnp.ones(3), jnp.ones(10))
    weights = jnp.zeros((3, 2)), jnp.array([[1.0, 0.0]] * 3)
    problems = [(library.features, x, jnp.asarray(theta), data, *weights, jnp.asarray(n)) for n in (1, 2, 4)]
    errors = [np.sqrt(normal_equations(*p).defect.sum()) for p in problems]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4, atol=0.4)
