"""Periods in records with and without one."""

import numpy as np
import pytest

from continua.discovery.baselines import (
    detect_period,
)
from tests.discovery.baselines.records import MONTHS, months


@pytest.mark.parametrize("period", [5, 12, 30])
def test_a_period_is_found_in_noise(period):
    n = np.arange(240)
    found = [
        detect_period(
            n * 0.5, np.sin(2 * np.pi * n / period + seed) + 0.5 * np.random.default_rng(seed).normal(size=240)
        )
        for seed in range(20)
    ]
    assert np.mean([p == period for p in found]) >= 0.9


@pytest.mark.parametrize("rows", [21, 60, 300])
@pytest.mark.parametrize("kind", ["white", "walk", "growth"])
def test_no_period_is_found_where_there_is_none(kind, rows):
    found = 0
    for seed in range(60):
        noise = np.random.default_rng(seed).standard_normal(rows)
        y = {"white": noise, "walk": np.cumsum(noise), "growth": np.exp(np.arange(rows) * 3 / rows) + 0.1 * noise}[kind]
        found += detect_period(np.arange(rows) * 1.0, y) is not None
    assert found <= 3


def test_a_year_of_months_is_a_period_though_months_differ():
    assert detect_period(MONTHS, months()[:, 0], "year") == 12
