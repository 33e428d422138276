"""The dual of a support vector machine, two multipliers at a time, and all that are free at once to finish it."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from continua.estimators.interior_point import TINY, Multipliers
from continua.estimators.risks import Floats

FIRST = 0.1  # violation of optimality, in units of the margin, at which all free multipliers are moved at once
SHARPER = 0.1  # what that is multiplied by each time
ROUNDS = 50  # for each sample squared, moves of pairs that cost as much as the interior point method, roughly
FLAT = 1e-12  # curvature along a pair whose kernel has none


def pairwise_dual(kernel: Floats, signs: Floats, upper: Floats, tol: float) -> Multipliers | None:
    r"""The minimum of the dual of a support vector machine; None where the interior point method is the faster one.

    $$ \min_\beta \tfrac12 \beta^\top K \beta - y^\top \beta, \qquad 0 \le y_i \beta_i \le C_i, \quad
       \sum_i \beta_i = 0 $$

    with β = y α. What the pair i, j gains by itself decides which one moves (second order); of those within their
    bounds, the exact minimum is tried in between.

    Args:
        kernel: K, [sample, sample].
        signs: y, −1 or +1.
        upper: C_i > 0.
        tol: the violation of optimality, in units of the margin, that may be left.

    Source: Fan, Chen & Lin, J. Mach. Learn. Res. 6 (2005) 1889–1918.
    """
    walk = _Walk(kernel, signs, upper)
    budget, goal = 1000 + len(signs) ** 2 // ROUNDS, max(FIRST, tol)
    while True:
        budget = walk.pairs(goal, budget)
        if budget <= 0:
            return None
        if goal > tol:
            walk.all_free()
        most, least = walk.levels()
        if most - least <= tol:
            return Multipliers(walk.beta * signs, (most + least) / 2, walk.steps)
        goal = max(min(goal, most - least) * SHARPER, tol)


class _Walk:
    """Where it stands: β, and the residual r = y − K β, whose largest entry below the wall is pulled up."""

    def __init__(self, kernel: Floats, signs: Floats, upper: Floats) -> None:
        self.kernel, self.diagonal = kernel, kernel.diagonal().copy()
        self.low, self.high = np.minimum(0, signs * upper), np.maximum(0, signs * upper)
        self.beta, self.left = np.zeros_like(upper), signs.astype(np.float64)
        self.shut_up = np.where(self.beta < self.high, 0, -np.inf)
        self.shut_down = np.where(self.beta > self.low, 0, np.inf)
        self.steps = 0

    def levels(self) -> tuple[float, float]:
        """The highest residual that can be pulled up, and the lowest that can go down: equal at the minimum."""
        return float(np.max(self.left + self.shut_up)), float(np.min(self.left + self.shut_down))

    def pairs(self, goal: float, budget: int) -> int:
        """Move pairs until the violation is no more than that, or all moves are made; how many are left."""
        kernel, left = self.kernel, self.left
        gap, bend = np.empty_like(left), np.empty_like(left)
        while budget > 0:
            np.add(left, self.shut_up, out=gap)
            i = int(gap.argmax())
            np.subtract(left[i] - self.shut_down, left, out=gap)
            if gap.max() <= goal:
                break
            np.maximum(gap, 0, out=gap)
            np.multiply(kernel[i], -2, out=bend)
            bend += self.diagonal
            bend += self.diagonal[i]
            np.maximum(bend, FLAT, out=bend)
            j = int((gap * gap / bend).argmax())
            length = min(gap[j] / bend[j], self.high[i] - self.beta[i], self.beta[j] - self.low[j])
            left -= length * (kernel[i] - kernel[j])
            self._place(i, self.beta[i] + length)
            self._place(j, self.beta[j] - length)
            budget, self.steps = budget - 1, self.steps + 1
        return budget

    def _place(self, i: int, value: float) -> None:
        """Set β_i, exactly at a wall that it has come to."""
        low, high = self.low[i], self.high[i]
        near = 1e-12 * (high - low)
        value = low if value <= low + near else high if value >= high - near else value
        self.beta[i] = value
        self.shut_up[i], self.shut_down[i] = (0 if value < high else -np.inf), (0 if value > low else np.inf)

    def all_free(self) -> None:
        """Go to the minimum of those between their walls, or as far towards it as these allow."""
        free = np.flatnonzero((self.beta > self.low) & (self.beta < self.high))
        if len(free) < 2:
            return
        inner = self.kernel[np.ix_(free, free)]
        inner[np.diag_indices(len(free))] += TINY * max(np.trace(inner) / len(free), TINY)
        try:
            factor = cho_factor(inner, lower=True, check_finite=False)
        except np.linalg.LinAlgError:  # a kernel that is none: pairs alone
            return
        across, along = cho_solve(factor, np.ones(len(free))), cho_solve(factor, self.left[free])
        move = along - along.sum() / across.sum() * across
        room = np.where(move > 0, self.high[free] - self.beta[free], self.beta[free] - self.low[free])
        moving = move != 0
        length = min(1.0, float(np.min(room[moving] / np.abs(move[moving]), initial=np.inf)))
        for i, value in zip(free.tolist(), self.beta[free] + length * move, strict=True):
            self._place(i, value)
        self.left -= self.kernel[:, free] @ (length * move)
        self.steps += 1
