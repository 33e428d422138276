"""The command line: what a person sees, and one line for everything that can be wrong with a table."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import continua
from continua.app.command import main

WRITTEN = ["figures", "forecast.csv", "model.json", "report.html"]
ROWS = "year,hare,lynx\n1900,30,4\n1901,47.2,6.1\n1902,70.2,9.8\n1903,77.4,35.2\n1904,36.3,59.4\n"
DAYS = np.linspace(0.0, 5.0, 21)  # as many as in other rooms' tests: their compiled programs serve here too
AMOUNT = 40 * np.exp(-0.7 * DAYS) + np.random.default_rng(0).normal(0, 0.4, len(DAYS))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("COLUMNS", "60")
    return work


@pytest.fixture(scope="session")
def decay():
    """A small model."""
    return continua.fit({"day": DAYS, "amount": AMOUNT})


def everything():
    return sorted(str(path) for path in Path().rglob("*"))


def refused(capsys, *arguments):
    """The one line on standard error with which the command ends; nothing is written."""
    before = everything()
    assert main(["fit", *arguments]) == 2
    said = capsys.readouterr()
    assert everything() == before
    assert said.err.startswith("continua: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err + said.out
    return said.err


# ---- what goes well


def test_a_table_becomes_a_report(capsys, folder):
    lines = ["day,amount,unit,always", *(f"{t},{y},mg,7" for t, y in zip(DAYS, AMOUNT, strict=True))]
    Path("rats.csv").write_text("\n".join(lines) + "\n")
    assert main(["fit", "rats.csv"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert sorted(file.name for file in Path("rats-law").iterdir()) == WRITTEN
    assert "21 rows, day 0–5, 1 state (amount), no gaps" in said.out
    assert "`unit` was dropped: it holds text" in said.out
    assert "`always` was dropped: it is constant" in said.out
    assert "found   exponential decay" in said.out
    assert "d amount/dt = −0." in said.out
    assert "[time in days]" in said.out
    assert "wrote   rats-law/report.html" in said.out
    assert continua.load("rats-law").parameters["k"] == pytest.approx(0.7, rel=0.05)
    assert "exists" in refused(capsys, "rats.csv")


def test_options_reach_the_reader_and_the_folder(capsys, decay, monkeypatch):
    asked = []
    monkeypatch.setattr("continua.app.command.fit", lambda table, **options: asked.append(table) or decay)
    Path("t.csv").write_text(ROWS)
    assert main(["fit", "t.csv", "-o", "deep/out", "--time", "year", "--states", "lynx, hare"]) == 0
    assert Path("deep/out/report.html").is_file()
    assert asked[0].states == ("lynx", "hare")
    assert main(["fit", "t.csv", "--output", "deep/out", "--states", "lynx", "--force"]) == 0
    assert asked[1].states == ("lynx",)
    assert main(["fit", "-o", "bundled"]) == 0
    assert asked[2].states == ("Lynx", "Hare")
    assert "21 rows, Year 1900–1920, 2 states (Lynx, Hare), no gaps" in capsys.readouterr().out


def test_names_are_not_markup(capsys, decay, monkeypatch):
    monkeypatch.setattr("continua.app.command.fit", lambda table, **options: decay)
    Path("t.csv").write_text(ROWS.replace("hare", "[red]hare[/red]"))
    assert main(["fit", "t.csv"]) == 0
    assert "([red]hare[/red], lynx)" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["--version"]])
def test_help_and_version(capsys, arguments):
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert continua.__version__ in said.out or "--states" in said.out or "fit" in said.out


def test_an_interrupt_is_one_line(capsys, monkeypatch):
    def interrupted(table, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("continua.app.command.fit", interrupted)
    Path("t.csv").write_text(ROWS)
    assert main(["fit", "t.csv"]) == 130
    assert capsys.readouterr().err == "continua: Stopped; nothing was written.\n"
    assert everything() == ["t.csv"]


def test_as_a_process(folder):
    """One real process: exit code 2, one line on standard error, nothing on standard output."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(Path(continua.__file__).parents[1])}
    command = [sys.executable, "-m", "continua.app.command", "fit", "nowhere.csv"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("continua: ")
    assert done.stderr.count("\n") == 1
    assert everything() == []


# ---- what does not


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", ["t.csv is empty"], id="empty"),
        pytest.param(b"\n\n# nothing\n", ["t.csv is empty"], id="only comments"),
        pytest.param(b"year,hare\n", ["only a header"], id="only a header"),
        pytest.param(b"year,hare\n1900,30\n", ["only one row"], id="one row"),
        pytest.param(b"year,hare\n1900,30\n1901,31\n1902,32\n", ["3 usable rows", "4 rows"], id="three rows"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["binary"], id="binary"),
        pytest.param(b"PK\x03\x04" + bytes(30), ["spreadsheet"], id="spreadsheet"),
        pytest.param("year,høne\n1900,3\n".encode("latin-1"), ["line 1", "UTF-8"], id="latin-1"),
        pytest.param(ROWS.replace("9.8", "many").encode(), ["line 4", "`lynx`", "many", "not a number"], id="text"),
        pytest.param(ROWS.replace("9.8", "inf").encode(), ["line 4", "`lynx`", "infinite"], id="infinite"),
        pytest.param(ROWS.replace("9.8", "-Infinity").encode(), ["line 4", "`lynx`", "infinite"], id="minus infinity"),
        pytest.param(ROWS.replace("9.8", "1e999").encode(), ["line 4", "`lynx`", "infinite"], id="overflow"),
        pytest.param(ROWS.replace("1902", "1901").encode(), ["line 3", "line 4", "same time"], id="duplicate times"),
        pytest.param(ROWS.replace("1902", "soon").encode(), ["line 4", "`year`", "soon"], id="text in the time"),
        pytest.param(ROWS.replace(",9.8", "").encode(), ["line 4", "2 cells", "3"], id="a short row"),
        pytest.param(b"year,hare\n1,5\n2,5\n3,5\n4,5\n5,5\n", ["no column of varying numbers"], id="all constant"),
        pytest.param(b"year,hare\n1,\n2,\n3,NA\n4,\n5,-\n", ["no column of varying numbers"], id="all gaps"),
        pytest.param(b"year,hare,hare\n1,2,3\n2,3,4\n3,4,5\n4,5,6\n", ["hare"], id="a name twice"),
    ],
)
def test_bad_tables(capsys, content, words):
    Path("t.csv").write_bytes(content)
    said = refused(capsys, "t.csv")
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["nowhere.csv"], ["must be a file that exists", "nowhere.csv"], id="missing"),
        pytest.param(["tt.csv"], ["Did you mean", "t.csv"], id="misspelt"),
        pytest.param(["no/folder/t.csv"], ["folder does not exist"], id="no folder"),
        pytest.param(["."], ["must be a file", "folder"], id="directory"),
        pytest.param(["/dev/null"], ["device"], id="device"),
        pytest.param(["two\nlines.csv"], ["must be a file that exists"], id="newline"),
        pytest.param(["t.csv", "--states", "har"], ["Did you mean `hare`?"], id="unknown column"),
        pytest.param(["t.csv", "--states", "hare,wolf"], ["Got 'wolf'", "`year`"], id="unknown column among known"),
        pytest.param(["t.csv", "--time", "yaer"], ["Did you mean `year`?"], id="unknown time"),
        pytest.param(["t.csv", "--states", "year", "--time", "year"], ["time column"], id="time as a state"),
        pytest.param(["t.csv", "--states", "hare,hare"], ["once"], id="a state twice"),
        pytest.param(["t.csv", "--states", "same"], ["`same` is constant"], id="constant, asked for"),
        pytest.param(["t.csv", "--states", "blank"], ["`blank` is empty"], id="empty, asked for"),
        pytest.param(["t.csv", "--states", ""], ["`states`"], id="no state"),
        pytest.param(["t.csv", "--sates", "hare"], ["--sates", "--help"], id="unknown option"),
        pytest.param(["t.csv", "more.csv"], ["more.csv"], id="too many arguments"),
        pytest.param(["t.csv", "--time"], ["--time"], id="option without value"),
        pytest.param(["t.csv", "-o", "t.csv"], ["t.csv", "file"], id="output is a file"),
        pytest.param(["t.csv", "-o", "t.csv", "--force"], ["t.csv", "file"], id="output is a file, by force"),
        pytest.param(["t.csv", "-o", "thesis"], ["thesis", "exists", "--force"], id="output exists"),
        pytest.param(["t.csv", "-o", "thesis", "--force"], ["thesis", "other things"], id="someone else's folder"),
    ],
)
def test_bad_arguments(capsys, arguments, words, monkeypatch):
    monkeypatch.setattr("continua.app.command.fit", lambda table, progress: pytest.fail("minutes of work for nothing"))
    lines = ROWS.splitlines()
    Path("t.csv").write_text("\n".join([lines[0] + ",same,blank", *(line + ",7," for line in lines[1:])]) + "\n")
    Path("thesis").mkdir()
    Path("thesis/chapter.tex").write_text("years of work")
    said = refused(capsys, *arguments)
    for word in words:
        assert word in said


