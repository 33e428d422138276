"""Models as JSON, written and read back; nothing in a file is ever executed."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError
from continua.discovery.audit import Finding
from continua.discovery.forecasting import Belief
from continua.discovery.model import Model, Rival
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES
from continua.discovery.proposing import symbol_names
from continua.discovery.rolling import Skill
from continua.discovery.unexplained import Unexplained
from continua.equations import Written, WrittenParameter, WrittenSystem, python_text

FORMAT = 3


def stored(model: Model | Unexplained) -> str:
    """The model as JSON; NaN becomes null."""
    return json.dumps(_plain(model), indent=1, ensure_ascii=False)


def _plain(model: Model | Unexplained) -> dict[str, Any]:
    """The model as JSON can hold it."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | list | tuple):
            return [plain(v) for v in (value.tolist() if isinstance(value, np.ndarray) else value)]
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items()}
        return None if isinstance(value, float) and not np.isfinite(value) else value

    if isinstance(model, Unexplained):
        return {"format": FORMAT, "law": None, **plain(asdict(model))}
    written = None if model.written is None else _written_plain(model.written)
    return {"format": FORMAT, **plain(asdict(replace(model, written=None))), "written": written}


def _written_plain(written: WrittenSystem) -> dict[str, Any]:
    """The right-hand sides as text, which is parsed when the model is read."""
    return {
        "title": written.title,
        "states": list(written.states),
        "sides": [python_text(side) for side in written.sides],
        "parameters": [asdict(p) for p in written.parameters],
        "inputs": list(written.inputs),
    }


def _written(read: Mapping[str, Any]) -> WrittenSystem:
    """The law of `_written_plain`; its text is parsed, never evaluated."""
    parameters = tuple(WrittenParameter(**p) for p in read["parameters"])
    lines = [f"d {state}/dt = {side}" for state, side in zip(read["states"], read["sides"], strict=True)]
    free = {p.name: p.start for p in parameters if not p.fixed}
    fixed, inputs = {p.name: p.start for p in parameters if p.fixed}, tuple(read["inputs"])
    law = Written.from_text("\n".join(lines), free, constants=fixed, inputs=inputs)
    return WrittenSystem(str(read["title"]), law.states, law.sides, parameters, inputs)


def load(path: str | os.PathLike[str]) -> Model | Unexplained:
    """A model that `fit` or `Model.save` wrote.

    Args:
        path: the folder, or its model.json.

    Returns:
        The `Model`, or the `Unexplained` where there was no law.

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
        return _unexplained(read) if read["law"] is None else _model(read)
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
    common = _common(read)
    made: dict[str, Any] = {f.name: read[f.name] for f in fields(Model) if f.name not in common}
    for name in ("sigma", "errors", "bounds", "time", "values", "fitted", "input_values"):
        made[name] = _array(made[name])
    made["bounds"] = np.where(np.isnan(made["bounds"]), [-np.inf, np.inf], made["bounds"])
    made["belief"] = Belief(**{k: _array(v) for k, v in read["belief"].items()})
    made["written"] = None if read["written"] is None else _written(read["written"])
    made["values"] = made["values"].reshape(made["fitted"].shape)
    made["input_values"] = made["input_values"].reshape(len(made["time"]), len(made["inputs"]))
    made["inputs"], made["begins"] = tuple(made["inputs"]), tuple(made["begins"])
    model = Model(**made, **common)
    _check(model)
    return model


def _array(value: Any) -> NDArray[np.float64]:
    return np.array(value, dtype=float)  # null becomes NaN


def _number(value: Any, missing: float) -> float:
    return missing if value is None else float(value)


def _common(read: Mapping[str, Any]) -> dict[str, Any]:
    """What a model with and without a law both hold."""
    rivals = (
        Rival(
            str(r["title"]),
            str(r["noise"]),
            tuple(r["states"]),
            _number(r["aicc"], np.inf),
            _number(r["behind"], np.inf),
        )
        for r in read["rivals"]
    )
    skills = (Skill(**{**s, "model": _number(s["model"], np.nan)}) for s in read["skills"])
    findings = (
        Finding(**{**f, "states": tuple(f["states"]), "amount": _number(f["amount"], np.nan)}) for f in read["findings"]
    )
    return {
        "rivals": tuple(rivals),
        "skills": tuple(skills),
        "findings": tuple(findings),
        "states": tuple(read["states"]),
        "notes": tuple(read["notes"]),
    }


def _unexplained(read: Mapping[str, Any]) -> Unexplained:
    """Arrays, tuples and records from plain JSON; a ValueError where they do not belong together."""
    common = _common(read)
    made = {f.name: read[f.name] for f in fields(Unexplained) if f.name not in common}
    arrays = {"time": _array(read["time"]), "values": _array(read["values"]), "reasons": tuple(read["reasons"])}
    model = Unexplained(**{**made, **common, **arrays})
    if model.values.shape != (len(model.time), len(model.states)):
        raise ValueError("arrays of other shapes")
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
    begins = [0, *model.begins, rows]
    if list(model.begins) != sorted(set(model.begins)) or begins[1] != 0 or begins[-2] >= rows:
        raise ValueError("trajectories that do not begin in rows")
    if tuple(model.family.inputs) != tuple(symbol_names([*model.states, *model.inputs])[states:]):
        raise ValueError("inputs of another law")
    if any(array.shape != shape for shape, arrays in shapes.items() for array in arrays):
        raise ValueError("arrays of other shapes")
