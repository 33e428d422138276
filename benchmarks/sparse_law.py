"""Sparse laws from noisy records, beside PySINDy where it is installed: writes sparse-law.md and .json.

    python benchmarks/sparse_law.py --only lorenz dysts odebench --output FOLDER

Needs the data folder beside the project, or CONTINUA_DATA.
"""

import argparse
import importlib.util
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timing

Record = dict[str, Any]
Terms = dict[str, dict[str, float]]
DATA = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
STATES = ("x", "y", "z")
LORENZ: Terms = {"x": {"x": -10.0, "y": 10.0}, "y": {"x": 28.0, "y": -1.0, "x*z": -1.0}, "z": {"z": -8 / 3, "x*y": 1.0}}
NOISES = {0.05: (1.0, 0.3), 0.1: (0.95, 0.5), 0.3: (0.4, 2.0)}  # exact share and error in % to reach
PERIODS, SAMPLES_A_PERIOD = 12, 100
HALVORSEN = {"x": -1.4, "y": -4.0, "z": -4.0}
A, B, C = -10.0, -4.0, 18.1
DYSTS: dict[str, Terms] = {
    "Rossler": {"x": {"y": -1.0, "z": -1.0}, "y": {"x": 1.0, "y": 0.2}, "z": {"1": 0.2, "z": -5.7, "x*z": 1.0}},
    "SprottB": {"x": {"y*z": 1.0}, "y": {"x": 1.0, "y": -1.0}, "z": {"1": 1.0, "x*y": -1.0}},
    "Halvorsen": {
        "x": {"x": -1.4, "y": -4.0, "z": -4.0, "y**2": -1.0},
        "y": {"y": -1.4, "z": -4.0, "x": -4.0, "z**2": -1.0},
        "z": {"z": -1.4, "x": -4.0, "y": -4.0, "x**2": -1.0},
    },
    "LuChenCheng": {
        "x": {"x": -A * B / (A + B), "y*z": -1.0, "1": C},
        "y": {"y": A, "x*z": 1.0},
        "z": {"z": B, "x*y": 1.0},
    },
}
THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 0.5, 1.0)
WINDOWS = (None, 9, 15, 25)


# --- Systems with a known law -------------------------------------------------------------------------------------


def slope(law: Terms) -> Callable[[float, Any], list[float]]:
    """The right-hand side of a law of three states whose terms are monomials."""
    parts = [[(c, [STATES.index(f) for f in _factors(term)]) for term, c in row.items()] for row in law.values()]

    def field(_: float, x: Any) -> list[float]:
        import math

        return [sum(c * math.prod(x[i] for i in factors) for c, factors in row) for row in parts]

    return field


def _factors(term: str) -> list[str]:
    base, _, power = term.partition("**")
    if term == "1":
        return []
    return [base] * int(power) if power else term.split("*")


def trajectory(law: Terms, start: Any, times: Any) -> Any:
    """[row, state], to 1e-10."""
    from scipy.integrate import solve_ivp

    return solve_ivp(slope(law), (0.0, times[-1]), start, t_eval=times, rtol=1e-10, atol=1e-10).y.T


def noisy(clean: Any, share: float, seed: int) -> Any:
    import numpy as np

    return clean + share * clean.std(0) * np.random.default_rng(seed).standard_normal(clean.shape)


def lorenz_records(noise: float, seeds: int) -> Iterator[tuple[int, Any, Any]]:
    """(seed, t, y): t = 0 … 10 at .02, each seed from its own start on the attractor."""
    import numpy as np

    times = np.linspace(0.0, 10.0, 501)
    for seed in range(seeds):
        start = np.random.default_rng(1000 + seed).normal([0.0, 0.0, 25.0], 5.0)
        start = trajectory(LORENZ, start, np.array([0.0, 20.0]))[-1]
        yield seed, times, noisy(trajectory(LORENZ, start, times), noise, seed)


def dysts_records(name: str, noise: float, seeds: int) -> Iterator[tuple[int, Any, Any]]:
    """(seed, t, y): twelve periods with a hundred samples each, from the stored start."""
    import numpy as np

    stored = json.loads((DATA / "dysts" / "chaotic_attractors.json").read_text(encoding="utf-8"))[name]
    times = np.linspace(0.0, PERIODS * stored["period"], PERIODS * SAMPLES_A_PERIOD + 1)
    clean = trajectory(DYSTS[name], stored["initial_conditions"], times)
    yield from ((seed, times, noisy(clean, noise, seed)) for seed in range(seeds))


# --- Judging ------------------------------------------------------------------------------------------------------


