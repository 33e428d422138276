"""What `fit` returns: a law with its numbers, how sure they are, and what it predicts."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, in_double_precision
from continua.discovery.audit import Finding
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.forecasting import Belief, Forecast, run_on, times_ahead
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Noise
from continua.discovery.rolling import Skill
from continua.discovery.saving import Saved, horizon
from continua.equations import Equation, WrittenSystem
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

    @property
    def reproduction(self) -> float:
        """R² of the fitted trajectory: how much of the states' variance it explains."""
        known = np.isfinite(self.values)
        spread = np.maximum(np.nanstd(self.values, 0), 1e-300)
        residual = np.where(known, (self.values - self.fitted) / spread, 0)
        return float(1 - (residual**2).sum() / known.sum())

    @property
    def caveats(self) -> tuple[str, ...]:
        """What must be said before the law: that it does not reproduce its data, or forecasts no better than none."""
        said = []
        if self.reproduction < LITTLE:
            said.append(
                f"the law does not reproduce its own data (it explains {max(self.reproduction, 0):.0%} of them)"
            )
        if self.skills and all(not s.skill > 0 for s in self.skills):
            numbers = "; ".join(
                f"{s.horizon} ahead {s.model:.2g} against {s.baselines[s.rival]:.2g}" for s in self.skills
            )
            said.append(f"no dynamic law beats the baseline {self.skills[0].rival} here ({numbers} spreads)")
        return tuple(said)

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
        logarithmic = self.family.logarithmic
        u = self.belief.u
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
        """The law as an equation that `continua.solve` takes, in the precision of your JAX setting."""
        return self.family.equation(jnp.asarray(list(self.parameters.values())))

    @in_double_precision
    def simulate(self, ts: Any, y0: Any = None) -> NDArray[np.float64]:
        """The law solved from a state.

        Args:
            ts: [time], strictly increasing or decreasing; the first is the start.
            y0: [state], in the order of `states`, at ts[0]; the fitted state at the first row unless given.

        Returns:
            [time, state].

        Raises:
            ArgumentError: ts or y0 cannot be used.
            FailedSolve: the law diverges from there.
        """
        start = np.asarray(self.fitted[0] if y0 is None else y0, float)
        if start.shape != (len(self.states),):
            raise ArgumentError(
                f"`y0` of `simulate` must have a number for each of {', '.join(self.states)}. Got shape {start.shape}. "
                "Use y0=model.fitted[0]."
            )
        return np.asarray(solve(self.field, start, np.asarray(ts, float), rtol=1e-8, atol=1e-8 * self.belief.size).ys)

    def plot(self) -> Any:
        """A matplotlib figure: data, law and forecast."""
        from continua.discovery.figures import record_figure

        return record_figure(self, self.forecast(horizon(len(self.time))))

    @in_double_precision
    def forecast(self, h: Any) -> Forecast:
        """The measurements to be expected after the last one.

        Args:
            h: how many typical sampling intervals ahead, a positive int; or an increasing array of times, in the time
                of the data, after its last.

        Returns:
            A `Forecast` with `time` [row], `expected`, `lower` and `upper` [row, state] (95 %).

        Raises:
            ArgumentError: h is no positive int and no such array.
        """
        times = times_ahead(h, self.time)
        expected, lower, upper = run_on(self.family, self.noise_model, self.belief, times - self.time[-1])
        return Forecast(times, self.states, expected, lower, upper)


def plural(unit: str) -> str:
    """Words of the calendar get an s; s, min or tau do not."""
    return f"{unit}s" if unit in ("year", "month", "week", "day", "hour", "minute", "second") else unit
