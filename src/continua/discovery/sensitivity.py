r"""What a forecast owes to each number: how far it moves where that number is another.

Central differences of the law run on from its last state,

$$ \Delta_{ij}(t) = \tfrac12 \big( y_i(t; p_j + h_j) - y_i(t; p_j - h_j) \big) $$

with $h_j$ 1 % of the number, and its standard error. Source: Saltelli et al., Sensitivity Analysis (2000), chapter 5.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from continua.core import in_double_precision
from continua.discovery.forecasting import moved, way_ahead

if TYPE_CHECKING:
    from continua.discovery.model import Model

PERCENT = 0.01


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One number of a model, and the largest changes of each measured state on the way, with their signs.

    Args:
        name: the parameter, or the state whose last value it is.
        starts: whether it is a last value.
        by_percent: [state], where the number is 1 % larger; NaN where the law fails then.
        by_error: [state], where it is one standard error larger, which few rows widen as they do the forecast's bands.
    """

    name: str
    starts: bool
    by_percent: NDArray[np.float64]
    by_error: NDArray[np.float64]


@in_double_precision
def sensitivities(model: "Model", times: NDArray[np.float64]) -> tuple[Sensitivity, ...]:
    """Of the forecast at those times: to every parameter, then to every last state. Inputs stay as they were."""
    belief, last = model.belief, slice(model.begins[-1], None)
    way = way_ahead(model, model.time[last], model.input_values[-1], times)
    logarithmic = np.concatenate([model.family.logarithmic, np.zeros(len(belief.state), bool)])
    values = np.concatenate([belief.u, belief.state])
    percent = np.where(logarithmic, np.log1p(PERCENT), PERCENT * values)
    error = np.sqrt(np.clip(np.diag(belief.covariance), 0, None))
    names = (*model.family.names, *model.states)
    steps = np.concatenate([np.diag(step) for step in (percent, -percent, error, -error)])
    paths = moved(model.family, belief, steps, way)[:, :, model.measured]
    up, down, above, below = paths.reshape(4, len(names), *paths.shape[1:])
    changes = zip(_largest((up - down) / 2), _largest((above - below) / 2), strict=True)
    return tuple(
        Sensitivity(name, number >= len(belief.u), *change)
        for number, (name, change) in enumerate(zip(names, changes, strict=True))
    )


def _largest(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """[number, state], by magnitude, of [number, time, state]."""
    return np.take_along_axis(changes, np.abs(changes).argmax(1)[:, None], 1)[:, 0]
