"""Simulated records for sparse laws, solved by scipy so that nothing here judges itself."""

import numpy as np
from scipy.integrate import solve_ivp

LORENZ = {"x": {"x": -10.0, "y": 10.0}, "y": {"x": 28.0, "y": -1.0, "x*z": -1.0}, "z": {"z": -8 / 3, "x*y": 1.0}}
OSCILLATOR = {"x": {"y": 1.0}, "y": {"x": -1.0, "y": -0.2}}


def lorenz(_, s):
    return [10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]]


def oscillator(_, s):
    return [s[1], -s[0] - 0.2 * s[1]]


def solved(field, start, times):
    """[row, state]."""
    return solve_ivp(field, (0.0, times[-1]), start, t_eval=times, rtol=1e-9, atol=1e-9).y.T


def noisy(clean, share, seed):
    return clean + share * clean.std(0) * np.random.default_rng(seed).standard_normal(clean.shape)


def supports(terms):
    """State → the set of its terms."""
    return {state: set(row) for state, row in terms.items()}
