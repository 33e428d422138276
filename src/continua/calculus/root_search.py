r"""Roots of many equations f(z) = 0 from many starts at once, by Levenberg's and Marquardt's damped Newton steps.

$$ d = -(J^\top J + \mu I)^{-1} J^\top f, \qquad \mu = \nu\, |f| $$

With μ proportional to |f| it converges fast to a root whose Jacobian is singular too, such as one on a curve of roots.

Source: Yamashita & Fukushima, Computing Suppl. 15 (2001) 239–249; Fan & Yuan, Computing 74 (2005) 23–39.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Vectors = Float[np.ndarray, "start state"]
Matrices = Float[np.ndarray, "start state state"]

ITERATIONS = 100
LONGEST_STEP = 4.0


class Ends(NamedTuple):
    """Where the iterations ended: `points`, the size of f there, and the length of the last step."""

    points: Vectors
    residuals: Float[np.ndarray, " start"]
    steps: Float[np.ndarray, " start"]


def levenberg_marquardt(field: Callable[[Vectors], tuple[Vectors, Matrices]], starts: Vectors) -> Ends:
    """Improve all starts; `field` gives f and J, without units and of order 1. A start where f is not finite stays."""
    z, (f, J) = starts, field(starts)
    usable = _finite(f, J)
    f, J = np.where(usable[:, None], f, np.inf), np.where(usable[:, None, None], J, 0.0)
    nu, lengths = np.ones(len(z)), np.full(len(z), np.inf)
    active = usable & (_norm(f) > 0)
    lengths[usable & ~active] = 0
    for _ in range(ITERATIONS):
        if not active.any():
            break
        step = np.zeros_like(z)
        step[active] = _step(f[active], J[active], nu[active])
        trial = z + step
        f_new, J_new = field(trial)
        better = active & _finite(f_new, J_new) & (_norm(f_new) < _norm(f))
        z, f = np.where(better[:, None], trial, z), np.where(better[:, None], f_new, f)
        J = np.where(better[:, None, None], J_new, J)
        nu = np.clip(np.where(better, nu / 5, nu * 4), 1e-30, 1e30)
        lengths = np.where(active, _norm(step), lengths)
        active &= (lengths > 4 * np.finfo(float).eps * (1 + _norm(z))) & (_norm(f) > 0)
    return Ends(z, _norm(f), lengths)


def _step(f: Vectors, J: Matrices, nu: np.ndarray) -> Vectors:
    """The damped step from the singular values of J: the normal equations would square its condition."""
    U, s, Vt = np.linalg.svd(J)
    damped = s**2 + (nu * _norm(f))[:, None]
    gain = np.divide(s, damped, out=np.zeros_like(s), where=damped > 0)
    step = -np.einsum("pki,pk,pjk,pj->pi", Vt, gain, U, f, optimize=True)
    length = _norm(step)[:, None]
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(length, 1e-300))


def _norm(f: Vectors) -> np.ndarray:
    return np.sqrt((f**2).sum(1))


def _finite(f: Vectors, J: Matrices) -> np.ndarray:
    return np.isfinite(f).all(1) & np.isfinite(J).all((1, 2))
