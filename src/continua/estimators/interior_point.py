"""The dual of a support vector machine, solved from within its box: Newton's steps along the central path."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from continua.estimators.risks import Floats

SHORT_OF_WALL = 0.995  # of the way to the nearest wall: as far as a step goes
TINY = 1e-12  # of the mean diagonal: what keeps a kernel's matrix positive definite
STEPS = 100


class Multipliers(NamedTuple):
    """The solution: a multiplier for each sample, the score's constant, and the steps it took."""

    alpha: Floats
    constant: float
    steps: int


def box_dual(Q: Floats, signs: Floats, upper: Floats, tol: float) -> Multipliers:
    r"""The minimum of the dual of a support vector machine.

    $$ \min_\alpha \tfrac12 \alpha^\top Q \alpha - \sum_i \alpha_i, \qquad 0 \le \alpha \le C_i, \quad
       \sum_i y_i \alpha_i = 0 $$

    By Mehrotra's predictor and corrector: the walls push with forces $\mu/\alpha$ and $\mu/(C - \alpha)$, and μ → 0.

    Args:
        Q: y_i y_j K_ij, [sample, sample], positive semidefinite.
        signs: y, −1 or +1.
        upper: C_i > 0.
        tol: what is left of the gap between primal and dual, relative to the value.

    Source: Mehrotra, SIAM J. Optim. 2 (1992) 575–601; Ferris & Munson, SIAM J. Optim. 13 (2002) 783–804.
    """
    n = len(Q)
    Q = Q + TINY * max(np.trace(Q) / n, TINY) * np.eye(n)
    alpha, constant = upper / 2, 0.0
    force = 1 + np.abs(Q @ alpha - 1)
    low, high = force.copy(), force.copy()  # forces of the walls at 0 and at C
    for step in range(STEPS):
        room = upper - alpha
        bent = Q @ alpha
        dual = bent - 1 + constant * signs - low + high  # must vanish
        primal = signs @ alpha
        gap = low @ alpha + high @ room
        size = 1 + abs(alpha @ bent / 2 - alpha.sum())
        if gap <= tol * size and np.abs(dual).max() <= tol * (1 + force.max()) and abs(primal) <= tol * upper.max():
            return Multipliers(alpha, float(constant), step)
        factor = cho_factor(Q + np.diag(low / alpha + high / room), lower=True, check_finite=False)
        across = cho_solve(factor, signs, check_finite=False)
        slope = signs @ across

        def newton(push_low: Floats, push_high: Floats) -> tuple[Floats, float, Floats, Floats]:
            right = -dual + push_low / alpha - push_high / room  # noqa: B023 - used within this step
            free = cho_solve(factor, right, check_finite=False)  # noqa: B023
            turn = (signs @ free + primal) / slope  # noqa: B023
            move = free - turn * across  # noqa: B023
            return move, turn, (push_low - low * move) / alpha, (push_high + high * move) / room  # noqa: B023

        move, _, by_low, by_high = newton(-low * alpha, -high * room)
        first = min(_reach(alpha, move), _reach(room, -move), _reach(low, by_low), _reach(high, by_high))
        left = (low + first * by_low) @ (alpha + first * move) + (high + first * by_high) @ (room - first * move)
        mu = (left / gap) ** 3 * gap / (2 * n)
        move, turn, by_low, by_high = newton(mu - low * alpha - by_low * move, mu - high * room + by_high * move)
        length = min(_reach(alpha, move), _reach(room, -move), _reach(low, by_low), _reach(high, by_high))
        alpha, constant = alpha + length * move, constant + length * turn
        low, high = low + length * by_low, high + length * by_high
    return Multipliers(alpha, float(constant), STEPS)


def _reach(room: Floats, move: Floats) -> float:
    """How much of a move, at most all, leaves what must be positive so."""
    against = move < 0
    return float(min(1.0, SHORT_OF_WALL * np.min(-room[against] / move[against], initial=np.inf)))
