"""Sparse laws from noisy records, beside PySINDy where it is installed: writes sparse-law.md and .json.

    python benchmarks/sparse_law.py --only lorenz dysts odebench --output docs/benchmarks

Needs the data folder beside the project, or CONTINUA_DATA.
"""

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timing

Record = dict[str, Any]
NOISES = (0.05, 0.1, 0.3)
DYSTS_NOISE = 0.1
GAMMA = 0.05
TWO_SIDED = 1.96  # standard errors on either side of a 95 % interval
AS_GOOD = 0.9  # R²
OURS, DEFAULTS, KNOWING = "continua", "PySINDy, defaults", "PySINDy, best settings knowing the truth"
BY_RUN = "PySINDy, settings by the free run"


# --- Known laws ---------------------------------------------------------------------------------------------------


def known_laws(records: Callable[[], Iterator[Any]], truth: Any, peer: bool) -> Record:
    """All seeds of one system at one noise level."""
    items = [_known_item(record, truth, peer) for record in records()]
    methods = [name for name in (OURS, DEFAULTS, KNOWING) if name in items[0]]
    return {"items": items, "summary": {name: _summary([item[name] for item in items]) for name in methods}}


def _known_item(record: Any, truth: Any, peer: bool) -> Record:
    from sparse_law_bound import bound
    from sparse_law_peers import every_pysindy, pysindy_terms

    item: Record = {"seed": record.seed, OURS: _ours(record, truth, bound(truth, record))}
    if peer:
        began = _now()
        item[DEFAULTS] = _judged(pysindy_terms(record.t, record.y), truth, _since(began))
        began = _now()
        tried = list(every_pysindy(record.t, record.y))
        rows = [_judged(found, truth, _since(began)) for found in tried]
        item[KNOWING] = min(rows, key=lambda row: (not row["exact"], row.get("norm error, %", float("inf"))))
    return item


def _ours(record: Any, truth: Any, best: Any) -> Record:
    """`sparse_law` with its defaults; beside it what the efficient estimator does on the same draws."""
    from sparse_law_records import DEGREE, STATES

    from continua.discovery import sparse

    began = _now()
    law = sparse.sparse_law([(record.t, record.y)], sparse.Library.polynomial(STATES, DEGREE))
    row = _judged(None if law is None else law.terms, truth, _since(began))
    values = [c for terms in truth.values() for c in terms.values()]
    row["median error at the bound, %"] = 100 * statistics.median(
        abs(error / c) for error, c in zip(best.errors, values, strict=True)
    )
    row["covered at the bound"] = sum(abs(best.errors) < TWO_SIDED * best.deviations) / len(values)
    if law is not None and row["exact"]:
        places = [(STATES.index(s), law.library.terms.index(term)) for s, terms in truth.items() for term in terms]
        missed = [abs(law.coefficients[place] - c) for place, c in zip(places, values, strict=True)]
        reach = [TWO_SIDED * law.standard_errors[place] for place in places]
        row["covered"] = sum(m < r for m, r in zip(missed, reach, strict=True)) / len(values)
        row["standard errors over the bound's"] = statistics.median(
            law.standard_errors[place] / deviation for place, deviation in zip(places, best.deviations, strict=True)
        )
    return row


def _judged(found: Any, truth: Any, seconds: tuple[float, float]) -> Record:
    """Whether the terms are exactly the true ones, and the relative errors of their coefficients in %."""
    wall, cpu = seconds
    row: Record = {"wall": wall, "cpu": cpu, "terms": found}
    row["exact"] = found is not None and all(set(found[s]) == set(truth[s]) for s in truth)
    if row["exact"]:
        errors = [100 * abs(found[s][term] / c - 1) for s, terms in truth.items() for term, c in terms.items()]
        squares = [(found[s][term] - c) ** 2 for s, terms in truth.items() for term, c in terms.items()]
        size = sum(c**2 for terms in truth.values() for c in terms.values())
        row |= {"median error, %": statistics.median(errors), "norm error, %": 100 * (sum(squares) / size) ** 0.5}
    return row


def _summary(rows: list[Record]) -> Record:
    """Exact share; of exact laws medians of the errors, at the bound too; median seconds of all but the first."""
    exact = [row for row in rows if row["exact"]]
    found: Record = {"exact": len(exact), "of": len(rows)}
    for key in ("median error, %", "norm error, %", "median error at the bound, %", "standard errors over the bound's"):
        values = [row[key] for row in exact if key in row]
        found[key] = statistics.median(values) if values else None
    for key in ("covered", "covered at the bound"):
        values = [row[key] for row in exact if key in row]
        found[key] = statistics.mean(values) if values else None
    warm = rows[1:] or rows
    return found | {key: statistics.median(row[key] for row in warm) for key in ("wall", "cpu")}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = _now()
    return wall - began[0], cpu - began[1]


