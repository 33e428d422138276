"""A search over learning rates and widths that looks after itself, killed in the middle, and gone on with.

The course of diabetes after a year, from ten measurements (scikit-learn's table). A TOML file says what to learn and
what to search; `continua tune` writes every trial into a database, and stops those that fall behind. It is killed as a
power cut would; the same search then goes on where it was.

The trap: a search whose trials live in the memory of one process, and settings chosen by the data they were fitted to.
"""

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

import continua
from continua.train import read_configuration, tune

ASKED = """
data = "diabetes.csv"
target = "progression"
validation = 0.276
training = { epochs = 8, batch_size = 32 }
[search]
trials = 16
space.optimiser.rate = { low = 1e-4, high = 1.0, log = true }
space.model.hidden = { choices = [[2], [64]] }
"""
COMMAND = [sys.executable, "-m", "continua.app.command", "tune", "diabetes.toml"]
ENDED = "SELECT count(*) FROM trials WHERE state = 'COMPLETE'"


def killed_search(folder):
    """The command line's search, killed once three trials are through: any tool can look into the database."""
    with subprocess.Popen(COMMAND, cwd=folder, stdout=subprocess.DEVNULL) as process:
        ended, trials = 0, folder / "diabetes-search" / "trials.db"
        while ended < 3:
            time.sleep(0.1)
            with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(trials)) as database:
                ((ended,),) = database.execute(ENDED)
        process.kill()


def main(path="tuning_by_itself.png"):
    continua.configure(cache=True)  # programs that the killed search has compiled are found again
    table, figure = load_diabetes(), Figure(figsize=(7, 4), layout="constrained")
    with tempfile.TemporaryDirectory() as name:
        folder, names = Path(name), ",".join([*table.feature_names, "progression"])
        rows = np.column_stack([table.data, table.target])
        np.savetxt(folder / "diabetes.csv", rows, delimiter=",", header=names, comments="")
        (folder / "diabetes.toml").write_text(ASKED)
        killed_search(folder)
        found = tune(read_configuration(folder / "diabetes.toml"))
    print(f"killed after {found.before} trials; {found.done} in the end, {found.stopped} of them stopped early")
    print(f"best: rate {found.best.optimiser.rate:.3g}, width {found.best.model.hidden[0]}: loss {found.value:.4f}")
    axes = figure.subplots()
    for width in (2, 64):
        ended = [t for t in found.trials if t["model.hidden"] == [width] and t["validation"] is not None]
        axes.semilogx(
            [t["optimiser.rate"] for t in ended], [t["validation"] for t in ended], "o", label=f"width {width}"
        )
    for number, trial in enumerate(t for t in found.trials if t["validation"] is None):
        axes.axvline(trial["optimiser.rate"], color="0.8", zorder=0, label="" if number else "stopped early")
    axes.set(xlabel="learning rate", ylabel="validation loss, in variances", title="16 trials, one kill")
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
