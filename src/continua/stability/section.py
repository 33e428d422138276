r"""Returns to a Poincaré section: the plane through a state, normal to the motion there.

$$ \{ z : n \cdot (z - z_0) = 0 \}, \qquad n = f(z_0) / |f(z_0)| $$
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Path = Float[np.ndarray, "time state"]

MOST_RETURNS = 8


class Return(NamedTuple):
    """A crossing of the section in the direction of the motion: when, and how far from the start."""

    time: float
    distance: float


def returns(ts: Float[np.ndarray, " time"], path: Path, normal: Float[np.ndarray, " state"]) -> list[Return]:
    """The first crossings of the section through the start of a path, by linear interpolation between its points."""
    height = (path - path[0]) @ normal
    height[0] = 0.0
    up = np.flatnonzero((height[:-1] < 0) & (height[1:] >= 0))[:MOST_RETURNS]
    share = -height[up] / (height[up + 1] - height[up])
    points = path[up] + share[:, None] * (path[up + 1] - path[up])
    times = ts[up] + share * (ts[up + 1] - ts[up])
    distances = np.linalg.norm(points - path[0], axis=1)
    return [Return(float(t), float(d)) for t, d in zip(times, distances, strict=True)]


def nearest(found: list[Return]) -> Return:
    """The earliest of the returns that come about as near as the nearest."""
    least = min(r.distance for r in found)
    return next(r for r in found if r.distance <= 2 * least + 1e-3)
