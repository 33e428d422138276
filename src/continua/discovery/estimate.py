"""One law fitted to one record: maximum likelihood with a σ for each state, and how sure its parameters are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from continua.discovery.chain import Point
from continua.discovery.family import Family
from continua.discovery.matching import starting_points
from continua.discovery.noise import Additive, Noise
from continua.discovery.observations import Observations
from continua.discovery.shooting import TIES, Segments, Shooting, Trajectory
from continua.equations import Equation

SIGMA_ROUNDS = 15
SETTLED = 1e-3  # of σ: −2 log L is off by the square of that, a measurement
MOST_STARTS = 3
HOPELESS = 30.0  # in AICc
LEAST_SIGMA = 1e-7  # of the size of a state: a hundred times the error at which a law is solved
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Estimate:
    """A fitted law.

    Args:
        shooting: the family, its measurements in its own order of states, and the segments.
        noise: the noise model.
        point: the unknowns at the maximum.
        sigma: [state], on the noise's normal scale.
        fitted: [row, state], the trajectory.
        covariance: [parameter + state, parameter + state], of u and of the last row's state together.
        minus_two_log_likelihood: on the scale of the data.
    """

    shooting: Shooting
    noise: Noise
    point: Point
    sigma: NDArray[np.float64]
    fitted: NDArray[np.float64]
    covariance: NDArray[np.float64]
    minus_two_log_likelihood: float

    @property
    def family(self) -> Family:
        """Which law."""
        return self.shooting.family

    @property
    def parameters(self) -> NDArray[np.float64]:
        """The parameters in the units of the data."""
        return self.family.values(self.point.u, self.shooting.typical)

    @property
    def equation(self) -> Equation:
        """The fitted equation."""
        return self.family.equation(jnp.asarray(self.parameters))

    @property
    def count(self) -> int:
        """Measured numbers."""
        return int(self.shooting.data.known.sum())

    @property
    def free(self) -> int:
        """Parameters, initial states and σ: what was fitted."""
        return _unknowns(self.shooting) + int(self.shooting.data.measured.sum())

    @property
    def aicc(self) -> float:
        r"""$-2 \\log L + 2k + 2k(k+1)/(N-k-1)$; infinite where the data has too few numbers for so many unknowns."""
        k, n = self.free, self.count
        if n <= k + 1:
            return np.inf
        return self.minus_two_log_likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1) + self.family.search_price

    @property
    def reproduction(self) -> float:
        """R² of the trajectory: how much of the states' variance it explains."""
        data = self.shooting.data
        residual = np.where(data.known, (data.values - self.fitted) / data.spread, 0)
        return float(1 - (residual**2).sum() / self.count)

    @property
    def left(self) -> int:
        """The degrees of freedom that are left for σ."""
        return max(self.count - _unknowns(self.shooting), 1)

    @property
    def quantile(self) -> float:
        """Student's t for a two-sided interval, with the degrees of freedom that are left."""
        return float(stdtrit(self.left, 0.5 + CONFIDENCE / 2))

    @property
    def errors(self) -> NDArray[np.float64]:
        """The standard errors of the parameters, in their own units."""
        own = np.sqrt(np.diag(self.covariance)[: len(self.point.u)])
        return own * np.where(self.family.logarithmic, np.abs(self.parameters), np.abs(self.shooting.typical))

    @property
    def reach(self) -> NDArray[np.float64]:
        """[parameter]: half of the 95 % interval of its unknown."""
        return self.quantile * np.sqrt(np.diag(self.covariance)[: len(self.point.u)])

    @property
    def determined(self) -> NDArray[np.bool_]:
        """[parameter]: whether 95 % intervals leave it its sign, a positive one its order of magnitude."""
        return self.reach < np.where(self.family.logarithmic, np.log(10.0), np.abs(self.point.u))

    @property
    def intervals(self) -> NDArray[np.float64]:
        """[parameter, 2]: 95 % intervals, symmetric in the logarithm for positive parameters."""
        ends = [self.family.values(self.point.u + s * self.reach, self.shooting.typical) for s in (-1, 1)]
        return np.sort(np.stack([np.asarray(e) for e in ends], 1), 1)


