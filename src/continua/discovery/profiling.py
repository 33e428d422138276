r"""Intervals by profile likelihood: with one parameter moved and all else refitted, how far does the likelihood fall?

$$ \Delta(p) = -2 \log \frac{\max_{\text{else}} L(p)}{\max L} \le N \log\!\Big(1 + \frac{t^2}{N - k}\Big) $$

with N numbers, k unknowns and Student's t with N − k degrees of freedom: for a linear law these are the intervals of
least squares, whatever σ. Source: Raue et al., Bioinformatics 25 (2009) 1923–1929; Bates & Watts, Nonlinear Regression
Analysis (1988), chapter 6.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from continua.discovery.chain import Point
from continua.discovery.estimate import Estimate, refit

SURE = 0.1  # a quadratic interval that is narrower than this, relative to its middle, does not mislead
AGREES = 0.1  # of the root of the fall: then the quadratic interval does
EXACTLY = 0.03  # of the root of the fall: then a search for an end is over
MOST_MOVES = 12
MOST_PARAMETERS = 12  # the least sure are profiled
MOST_NUMBERS = 5000  # beyond, measurements are many enough for the likelihood to be quadratic
MOST_WORK = 100_000  # numbers times parameters
OUTERMOST = 50.0  # times the first move: what has not hurt there is not determined
WIDEST_FACTOR = 6.0  # of a positive parameter's logarithm, in the first move


def profile_intervals(found: Estimate) -> NDArray[np.float64]:
    """[parameter, 2]: the quadratic intervals, and where they may mislead those by profile likelihood.

    Twelve parameters at most, records of 5,000 numbers and 100,000 numbers times parameters at most: others keep their
    quadratic intervals.

    An end is infinite, or 0 for a positive parameter, where the data do not bound it.
    """
    intervals = found.intervals
    reach, positive = found.reach, found.family.logarithmic
    doubt = reach / np.where(positive, 1.0, np.maximum(np.abs(found.point.u), 1e-300))
    doubtful = [i for i in np.argsort(-doubt)[:MOST_PARAMETERS] if doubt[i] > SURE]
    affordable = found.count <= min(MOST_NUMBERS, MOST_WORK // max(len(found.point.u), 1))
    for i in doubtful if affordable else []:
        first = float(min(reach[i], WIDEST_FACTOR if positive[i] else 10 * max(abs(found.point.u[i]), 1.0)))
        for side, direction in enumerate((-1.0, 1.0)):
            end = _Profile(found, int(i), direction * first).end()
            if end is None:
                lowest = 0.0 if positive[i] else -np.inf
                intervals[i, side] = np.inf if direction > 0 else lowest
            else:
                u = found.point.u.copy()
                u[i] = end
                values = found.family.values(u, found.shooting.typical)
                intervals[i, side] = float(values[i])
    return intervals


@dataclass(frozen=True, eq=False)
class _Profile:
    """One parameter, moved to one side by multiples of `move`."""

    found: Estimate
    parameter: int
    move: float

    def end(self) -> float | None:
        """Where the likelihood has fallen to the threshold; None where it never does."""
        found = self.found
        wanted = np.sqrt(found.count * np.log1p(found.quantile**2 / found.left))
        inner, outer, outside = (0.0, 0.0), None, 1.0
        here = found.point
        for _ in range(MOST_MOVES):
            fall, point = self._fall(outside, here)
            if abs(fall - wanted) < (AGREES if outside == 1 else EXACTLY) * wanted:
                return found.point.u[self.parameter] + outside * self.move
            if fall > wanted:
                outer = (outside, fall)
            else:
                inner, here = (outside, fall), point
            if outer is None:
                if outside >= OUTERMOST:
                    return None
                guess = outside * wanted / fall if fall > 0 else np.inf
                outside = min(max(1.5 * outside, min(guess, 4 * outside)), OUTERMOST)
            else:
                outside = _between(inner, outer, wanted)
        last = inner[0] if outer is None else _between(inner, outer, wanted)
        return found.point.u[self.parameter] + last * self.move

    def _fall(self, multiple: float, near: Point) -> tuple[float, Point]:
        """The root of the fall in −2 log L, and the refitted point; infinite where the law cannot be solved."""
        found, i = self.found, self.parameter
        along = found.covariance[: len(near.u), i] / found.covariance[i, i]
        moved = found.point.u[i] + multiple * self.move - near.u[i]
        fixed = np.arange(len(near.u)) == i
        step = np.where(fixed, moved, np.clip(along * moved, -1.0, 1.0))
        refitted = refit(found, found.shooting.data, near._replace(u=near.u + step), fixed)
        if refitted is None or not np.isfinite(refitted.minus_two_log_likelihood):
            return np.inf, near
        fall = refitted.minus_two_log_likelihood - found.minus_two_log_likelihood
        return float(np.sqrt(max(fall, 0.0))), refitted.point


def _between(inner: tuple[float, float], outer: tuple[float, float], wanted: float) -> float:
    """Where a straight line reaches what is wanted; not too near to either end."""
    share = (wanted - inner[1]) / (outer[1] - inner[1]) if np.isfinite(outer[1]) else 0.5
    return inner[0] + float(np.clip(share, 0.1, 0.9)) * (outer[0] - inner[0])
