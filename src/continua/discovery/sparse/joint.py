r"""Joint estimation: the states at every sample and the coefficients of one support, by Levenberg–Marquardt.

The flow is a weak constraint of width τ, which falls from σ to σ/1000: a poor start does not throw the states off the
measurements. Over a long chaotic record even that leaves room enough to move coefficients by a standard error; so the
law that is chosen gets a last fit at σ/10,000, where it agrees with maximum likelihood. Same family as
arXiv:2507.23426 (ODR-BINDy) and arXiv:2406.06707.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from continua.discovery.sparse.arrow import Arrow, Reduced, reduced, solve_definite
from continua.discovery.sparse.criterion import small_sample
from continua.discovery.sparse.library import Features
from continua.discovery.sparse.normal_equations import Measurements, Normal, normal_equations
from continua.discovery.sparse.trajectories import Floats, Record

LADDER = (1.0, 0.1, 0.01, 1e-3)  # τ/σ
TIGHT = LADDER[-1:]
STRICT = (1e-3, 1e-4)
FLOOR = 1e-4  # the least σ, as a share of a state's spread: below it are the errors of the Runge–Kutta flow
TOLERANCE = 1e-5
SIGMA_TOLERANCE = 0.02
SIGMA_ROUNDS = 4
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class JointFit:
    """The least-squares point of one support, and the quadratic model around it.

    Args:
        mask: [coefficient], which are free; the others are 0 or known.
        states: [row, state], in the units of the record.
        theta: [coefficient], in the units of the record.
        sigma: [state], the noise level at which the sum of squares was formed.
        squares: [state], the sums of squares of measurements and defects, in units of σ².
        schur: [coefficient, coefficient], Schur complement over all that may be free.
        gradient: [coefficient], half the gradient of the sum of squares with the states eliminated.
        deviance: −2 log L with σ profiled, up to a constant of the data.
        criterion: deviance and penalty.
    """

    mask: Mask
    states: Floats
    theta: Floats
    sigma: Floats
    squares: Floats
    schur: Floats
    gradient: Floats
    deviance: float
    criterion: float

    @property
    def count(self) -> int:
        """How many terms."""
        return int(self.mask.sum())


class _Point(NamedTuple):
    states: Floats
    theta: Floats
    normal: Normal
    cost: float


@dataclass(frozen=True, eq=False)
class Problem:
    """A record and a library.

    Args:
        features: the terms.
        record: the measurements.
        measurements: the same, padded, for compiled programs.
        profile: [row, state], how σ varies along the record; 1 for additive noise.
        prices: [coefficient], what each term adds to the criterion.
        allowed: [coefficient], which may be in the law.
        fixed: [coefficient], their values while they are not free; 0 but for those that are known.
        substeps: Runge–Kutta steps in an interval.
    """

    features: Features
    record: Record
    measurements: Measurements
    profile: Floats
    prices: Floats
    allowed: Mask
    fixed: Floats
    substeps: int = 1

    @property
    def size(self) -> int:
        """How many states."""
        return self.record.y.shape[1]

    @property
    def coefficients(self) -> int:
        """How many coefficients the full law would have."""
        return self.size * self.features.count

    @property
    def count(self) -> int:
        """Measured numbers."""
        return int(self.record.known.sum())

    @property
    def least_sigma(self) -> Floats:
        """[state]: σ is not believed below this."""
        return FLOOR * self.record.spread / np.sqrt(np.mean(self.profile**2, 0))

    def criterion(self, deviance: float, mask: Mask) -> float:
        """Deviance and prices; starts and σ count as fitted for small samples."""
        free = int(mask.sum()) + self.size * (len(self.record.pieces) + 1)
        return float(deviance + self.prices[mask].sum() + small_sample(free, self.count))

    @property
    def price(self) -> float:
        """What a term costs on average."""
        return float(self.prices[self.allowed].mean())

    def fit(
        self,
        states: Floats,
        theta: Floats,
        mask: Mask,
        sigma: Floats,
        ladder: tuple[float, ...] = TIGHT,
        iterations: int = 40,
    ) -> JointFit | None:
        """The least-squares point from a start; σ follows the residuals. None where the linear algebra gives up."""
        theta = np.where(mask, theta, self.fixed)
        for ratio in ladder[:-1]:
            point = self._search(states, theta, mask, sigma, ratio, min(iterations, 15))
            if point is None:
                return None
            states, theta = point.states, point.theta
        for _ in range(SIGMA_ROUNDS):
            point = self._search(states, theta, mask, sigma, ladder[-1], iterations)
            if point is None:
                return None
            states, theta = point.states, point.theta
            wanted = self._profiled(point.normal, sigma)
            if np.abs(np.log(wanted / sigma)).max() < SIGMA_TOLERANCE:
                break
            sigma = wanted
        return self._concluded(states, theta, mask, sigma, ladder[-1])

    def misses(self, fit: JointFit, ratio: float) -> float:
        """How far another problem's point at that τ/σ is from the best one of this: χ² of the score; NaN if unknown."""
        moved = self._concluded(fit.states, fit.theta, fit.mask, fit.sigma, ratio)
        if moved is None:
            return np.nan
        own = moved.gradient[fit.mask]
        return float(own @ solve_definite(moved.schur[np.ix_(fit.mask, fit.mask)], own))

    def _profiled(self, normal: Normal, sigma: Floats) -> Floats:
        """The σ that maximise the likelihood at these residuals."""
        mean = (np.asarray(normal.misfit) + np.asarray(normal.defect)) / self.record.numbers
        return np.where(self.record.known.any(0), np.maximum(sigma * np.sqrt(mean), self.least_sigma), sigma)

    def _concluded(self, states: Floats, theta: Floats, mask: Mask, sigma: Floats, ratio: float) -> JointFit | None:
        point = self._at(states, theta, sigma, ratio)
        everything = self._reduce(point.normal, self.allowed)
        if everything is None or not np.isfinite(point.cost):
            return None
        squares = np.asarray(point.normal.misfit) + np.asarray(point.normal.defect)
        numbers = self.record.known.sum(0)
        variance = sigma**2 * squares / self.record.numbers + self.least_sigma**2
        deviance = float(np.sum(numbers * np.log(variance)))
        deviance += 2 * float(np.sum(np.log(self.profile[self.record.known])))
        allowed = np.flatnonzero(self.allowed)
        schur, gradient = np.zeros((len(theta), len(theta))), np.zeros(len(theta))
        schur[np.ix_(allowed, allowed)] = everything.schur
        gradient[allowed] = everything.gradient
        criterion = self.criterion(deviance, mask)
        return JointFit(mask.copy(), states, theta, sigma, squares, schur, gradient, deviance, criterion)

    def _search(
        self, states: Floats, theta: Floats, mask: Mask, sigma: Floats, ratio: float, iterations: int
    ) -> _Point | None:
        """Levenberg–Marquardt at given σ and τ."""
        here, damping = self._at(states, theta, sigma, ratio), 1e-3
        if not np.isfinite(here.cost):
            return None
        freely = (1 / (sigma * self.profile) ** 2).ravel()
        for _ in range(iterations):
            there, fall = None, 0.0
            left = self._reduce(here.normal, mask, damping * freely)
            if left is not None:
                change = -solve_definite(left.schur + damping * np.diag(np.diag(left.schur)), left.gradient)
                step = np.zeros_like(theta)
                step[mask] = change
                moved = here.states + left.states(change).reshape(here.states.shape)
                there = self._at(moved, here.theta + step, sigma, ratio)
                fall = here.cost - there.cost
            if there is None or not fall > 0:
                damping *= 8
                if damping > 1e8:
                    break
                continue
            here, damping = there, max(0.2 * damping, 1e-9)
            if fall < TOLERANCE * here.cost:
                break
        return here

    def _at(self, states: Floats, theta: Floats, sigma: Floats, ratio: float) -> _Point:
        """The normal equations at a point."""
        rows, padded = len(states), self.measurements.y.shape[1]
        weight, tie, x = np.zeros((3, self.size, padded))
        weight[:, :rows] = (self.record.known / (sigma * self.profile)).T
        tie[:, :rows] = (self.record.step > 0) / (ratio * sigma[:, None] * self._typical_profile)
        x[:, :rows] = states.T
        law, steps = theta.reshape(self.size, -1), np.int64(self.substeps)
        found = normal_equations(self.features, x, law, self.measurements, weight, tie, steps)
        normal = Normal(*map(np.asarray, found))  # cheaper than device_get, which asks for copies first
        return _Point(states, theta, normal, float(normal.misfit.sum() + normal.defect.sum()))

    @property
    def _typical_profile(self) -> Floats:
        return np.sqrt(np.mean(self.profile**2, 0))[:, None]

    def _reduce(self, normal: Normal, mask: Mask, damping: Floats | float = 0.0) -> Reduced | None:
        """Eliminate the states, with the free coefficients alone."""
        unknowns = self.record.y.size
        slopes, gaps = np.asarray(normal.slopes)[mask, :unknowns], np.asarray(normal.gaps)[:unknowns]
        band, coupling = np.asarray(normal.band)[:, :unknowns], np.asarray(normal.coupling)[mask, :unknowns]
        gradient = np.asarray(normal.gradient)[:unknowns]
        return reduced(Arrow(band, coupling, slopes @ slopes.T, gradient, -slopes @ gaps), damping)
