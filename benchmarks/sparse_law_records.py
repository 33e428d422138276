"""Noisy records with a known law, and ODEBench: what benchmarks/sparse_law.py measures on."""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

Terms = dict[str, dict[str, float]]
DATA = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
STATES = ("x", "y", "z")
DEGREE = 2
LORENZ: Terms = {"x": {"x": -10.0, "y": 10.0}, "y": {"x": 28.0, "y": -1.0, "x*z": -1.0}, "z": {"z": -8 / 3, "x*y": 1.0}}
PERIODS, SAMPLES_A_PERIOD = 12, 100
A, B, C = -10.0, -4.0, 18.1
DYSTS: dict[str, Terms] = {
    "Rossler": {"x": {"y": -1.0, "z": -1.0}, "y": {"x": 1.0, "y": 0.2}, "z": {"1": 0.2, "z": -5.7, "x*z": 1.0}},
    "SprottB": {"x": {"y*z": 1.0}, "y": {"x": 1.0, "y": -1.0}, "z": {"1": 1.0, "x*y": -1.0}},
    "Halvorsen": {
        "x": {"x": -1.4, "y": -4.0, "z": -4.0, "y**2": -1.0},
        "y": {"y": -1.4, "z": -4.0, "x": -4.0, "z**2": -1.0},
        "z": {"z": -1.4, "x": -4.0, "y": -4.0, "x**2": -1.0},
    },
    "LuChenCheng": {
        "x": {"x": -A * B / (A + B), "y*z": -1.0, "1": C},
        "y": {"y": A, "x*z": 1.0},
        "z": {"z": B, "x*y": 1.0},
    },
}


class NoisyRecord(NamedTuple):
    """t [row], the trajectory and its measurements [row, state]; noise is a share of each state's deviation."""

    seed: int
    t: Any
    clean: Any
    y: Any
    noise: float


def trajectory(law: Terms, start: Any, times: Any) -> Any:
    """[row, state], to 1e-10."""
    parts = [[(c, [STATES.index(f) for f in factors(term)]) for term, c in row.items()] for row in law.values()]

    def field(_: float, x: Any) -> list[float]:
        return [sum(c * math.prod(x[i] for i in own) for c, own in row) for row in parts]

    return solve_ivp(field, (0.0, times[-1]), start, t_eval=times, rtol=1e-10, atol=1e-10).y.T


def factors(term: str) -> list[str]:
    """x, x of x**2."""
    base, _, power = term.partition("**")
    if term == "1":
        return []
    return [base] * int(power) if power else term.split("*")


def _noisy(seed: int, t: Any, clean: Any, noise: float) -> NoisyRecord:
    draws = np.random.default_rng(seed).standard_normal(clean.shape)
    return NoisyRecord(seed, t, clean, clean + noise * clean.std(0) * draws, noise)


def lorenz_records(noise: float, seeds: int) -> Iterator[NoisyRecord]:
    """From t = 0 to 10 at .02, each seed from its own start on the attractor."""
    times = np.linspace(0.0, 10.0, 501)
    for seed in range(seeds):
        start = np.random.default_rng(1000 + seed).normal([0.0, 0.0, 25.0], 5.0)
        start = trajectory(LORENZ, start, np.array([0.0, 20.0]))[-1]
        yield _noisy(seed, times, trajectory(LORENZ, start, times), noise)


def dysts_records(name: str, noise: float, seeds: int) -> Iterator[NoisyRecord]:
    """Twelve periods with a hundred samples each, from the stored start."""
    stored = json.loads((DATA / "dysts" / "chaotic_attractors.json").read_text(encoding="utf-8"))[name]
    times = np.linspace(0.0, PERIODS * stored["period"], PERIODS * SAMPLES_A_PERIOD + 1)
    clean = trajectory(DYSTS[name], stored["initial_conditions"], times)
    yield from (_noisy(seed, times, clean, noise) for seed in range(seeds))


def odebench_systems(first: int, last: int) -> list[dict[str, Any]]:
    """The stored systems with those numbers."""
    stored = json.loads((DATA / "odebench" / "odebench_1_40.json").read_text(encoding="utf-8"))
    return [system for system in stored if first <= system["id"] <= last]
