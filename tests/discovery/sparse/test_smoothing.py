"""The smoother: σ from the data, gaps and uneven times, and the same from the same seed."""

import numpy as np
import pytest

from continua.discovery.sparse.smoothing import smoothed
from continua.discovery.sparse.trajectories import Record, Trajectory


def wave(seed, rows=200, even=True, sigma=0.1):
    random = np.random.default_rng(seed)
    t = np.linspace(0.0, 10.0, rows) if even else np.sort(random.uniform(0.0, 10.0, rows))
    clean = np.stack([np.sin(2 * t), np.cos(t)], 1)
    return t, clean, clean + sigma * random.standard_normal(clean.shape)


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_it_separates_signal_and_noise(even, share):
    t, clean, y = wave(0, even=even)
    y[np.random.default_rng(1).uniform(size=y.shape) < share] = np.nan
    record = Record.of([Trajectory.of((t, y))], 0)
    states, sigma = smoothed(record)
    np.testing.assert_allclose(sigma * record.unit, 0.1, rtol=0.2)
    assert np.sqrt(np.mean((states * record.unit - clean) ** 2)) < 0.05


def test_a_cubic_polynomial_is_left_alone_by_the_strongest_penalty():
    t = np.sort(np.random.default_rng(0).uniform(0.0, 3.0, 40))
    y = np.stack([1 + t - t**2], 1)
    record = Record.of([Trajectory.of((t, y))], 0)
    np.testing.assert_allclose(smoothed(record)[0], record.y, atol=1e-6)


def test_short_pieces_stay_as_they_are():
    t, _, y = wave(3, rows=5)
    record = Record.of([Trajectory.of((t, y))], 0)
    states, sigma = smoothed(record)
    np.testing.assert_array_equal(states, record.y)
    assert (sigma > 0).all()


def test_the_same_seed_gives_the_same_states():
    t, _, y = wave(4)
    record = Record.of([Trajectory.of((t, y))], 0)
    np.testing.assert_array_equal(smoothed(record, 7)[0], smoothed(record, 7)[0])