def estimates(
    family: Family,
    data: Observations,
    noises: Sequence[Noise],
    best: float = np.inf,
    states: NDArray[np.float64] | None = None,
) -> list[Estimate | None]:
    """The maximum of the likelihood with each noise, from matched starts; None where no start can be solved.

    σ and the other unknowns are maximised in turn: given σ it is a least-squares problem, given the residuals σ² is
    their mean square. A law that is hopelessly behind the `best` AICc is left before σ has settled. With `states`
    [row, state], the law is taken to be near them already, with the unknowns of its first start. Heavy noise is
    tried where the residuals of an estimate before it look like that.
    """
    if data.known.sum() <= len(family.names) + 2 * family.size + 1:  # no AICc: not worth a search
        return [None] * len(noises)
    typical, segments = family.typical_sizes(data), Segments.of(data.pieces)
    known = starting_points(family, data, typical) if states is None else [next(family.starts())]
    found: list[Estimate | None] = []
    for noise in noises:
        if noise.heavy:
            found.append(_heavier([e for e in found if e is not None], noise))
            continue
        ways = []
        for held in (False, True) if family.inputs else (False,):
            shooting = Shooting(family, data, typical, segments, held)
            tries = (_maximum(shooting, noise, shooting.start(u, states), best) for u in known[:MOST_STARTS])
            ways.append(next((e for e in tries if e is not None), None))
        found.append(min(ways, key=lambda e: np.inf if e is None else e.aicc))
        best = min([best, *(e.aicc for e in found if e is not None)])
    return found


def _heavier(found: Sequence[Estimate], noise: Noise) -> Estimate | None:
    """With heavy noise, from those points where the residuals are more likely with it than with normal noise."""
    starts = []
    for e in found:
        trajectory = e.shooting.trajectory(e.point)
        sigmas = [_sigma(e.shooting, kind, trajectory) for kind in (Additive(), noise)]
        normal, heavy = (
            _described(e.shooting, kind, e.point, sigma)
            for kind, sigma in zip((Additive(), noise), sigmas, strict=True)
        )
        if heavy.aicc < normal.aicc:
            starts.append(heavy)
    ends = [_maximum(e.shooting, noise, e.point, np.inf, e.sigma) for e in starts]
    return min((e for e in ends if e is not None), key=lambda e: e.aicc, default=None)


def refit(
    found: Estimate,
    data: Observations,
    start: Point | None = None,
    fixed: NDArray[np.bool_] | None = None,
    rounds: int = SIGMA_ROUNDS,
) -> Estimate | None:
    """The same law on other measurements at the same times, from where the last search ended or from a start nearby.

    Parameters that are `fixed` stay as they are at the start. σ settles within so many `rounds`.
    """
    shooting = replace(found.shooting, data=data)
    ties = TIES if start is None else TIES[-1:]
    return _maximum(shooting, found.noise, start or found.point, np.inf, found.sigma, fixed, ties, rounds)


def follow_law(
    family: Family,
    data: Observations,
    u: NDArray[np.float64],
    typical: NDArray[np.float64],
    noise: Noise,
    sigma: NDArray[np.float64],
    held: bool,
) -> Estimate | None:
    """The start from which a law with given unknowns u and σ follows the measurements best; None where it diverges."""
    shooting = Shooting(family, data, typical, Segments.of(data.pieces), held)
    point, fixed = shooting.start(u), np.ones(len(u), bool)
    try:
        for tie in TIES:
            point = shooting.search(point, noise, sigma, tie, fixed=fixed)
        found = _described(shooting, noise, point, sigma, fixed)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return found if np.isfinite(found.fitted).all() else None


def _unknowns(shooting: Shooting) -> int:
    """Parameters, and the state in which each trajectory starts."""
    return len(shooting.family.names) + len(shooting.data.size) * len(shooting.data.pieces)


