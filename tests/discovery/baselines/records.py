"""Records for baselines, and a fit that must succeed."""

import numpy as np

from continua.discovery.baselines import Fitted

MONTHS = np.arange("1950-01", "1962-01", dtype="datetime64[M]").astype("datetime64[D]").astype(float) / 365.25


def months(seed=0):
    """Growth and a season that multiply, from January 1950 on, with 2 % noise."""
    n = np.arange(len(MONTHS))
    noise = np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(n)))
    return (100 * np.exp(0.01 * n) * (1 + 0.3 * np.sin(2 * np.pi * n / 12)) * noise)[:, None]


def column(values):
    return np.asarray(values, float)[:, None]


def fitted(baseline, time, values):
    found = baseline.fit(time, values)
    assert isinstance(found, Fitted)
    return found
