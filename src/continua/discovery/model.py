"""What `fit` returns: a law with its numbers, how sure they are, and what it predicts."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, in_double_precision
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.forecasting import Belief, Forecast, run_on, times_ahead
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Noise
from continua.discovery.rolling import Skill
from continua.equations import Equation, Written, WrittenParameter, WrittenSystem, python_text
from continua.files import write_folder
from continua.solver import solve

FORMAT = 2


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
class Model:
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
        skills: forecasts on rolling origins beside persistence.
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
    time_name: str
    unit: str
    notes: tuple[str, ...]
    source: str

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

        return record_figure(self, self.forecast(horizon(self)))

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

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write report.html, forecast.csv and model.json into a new folder, whole or not at all.

        Args:
            folder: where; it must not exist unless `force`.
            force: replace a folder that an earlier fit wrote.

        Returns:
            The folder's path.
        """
        from continua.discovery.report import report

        forecast = self.forecast(horizon(self))
        files = {
            "report.html": report(self, forecast),
            "forecast.csv": forecast.csv(self.time_name),
            "model.json": json.dumps(_plain(self), indent=1, ensure_ascii=False),
        }
        return write_folder(folder, files, force)


def horizon(model: Model) -> int:
    """How many steps ahead a report looks: a quarter of the record, at least five."""
    return max(5, min(len(model.time) // 4, 100))


def _plain(model: Model) -> dict[str, Any]:
    """The model as JSON can hold it; NaN becomes null."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | list | tuple):
            return [plain(v) for v in (value.tolist() if isinstance(value, np.ndarray) else value)]
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items()}
        return None if isinstance(value, float) and not np.isfinite(value) else value

    written = None if model.written is None else _written_plain(model.written)
    return {"format": FORMAT, **plain(asdict(replace(model, written=None))), "written": written}


def _written_plain(written: WrittenSystem) -> dict[str, Any]:
    """The right-hand sides as text, which is parsed when the model is read."""
    return {
        "title": written.title,
        "states": list(written.states),
        "sides": [python_text(side) for side in written.sides],
        "parameters": [asdict(p) for p in written.parameters],
    }


def _written(read: Mapping[str, Any]) -> WrittenSystem:
    """The law of `_written_plain`; its text is parsed, never evaluated."""
    parameters = tuple(WrittenParameter(**p) for p in read["parameters"])
    lines = [f"d {state}/dt = {side}" for state, side in zip(read["states"], read["sides"], strict=True)]
    free = {p.name: p.start for p in parameters if not p.fixed}
    law = Written.from_text("\n".join(lines), free, constants={p.name: p.start for p in parameters if p.fixed})
    return WrittenSystem(str(read["title"]), law.states, law.sides, parameters)


def load(path: str | os.PathLike[str]) -> Model:
    """A model that `fit` or `Model.save` wrote.

    Args:
        path: the folder, or its model.json.

    Returns:
        The `Model`.

    Raises:
        ArgumentError: there is no model at that path, or it is of another format.
    """
    file = Path(path) / "model.json" if Path(path).is_dir() else Path(path)
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        if read["format"] != FORMAT:
            raise ArgumentError(
                f"`path` of `load` must hold format {FORMAT}. Got {read['format']} in {path!s}. Fit again."
            )
        return _model(read)
    except OSError as error:
        raise ArgumentError(
            f"`path` of `load` must be a folder that `fit` wrote. Got {path!s}: {error.strerror}. Use its -o folder."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(
            f"`path` of `load` must be a model.json that `fit` wrote. Got {path!s}. Fit again."
        ) from None


def _model(read: Mapping[str, Any]) -> Model:
    """Arrays, tuples and records from plain JSON."""

    def array(value: Any) -> NDArray[np.float64]:
        return np.array(value, dtype=float)  # null becomes NaN

    made: dict[str, Any] = {f.name: read[f.name] for f in fields(Model)}
    for name in ("sigma", "errors", "bounds", "time", "values", "fitted"):
        made[name] = array(made[name])
    made["belief"] = Belief(**{k: array(v) for k, v in read["belief"].items()})
    made["rivals"] = tuple(
        Rival(
            **{**r, "states": tuple(r["states"]), **{k: np.inf if r[k] is None else r[k] for k in ("aicc", "behind")}}
        )
        for r in read["rivals"]
    )
    made["written"] = None if read["written"] is None else _written(read["written"])
    made["skills"] = tuple(Skill(**s) for s in read["skills"])
    model = Model(**{**made, "states": tuple(read["states"]), "notes": tuple(read["notes"])})
    _check(model)
    return model


def _check(model: Model) -> None:
    """The parts belong together; a ValueError where they do not."""
    rows, states = len(model.time), len(model.states)
    named = [f.title for f in families(states)] if model.written is None else [model.written.title]
    if model.law not in named or model.noise not in (n.title for n in NOISES):
        raise ValueError("an unknown law or noise")
    parameters, belief = len(model.family.names), model.belief
    shapes = {
        (rows, states): (model.values, model.fitted),
        (states,): (model.sigma, belief.sigma, belief.state, belief.size),
        (parameters,): (model.errors, belief.u, belief.typical),
        (parameters, 2): (model.bounds,),
        (parameters + states, parameters + states): (belief.covariance,),
    }
    if any(array.shape != shape for shape, arrays in shapes.items() for array in arrays):
        raise ValueError("arrays of other shapes")
