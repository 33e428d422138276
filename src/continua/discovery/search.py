"""Least squares with an exact Jacobian, by scipy's trust-region method."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Vector = NDArray[np.float64]
WithJacobian = Callable[[Vector], tuple[NDArray[Any], NDArray[Any]]]


class Found(NamedTuple):
    """Where a search ended, and half the sum of squares there."""

    x: Vector
    cost: float


def least_squares(function: WithJacobian, start: Vector, reach: Vector, evaluations: int, tolerance: float) -> Found:
    """Minimise Σ r(x)² within |x| ≤ reach.

    Args:
        function: x [unknown] ↦ (r [residual], ∂r/∂x [residual, unknown]); a non-finite r makes the search step back.
        start: [unknown]; moved inside the reach.
        reach: [unknown], infinite where there is none.
        evaluations: at most.
        tolerance: relative change of the cost, the point and the gradient at which the search ends.

    Raises:
        ValueError: r is not finite at the start.
    """
    last: list[Any] = [None, None]

    def both(x: Vector) -> tuple[NDArray[Any], NDArray[Any]]:
        if last[0] is None or not np.array_equal(last[0], x):  # r and its Jacobian come together, asked for one by one
            last[:] = [x.copy(), function(x)]
        return last[1]

    jacobian: Any = lambda x: both(x)[1]  # noqa: E731
    ends = {"ftol": tolerance, "xtol": tolerance, "gtol": tolerance, "max_nfev": evaluations}
    found = optimize.least_squares(
        lambda x: both(x)[0],
        np.clip(start, -0.99 * reach, 0.99 * reach),
        jac=jacobian,
        bounds=(-reach, reach),
        x_scale="jac",
        **ends,
    )
    return Found(found.x, float(found.cost))
