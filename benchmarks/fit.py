"""`continua fit` on records that people know, and how often its intervals hold: writes fit.md and fit.json.

    python benchmarks/fit.py --only coverage records silverbox --output docs/benchmarks

What is not asked for stays as fit.json has it. Records need the data folder beside the project, or CONTINUA_DATA.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing

Record = dict[str, Any]
DATA = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SOURCE = Path(__file__).resolve().parents[1] / "src"
RECORDS: dict[str, list[str]] = {
    "series/hudson-bay-lynx-hare.csv": [],
    "series/statsmodels_sunspots.csv": [],
    "series/AirPassengers.csv": [],
    "series/statsmodels_co2.csv": [],
    "series/monthly-sunspots.csv": [],
    "series/ETTh1.csv": [],
    "sysid/silverbox_SNLS80mV.csv": ["--inputs", "V1", "--states", "V2"],
    "sysid/silverbox_Schroeder80mV.csv": ["--inputs", "V1", "--states", "V2"],
}
PUBLISHED = {"alpha": 0.55, "beta": 0.028, "gamma": 0.80, "delta": 0.024}  # Carpenter, Stan case study, 2018
ARROW = 40_400  # samples with which the record begins: only for testing
ROWS = 21
NOISE = 0.05
FITS = 50  # of each law


# --- Coverage -----------------------------------------------------------------------------------------------------


def coverage() -> Record:
    """How many 95 % intervals of the right law hold the true parameter, over simulated records."""
    import jax.numpy as jnp
    import numpy as np

    import continua
    from continua.discovery.estimate import estimates
    from continua.discovery.named_families import families
    from continua.discovery.noise import Additive
    from continua.discovery.observations import observe
    from continua.discovery.profiling import profile_intervals
    from continua.equations import ExponentialDecay, Logistic, LotkaVolterra
    from continua.files import read_table

    spiral = continua.equations.Linear(jnp.array([[-0.15, -1.1], [0.8, -0.05]]), jnp.array([0.3, -0.2]))
    laws: dict[str, tuple[Any, list[float], float, dict[str, float]]] = {
        "Lotka–Volterra": (
            LotkaVolterra(0.55, 0.028, 0.024, 0.80),
            [30.0, 4.0],
            20.0,
            {"alpha": 0.55, "beta": 0.028, "delta": 0.024, "gamma": 0.80},
        ),
        "logistic growth": (Logistic(0.9, 50.0), [2.0], 10.0, {"r": 0.9, "K": 50.0}),
        "exponential decay": (ExponentialDecay(0.7), [40.0], 5.0, {"k": 0.7}),
        "linear dynamics": (
            spiral,
            [3.0, 0.0],
            12.0,
            {"A_11": -0.15, "A_12": -1.1, "A_21": 0.8, "A_22": -0.05, "b_1": 0.3, "b_2": -0.2},
        ),
    }
    items = []
    for title, (law, start, end, truth) in laws.items():
        times = np.linspace(0.0, end, ROWS)
        clean = np.asarray(continua.solve(law, jnp.array(start), jnp.asarray(times), rtol=1e-9, atol=1e-9).ys)
        family = next(f for f in families(len(start)) if f.title == title)
        held = dict.fromkeys(truth, 0)
        for seed in range(FITS):
            noise = NOISE * clean.std(0) * np.random.default_rng(seed).standard_normal(clean.shape)
            columns = {f"s{i}": column for i, column in enumerate((clean + noise).T)}
            (found,) = estimates(family, observe(read_table({"time": times, **columns}))[0], [Additive()])
            intervals = dict(zip(family.names, profile_intervals(found), strict=True))
            for name, value in truth.items():
                held[name] += bool(intervals[name][0] <= value <= intervals[name][1])
        items.append({"law": title, "fits": FITS, "held": held})
        print(items[-1], flush=True)
    all_held, all_made = sum(sum(i["held"].values()) for i in items), sum(FITS * len(i["held"]) for i in items)
    return {"items": items, "share": all_held / all_made, "intervals": all_made}


# --- Records ------------------------------------------------------------------------------------------------------


def records(names: list[str]) -> Record:
    """The command on every record: time, memory, and what it says."""
    items = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            items[name] = _record(name, Path(folder))
            print(name, json.dumps(items[name], ensure_ascii=False), flush=True)
    return items


def _record(name: str, folder: Path) -> Record:
    import continua

    out = folder / name.replace("/", "-")
    command = [sys.executable, "-m", "continua.app.command", "fit", str(DATA / name), *RECORDS[name], "-o", str(out)]
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "JAX_PLATFORMS": "cpu"}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, _ = process.communicate()
    wall = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # of the largest child so far
    if process.returncode:
        return {"exit": process.returncode, "said": said.strip().splitlines()[-1], "wall": wall}
    model = continua.load(out)
    finite = "nan" not in (out / "forecast.csv").read_text(encoding="utf-8").lower()
    found: Record = {
        "exit": 0,
        "wall": wall,
        "peak of all so far, GiB": peak,
        "law": model.law,
        "equation": model.equation,
        "first said": [*getattr(model, "reasons", ()), *getattr(model, "caveats", ())],
        "scored": sum(rival.aicc < float("inf") for rival in model.rivals),
        "finite forecast": finite,
        "errors": {s.horizon: {"law": s.model, **s.baselines} for s in model.skills},
    }
    if "lynx" in name:
        found["off the published posterior, %"] = {
            key: 100 * (model.parameters[key] / value - 1) for key, value in PUBLISHED.items()
        }
        sparse = min(r.behind for r in model.rivals if r.title == "sparse law")
        found["the free sparse law is behind by"] = sparse
    return found


def silverbox() -> Record:
    """A law from the multisine part alone; the free run on the arrow, from the first measured position at rest."""
    import numpy as np

    import continua
    from continua.files import read_table

    table = read_table(DATA / "sysid" / "silverbox_SNLS80mV.csv", inputs=["V1"], states=["V2"])
    later = slice(ARROW, None)
    columns = {"row": table.time[later], "V2": table.values[later, 0], "V1": table.input_values[later, 0]}
    began = time.perf_counter()
    model = continua.fit(columns, time="row", states=["V2"], inputs=["V1"])
    wall = time.perf_counter() - began
    measured = table.values[:ARROW, 0]
    run = model.simulate(table.time[:ARROW], measured[:1], table.input_values[:ARROW])[:, 0]
    return {
        "wall": wall,
        "equation": model.equation,
        "held": model.held,
        "free run on the arrow, RMSE, mV": float(1e3 * np.sqrt(np.mean((run - measured) ** 2))),
    }


# --- The page -----------------------------------------------------------------------------------------------------

INTRODUCTION = """# `continua fit`: known records, and intervals that hold

