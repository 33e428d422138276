"""`least_squares`: certified fits, formulas that data cannot tell apart, and how sure the parameters are."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import optim
from continua.core import ArgumentTypeError

MODELS = {
    "Chwirut2": lambda b, x: jnp.exp(-b[0] * x) / (b[1] + b[2] * x),
    "Gauss1": lambda b, x: (
        b[0] * jnp.exp(-b[1] * x)
        + b[2] * jnp.exp(-((x - b[3]) ** 2) / b[4] ** 2)
        + b[5] * jnp.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    ),
    "Lanczos3": lambda b, x: b[0] * jnp.exp(-b[1] * x) + b[2] * jnp.exp(-b[3] * x) + b[4] * jnp.exp(-b[5] * x),
    "Misra1a": lambda b, x: b[0] * (1 - jnp.exp(-b[1] * x)),
    "Rat42": lambda b, x: b[0] / (1 + jnp.exp(b[1] - b[2] * x)),
}


@pytest.mark.parametrize("name", MODELS)
def test_certified_digits_of_nist_from_both_starts(name, data_folder):
    text = (data_folder / "nist_strd" / f"{name}.dat").read_text()
    table = np.asarray(re.findall(r"^\s*b\d+\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", text, re.MULTILINE), float)
    y, x = np.loadtxt(text.split("\nData:")[-1].splitlines()[1:]).T
    fit = jax.jit(lambda b: optim.least_squares(lambda b: MODELS[name](b, x) - y, b))
    for start in table[:, :2].T:
        found = fit(jnp.asarray(start))
        assert optim.Outcome(int(found.status)) == optim.Outcome.MINIMUM
        np.testing.assert_allclose(found.x, table[:, 2], rtol=1e-6)
        np.testing.assert_allclose(found.deviations, table[:, 3], rtol=1e-6)


@pytest.mark.core
def test_a_line_has_the_covariance_of_the_textbook():
    rng = np.random.default_rng(3)
    columns = np.stack([np.ones(20), np.linspace(0, 1, 20)], axis=1)
    measured = columns @ [1.0, 2.0] + 0.1 * rng.normal(size=20)
    found = optim.least_squares(
        lambda p: columns @ jnp.stack([p["c"], p["slope"]]) - measured, {"c": 0.0, "slope": 0.0}
    )
    exact, (square,), *_ = np.linalg.lstsq(columns, measured)
    np.testing.assert_allclose([found.x["c"], found.x["slope"]], exact, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(columns.T @ columns) * square / 18, rtol=1e-8)
    assert float(found.deviations["slope"]) == pytest.approx(float(found.covariance[1, 1]) ** 0.5)


def test_fewer_equations_than_parameters_are_solved_too():
    found = optim.least_squares(lambda x: x[0] * x[1] * x[2] - 6.0, jnp.asarray([1.0, 1.0, 1.0]))
    assert float(jnp.prod(found.x)) == pytest.approx(6)
    assert np.isinf(found.covariance).all()


def test_units_of_the_parameters_do_not_matter():
    """Moré's scaling: parameters in other units take the same steps to the same place."""
    x = np.linspace(0, 3, 30)
    measured = 2 * np.exp(-1.5 * x) + 0.01 * np.sin(40 * x)
    units = np.array([1e6, 1e-4])
    plain = optim.least_squares(lambda b: b[0] * jnp.exp(-b[1] * x) - measured, jnp.ones(2))
    scaled = optim.least_squares(lambda b: b[0] / 1e6 * jnp.exp(-b[1] / 1e-4 * x) - measured, jnp.asarray(units))
    np.testing.assert_allclose(np.asarray(scaled.x) / units, plain.x, rtol=1e-9)
    assert abs(int(plain.minimum.steps) - int(scaled.minimum.steps)) <= 1


def test_the_fit_is_differentiable_in_the_data():
    x = np.linspace(0, 2, 10)

    def rate(shift):
        residual = lambda b: b[0] * jnp.exp(-b[1] * x) - (2 * jnp.exp(-1.5 * x) + shift * x)  # noqa: E731
        return optim.least_squares(residual, jnp.asarray([1.0, 1.0])).x[1]

    h = 1e-5
    slope = jax.jit(jax.grad(rate))(0.05)
    assert float(slope) == pytest.approx(float(rate(0.05 + h) - rate(0.05 - h)) / (2 * h), rel=1e-6)


def test_an_exact_fit_is_found_in_single_precision():
    t = jnp.linspace(0, 2, 20, dtype=jnp.float32)
    rate = lambda b: b[0] * jnp.exp(-b[1] * t)  # noqa: E731
    true = jnp.asarray([3.0, 1.3], jnp.float32)
    found = optim.least_squares(lambda b: rate(b) - rate(true), jnp.ones(2, jnp.float32))
    np.testing.assert_allclose(found.x, true, rtol=1e-5)


def test_what_is_no_residual_is_refused():
    with pytest.raises(ArgumentTypeError, match=r"`x0` of `least_squares` must hold floats: only .*\. Got int"):
        optim.least_squares(lambda x: x - 1, jnp.asarray([1, 2]))
    with pytest.raises(ArgumentTypeError, match="`residual` of `least_squares` must be a function"):
        optim.least_squares(3.0, jnp.ones(2))