def test_an_unknown_command_is_one_line(capsys):
    assert main(["fti"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_model_is_shown_forecast_and_compared(capsys, decay):
    decay.save("law")
    rows = "".join(f"{t + 7},{amount}\n" for t, amount in zip(decay.time, decay.values[:, 0], strict=True))
    Path("new.csv").write_text("day,amount\n" + rows)
    assert main(["show", "law"]) == 0
    said = capsys.readouterr().out
    assert "d amount/dt = −0.7" in said
    assert "(95 %:" in said
    assert main(["forecast", "law", "--horizon", "2"]) == 0
    assert main(["forecast", "law/model.json", "--horizon", "2", "--data", "new.csv"]) == 0
    header, first, _, _, later, _ = capsys.readouterr().out.splitlines()
    assert header == "day,amount,amount lower,amount upper"
    assert float(later.split(",")[0]) == pytest.approx(float(first.split(",")[0]) + 7)
    assert float(later.split(",")[1]) == pytest.approx(float(first.split(",")[1]), rel=1e-3)
    assert main(["compare", "law", "law/model.json", "new.csv"]) == 0
    assert capsys.readouterr().out.count("exponential") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nothing"], "must be a folder that `fit` wrote"),
        (["forecast", "nothing", "--horizon", "2"], "must be a folder that `fit` wrote"),
        (["compare", "nothing"], "needs one or more models and, last, a table"),
    ],
)
def test_bad_models_are_one_line(capsys, arguments, words):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_terms_that_there_are_not_are_one_line(capsys, folder):
    Path("hunt.csv").write_text(ROWS, encoding="utf-8")
    assert "`known` names the state `fox`" in refused(capsys, "hunt.csv", "--known", "fox: lynx")
    assert "`forbidden` names `lynx**9`" in refused(capsys, "hunt.csv", "--forbid", "hare: lynx**9")
    assert "`--known` must have a number" in refused(capsys, "hunt.csv", "--known", "hare: lynx = many")


