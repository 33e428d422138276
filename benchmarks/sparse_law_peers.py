"""PySINDy beside ours: as it comes, and with the settings that are best when one knows the truth."""

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from sparse_law_records import DEGREE, STATES, Terms

THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 0.5, 1.0)
WINDOWS = (None, 9, 15, 25)
DEFAULT_THRESHOLD = 0.1
LONGEST_RUN = 5.0  # seconds
LARGEST = 1e6  # a state beyond it is held there, so that no power overflows

Run = Callable[[Any, Any], Any]


def pysindy_terms(t: Any, y: Any, threshold: float | None = None, window: int | None = None) -> Terms:
    """The law by PySINDy with polynomials; its own defaults for what is None."""
    import pysindy

    options: dict[str, Any] = {} if threshold is None else {"optimizer": pysindy.STLSQ(threshold=threshold)}
    if window is not None:
        options["differentiation_method"] = _differentiation(window)
    model = pysindy.SINDy(feature_library=pysindy.PolynomialLibrary(degree=DEGREE), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(y, t=t, feature_names=list(STATES))
    names = [name.replace(" ", "*").replace("^", "**") for name in model.get_feature_names()]
    rows = zip(STATES, model.coefficients(), strict=True)
    return {s: {n: float(c) for n, c in zip(names, row, strict=True) if c} for s, row in rows}


def every_pysindy(t: Any, y: Any) -> Iterator[Terms]:
    """With every threshold and every smoother."""
    yield from (pysindy_terms(t, y, threshold, window) for threshold in THRESHOLDS for window in WINDOWS)


def _differentiation(window: int | None) -> Any:
    import pysindy

    if window is None:
        return pysindy.FiniteDifference()
    return pysindy.SmoothedFiniteDifference(smoother_kws={"window_length": window, "polyorder": 3})


class Candidate(NamedTuple):
    """A law by PySINDy: whether its settings are the defaults, and how it runs."""

    default: bool
    terms: int
    run: Run


def candidates(t: Any, y: Any, libraries: list[Any]) -> Iterator[Candidate]:
    """PySINDy's optimiser on the terms of the same libraries, with every threshold and smoother."""
    import jax
    import jax.numpy as jnp

    for library in libraries:
        for window in WINDOWS:
            method = _differentiation(window)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                slopes = method._differentiate(y, t)  # noqa: SLF001 # the public face differentiates but keeps nothing
            smooth = np.asarray(getattr(method, "smoothed_x_", y))
            with jax.enable_x64(True):
                values = np.asarray(library(jnp.asarray(smooth)))
            for threshold in THRESHOLDS:
                found = _thresholded(values, slopes, threshold)
                if found is not None:
                    default = window is None and threshold == DEFAULT_THRESHOLD
                    yield Candidate(default, int((found != 0).sum()), runner(library, found))


def _thresholded(values: Any, slopes: Any, threshold: float) -> Any:
    import pysindy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(pysindy.STLSQ(threshold=threshold).fit(values, slopes).coef_)
        except (ValueError, np.linalg.LinAlgError):
            return None


def runner(library: Any, coefficients: Any) -> Run:
    """(times, start) → [row, state] by LSODA, for ours and the peer alike; None where it fails."""
    from continua.equations import parse
    from continua.show import evaluate

    used = np.flatnonzero(coefficients.any(0))
    terms = [parse(library.terms[i], library.states) for i in used]
    law = coefficients[:, used]

    def run(t: Any, start: Any) -> Any:
        began = time.perf_counter()

        def field(_: float, x: Any) -> Any:
            if time.perf_counter() - began > LONGEST_RUN:
                raise TimeoutError
            values = dict(zip(library.states, np.clip(x, -LARGEST, LARGEST).tolist(), strict=True))
            return law @ np.array([evaluate(term, values) for term in terms])

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = solve_ivp(field, (t[0], t[-1]), start, t_eval=t, method="LSODA", rtol=1e-6, atol=1e-8)
        except (TimeoutError, ValueError, OverflowError):
            return None
        return found.y.T if found.success and np.isfinite(found.y).all() else None

    return run
