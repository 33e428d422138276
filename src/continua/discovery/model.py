"""What `fit` returns: a law with its numbers, how sure they are, and what it predicts."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, in_double_precision
from continua.discovery.audit import Finding
from continua.discovery.driving import driven, input_array
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.forecasting import Belief, Forecast, ahead
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Noise
from continua.discovery.rolling import Skill
from continua.discovery.saving import Saved, horizon
from continua.equations import ODE, Equation, WrittenSystem
from continua.solver import solve

if TYPE_CHECKING:
    from continua.stability import Equilibrium

LITTLE = 0.5  # of the variance


@dataclass(frozen=True)
class Rival:
    """A law that was tried: its AICc, and how much worse than the best it is; infinite where it could not be fitted."""

    title: str
    noise: str
    states: tuple[str, ...]
    aicc: float
    behind: float

    def law_differs(self, title: str) -> bool:
        """Whether it is another law, not the same one with other noise or order."""
        return self.title != title


@dataclass(frozen=True, eq=False)
class Model(Saved):
    """A law fitted to a record; the states stand in the order of the law.

    Args:
        law: the title of its family.
        written: the law as it was written or found term by term; None for a law that has a class.
        states: the names of the states, in the law's order.
        noise: the title of the noise model.
        sigma: [state], on the noise's normal scale.
        belief: parameters and last state with their covariance.
        errors: [parameter], standard errors.
        bounds: [parameter, 2], 95 % intervals.
        time: [row], the times of the data.
        values: [row, state], the data; NaN for gaps.
        fitted: [row, state], the law's trajectory.
        aicc: of the law.
        rivals: everything that was tried, best first.
        skills: forecasts on rolling origins beside baselines.
        findings: what the audit of the record said.
        time_name: the name of the time column.
        unit: of time, such as "year", or "time".
        notes: what was read, assumed and dropped.
        source: the file's name.
        inputs: the names of the inputs, in the law's order.
        input_values: [row, input].
        held: whether inputs keep their values until the next row; otherwise they run straight to it.
        begins: the row with which each trajectory begins.
    """

    law: str
    written: WrittenSystem | None
    states: tuple[str, ...]
    noise: str
    sigma: NDArray[np.float64]
    belief: Belief
    errors: NDArray[np.float64]
    bounds: NDArray[np.float64]
    time: NDArray[np.float64]
    values: NDArray[np.float64]
    fitted: NDArray[np.float64]
    aicc: float
    rivals: tuple[Rival, ...]
    skills: tuple[Skill, ...]
    findings: tuple[Finding, ...]
    time_name: str
    unit: str
    notes: tuple[str, ...]
    source: str
    inputs: tuple[str, ...]
    input_values: NDArray[np.float64]
    held: bool
    begins: tuple[int, ...]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[state]: which states were measured at all; the others are hidden, as the velocity of a position is."""
        return np.isfinite(self.values).any(0)

    @property
    def spread(self) -> NDArray[np.float64]:
        """[state]: the standard deviation of what was measured; of the fitted trajectory where a state is hidden."""
        with np.errstate(invalid="ignore"):
            values = np.where(self.measured, self.values, self.fitted)
        return np.maximum(np.nanstd(values, 0), 1e-300)

    @property
    def scatter(self) -> dict[str, float]:
        """The name of each measured state → its σ, on the noise's normal scale."""
        named = zip(self.states, self.sigma.tolist(), self.measured, strict=True)
        return {name: sigma for name, sigma, measured in named if measured}

    @property
    def reproduction(self) -> float:
        """R² of the fitted trajectory: how much of the states' variance it explains."""
        known = np.isfinite(self.values)
        residual = np.where(known, (self.values - self.fitted) / self.spread, 0)
        return float(1 - (residual**2).sum() / known.sum())

    @property
    def caveats(self) -> tuple[str, ...]:
        """What must be said before the law: that it does not reproduce its data, or forecasts no better than none."""
        said = []
        if self.reproduction < LITTLE:
            said.append(
                f"the law does not reproduce its own data (it explains {max(self.reproduction, 0):.0%} of them)"
            )
        said += [_undetermined(name, *interval) for name, interval in self.intervals.items()]
        if worse := [s for s in self.skills if not s.skill > 0]:
            numbers = "; ".join(
                f"{s.horizon} ahead {s.model:.2g} against {s.baselines[s.rival]:.2g} of {s.rival}" for s in worse
            )
            everywhere = len(worse) == len(self.skills)
            what = "no dynamic law beats the baselines here" if everywhere else "a baseline forecasts better"
            said.append(f"{what} ({numbers}, in spreads)")
        return tuple(one for one in said if one)

    @cached_property
    def equilibria(self) -> "tuple[Equilibrium, ...]":
        """The equilibria of the law near the data, from `continua.stability`."""
        from continua.discovery.meaning import resting_points

        return resting_points(self)

    @cached_property
    def meaning(self) -> tuple[str, ...]:
        """Sentences about the law near the data: equilibria, periods, chaos."""
        from continua.discovery.meaning import meaning

        return meaning(self)

    @property
    def family(self) -> Family:
        """The family of the law."""
        if self.written is not None:
            return WrittenFamily(self.law, len(self.states), self.written)
        return next(f for f in families(len(self.states)) if f.title == self.law)

    @property
    def noise_model(self) -> Noise:
        """The noise by its title."""
        return next(n for n in NOISES if n.title == self.noise)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name, in the units of the data."""
        return self.parameters_at(self.belief.u)

    def parameters_at(self, u: NDArray[np.float64]) -> dict[str, float]:
        """The parameters by name, of other unknowns [parameter] of the family."""
        logarithmic = self.family.logarithmic
        values = self.belief.typical * np.where(logarithmic, np.exp(np.where(logarithmic, u, 0)), u)
        return dict(zip(self.family.names, values.tolist(), strict=True))

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the parameters."""
        return {name: (float(a), float(b)) for name, (a, b) in zip(self.family.names, self.bounds, strict=True)}

    @property
    def equation(self) -> str:
        """The law as text, a line for each state, with its numbers and their standard errors in the last digits."""
        from continua.discovery.law import law_lines

        return "\n".join(law_lines(self))

    @property
    def terms(self) -> dict[str, dict[str, float]]:
        """Of each state, {term in Python syntax, such as `x*y`: coefficient}."""
        from continua.discovery.law import law_terms

        return law_terms(self)

    @property
    def field(self) -> Equation:
        """The law as an equation that `continua.solve` takes, in the precision of your JAX setting.

        Inputs are its `args`, a mapping from each to a number or a function of time (see `continua.equations.Written`).
        """
        return self.family.equation(jnp.asarray(np.array(list(self.parameters.values()))))

    @property
    def undriven(self) -> Equation:
        """The law with its inputs at their means: what its equilibria and its phase portrait are those of."""
        if not self.inputs:
            return self.field
        law, means = self.field, self.input_values.mean(0).tolist()
        still = dict(zip(self.family.inputs, means, strict=True))
        return ODE(lambda t, y, args: law(t, y, still))

    @in_double_precision
    def simulate(self, ts: Any, y0: Any = None, inputs: Any = None) -> NDArray[np.float64]:
        """The law solved from a state.

        Args:
            ts: [time], strictly increasing or decreasing; the first is the start.
            y0: [state], in the order of `states`, at ts[0]; the fitted state at the first row unless given. Hidden
                states, which come last, may be left out: they are 0 then.
            inputs: for a law with inputs, their values at ts: [time, input], or a mapping from names to [time].

        Returns:
            [time, state].

        Raises:
            ArgumentError: ts, y0 or inputs cannot be used.
            FailedSolve: the law diverges from there.
        """
        count, times = len(self.states), np.asarray(ts, float)
        start = np.asarray(self.fitted[0] if y0 is None else y0, float)
        if start.shape == (int(self.measured.sum()),):
            start = np.concatenate([start, np.zeros(count - len(start))])
        if start.shape != (count,):
            raise ArgumentError(
                f"`y0` of `simulate` must have a number for each of {', '.join(self.states)}. Got shape {start.shape}. "
                "Use y0=model.fitted[0]."
            )
        tolerances = {"rtol": 1e-8, "atol": 1e-8 * self.belief.size}
        if not self.inputs:
            if inputs is not None:
                raise ArgumentError("`inputs` of `simulate` is for laws with inputs. This one has none. Leave it out.")
            return np.asarray(solve(self.field, start, times, **tolerances).ys)
        values = input_array(inputs, self.inputs, times)
        return driven(self.field, self.family.inputs, start, times, values, self.held, **tolerances)

    def plot(self) -> Any:
        """A matplotlib figure: data, law and forecast."""
        from continua.discovery.figures import record_figure

        return record_figure(self, self.forecast(horizon(len(self.time))))

    @in_double_precision
    def forecast(self, h: Any, inputs: Any = None) -> Forecast:
        """The measurements to be expected after the last one.

        Args:
            h: how many typical sampling intervals ahead, a positive int; or an increasing array of times, in the time
                of the data, after its last.
            inputs: for a law with inputs, their values at those times: [row, input], or a mapping from names to [row].
                Unless given, they stay as they were in the last row.

        Returns:
            A `Forecast` with `time` [row], `expected`, `lower` and `upper` [row, state] (95 %) of the measured states.

        Raises:
            ArgumentError: h is no positive int and no such array, or inputs do not fit.
        """
        last = slice(self.begins[-1], None)
        return ahead(self, self.belief, self.time[last], self.input_values[-1], h, inputs)


def _undetermined(name: str, low: float, high: float) -> str:
    """What to say of a parameter whose interval has no end; nothing of the others."""
    if np.isfinite([low, high]).all():
        return ""
    if np.isinf(high):
        which = f"every value above {low:.3g}" if np.isfinite(low) and low > 0 else "any value"
    else:
        which = f"every value below {high:.3g}"
    return f"this data cannot determine `{name}`: {which} fits about as well"


def plural(unit: str) -> str:
    """Words of the calendar get an s; s, min or tau do not."""
    return f"{unit}s" if unit in ("year", "month", "week", "day", "hour", "minute", "second") else unit
