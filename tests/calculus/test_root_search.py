"""Roots from many starts, in plain numpy."""

import numpy as np

from continua.calculus import levenberg_marquardt


def diagonal(f, slope):
    """A field whose components do not know each other."""
    return lambda z: (f(z), slope(z)[..., None] * np.eye(z.shape[1]))


def test_every_start_finds_a_simple_root_to_round_off():
    starts = np.random.default_rng(0).normal(size=(50, 2), scale=3.0)
    ends = levenberg_marquardt(diagonal(lambda z: z**2 - 2, lambda z: 2 * z), starts)
    assert ends.residuals.max() < 1e-14
    np.testing.assert_allclose(np.abs(ends.points), np.sqrt(2), rtol=1e-14)


def test_a_triple_root_is_found_to_many_digits():
    ends = levenberg_marquardt(diagonal(lambda z: z**3, lambda z: 3 * z**2), np.array([[1.0], [-2.0]]))
    assert np.abs(ends.points).max() < 1e-8


def test_it_lands_on_a_curve_of_roots_near_its_start():
    def field(z):
        f = (z**2).sum(1, keepdims=True) - 1
        return f * z, f[..., None] * np.eye(2) + 2 * z[:, :, None] * z[:, None]

    starts = np.array([[1.5, 0.2], [0.0, -0.8]])
    ends = levenberg_marquardt(field, starts)
    np.testing.assert_allclose(np.linalg.norm(ends.points, axis=1), 1, rtol=1e-13)
    assert np.abs(ends.points - starts).max() < 0.6


def test_where_there_is_no_root_the_residual_stays_and_broken_starts_do_not_spoil_the_others():
    def field(z):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(z) + 1, 1 / z[..., None]

    ends = levenberg_marquardt(field, np.array([[-1.0], [2.0], [np.nan]]))
    np.testing.assert_allclose(ends.points[1], np.exp(-1), rtol=1e-13)
    assert np.isinf(ends.steps[[0, 2]]).all()
    ends = levenberg_marquardt(diagonal(lambda z: z**2 + 1, lambda z: 2 * z), np.array([[3.0], [0.5]]))
    assert ends.residuals.min() >= 1