# --- ODEBench -----------------------------------------------------------------------------------------------------


def odebench(systems: list[Record], peer: bool) -> Record:
    """Every system from either start, noise x·(1 + γ ξ), on the stored sampling; judged on clean trajectories."""
    items = []
    for system in systems:
        for start in (0, 1):
            items.append(_odebench_item(system, start, peer))
            print(json.dumps(items[-1]), flush=True)
    methods = [name for name in (OURS, DEFAULTS, BY_RUN, KNOWING) if name in items[0]]
    return {"items": items, "summary": {name: _shares([item[name] for item in items]) for name in methods}}


def _odebench_item(system: Record, start: int, peer: bool) -> Record:
    import numpy as np

    runs = [(np.array(s["t"]), np.array(s["y"]).T) for s in system["solutions"][0]]
    own, other = runs[start], runs[1 - start]
    y = own[1] * (1 + GAMMA * np.random.default_rng(0).standard_normal(own[1].shape))
    law, run, seconds = _by_ours(own[0], y)
    item: Record = {"id": system["id"], "start": start, "states": y.shape[1]}
    item[OURS] = {"law": law} | seconds | _scores(run, own, other)
    return item | (_by_pysindy(own[0], y, own, other) if peer else {})


def _libraries(states: int) -> list[Any]:
    from sparse_law_records import STATES

    from continua.discovery.sparse import Library

    names = STATES[:states]
    if states == 1:
        both = Library.polynomial(names, 3, trigonometric=True, rational=True)
        return [Library.polynomial(names, 3), Library.polynomial(names, 6), both]
    mixed = Library.polynomial(names, 2, trigonometric=True, rational=states == 2)
    return [Library.polynomial(names, 2), Library.polynomial(names, 3), mixed]


def _by_ours(t: Any, y: Any) -> tuple[Any, Any, Record]:
    from sparse_law_peers import runner

    from continua.discovery import sparse

    began = _now()
    found = sparse.best_law([(t, y)], _libraries(y.shape[1]), proportional=None)
    seconds = dict(zip(("wall", "cpu"), _since(began), strict=True))
    if found is None:
        return None, None, seconds
    return found.law.terms, runner(found.law.library, found.law.coefficients), seconds


def _by_pysindy(t: Any, y: Any, own: tuple[Any, Any], other: tuple[Any, Any]) -> Record:
    """With the same libraries: defaults, and all settings, chosen by the free run or knowing both clean trajectories.

    Among the libraries defaults too are chosen by the free run on the noisy record. Seconds are those of all settings.
    """
    from sparse_law_peers import candidates

    began = _now()
    tried = [(one, _r2(y, one.run(t, y[0]))) for one in candidates(t, y, _libraries(y.shape[1]))]
    seconds = dict(zip(("wall", "cpu"), _since(began), strict=True))
    defaults = [pair for pair in tried if pair[0].default]
    scores = [_scores(one.run, own, other) for one, _ in tried]
    knowing = max(
        scores, key=lambda score: (min(score.values()), sum(score.values())), default=_scores(None, own, other)
    )
    chosen = {name: _by_run(some) for name, some in ((DEFAULTS, defaults), (BY_RUN, tried))}
    return {name: seconds | _scores(run, own, other) for name, run in chosen.items()} | {KNOWING: seconds | knowing}


def _by_run(tried: list[tuple[Any, float]]) -> Any:
    """The best R² on the noisy record; of those within .001, the fewest terms."""
    if not tried:
        return None
    highest = max(r2 for _, r2 in tried)
    return min((one for one, r2 in tried if r2 > highest - 1e-3), key=lambda one: one.terms).run


def _scores(run: Any, own: tuple[Any, Any], other: tuple[Any, Any]) -> Record:
    """R² of free runs from the true starts, weighted by variance; −1 where a run fails."""
    pairs = (("reconstruction", own), ("generalisation", other))
    return {kind: _r2(clean, run(t, clean[0]) if run else None) for kind, (t, clean) in pairs}


def _r2(clean: Any, values: Any) -> float:
    if values is None:
        return -1.0
    return float(max(1 - ((values - clean) ** 2).sum() / ((clean - clean.mean(0)) ** 2).sum(), -1.0))


def _shares(rows: list[Record]) -> Record:
    found: Record = {kind: statistics.mean(row[kind] > AS_GOOD for row in rows) for kind in _scores(None, *_NOTHING)}
    return found | {key: statistics.median(row[key] for row in rows) for key in ("wall", "cpu")}


_NOTHING: Any = ((None, None), (None, None))


# --- The page -----------------------------------------------------------------------------------------------------