def test_options_for_the_search_reach_fit(capsys, folder, decay, monkeypatch):
    given = {}
    monkeypatch.setattr("continua.app.command.fit", lambda table, progress, **options: given.update(options) or decay)
    Path("hunt.csv").write_text(ROWS, encoding="utf-8")
    terms = ["--known", "hare: hare", "--known", "lynx: hare = 2", "--forbid", "1", "--trigonometric", "--rational"]
    assert main(["fit", "hunt.csv", *terms, "--degree", "2"]) == 0
    assert given == {
        "equations": [],
        "degree": 2,
        "trigonometric": True,
        "rational": True,
        "known": {"hare": {"hare": None}, "lynx": {"hare": 2.0}},
        "forbidden": {"hare": ["1"], "lynx": ["1"]},
        "seed": 0,
    }


def test_inputs_and_trajectories_reach_fit(capsys, folder, decay, monkeypatch):
    given = []
    monkeypatch.setattr("continua.app.command.fit", lambda table, progress, **options: given.append(table) or decay)
    rows = [f"{run},{t},{t * t},{(t * 7) % 3}" for run in "ab" for t in range(12)]
    Path("runs.csv").write_text("\n".join(["run,t,x,u", *rows]) + "\n", encoding="utf-8")
    assert main(["fit", "runs.csv", "--inputs", "u", "--trajectory", "run"]) == 0
    (table,) = given
    assert (table.states, table.inputs, table.trajectory_names) == (("x",), ("u",), ("a", "b"))
    assert "1 state (x), driven by 1 input (u), 2 trajectories" in capsys.readouterr().out
    assert "`inputs` of `read_table` must name columns" in refused(capsys, "runs.csv", "--inputs", "w")
