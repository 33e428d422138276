"""The part of state space that is looked at: a box round some states, its units, and starts spread over it."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from continua.calculus import even_points
from continua.equations import Equation, Scaled
from continua.stability.arguments import States, StateVector

# A state that varies by less than this share of its own size counts as one value.
FLAT = 1e-9
# One that is nowhere larger than this is as good as zero: the inverse of its size must be a number.
SMALLEST = 1e-290


@dataclass(frozen=True, eq=False)
class Region:
    """The smallest box round a sample.

    Args:
        sample: [point, state].
        low, high: [state], the corners.
        width: [state], the unit in which each state is measured here: the side of the box, or where the sample is
            flat the size of its value. Whatever is computed in these units does not depend on the user's.
    """

    sample: States
    low: StateVector
    high: StateVector
    width: StateVector

    @property
    def centre(self) -> StateVector:
        """The middle of the box."""
        return (self.low + self.high) / 2

    def beyond(self, point: StateVector) -> float:
        """How far outside the box a point is, in widths of the box; 0 within."""
        return float(np.max(np.maximum(self.low - point, point - self.high) / self.width, initial=0.0))

    def thinned(self, count: int) -> Float[np.ndarray, "chosen state"]:
        """At most `count` states of the sample, evenly by their order."""
        return self.sample[np.unique(np.linspace(0, len(self.sample) - 1, max(count, 1)).astype(int))]

    def starts(self, count: int, margin: float) -> Float[np.ndarray, "start state"]:
        """`count` states: of the sample, at the origin, on coordinate planes, at corners, and spread over the box.

        States with some components 0 are where species are absent, currents are off: where many equilibria lie.
        """
        on = _subsets(len(self.low), count // 4)
        chosen = [
            np.zeros((1, len(self.low))),
            self.centre[None],
            self.thinned(count // 4),
            on * np.median(self.sample, 0),
            np.where(on > 0, self.high, self.low),
        ]
        points = np.concatenate(chosen)[:count]
        spread = even_points(count, len(self.low))
        reach = min(margin, 2.0) * self.width
        points = np.concatenate([points, self.low - reach + spread * (self.high - self.low + 2 * reach)])
        return points[:count]


def region_of(sample: States) -> Region:
    """The box round a sample, with a unit for every state."""
    low, high = sample.min(0), sample.max(0)
    size = np.abs(sample).max(0)
    size = np.where(size > SMALLEST, size, size.max() if size.max() > SMALLEST else 1.0)
    return Region(sample, low, high, np.where(high - low > FLAT * size, high - low, size))


def _subsets(size: int, most: int) -> np.ndarray:
    """[subset, state] of 0 and 1: all subsets of the states, or where they are too many the first of them."""
    numbers = np.arange(min(2 ** min(size, 20), most))
    return (numbers[:, None] >> np.arange(size)) & 1


def in_units(equation: Equation, width: StateVector, rate: float = 1.0) -> Equation:
    """The equation of z = y / width in the time rate · t: both without units."""
    scale, own_rate = jax.device_put((1 / width, np.asarray(1 / rate)))
    return Scaled(equation, scale, own_rate)