Written by `python benchmarks/fit.py`; all numbers are in [fit.json](fit.json). The search for terms has a page of its
own, with PySINDy beside it: [sparse-law.md](sparse-law.md).
"""


def page(found: Record) -> str:
    """Markdown."""
    parts: dict[str, Callable[[Any], list[str]]] = {
        "coverage": _coverage_lines,
        "records": _record_lines,
        "silverbox": _silverbox_lines,
    }
    lines = [INTRODUCTION]
    for name, written in parts.items():
        if name in found:
            lines += [*written(found[name]["result"]), "", f"Measured on: {_machine(found[name]['machine'])}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _machine(machine: Record) -> str:
    return ", ".join(f"{key} {value}" for key, value in machine.items())


def _coverage_lines(found: Record) -> list[str]:
    lines = [
        "## Intervals",
        "",
        (
            f"Records of {ROWS} rows with {100 * NOISE:g} % normal noise, {FITS} of each law, fitted with the right "
            f"law: of {found['intervals']} intervals of 95 %, **{100 * found['share']:.1f} %** hold the true parameter "
            "(target: 92–97 %)."
        ),
        "",
        "| law | parameter | of 50 |",
        "|---|---|--:|",
    ]
    return lines + [f"| {i['law']} | {name} | {held} |" for i in found["items"] for name, held in i["held"].items()]


def _record_lines(found: Record) -> list[str]:
    lines = [
        "## Records",
        "",
        (
            "Each by one command in a fresh process on all cores, with nothing said but the inputs. Errors are those "
            "of forecasts from rolling origins, root mean square, in spreads of the record."
        ),
        "",
        "| record | seconds | law | scored | errors: law, then baselines |",
        "|---|--:|---|--:|---|",
    ]
    notes = []
    for name, item in found.items():
        if item["exit"]:
            lines.append(f"| {name} | {item['wall']:.0f} | failed: {item['said']} | | |")
            continue
        errors = "; ".join(
            f"{horizon} ahead: " + ", ".join(f"{who} {error:.2g}" for who, error in each.items() if error == error)
            for horizon, each in item["errors"].items()
        )
        lines.append(f"| {name} | {item['wall']:.0f} | {item['law']} | {item['scored']} | {errors} |")
        notes += [f"- {name}, said first: {said}." for said in item["first said"]]
        if "off the published posterior, %" in item:
            off = ", ".join(f"{key} {value:+.0f} %" for key, value in item["off the published posterior, %"].items())
            behind = item["the free sparse law is behind by"]
            notes.append(f"- {name}: off the published posterior by {off}; the free sparse law is {behind:.1f} behind.")
    return [*lines, "", *notes]


def _silverbox_lines(found: Record) -> list[str]:
    return [
        "## Silverbox",
        "",
        (
            "A law from the multisine part alone (samples from 40,400 on), then a free run on the arrow, from the "
            f"first measured position at rest: RMSE **{found['free run on the arrow, RMSE, mV']:.2f} mV** "
            f"(target: 1.2; ARX 14.2; a hand-written Duffing fit .93). {found['wall']:.0f} s. The input runs "
            f"{'as steps' if found['held'] else 'along lines'}."
        ),
        "",
        "```",
        found["equation"],
        "```",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="`continua fit` on known records, and how often its intervals hold.")
    parser.add_argument("--only", nargs="+", default=["coverage", "records", "silverbox"])
    parser.add_argument("--records", nargs="+", default=list(RECORDS), help="which of the records")
    parser.add_argument("--output", type=Path, required=True, help="the folder that gets fit.md and fit.json")
    options = parser.parse_args()
    os.environ |= {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    path = options.output / "fit.json"
    found: Record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    parts: dict[str, Callable[[], Record]] = {
        "coverage": coverage,
        "records": lambda: {
            **(found.get("records", {}).get("result", {}) if len(options.records) < len(RECORDS) else {}),
            **records(options.records),
        },
        "silverbox": silverbox,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        found[name] = {"result": parts[name](), "machine": timing.machine()}
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (options.output / "fit.md").write_text(page(found), encoding="utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