def judged(found: Terms | None, truth: Terms, seconds: tuple[float, float]) -> Record:
    """Whether the terms are exactly the true ones, and the relative errors of their coefficients in %."""
    wall, cpu = seconds
    row: Record = {"wall": wall, "cpu": cpu, "terms": found}
    row["exact"] = found is not None and all(set(found[s]) == set(truth[s]) for s in truth)
    if found is not None and row["exact"]:
        errors = [100 * abs(found[s][term] / c - 1) for s, terms in truth.items() for term, c in terms.items()]
        squares = [(found[s][term] - c) ** 2 for s, terms in truth.items() for term, c in terms.items()]
        size = sum(c**2 for terms in truth.values() for c in terms.values())
        row |= {"median error, %": statistics.median(errors), "norm error, %": 100 * (sum(squares) / size) ** 0.5}
    return row


def summary(rows: list[Record]) -> Record:
    """Exact share, median errors, median seconds of all but the first, which compiles."""
    exact = [row for row in rows if row["exact"]]
    found: Record = {"exact": len(exact), "of": len(rows)}
    for key in ("median error, %", "norm error, %"):
        found[key] = statistics.median(row[key] for row in exact) if exact else None
    warm = rows[1:] or rows
    return found | {key: statistics.median(row[key] for row in warm) for key in ("wall", "cpu")}


def ours(t: Any, y: Any) -> tuple[Terms | None, tuple[float, float]]:
    """The terms by `sparse_law` with its defaults, degree 2."""
    from continua.discovery import sparse

    wall, cpu = time.perf_counter(), time.process_time()
    law = sparse.sparse_law([(t, y)], sparse.Library.polynomial(STATES, degree=2))
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    return (None if law is None else law.terms), seconds


def with_pysindy(t: Any, y: Any, truth: Terms) -> tuple[Record, Record]:
    """(defaults, the settings that come nearest to the truth): both judged."""
    started = time.perf_counter(), time.process_time()
    default = judged(_pysindy_terms(t, y, None, None), truth, _since(started))
    started = time.perf_counter(), time.process_time()
    tried = [_pysindy_terms(t, y, threshold, window) for threshold in THRESHOLDS for window in WINDOWS]
    seconds = _since(started)
    rows = [judged(found, truth, seconds) for found in tried]
    return default, min(rows, key=lambda row: (not row["exact"], row.get("norm error, %", float("inf"))))


