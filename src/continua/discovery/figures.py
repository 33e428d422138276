"""The figures of a report, each as an SVG."""

import jax
import jax.numpy as jnp
import numpy as np

from continua.core import in_double_precision
from continua.discovery.forecasting import Forecast
from continua.discovery.model import Model
from continua.show import PALETTE, new_figure, svg

MOST_PANELS = 8


def record_figure(model: Model, forecast: Forecast) -> str:
    """Data, fitted trajectory and forecast with its band, a panel for each state."""
    shown = min(len(model.states), MOST_PANELS)
    figure, axes = new_figure(7.2, 1.2 + 1.9 * shown, rows=shown)
    for i, (axis, name) in enumerate(zip(axes[:, 0], model.states, strict=False)):
        colour = PALETTE[i % len(PALETTE)]
        axis.plot(model.time, model.values[:, i], "o", color=colour, markersize=4, label="measured")
        axis.plot(model.time, model.fitted[:, i], color=colour, label="law")
        ahead = np.concatenate([model.time[-1:], forecast.time])
        axis.plot(
            ahead, np.concatenate([model.fitted[-1:, i], forecast.expected[:, i]]), "--", color=colour, label="forecast"
        )
        axis.fill_between(
            forecast.time, forecast.lower[:, i], forecast.upper[:, i], color=colour, alpha=0.2, linewidth=0
        )
        axis.axvline(model.time[-1], color="0.5", linewidth=0.8, linestyle=":")
        axis.set_ylabel(name)
        if i == 0:
            axis.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, 1.22), borderaxespad=0)
    axes[-1, 0].set_xlabel(model.time_name)
    return svg(figure)


def residual_figure(model: Model) -> str:
    """Residuals in units of σ over time, and against the normal distribution."""
    figure, axes = new_figure(7.2, 3.0, columns=2)
    over, normal = axes[0]
    scaled = residuals(model)
    for i, name in enumerate(model.states[:MOST_PANELS]):
        known = np.isfinite(scaled[:, i])
        colour = PALETTE[i % len(PALETTE)]
        over.plot(model.time[known], scaled[known, i], "o-", color=colour, markersize=3, linewidth=0.8, label=name)
        ordered = np.sort(scaled[known, i])
        normal.plot(_normal_quantiles(len(ordered)), ordered, "o", color=colour, markersize=3)
    over.axhline(0, color="0.5", linewidth=0.8)
    over.set(xlabel=model.time_name, ylabel="residual / σ")
    over.legend(loc="best")
    reach = np.array([-2.5, 2.5])
    normal.plot(reach, reach, color="0.5", linewidth=0.8)
    normal.set(xlabel="normal quantile", ylabel="residual / σ")
    return svg(figure)


def residuals(model: Model) -> np.ndarray:
    """[row, state]: (measured − law)/σ on the noise's normal scale."""
    return -model.noise_model.residuals(model.fitted, model.values)[0] / model.sigma


def _normal_quantiles(count: int) -> np.ndarray:
    from scipy.stats import norm

    return norm.ppf((np.arange(count) + 0.5) / count)


@in_double_precision
def phase_figure(model: Model) -> str:
    """The first two states against each other: the law's field as arrows, its trajectory, the measurements."""
    figure, axes = new_figure(5.6, 4.6)
    axis = axes[0, 0]
    x, y = model.fitted[:, 0], model.fitted[:, 1]
    known = np.isfinite(model.values[:, :2]).all(1)
    every = np.concatenate([model.fitted[:, :2], model.values[known, :2]])
    low, high = every.min(0), every.max(0)
    margin = 0.06 * np.maximum(high - low, 1e-300)
    grid = [np.linspace(a, b, 17) for a, b in zip(low - margin, high + margin, strict=True)]
    across, up = np.meshgrid(*grid)
    rest = np.broadcast_to(model.fitted.mean(0)[2:], (across.size, len(model.states) - 2))
    points = jnp.asarray(np.concatenate([np.stack([across.ravel(), up.ravel()], 1), rest], 1))
    slopes = np.asarray(jax.vmap(lambda y: model.equation(jnp.zeros(()), y, None))(points))[:, :2]
    scaled = slopes / (high - low + margin)
    scaled = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-300)
    axis.quiver(across.ravel(), up.ravel(), *scaled.T, color="0.6", angles="uv", scale=32, width=0.003)
    axis.plot(x, y, color=PALETTE[0], label="law")
    axis.plot(model.values[known, 0], model.values[known, 1], "o", color=PALETTE[1], markersize=4, label="measured")
    axis.set(xlabel=model.states[0], ylabel=model.states[1])
    axis.legend(loc="best")
    return svg(figure)
