"""From a TOML file and a table to a network in a folder; one line for everything that can be wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest

from continua.app.command import main
from continua.core import ArgumentError
from continua.files import toml_tables
from continua.train import load_network, read_configuration
from continua.train.configuration import plain, toml_text

TEXT = """\
data = "points.csv"
target = "side"
[model]
hidden = [8]
activation = "tanh"
[optimiser]
name = "adam"
rate = 0.03
[training]
epochs = 12
batch_size = 16
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A table of two classes that a circle separates, and how to learn them."""
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).normal(size=(150, 2)) * np.array([10.0, 0.1]) + 5
    inside = np.hypot((points[:, 0] - 5) / 10, (points[:, 1] - 5) / 0.1) < 1.2
    rows = [f"{x},{y},{'in' if i else 'out'},{x * y}" for (x, y), i in zip(points.tolist(), inside, strict=True)]
    Path("points.csv").write_text("\n".join(["x,y,side,product", *rows]) + "\n")
    Path("points.toml").write_text(TEXT)
    return tmp_path


def test_a_table_becomes_a_network_that_predicts_from_the_folder(folder, capsys):
    assert main(["train", "points.toml"]) == 0
    said = capsys.readouterr().out
    assert "read    120 rows to train on, 30 to validate\n" in said
    assert "ended   all 12 epochs are done\n" in said
    rows = [json.loads(line) for line in Path("points-run/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 12 * 8
    network = load_network("points-run")
    assert network.classes == ("in", "out")
    assert network.predict({"x": [5, 40], "y": [5, 5.3], "product": [25, 212]}).tolist() == ["in", "out"]
    with pytest.raises(ArgumentError, match="`columns` of `predict` must hold `y`"):
        network.predict({"x": [1], "product": [2]})
    Path("points.toml").write_text(TEXT.replace("epochs = 12", "epochs = 13"))
    assert main(["train", "points.toml"]) == 0  # goes on
    assert len(Path("points-run/metrics.jsonl").read_text().splitlines()) == 13
    Path("points.toml").write_text(TEXT.replace("0.03", "0.01"))
    assert main(["train", "points.toml"]) == 2
    assert "`optimiser.rate` of `train` must be 0.03, as in the run in points-run. Got 0.01" in capsys.readouterr().err


def test_a_number_is_predicted_in_its_own_units(folder):
    """The target is a feature besides: a linear network finds it."""
    text = TEXT.replace('"side"', '"product"').replace('"tanh"', '"identity"').replace("epochs = 12", "epochs = 60")
    Path("line.toml").write_text(text.replace("data =", 'features = ["x"]\ndata ='))
    assert main(["train", "line.toml"]) == 0
    assert load_network("line-run").predict({"x": [0.0, 10.0]}) == pytest.approx([0, 50], abs=1.5)


def test_a_configuration_is_written_as_it_is_read(folder):
    found = read_configuration("points.toml").changed({"optimiser.clip": 1.0, "model.hidden": [4, 4], "kind": None})
    Path("again.toml").write_text(toml_text(plain(found)))
    assert read_configuration("again.toml") == found
    tables = {"a": 'quo"te', "b": {"c.d": {"low": 1e-3, "log": True}, "e": [[1], [2, 3]]}}
    assert toml_tables(toml_text(tables) + "\n", "") == tables


WRONG = {
    "`optimiser` has no field `learning`. Use": ("rate", "learning"),
    "The file has no field `optimizer`. Did you mean `optimiser`?": ("[optimiser]", "[optimizer]"),
    "`training.epochs` must be a whole number. Got a string: 'many'": ("12", '"many"'),
    "`model.hidden` must be a list. Got an integer": ("[8]", "8"),
    "`optimiser.name` must be one of sgd, ": ('"adam"', '"adan"'),
    "`optimiser.rate` must be positive": ("0.03", "-1"),
    "`target` is missing": ('target = "side"', ""),
    "points.csv has no column `sde`. Did you mean `side`?": ('"side"', '"sde"'),
    "points.csv, line 2: `side` is no number": ('"side"', '"product"'),
    "`activation` of `MLP` must be one of": ("tanh", "tan"),
    "It is no TOML": ("[model]", "[model"),
    "`kind` must be one of classification, regression": ("[model]", 'kind = "classify"\n[model]'),
    "`validation` must leave rows on both sides": ("[model]", "validation = 0.001\n[model]"),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(folder, capsys, message):
    Path("points.toml").write_text(TEXT.replace(*WRONG[message]))
    before = sorted(path.name for path in folder.iterdir())
    assert main(["train", "points.toml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before
