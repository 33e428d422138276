"""A fitted law beside other measurements: its parameters stay, only the state in which it starts is found."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, in_double_precision
from continua.discovery.estimate import Estimate, follow_law
from continua.discovery.forecasting import Belief, Forecast, ahead
from continua.discovery.model import Model
from continua.discovery.observations import observe
from continua.files import Table


class CannotFollow(ArgumentError):
    """The law cannot be laid beside these measurements."""


@dataclass(frozen=True, eq=False)
class Followed:
    """A law beside measurements it was not fitted to.

    Args:
        model: the law.
        time: [row], in the time of the new data.
        values: [row, state], measured, in the model's order of states.
        fitted: [row, state], the law from its best start.
        error: [measured state], root mean square of measured − law, in the units of each state.
        relative: the same over all states, in units of each state's spread.
        minus_two_log_likelihood: of the new data, with the model's own noise.
        belief: about the state at the last row, for a forecast.
        last_inputs: [input], in the last row.
    """

    model: Model
    time: NDArray[np.float64]
    values: NDArray[np.float64]
    fitted: NDArray[np.float64]
    error: NDArray[np.float64]
    relative: float
    minus_two_log_likelihood: float
    belief: Belief
    last_inputs: NDArray[np.float64]

    @in_double_precision
    def forecast(self, h: Any, inputs: Any = None) -> Forecast:
        """The measurements to be expected after the last row of the new data; as for `Model.forecast`."""
        return ahead(self.model, self.belief, self.time, self.last_inputs, h, inputs)


@in_double_precision
def follow(model: Model, table: Table) -> Followed:
    """Lay a law beside a table, with its parameters and σ as they are.

    Raises:
        CannotFollow: a state of the law is no column of the table, its noise cannot be, or the law diverges on it.
    """
    states = [name for name, seen in zip(model.states, model.measured, strict=True) if seen]
    for what, names, there in (("states", states, table.states), ("inputs", model.inputs, table.inputs)):
        if not set(names) <= set(there):
            raise CannotFollow(
                f"`data` must hold the {what} of the model, {', '.join(names)}. {table.source} has "
                f"{', '.join(there) or 'none'}. Name a table with them."
            )
    data = observe(table)[0].ordered(tuple(table.states.index(name) for name in states))
    data = data.driven_by(tuple(table.inputs.index(name) for name in model.inputs))
    data = data.with_velocities() if len(states) < len(model.states) else data
    if not model.noise_model.fits(data.values):
        raise CannotFollow(
            f"`data` must be positive for a law with {model.noise} noise. {table.source} is not. Fit it anew."
        )
    belief = model.belief
    found = follow_law(model.family, data, belief.u, belief.typical, model.noise_model, model.sigma, model.held)
    if found is None:
        raise CannotFollow(
            f"The model diverges on {table.source}: its law cannot be solved along these rows. Fit it anew."
        )
    residual = np.where(data.known, data.values - found.fitted, np.nan)
    error = np.sqrt(np.nanmean(residual[:, data.measured] ** 2, 0))
    relative = float(np.sqrt(np.nanmean((residual / data.spread) ** 2)))
    return Followed(
        model,
        data.time + table.time[0],
        data.values,
        found.fitted,
        error,
        relative,
        found.minus_two_log_likelihood,
        _belief(model, found),
        data.inputs[-1],
    )


def _belief(model: Model, found: Estimate) -> Belief:
    """The parameters as the model believes them, and the new last state; the two are taken as independent."""
    old, parameters = model.belief, len(model.belief.u)
    covariance = np.zeros_like(old.covariance)
    covariance[:parameters, :parameters] = old.covariance[:parameters, :parameters]
    covariance[parameters:, parameters:] = found.covariance[parameters:, parameters:]
    return Belief(old.u, old.typical, found.fitted[-1], covariance, old.sigma, found.shooting.data.size)
