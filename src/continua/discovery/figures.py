"""The figures of a report."""

import functools
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtri

from continua.core import Given, in_double_precision, kept
from continua.discovery.forecasting import Forecast, solved
from continua.discovery.model import Model, plural
from continua.discovery.padding import edge_padded, power_of_two
from continua.discovery.unexplained import Unexplained
from continua.equations import Equation
from continua.show import PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PANELS = 8
MOST_SHOWN = 1000  # rows, the newest
FEWEST_LANES = 32  # steps of the data that are solved side by side
FINER = 6  # points of a curve for each step of the data


def record_figure(model: Model, forecast: Forecast) -> "Figure":
    """Data, fitted trajectory and forecast with its band, a panel for each state."""
    shown, rows = min(int(model.measured.sum()), MOST_PANELS), slice(-MOST_SHOWN, None)
    figure, axes = new_figure(7.2, 1.2 + 1.9 * shown, rows=shown)
    time, law = (part[-MOST_SHOWN * FINER :] for part in trajectory(model))
    time, law = (part[time >= model.time[rows][0]] for part in (time, law)) if len(model.begins) < 2 else (time, law)
    ahead = model.forecast(_finer(np.concatenate([model.time[-1:], forecast.time]))[1:])
    for i, (axis, name) in enumerate(zip(axes[:, 0], model.states, strict=False)):
        colour = PALETTE[i % len(PALETTE)]
        axis.plot(model.time[rows], model.values[rows, i], "o", color=colour, markersize=4, label="measured")
        axis.plot(time, law[:, i], color=colour, label="law")
        expected = np.concatenate([law[-1:, i], ahead.expected[:, i]])
        axis.plot(np.concatenate([time[-1:], ahead.time]), expected, "--", color=colour, label="forecast")
        band = {"color": colour, "alpha": 0.2, "linewidth": 0, "label": "95 % of measurements"}
        axis.fill_between(ahead.time, ahead.lower[:, i], ahead.upper[:, i], **band)
        axis.axvline(model.time[-1], color="0.5", linewidth=0.8, linestyle=":")
        axis.set_ylabel(name)
        if i == 0:
            axis.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    axes[-1, 0].set_xlabel(_time_label(model))
    return figure


def baseline_figure(model: Unexplained, forecast: Forecast) -> "Figure":
    """Data and a baseline's forecast with its band, a panel for each state."""
    shown = min(len(model.states), MOST_PANELS)
    figure, axes = new_figure(7.2, 1.2 + 1.9 * shown, rows=shown)
    for i, (axis, name) in enumerate(zip(axes[:, 0], model.states, strict=False)):
        colour = PALETTE[i % len(PALETTE)]
        axis.plot(model.time, model.values[:, i], "o", color=colour, markersize=3, label="measured")
        axis.plot(forecast.time, forecast.expected[:, i], "--", color=colour, label=model.baseline)
        band = {"color": colour, "alpha": 0.2, "linewidth": 0, "label": "95 % of measurements"}
        axis.fill_between(forecast.time, forecast.lower[:, i], forecast.upper[:, i], **band)
        axis.set_ylabel(name)
        if i == 0:
            axis.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    axes[-1, 0].set_xlabel(_time_label(model))
    return figure


def _time_label(model: Model | Unexplained) -> str:
    known = model.unit != "time" and model.unit.lower() not in model.time_name.lower()
    return f"{model.time_name} ({plural(model.unit)})" if known else model.time_name


def _finer(time: np.ndarray) -> np.ndarray:
    """The times with a few more between them."""
    places = np.arange((len(time) - 1) * FINER + 1) / FINER
    return np.interp(places, np.arange(len(time)), time)


