"""Noise models as densities: they integrate to one, and their pieces belong together."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from continua.discovery.noise import NOISES, Additive, LogNormal, StudentT


def density(noise, measured, model, sigma):
    """exp(log L) of one measurement, as an estimate computes it."""
    y, m = np.array([[measured]]), np.array([[model]])
    residual = noise.residuals(m, y)[0].item()
    return np.exp(
        -(np.log(sigma**2) + noise.minus_two_log(np.array([residual / sigma])).item() + noise.log_jacobian(y)) / 2
    )


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_the_density_integrates_to_one_on_the_scale_of_the_data(noise, sigma):
    y = noise.quantile(np.array(3.0), sigma * noise.from_normal(np.linspace(-7, 7, 4001)))
    densities = [density(noise, one, 3.0, sigma) for one in y]
    assert np.trapezoid(densities, y) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_a_quantile_is_its_own_residual(noise):
    model, deviation = np.array([[2.0, 5.0]]), np.array([[0.3, -0.7]])
    np.testing.assert_allclose(-noise.residuals(model, noise.quantile(model, deviation))[0], deviation)


@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_the_slope_is_the_derivative(noise):
    model, measured, h = np.array([[2.0, 5.0]]), np.array([[2.5, 4.0]]), 1e-6
    ahead, behind = (noise.residuals(model + s * h, measured)[0] for s in (1, -1))
    np.testing.assert_allclose(noise.residuals(model, measured)[1], (ahead - behind) / (2 * h), rtol=1e-8)


@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_the_square_of_the_root_is_the_likelihood(noise):
    misfit, h = np.array([-30.0, -2.0, -0.1, 0.0, 0.5, 4.0]), 1e-5
    root, slope = noise.rooted(misfit)
    np.testing.assert_allclose(root**2, noise.minus_two_log(misfit) - noise.minus_two_log(np.zeros(1)), atol=1e-9)
    np.testing.assert_allclose(slope, (noise.rooted(misfit + h)[0] - noise.rooted(misfit - h)[0]) / (2 * h), rtol=1e-5)


@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_sigma_is_the_most_likely(noise):
    residual = noise.from_normal(np.random.default_rng(0).standard_normal((40, 2))) * [0.3, 2.0]
    known = np.random.default_rng(1).uniform(size=residual.shape) < 0.8
    best = noise.sigma(residual, known)

    def likelihood(sigma):
        return np.where(known, np.log(sigma**2) + noise.minus_two_log(residual / sigma), 0).sum(0)

    for factor in (0.99, 1.01):
        assert (likelihood(best * factor) > likelihood(best)).all()
    np.testing.assert_allclose(best, [0.3, 2.0], rtol=0.3)


def test_students_noise_is_students_t():
    z = np.array([-3.0, 0.2, 8.0])
    np.testing.assert_allclose(StudentT().minus_two_log(z), -2 * student.logpdf(z, 4))
    np.testing.assert_allclose(student.cdf(StudentT().from_normal(np.array([-1.0, 2.0])), 4), norm.cdf([-1.0, 2.0]))


def test_information_is_the_mean_square_of_the_score():
    z = np.linspace(-400, 400, 2_000_001)
    density = student.pdf(z, 4)
    score = 5 * z / (4 + z**2)
    assert np.trapezoid(score**2 * density, z) == pytest.approx(StudentT.information, rel=1e-6)


def test_log_normal_noise_needs_positive_measurements():
    assert LogNormal().fits(np.array([[1.0, np.nan]]))
    assert not LogNormal().fits(np.array([[1.0, 0.0]]))
    assert Additive().fits(np.array([[-1.0, 0.0]]))


def test_a_model_below_zero_is_impossible_not_an_error():
    residual, _ = LogNormal().residuals(np.array([[-1.0]]), np.array([[1.0]]))
    assert not np.isfinite(residual).any()


def test_quantiles_hold_their_share():
    deviation = 0.4 * np.random.default_rng(0).standard_normal((20000, 1))
    drawn = LogNormal().quantile(np.full_like(deviation, 3.0), deviation)
    assert (drawn < 3.0 * np.exp(0.4 * norm.ppf(0.975))).mean() == pytest.approx(0.975, abs=0.005)
