"""A search by two processes, one of which is killed; what it comes to, and what cannot be searched."""

import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import RDBStorage

from continua.app.command import main
from continua.train import read_configuration, tune

TEXT = """\
data = "line.csv"
target = "y"
[model]
hidden = [4]
activation = "tanh"
[training]
epochs = 4
batch_size = 16
[search]
trials = 6
heartbeat = 1
[search.space]
optimiser.rate = { low = 1e-5, high = 0.1, log = true }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A parabola, and what to search."""
    monkeypatch.chdir(tmp_path)
    x = np.linspace(-1, 1, 40)
    Path("line.csv").write_text("\n".join(["x,y", *(f"{a},{a * a}" for a in x)]) + "\n")
    Path("line.toml").write_text(TEXT)
    return tmp_path


def trials():
    """All that stands in the storage."""
    storage = RDBStorage("sqlite:///line-search/trials.db")
    (study,) = optuna.get_all_study_names(storage)
    found = optuna.load_study(study_name=study, storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    return found


def alive():
    """The numbers of the trials that have given a sign of life: nobody can miss the others."""
    with contextlib.closing(sqlite3.connect("line-search/trials.db")) as database:
        signs = "SELECT number FROM trials JOIN trial_heartbeats ON trials.trial_id = trial_heartbeats.trial_id"
        return {number for (number,) in database.execute(signs)}


def test_a_killed_process_is_replaced_and_its_trial_tried_again(folder, capsys):
    killed = []

    def kill(done, best):
        """A process that tries something: held still, so that it does not come to an end meanwhile."""
        for trial in [trial for trial in trials() if trial.state.name == "RUNNING" and trial.number in alive()]:
            process = trial.user_attrs.get("process")
            if process is not None and not killed:
                os.kill(process, signal.SIGSTOP)
                tries = trials()[trial.number].state.name == "RUNNING"
                os.kill(process, signal.SIGKILL if tries else signal.SIGCONT)
                killed.extend([trial.number] * tries)

    found = tune(read_configuration("line.toml"), jobs=2, tell=kill)
    assert killed
    assert found.before == 0
    assert found.done >= 6
    time.sleep(6.5)  # the killed one is silent now
    Path("line.toml").write_text(TEXT.replace("trials = 6", f"trials = {found.done + 2}"))
    assert main(["tune", "line.toml"]) == 0
    assert f"({found.done} in earlier calls" in capsys.readouterr().out
    after = trials()
    (failed,) = [after[number] for number in killed]
    (again,) = [trial for trial in after if trial.system_attrs.get("failed_trial") == failed.number]
    assert failed.state.name == "FAIL"
    assert again.params == failed.params
    assert again.state.name in ("COMPLETE", "PRUNED")
    best = min((trial for trial in after if trial.state.name == "COMPLETE"), key=lambda trial: trial.value)
    chosen = read_configuration("line-search/best.toml")
    assert chosen.optimiser.rate == best.params["optimiser.rate"]
    assert chosen.search is None


WRONG = {
    "`tune` needs [search.space]": ("optimiser.rate =", "# "),
    "`optimiser` has no field `rat`. Did you mean `rate`?": (".rate", ".rat"),
    "`optimiser.rate` must be positive. Got -1": ("1e-5", "-1"),
    "`search.space` has no numbers to try for `optimiser.rate`": ("0.1", "1e-6"),
    "`search.space` says of `optimiser.rate`": ("high", "hgh"),
    "`search.storage` cannot be used": ("trials = 6", 'storage = "nosuch://x"'),
    "`search` has no field `trails`. Did you mean `trials`?": ("trials", "trails"),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_searched_is_one_line(folder, capsys, message):
    Path("line.toml").write_text(TEXT.replace(*WRONG[message]))
    assert main(["tune", "line.toml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
