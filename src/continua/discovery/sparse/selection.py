"""The search over supports: backward from rich starts, then drops, additions and swaps while the criterion falls."""

from dataclasses import dataclass, field, replace

import numpy as np

from continua.discovery.sparse.joint import LADDER, STRICT, TIGHT, JointFit, Mask, Problem
from continua.discovery.sparse.moves import neighbours, wald
from continua.discovery.sparse.trajectories import Floats

RELAXED = (0.01, 1e-3)
DOUBTFUL = 2.0  # Wald statistics below this are dropped several at a time while the law is long
PATIENCE = 6  # an elimination goes on while it is this many terms' price behind the best
CANDIDATES = 5
FARTHEST = 2  # a neighbour that is predicted to be this many terms' price worse is not tried
MARGIN = 1.5  # supports this many terms' price behind the best are looked around
IDLE = 3  # this many in a row that lead nowhere end the search
PROGRESS = 0.05
NEGLIGIBLE = 0.1  # of a score that is χ² by chance alone
INVISIBLE = 0.01
MOST_SUBSTEPS = 8


@dataclass(eq=False)
class Search:
    """One problem, and every support that was tried.

    Args:
        problem: what is fitted.
        required: [coefficient], which must be in the law.
        most_fits: the budget of the whole search.
    """

    problem: Problem
    required: Mask
    most_fits: int = 400
    tried: dict[bytes, JointFit] = field(default_factory=dict)
    fits: int = 0

    def start(self, states: Floats, theta: Floats, mask: Mask, sigma: Floats) -> None:
        """Fit a rich support from smooth states, and eliminate backward."""
        first = self._fit(states, theta, mask, sigma, LADDER)
        if first is not None:
            self._eliminate(first)

    def _eliminate(self, fit: JointFit) -> None:
        """Drop what is least sure, refit, and go on; supports that another start has led to are not fitted again."""
        best = current = fit
        while self.fits < self.most_fits:
            mask = self._shorter(current)
            if mask is None:
                break
            shorter = self.tried.get(mask.tobytes())
            if shorter is None:
                shorter = self._fit(current.states, current.theta, mask, current.sigma, TIGHT)
            if shorter is None or not np.isfinite(shorter.criterion):
                break
            current = shorter
            best = min(best, current, key=lambda f: f.criterion)
            if current.criterion > best.criterion + PATIENCE * self.problem.price:
                break

    def _shorter(self, fit: JointFit) -> Mask | None:
        """Without the least sure term; without a third of the doubtful ones while the law is long."""
        free = np.flatnonzero(fit.mask)
        evidence = np.where(self.required[free], np.inf, wald(fit))
        doubtful = int(np.sum(evidence < DOUBTFUL)) // 3 if fit.count > 6 * self.problem.size else 0
        order = np.argsort(evidence)[: max(1, doubtful)]
        order = order[np.isfinite(evidence[order])]
        if not len(order):
            return None
        mask = fit.mask.copy()
        mask[free[order]] = False
        return mask

    def explore(self) -> None:
        """Best first: try the neighbours of the best support that has not been looked around yet, then of the next.

        A law may need two moves at once, neither of which lowers the criterion alone; so the search also looks around
        supports that are a little worse than the best, until several in a row have led nowhere.
        """
        idle, seen = 0, set()
        while (best := self.best) is not None and idle < IDLE and self.fits < self.most_fits:
            near = [
                (fit.criterion, key)
                for key, fit in self.tried.items()
                if key not in seen and fit.criterion < best.criterion + MARGIN * self.problem.price
            ]
            if not near:
                return
            seen.add(key := min(near)[1])
            idle = 0 if self._look_around(self.tried[key], best.criterion) else idle + 1

    @property
    def best(self) -> JointFit | None:
        """The lowest criterion so far, if anything could be fitted."""
        return min(self.tried.values(), key=lambda fit: fit.criterion, default=None)

    def refined(self) -> "Search | None":
        """The search gone on with twice the Runge–Kutta steps; None where that would not change the law.

        Whether it would is read off the score: the finer flow's gradient at the best point, in units of its own
        standard deviation.
        """
        best, finer = self.best, replace(self.problem, substeps=2 * self.problem.substeps)
        if best is None or finer.substeps > MOST_SUBSTEPS:
            return None
        if finer.misses(best, TIGHT[-1]) < NEGLIGIBLE:
            return None
        search = Search(finer, self.required, self.most_fits, fits=self.fits)
        search.start(best.states, best.theta, best.mask, best.sigma)
        search.explore()
        return search if search.tried else None

    def strict(self, best: JointFit, refine: bool) -> tuple[JointFit, Problem]:
        """A fit as one trajectory, and the problem whose flow it is; as found where data do not bear that.

        Only numbers change: criteria are compared at the same τ and flow everywhere.

        Args:
            best: the fit.
            refine: whether the Runge–Kutta steps may be halved, until that changes little beside the standard errors.
        """
        fit, problem = best, self.problem
        while True:
            found = problem.fit(fit.states, fit.theta, fit.mask, fit.sigma, STRICT)
            if found is None or not found.criterion < best.criterion + FARTHEST * problem.price:
                return best, self.problem
            fit, finer = found, replace(problem, substeps=2 * problem.substeps)
            if not refine or finer.substeps > MOST_SUBSTEPS or finer.misses(fit, STRICT[-1]) < INVISIBLE:
                return replace(fit, criterion=best.criterion), problem
            problem = finer

    def _look_around(self, fit: JointFit, best: float) -> bool:
        """Fit the most promising neighbours, until one beats the best: whether one did."""
        for move in neighbours(fit, self.required, self.problem.prices, CANDIDATES):
            if fit.criterion - move.fall > best + FARTHEST * self.problem.price or self.fits >= self.most_fits:
                return False
            if move.mask.tobytes() in self.tried:
                continue
            found = self._fit(fit.states, move.theta, move.mask, fit.sigma, RELAXED)
            if found is not None and found.criterion < best - PROGRESS:
                return True
        return False

    def _fit(
        self, states: Floats, theta: Floats, mask: Mask, sigma: Floats, ladder: tuple[float, ...]
    ) -> JointFit | None:
        """Fit, and remember the best fit of every support."""
        self.fits += 1
        found = self.problem.fit(states, theta, mask, sigma, ladder)
        if found is not None:
            known = self.tried.get(mask.tobytes())
            if known is None or found.criterion < known.criterion:
                self.tried[mask.tobytes()] = found
        return found