def page(record: Record) -> str:
    """The record as Markdown."""
    computer = ", ".join(str(record["machine"][key]) for key in ("cpu", "system", "python"))
    lines = ["# Sparse laws", "", "Written by `python benchmarks/sparse_law.py`.", "", f"Machine: {computer}.", ""]
    lines += [*_known_page(record["known"]), ""] if "known" in record else []
    lines += _odebench_page(record["odebench"]) if "odebench" in record else []
    return "\n".join(lines) + "\n"


def _known_page(known: Record) -> list[str]:
    lines = ["## Known laws, degree 2", ""]
    lines += [
        "Errors are those of exact laws: the median of the relative errors, and the norm of all errors over the norm"
    ]
    lines += [
        "of the law; medians over seeds. The bound: the same median for the efficient estimator, which reaches the"
    ]
    lines += ["Cramér–Rao bound for the true terms and an unknown start, on the same draws. Covered: the share of true"]
    lines += [
        "coefficients in the 95 % intervals; in brackets that of the efficient estimator. Seconds: medians, warm.",
        "",
    ]
    heads = "record | method | exact | median error, % | bound, % | norm error, % | covered | wall, s | CPU, s"
    lines += [f"| {heads} |", "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    for name, result in known.items():
        lines += [_known_line(name, method, found) for method, found in result["summary"].items()]
    lines += [
        "",
        "### Each record",
        "",
        "| record | seed | exact | median error, % | bound, % | covered | wall, s | CPU, s |",
    ]
    lines += ["|---|--:|---|--:|--:|--:|--:|--:|"]
    for name, result in known.items():
        for item in result["items"]:
            row = item[OURS]
            cells = [_number(row.get(key)) for key in ("median error, %", "median error at the bound, %", "covered")]
            seconds = f"{row['wall']:.2f} | {row['cpu']:.2f}"
            exact = "yes" if row["exact"] else "no"
            lines.append(f"| {name} | {item['seed']} | {exact} | {' | '.join(cells)} | {seconds} |")
    return lines


def _known_line(name: str, method: str, found: Record) -> str:
    keys = ("median error, %", "median error at the bound, %", "norm error, %")
    covered = _number(found["covered"])
    if found["covered"] is not None:
        covered += f" ({_number(found['covered at the bound'])})"
    cells = [f"{found['exact']}/{found['of']}", *(_number(found[key]) for key in keys), covered]
    return f"| {name} | {method} | {' | '.join(cells)} | {found['wall']:.2f} | {found['cpu']:.2f} |"


def _odebench_page(result: Record) -> list[str]:
    lines = [f"## ODEBench, both starts, noise x·(1 + {GAMMA:g} ξ)", ""]
    lines += [
        "R² of free runs from the true starts, against trajectories without noise: of the record itself, and of the"
    ]
    lines += [
        "system's other start. PySINDy has the same libraries; its seconds are those of all settings together.",
        "",
    ]
    lines += ["| method | R² > .9, reconstruction | generalisation | wall, s | CPU, s |", "|---|--:|--:|--:|--:|"]
    for method, found in result["summary"].items():
        shares = f"{found['reconstruction']:.3f} | {found['generalisation']:.3f}"
        lines.append(f"| {method} | {shares} | {found['wall']:.2f} | {found['cpu']:.2f} |")
    methods = list(result["summary"])
    lines += ["", "### Each record: reconstruction / generalisation", ""]
    lines += [f"| id | start | states | {' | '.join(methods)} |", "|--:|--:|--:|" + "--:|" * len(methods)]
    for item in result["items"]:
        scores = [f"{item[name]['reconstruction']:.3f} / {item[name]['generalisation']:.3f}" for name in methods]
        lines.append(f"| {item['id']} | {item['start']} | {item['states']} | {' | '.join(scores)} |")
    return lines


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def measure(options: argparse.Namespace) -> Record:
    """What was asked for."""
    from sparse_law_records import DYSTS, LORENZ, dysts_records, lorenz_records, odebench_systems

    peer = importlib.util.find_spec("pysindy") is not None and not options.no_peer
    record: Record = {"machine": timing.machine(), "peer": peer}
    known: Record = {}
    wanted = [(f"Lorenz, {100 * n:g} %", LORENZ, lambda n=n: lorenz_records(n, options.seeds)) for n in NOISES]
    wanted = wanted if "lorenz" in options.only else []
    if "dysts" in options.only:
        for name, truth in DYSTS.items():
            records = lambda name=name: dysts_records(name, DYSTS_NOISE, options.seeds)  # noqa: E731
            wanted.append((f"{name}, {100 * DYSTS_NOISE:g} %", truth, records))
    for name, truth, records in wanted:
        known[name] = known_laws(records, truth, peer)
        print(name, json.dumps(known[name]["summary"]), flush=True)
    if known:
        record["known"] = known
    if "odebench" in options.only:
        record["odebench"] = odebench(odebench_systems(options.first, options.last), peer)
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