def _since(started: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - started[0], time.process_time() - started[1]


def _pysindy_terms(t: Any, y: Any, threshold: float | None, window: int | None) -> Terms | None:
    import pysindy

    options: Record = {} if threshold is None else {"optimizer": pysindy.STLSQ(threshold=threshold)}
    if window is not None:
        smoother = {"window_length": window, "polyorder": 3}
        options["differentiation_method"] = pysindy.SmoothedFiniteDifference(smoother_kws=smoother)
    model = pysindy.SINDy(feature_library=pysindy.PolynomialLibrary(degree=2), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(y, t=t, feature_names=list(STATES))
    names = [name.replace(" ", "*").replace("^", "**") for name in model.get_feature_names()]
    rows = zip(STATES, model.coefficients(), strict=True)
    return {s: {n: float(c) for n, c in zip(names, row, strict=True) if c} for s, row in rows}


def known_laws(records: Callable[[], Iterator[tuple[int, Any, Any]]], truth: Terms, peer: bool) -> Record:
    """All seeds of one system at one noise level."""
    rows, peers = [], []
    for seed, t, y in records():
        found, seconds = ours(t, y)
        rows.append(judged(found, truth, seconds) | {"seed": seed})
        if peer:
            peers.append(with_pysindy(t, y, truth))
    result: Record = {"items": rows, "summary": summary(rows)}
    for place, name in enumerate(("PySINDy, defaults", "PySINDy, best settings knowing the truth")):
        if peers:
            result[name] = summary([pair[place] for pair in peers])
    return result


# --- ODEBench -----------------------------------------------------------------------------------------------------


def odebench(gamma: float, first: int, last: int, peer: bool) -> Record:
    """Every system from either start, noise x·(1 + γ ξ), on the stored sampling; judged on clean trajectories."""
    stored = json.loads((DATA / "odebench" / "odebench_1_40.json").read_text(encoding="utf-8"))
    items = [
        _odebench_item(system, start, gamma, peer)
        for system in stored
        if first <= system["id"] <= last
        for start in (0, 1)
    ]
    names = ["ours", *(["PySINDy, same libraries"] if peer else [])]
    return {"items": items, "summary": {name: _shares(items, name) for name in names}}


def _shares(items: list[Record], name: str) -> Record:
    kinds = ("reconstruction", "generalisation")
    found: Record = {kind: statistics.mean(item[name][kind] > 0.9 for item in items) for kind in kinds}
    return found | {"wall": statistics.median(item[name]["wall"] for item in items)}


def _odebench_item(system: Record, start: int, gamma: float, peer: bool) -> Record:
    import numpy as np

    runs = [(np.array(s["t"]), np.array(s["y"]).T) for s in system["solutions"][0]]
    (t, clean), other = runs[start], runs[1 - start]
    y = clean * (1 + gamma * np.random.default_rng(0).standard_normal(clean.shape))
    began = time.perf_counter()
    law, run = _by_ours(t, y)
    item: Record = {"id": system["id"], "start": start, "states": clean.shape[1]}
    item["ours"] = {"law": law, "wall": time.perf_counter() - began} | _scores(run, (t, clean), other)
    if peer:
        began = time.perf_counter()
        run = _by_pysindy(t, y)
        item["PySINDy, same libraries"] = {"wall": time.perf_counter() - began} | _scores(run, (t, clean), other)
    print(json.dumps(item), flush=True)
    return item


def _scores(run: Callable | None, own: tuple[Any, Any], other: tuple[Any, Any]) -> Record:
    """R² of free runs from the true starts, weighted by variance; −1 where a run fails."""
    found = {}
    for kind, (t, clean) in (("reconstruction", own), ("generalisation", other)):
        values = run(t, clean[0]) if run else None
        found[kind] = _r2(clean, values)
    return found


def _r2(clean: Any, values: Any) -> float:
    if values is None:
        return -1.0
    return float(max(1 - ((values - clean) ** 2).sum() / ((clean - clean.mean(0)) ** 2).sum(), -1.0))


def _libraries(states: int) -> list[Any]:
    from continua.discovery.sparse import Library

    names = STATES[:states]
    if states == 1:
        both = Library.polynomial(names, 3, trigonometric=True, rational=True)
        return [Library.polynomial(names, 3), Library.polynomial(names, 6), both]
    mixed = Library.polynomial(names, 2, trigonometric=True, rational=states == 2)
    return [Library.polynomial(names, 2), Library.polynomial(names, 3), mixed]


def _by_ours(t: Any, y: Any) -> tuple[Any, Callable | None]:
    from continua.discovery import sparse

    found = sparse.best_law([(t, y)], _libraries(y.shape[1]), proportional=None)
    if found is None:
        return None, None
    return found.law.terms, lambda ts, y0: _run(found.law.library, found.law.coefficients, ts, y0)


def _run(library: Any, coefficients: Any, t: Any, y0: Any) -> Any:
    """LSODA, for ours and the peer alike; None where it fails."""
    import math

    import numpy as np
    from scipy.integrate import solve_ivp

    names = {name: getattr(math, name) for name in ("sin", "cos")}
    terms = [compile(term, "term", "eval") for term in library.terms]  # texts made by our own library
    began = time.perf_counter()

    def field(_: float, x: Any) -> Any:
        if time.perf_counter() - began > 5:
            raise TimeoutError
        scope = names | dict(zip(library.states, np.clip(x, -1e6, 1e6).tolist(), strict=True))
        return coefficients @ np.array([eval(term, {"__builtins__": {}}, scope) for term in terms])  # noqa: S307

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = solve_ivp(field, (t[0], t[-1]), y0, t_eval=t, method="LSODA", rtol=1e-6, atol=1e-8)
    except (TimeoutError, ValueError, OverflowError):
        return None
    return found.y.T if found.success and np.isfinite(found.y).all() else None


def _by_pysindy(t: Any, y: Any) -> Callable | None:
    """Thresholded least squares on the same libraries, settings by the free run's R² on the noisy record."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import pysindy

    best, run = (-np.inf, 0), None
    for library in _libraries(y.shape[1]):
        for window in WINDOWS:
            method = pysindy.FiniteDifference()
            if window is not None:
                smoother = {"window_length": window, "polyorder": 3}
                method = pysindy.SmoothedFiniteDifference(smoother_kws=smoother)
            slopes = method._differentiate(y, t)  # noqa: SLF001
            smooth = np.asarray(getattr(method, "smoothed_x_", y))
            with jax.enable_x64(True):
                values = np.asarray(library(jnp.asarray(smooth)))
            for threshold in THRESHOLDS[:4]:
                coefficients = _thresholded(values, slopes, threshold)
                if coefficients is None:
                    continue
                r2, size = _r2(y, _run(library, coefficients, t, y[0])), int((coefficients != 0).sum())
                if r2 > best[0] + 1e-3 * (size > best[1]):
                    best = r2, size
                    run = lambda ts, y0, lib=library, c=coefficients: _run(lib, c, ts, y0)  # noqa: E731
    return run


def _thresholded(values: Any, slopes: Any, threshold: float) -> Any:
    import numpy as np
    import pysindy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(pysindy.STLSQ(threshold=threshold).fit(values, slopes).coef_)
        except (ValueError, np.linalg.LinAlgError):
            return None


# --- The page -----------------------------------------------------------------------------------------------------


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = ", ".join(str(record["machine"][key]) for key in ("cpu", "system", "python"))
    lines = ["# Sparse laws", "", "Written by `python benchmarks/sparse_law.py`.", "", f"Machine: {computer}.", ""]
    if "known" in record:
        lines += [
            "## Known laws, degree 2",
            "",
            "Errors are those of exact laws: the median of the relative errors, and",
        ]
        lines += ["the norm of all errors over the norm of the law; medians over seeds. Seconds: medians, warm.", ""]
        lines += ["| record | method | exact | median error, % | norm error, % | wall, s | CPU, s |"]
        lines += ["|---|---|--:|--:|--:|--:|--:|"]
        for name, result in record["known"].items():
            methods = {"continua": result["summary"]} | {k: v for k, v in result.items() if k.startswith("PySINDy")}
            lines += [_known_line(name, method, found) for method, found in methods.items()]
    if "odebench" in record:
        lines += ["", "## ODEBench 1–40, both starts, noise x·(1 + .05 ξ)", ""]
        lines += ["| method | R² > .9, reconstruction | generalisation | wall, s |", "|---|--:|--:|--:|"]
        for method, found in record["odebench"]["summary"].items():
            shares = f"{found['reconstruction']:.3f} | {found['generalisation']:.3f}"
            lines.append(f"| {method} | {shares} | {found['wall']:.2f} |")
        lines += ["", "| id | start | states | reconstruction | generalisation |", "|--:|--:|--:|--:|--:|"]
        for item in record["odebench"]["items"]:
            scores = f"{item['ours']['reconstruction']:.4f} | {item['ours']['generalisation']:.4f}"
            lines.append(f"| {item['id']} | {item['start']} | {item['states']} | {scores} |")
    return "\n".join(lines) + "\n"


def _known_line(name: str, method: str, found: Record) -> str:
    errors = [found[key] for key in ("median error, %", "norm error, %")]
    texts = ["–" if error is None else f"{error:.2f}" for error in errors]
    return (
        f"| {name} | {method} | {found['exact']}/{found['of']} | {texts[0]} | {texts[1]} | "
        f"{found['wall']:.2f} | {found['cpu']:.2f} |"
    )


def measure(options: argparse.Namespace) -> Record:
    """What was asked for."""
    peer = importlib.util.find_spec("pysindy") is not None and not options.no_peer
    record: Record = {"machine": timing.machine(), "peer": peer}
    known: Record = {}
    if "lorenz" in options.only:
        for noise in NOISES:
            records = lambda noise=noise: lorenz_records(noise, options.seeds)  # noqa: E731
            known[f"Lorenz, {100 * noise:g} %"] = known_laws(records, LORENZ, peer)
            print(f"Lorenz {noise}", known[f"Lorenz, {100 * noise:g} %"]["summary"], flush=True)
    if "dysts" in options.only:
        for name, truth in DYSTS.items():
            records = lambda name=name: dysts_records(name, 0.1, options.seeds)  # noqa: E731
            known[f"{name}, 10 %"] = known_laws(records, truth, peer)
            print(name, known[f"{name}, 10 %"]["summary"], flush=True)
    if known:
        record["known"] = known
    if "odebench" in options.only:
        record["odebench"] = odebench(0.05, options.first, options.last, peer)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description="Sparse laws from noisy records, beside PySINDy.")
    parser.add_argument("--only", nargs="+", default=["lorenz", "dysts", "odebench"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the first ODEBench system")
    parser.add_argument("--last", type=int, default=40, help="the last ODEBench system")
    parser.add_argument("--no-peer", action="store_true", help="without PySINDy")
    parser.add_argument("--output", type=Path, required=True, help="the folder that gets sparse-law.md and .json")
    options = parser.parse_args()
    timing.pin_one_core()
    record = measure(options)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "sparse-law.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (options.output / "sparse-law.md").write_text(page(record), encoding="utf-8")
    print(page(record))


if __name__ == "__main__":
    main()
