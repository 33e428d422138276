"""The report of a fit: one page that needs nothing else."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from continua.discovery.figures import baseline_figure, phase_figure, record_figure, residual_figure, residuals
from continua.discovery.forecasting import Forecast
from continua.discovery.law import law_mathml, parameter_rows
from continua.discovery.model import Model, Rival
from continua.discovery.sensitivity import Sensitivity, sensitivities
from continua.discovery.unexplained import NO_EQUATION, Unexplained
from continua.show import (
    Callout,
    Code,
    Figure,
    Heading,
    Maths,
    Section,
    Symbol,
    TableOf,
    Text,
    page,
    svg_and_files,
    text,
)

MOST_RIVALS = 12
MOST_COLUMNS = 6  # states of a table


def report_files(model: Model | Unexplained, forecast: Forecast) -> dict[str, str | bytes]:
    """report.html and the folder of its figures, by name."""
    return _with_law(model, forecast) if isinstance(model, Model) else _without_law(model, forecast)


def _with_law(model: Model, forecast: Forecast) -> dict[str, str | bytes]:
    pictures = {
        "record": (record_figure(model, forecast), _record_alt(model)),
        "residuals": (residual_figure(model), RESIDUALS_ALT),
    }
    if len(model.states) > 1:
        pictures["phase"] = (phase_figure(model), _phase_alt(model))
    figures, files = {}, {}
    for name, (figure, alt) in pictures.items():
        drawn, made = svg_and_files(name, figure, alt)
        figures[name] = Drawn(drawn, alt)
        files |= {f"figures/{file}": content for file, content in made.items()}
    return {"report.html": report(model, forecast, figures), **files}


class Drawn(NamedTuple):
    """A figure for a page, and what is to be seen on it."""

    svg: str
    alt: str


def report(model: Model, forecast: Forecast, figures: Mapping[str, Drawn]) -> str:
    """The page as HTML: law, data, fit and forecast, residuals, phase portrait, sensitivity, comparison.

    Args:
        model: the fitted law.
        forecast: what it predicts, drawn behind the data.
        figures: "record", "residuals" and, for more than one state, "phase".
    """
    sections = [
        *(Callout(_sentence(caveat), "Before you read on", "warning") for caveat in model.caveats),
        *_law(model),
        *_meaning(model),
        *_record(forecast, figures["record"]),
        *_residuals(model, figures["residuals"]),
        *(_phase(figures["phase"]) if "phase" in figures else []),
        *_sensitivity(model, forecast),
        *_comparison(model.rivals),
        *_skill(model),
        *_data(model),
        *_loading(),
    ]
    return page(f"The law behind {_joined(model.states)}", sections)


def _without_law(model: Unexplained, forecast: Forecast) -> dict[str, str | bytes]:
    """report.html and its figure for a record that supports no law."""
    figure, alt = baseline_figure(model, forecast), f"Measured {_joined(model.states)}, and the baseline's forecast."
    drawn, made = svg_and_files("record", figure, alt)
    reasons = " ".join(map(_sentence, model.reasons))
    sections = [
        Callout(f"{reasons} The forecast below is that of a baseline: {model.baseline}.", NO_EQUATION, "warning"),
        Heading("Data and forecast"),
        Figure(drawn, f"Dots: measured. Dashed, with its band: {model.baseline}, and 95 % of measurements.", alt),
        *_comparison(model.rivals),
        *_skill(model),
        *_data(model),
    ]
    return {
        "report.html": page(f"No law behind {_joined(model.states)}", sections),
        **{f"figures/{name}": content for name, content in made.items()},
    }


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _law(model: Model) -> list[Section]:
    noise = ", ".join(f"{name} {sigma:.3g}" for name, sigma in model.scatter.items())
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


def _meaning(model: Model) -> list[Section]:
    if not model.meaning:
        return []
    return [Heading("What it means"), Text("\n".join(f"The law {sentence}." for sentence in model.meaning))]


def _record_alt(model: Model) -> str:
    return f"Measured {_joined(model.states)} over {model.time_name}, the fitted trajectory and its continuation."


def _record(forecast: Forecast, figure: Drawn) -> list[Section]:
    caption = (
        f"Dots: measured. Line: the law. Dashed, with its band: forecast, and where 95 % of measurements are "
        f"expected, from {forecast.time[0]:.6g} to {forecast.time[-1]:.6g}."
    )
    return [Heading("Data, fit and forecast"), Figure(figure.svg, caption, figure.alt)]


RESIDUALS_ALT = "Residuals over time, and their quantiles against those of the noise model."


def _residuals(model: Model, figure: Drawn) -> list[Section]:
    scaled = residuals(model)
    runs = ", ".join(f"{name} {_autocorrelation(scaled[:, i]):+.2f}" for i, name in enumerate(model.scatter))
    caption = (
        "Left: residuals in units of σ. Right: the same in order, against the noise model; good noise "
        f"lies on the line. Correlation of each residual with the one before it: {runs} (near 0 is good)."
    )
    return [Heading("What the law leaves unexplained"), Figure(figure.svg, caption, figure.alt)]


def _autocorrelation(residual: np.ndarray) -> float:
    known = residual[np.isfinite(residual)]
    return float(known[1:] @ known[:-1] / (known @ known)) if len(known) > 2 and known @ known > 0 else 0.0


def _phase_alt(model: Model) -> str:
    return f"{model.states[1]} against {model.states[0]}, with the direction field of the law."


def _phase(figure: Drawn) -> list[Section]:
    caption = (
        "Arrows: where the law drives the states from each point. Line: the fitted trajectory. Dots: rows in which "
        "both states were measured. Diamonds: equilibria."
    )
    return [Heading("Phase portrait"), Figure(figure.svg, caption, figure.alt)]


def _sensitivity(model: Model, forecast: Forecast) -> list[Section]:
    found = sensitivities(model, forecast.time)
    words = (
        f"By how much the forecast moves at most, up to {forecast.time[-1]:.6g}, where one number is larger and all "
        "others stay. The second table says where better data would help the forecast; since estimates go together, it "
        "does not add up to the band."
    )
    changes = {"1 %": [one.by_percent for one in found], "1 standard error": [one.by_error for one in found]}
    tables = [
        TableOf(
            [f"larger by {by}", *forecast.states[:MOST_COLUMNS]],
            [[_number(model, one), *map(_signed, row[:MOST_COLUMNS])] for one, row in zip(found, rows, strict=True)],
        )
        for by, rows in changes.items()
    ]
    return [Heading("What the forecast depends on"), Text(words), *tables]


def _number(model: Model, one: Sensitivity) -> str:
    return f"{one.name} at {model.time[-1]:.6g}" if one.starts else text(Symbol(one.name))


def _signed(change: float) -> str:
    return f"{change:+.2g}".replace("-", "\u2212") if np.isfinite(change) else "the law fails"


def _comparison(rivals: Sequence[Rival]) -> list[Section]:
    rows = [
        [r.title, ", ".join(r.states), r.noise, f"{r.aicc:.1f}", f"+{r.behind:.1f}"]
        for r in rivals
        if np.isfinite(r.aicc)
    ]
    failed = len(rivals) - len(rows)
    words = (
        f"{failed} were left out: not solvable along the record, or its changes speak against them." if failed else ""
    )
    return [
        Heading("What else was tried"),
        TableOf(
            ["law", "its states", "noise", "AICc", "behind"],
            rows[:MOST_RIVALS],
            "AICc weighs the misfit against how many numbers were fitted; lower is better, 6 less is strong evidence. "
            f"{words}",
        ),
    ]


def _skill(model: Model | Unexplained) -> list[Section]:
    if not model.skills:
        return []
    names = [*model.skills[0].baselines]
    law = ["the law"] if isinstance(model, Model) else []
    rows = []
    for s in model.skills:
        errors = ([s.model] if law else []) + [s.baselines.get(name, np.nan) for name in names]
        steps = f"{s.horizon} step{'s' * (s.horizon > 1)} ahead"
        rows.append([steps, str(s.origins), *(f"{error:.3f}" if np.isfinite(error) else "–" for error in errors)])
    words = (
        "Everything was fitted again to what was known at several past times, and its forecasts compared with what "
        "came. Persistence says that nothing changes, seasonal-naive that one period ago comes again; ETS is "
        "exponential smoothing."
    )
    table = TableOf(
        ["forecast", "origins", *law, *names], rows, "Root mean square errors in units of each state's spread."
    )
    return [Heading("Forecasts tested on the record"), Text(words), table]


def _data(model: Model | Unexplained) -> list[Section]:
    gaps = int((~np.isfinite(model.values[:, np.isfinite(model.values).any(0)])).sum())
    states = f"{len(model.states)} state{'s' * (len(model.states) > 1)}, {gaps or 'no'} gap{'s' * (gaps != 1)}"
    span = f"{len(model.time)} rows, {model.time_name} {model.time[0]:.6g} to {model.time[-1]:.6g}"
    first = f"{model.source}: {span}, {states}.{_inputs(model)}"
    findings = [f"{f.message}. {f.remedy}" for f in model.findings]
    return [Heading("What was read"), Text("\n".join([first, *model.notes, *findings]))]


def _inputs(model: Model | Unexplained) -> str:
    """What the inputs were taken to do between rows, which the data decided."""
    if isinstance(model, Unexplained) or not model.inputs:
        return ""
    way = "keep their values until the next row" if model.held else "run straight from row to row"
    return f" Inputs: {_joined(model.inputs)}; they {way}, which explains the data better than the other way."


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