@functools.lru_cache(maxsize=1)  # two figures of a report show it
@in_double_precision
def trajectory(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """(time, states [time, state]) of the fitted law, also between the rows of the data."""
    time, fitted = model.time, model.fitted
    ends = [*model.begins[1:], len(time)]
    parts = [(time[a:b], fitted[a:b]) for a, b in zip(model.begins, ends, strict=True)]
    if not model.inputs:  # what an input does between rows is not drawn
        parts = [_between(model, *part) for part in parts]
    gap = (np.full(1, np.nan), np.full((1, fitted.shape[1]), np.nan))
    joined = [one for part in parts for one in (part, gap)][:-1]
    return np.concatenate([t for t, _ in joined]), np.concatenate([y for _, y in joined])


def _between(model: Model, time: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a trajectory with more between them, each solved from the row before."""
    if len(time) < 2:
        return time, fitted
    fine = _finer(time)
    pieces = np.lib.stride_tricks.sliding_window_view(fine, FINER + 1)[::FINER]
    belief, times = model.belief, pieces - pieces[:, :1]
    lanes = power_of_two(len(times), FEWEST_LANES)
    rows = (edge_padded(fitted[:-1], lanes), edge_padded(times, lanes))
    found = solved(model.family, (None, 0, 0), belief.u, *rows, belief.typical, belief.size)[: len(times)]
    return fine, np.concatenate([*found[:, :-1], fitted[-1:]])


def residual_figure(model: Model) -> "Figure":
    """Residuals in units of σ over time, and against the distribution of the noise."""
    figure, axes = new_figure(7.2, 3.0, columns=2)
    over, normal = axes[0]
    scaled = residuals(model)
    for i, name in enumerate(model.states[: min(int(model.measured.sum()), MOST_PANELS)]):
        known = np.isfinite(scaled[:, i])
        colour = PALETTE[i % len(PALETTE)]
        over.plot(model.time[known], scaled[known, i], "o-", color=colour, markersize=3, linewidth=0.8, label=name)
        ordered = np.sort(scaled[known, i])
        expected = model.noise_model.from_normal(ndtri((np.arange(len(ordered)) + 0.5) / len(ordered)))
        normal.plot(expected, ordered, "o", color=colour, markersize=3)
    over.axhline(0, color="0.5", linewidth=0.8)
    over.set(xlabel=_time_label(model), ylabel="residual / σ")
    over.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    reach = np.array([-2.5, 2.5])
    normal.plot(reach, reach, color="0.5", linewidth=0.8)
    normal.set(xlabel="quantile of the noise", ylabel="residual / σ")
    return figure


def residuals(model: Model) -> np.ndarray:
    """[row, state]: (measured − law)/σ on the noise's normal scale."""
    return -model.noise_model.residuals(model.fitted, model.values)[0] / model.sigma


@kept()
def _slopes(law: Equation, states: Given) -> Float[Array, "point state"]:
    return jax.vmap(lambda y: law(jnp.zeros(()), y, None))(jnp.asarray(states))


@in_double_precision
def phase_figure(model: Model) -> "Figure":
    """The first two states against each other: the law's field as arrows, its trajectory, the measurements."""
    figure, axes = new_figure(5.6, 4.6)
    axis = axes[0, 0]
    law = trajectory(model)[1][-MOST_SHOWN * FINER :]
    known = np.isfinite(model.values[:, :2]).all(1)
    every = np.concatenate([law[:, :2], model.values[known, :2]])
    low, high = np.nanmin(every, 0), np.nanmax(every, 0)
    margin = 0.06 * np.maximum(high - low, 1e-300)
    grid = [np.linspace(a, b, 17) for a, b in zip(low - margin, high + margin, strict=True)]
    across, up = np.meshgrid(*grid)
    rest = np.broadcast_to(model.fitted.mean(0)[2:], (across.size, len(model.states) - 2))
    points = np.concatenate([np.stack([across.ravel(), up.ravel()], 1), rest], 1)
    slopes = np.asarray(_slopes(model.undriven, points))[:, :2]
    scaled = slopes / (high - low + margin)
    scaled = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-300)
    axis.quiver(across.ravel(), up.ravel(), *scaled.T, color="0.6", angles="uv", scale=32, width=0.003)
    axis.plot(law[:, 0], law[:, 1], color=PALETTE[0], label="law")
    if known.any():
        axis.plot(model.values[known, 0], model.values[known, 1], "o", color=PALETTE[1], markersize=4, label="measured")
    for kind in dict.fromkeys(point.kind for point in model.equilibria):
        places = np.array([point.point[:2] for point in model.equilibria if point.kind == kind])
        axis.plot(*places.T, "D", color=PALETTE[3], markersize=6, label=kind)
    axis.set(xlabel=model.states[0], ylabel=model.states[1])
    axis.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    return figure
