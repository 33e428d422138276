"""The report of a fit: one page that needs nothing else."""

from collections.abc import Sequence

import numpy as np

from continua.discovery.figures import phase_figure, record_figure, residual_figure, residuals
from continua.discovery.forecasting import Forecast
from continua.discovery.law import law_mathml, parameter_rows
from continua.discovery.model import Model
from continua.show import Code, Figure, Heading, Maths, Section, TableOf, Text, page, svg

MOST_RIVALS = 12


def report(model: Model, forecast: Forecast) -> str:
    """The page as HTML: law, data and fit, residuals, phase portrait, forecast, comparison, how to load it.

    Args:
        model: the fitted law.
        forecast: what it predicts, drawn behind the data.
    """
    sections = [
        *_law(model),
        *_record(model, forecast),
        *_residuals(model),
        *_phase(model),
        *_comparison(model),
        *_skill(model),
        *_data(model),
        *_loading(),
    ]
    return page(f"The law behind {_joined(model.states)}", sections)


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _law(model: Model) -> list[Section]:
    noise = ", ".join(f"{name} {sigma:.3g}" for name, sigma in zip(model.states, model.sigma, strict=True))
    second = next((r for r in model.rivals if r.law_differs(model.law)), None)
    rival = (
        f" The next best law, {second.title}, is {second.behind:.1f} behind."
        if second and np.isfinite(second.behind)
        else ""
    )
    return [
        Text(
            f"Of {len(model.rivals)} fitted combinations of a law, an order of its states and a kind of noise, "
            f"{model.law} explains the record best (AICc {model.aicc:.1f}).{rival}"
        ),
        *(Maths(m) for m in law_mathml(model, numbers=False)),
        Text("With the fitted numbers (the digits in brackets are the standard error of the last digits):"),
        *(Maths(m) for m in law_mathml(model, numbers=True)),
        TableOf(
            ["parameter", "meaning", "value", "95 % interval", "unit"],
            parameter_rows(model),
            f"Noise: {model.noise}, σ: {noise}{' (on the logarithm)' if model.noise == 'log-normal' else ''}.",
        ),
    ]


def _record(model: Model, forecast: Forecast) -> list[Section]:
    return [
        Heading("Data, fit and forecast"),
        Figure(
            svg(record_figure(model, forecast)),
            f"Dots: measured. Line: the law. Dashed, with its band: forecast, and where 95 % of measurements are "
            f"expected, from {forecast.time[0]:.6g} to {forecast.time[-1]:.6g}.",
            f"Measured {_joined(model.states)} over {model.time_name}, the fitted trajectory and its continuation.",
        ),
    ]


def _residuals(model: Model) -> list[Section]:
    scaled = residuals(model)
    runs = ", ".join(f"{name} {_autocorrelation(scaled[:, i]):+.2f}" for i, name in enumerate(model.states))
    return [
        Heading("What the law leaves unexplained"),
        Figure(
            svg(residual_figure(model)),
            "Left: residuals in units of σ. Right: the same in order, against a normal distribution; good noise "
            f"lies on the line. Correlation of each residual with the one before it: {runs} (near 0 is good).",
            "Residuals over time, and their quantiles against those of a normal distribution.",
        ),
    ]


def _autocorrelation(residual: np.ndarray) -> float:
    known = residual[np.isfinite(residual)]
    return float(known[1:] @ known[:-1] / (known @ known)) if len(known) > 2 and known @ known > 0 else 0.0


def _phase(model: Model) -> list[Section]:
    if len(model.states) < 2:
        return []
    first, second = model.states[:2]
    return [
        Heading("Phase portrait"),
        Figure(
            svg(phase_figure(model)),
            "Arrows: where the law drives the states from each point. Line: the fitted trajectory. Dots: measured.",
            f"{second} against {first}, with the direction field of the law.",
        ),
    ]


def _comparison(model: Model) -> list[Section]:
    rows = [
        [r.title, ", ".join(r.states), r.noise, f"{r.aicc:.1f}", f"+{r.behind:.1f}"]
        for r in model.rivals
        if np.isfinite(r.aicc)
    ]
    failed = len(model.rivals) - len(rows)
    words = f"{failed} could not be solved along the record." if failed else ""
    return [
        Heading("What else was tried"),
        TableOf(
            ["law", "its states", "noise", "AICc", "behind"],
            rows[:MOST_RIVALS],
            "AICc weighs the misfit against how many numbers were fitted; lower is better, 6 less is strong evidence. "
            f"{words}",
        ),
    ]


def _skill(model: Model) -> list[Section]:
    if not model.skills:
        return []
    rows = [
        [
            f"{s.horizon} step{'s' * (s.horizon > 1)} ahead",
            str(s.origins),
            f"{s.model:.3f}",
            f"{s.persistence:.3f}",
            f"{s.skill:+.2f}",
        ]
        for s in model.skills
    ]
    return [
        Heading("Forecasts tested on the record"),
        Text(
            "The law was fitted again to what was known at several past times, and its forecasts compared with "
            "what came. Persistence says that nothing changes."
        ),
        TableOf(
            ["forecast", "origins", "error of the law", "error of persistence", "skill"],
            rows,
            "Root mean square errors in units of each state's spread; skill is 1 − (law/persistence)², 1 is perfect.",
        ),
    ]


def _data(model: Model) -> list[Section]:
    gaps = int((~np.isfinite(model.values)).sum())
    first = (
        f"{model.source}: {len(model.time)} rows, {model.time_name} {model.time[0]:.6g} to {model.time[-1]:.6g}, "
        f"{len(model.states)} states, {gaps or 'no'} gaps."
    )
    return [Heading("What was read"), Text("\n".join([first, *model.notes]))]


def _loading() -> list[Section]:
    code = (
        "import continua\n\n"
        'model = continua.load("FOLDER OF THIS REPORT")\n'
        "print(model.equation)\n"
        "model.parameters, model.intervals, model.terms\n"
        "model.simulate([0, 1, 2], y0=model.fitted[0])\n"
        "model.forecast(10).expected\n"
    )
    return [Heading("Use it in Python"), Code(code)]