def _maximum(
    shooting: Shooting,
    noise: Noise,
    point: Point,
    best: float,
    sigma: NDArray[np.float64] | None = None,
    fixed: NDArray[np.bool_] | None = None,
    ties: Sequence[float] = TIES,
    rounds: int = SIGMA_ROUNDS,
) -> Estimate | None:
    """Tighten the ties step by step, then let σ settle."""
    try:
        if sigma is None:
            sigma = _sigma(shooting, noise, shooting.trajectory(point))
        for tie in ties:
            point = shooting.search(point, noise, sigma, tie, fixed=fixed)
            sigma = _sigma(shooting, noise, shooting.trajectory(point))
        for _ in range(rounds):
            if _described(shooting, noise, point, sigma).aicc > best + HOPELESS:
                break
            point = shooting.search(point, noise, sigma, TIES[-1], fixed=fixed)
            settled, sigma = sigma, _sigma(shooting, noise, shooting.trajectory(point))
            if np.allclose(settled, sigma, rtol=SETTLED):
                break
        return _described(shooting, noise, point, sigma, fixed)
    except (ValueError, np.linalg.LinAlgError):  # the search met non-finite residuals at its start
        return None


def _sigma(shooting: Shooting, noise: Noise, trajectory: Trajectory) -> NDArray[np.float64]:
    """The most likely σ of each state; not below what solving adds of its own, 1 for a hidden one."""
    data = shooting.data
    residual = noise.residuals(shooting.fitted(trajectory), data.values)[0]
    scale = noise.residuals(data.size[None] * (1 + LEAST_SIGMA), data.size[None])[0][0]
    if not np.isfinite(residual[data.known]).all():
        raise ValueError("non-finite residuals")
    return np.where(data.measured, np.maximum(noise.sigma(residual, data.known), np.abs(scale)), 1.0)


def _described(
    shooting: Shooting,
    noise: Noise,
    point: Point,
    sigma: NDArray[np.float64],
    fixed: NDArray[np.bool_] | None = None,
) -> Estimate:
    trajectory, data = shooting.trajectory(point), shooting.data
    fitted = shooting.fitted(trajectory)
    residual = np.where(data.known, noise.residuals(fitted, data.values)[0], 0)
    counts = data.known.sum(0)
    misfits = np.where(data.known, noise.minus_two_log(residual / sigma), 0)
    likelihood = float((counts * np.log(sigma**2) + misfits.sum(0)).sum())
    free = np.ones(len(point.u), bool) if fixed is None else ~fixed
    left = max(int(counts.sum()) - int(free.sum()) - len(sigma) * len(data.pieces), 1)
    inflation = counts.sum() / left  # σ² of maximum likelihood is too small by the unknowns that were fitted
    covariance = _covariance(shooting, trajectory, point, noise, sigma, free) * inflation
    return Estimate(shooting, noise, point, sigma, fitted, covariance, likelihood + noise.log_jacobian(data.values))


def _covariance(
    shooting: Shooting,
    trajectory: Trajectory,
    point: Point,
    noise: Noise,
    sigma: NDArray[np.float64],
    free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Of u and of the last row's state: those of u and of the last node, moved along by the trajectory's derivative."""
    states, parameters = len(sigma), len(point.u)
    matrix, _ = shooting.chain(trajectory, point.nodes, noise, sigma, TIES[-1], expected=True).compressed().last()
    columns = np.concatenate([states + np.flatnonzero(free), np.arange(states)])  # u first, then the node
    half = np.zeros((parameters + states, len(columns)))
    half[np.concatenate([free, np.ones(states, bool)])] = _inverse_root(matrix[:, columns])
    place = int(np.flatnonzero(shooting.segments.own[-1])[-1])
    onto = np.eye(parameters + states)
    onto[parameters:, :parameters] = trajectory.by_parameter[-1, place]
    onto[parameters:, parameters:] = trajectory.by_node[-1, place]
    with np.errstate(all="ignore"):  # the variance of what the data does not determine may overflow
        root = onto @ half
        return root @ root.T


def _inverse_root(jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    """A root of (JᵀJ)⁻¹ by singular values; what the data does not determine gets a huge variance, not an error."""
    scale = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    _, singular, rows = np.linalg.svd(jacobian / scale, full_matrices=False)
    with np.errstate(over="ignore"):
        return rows.T / np.maximum(singular, singular[0] * 1e-14) / scale[:, None]
