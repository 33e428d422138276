"""The gallery: `continua fit` on four records, its words and its reports; writes docs/gallery.

    python docs/make_gallery.py --only lynx-hare sunspots lorenz silverbox

Needs the data folder beside the project, or CONTINUA_DATA, for sunspots and Silverbox. Takes some minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from continua import solve
from continua.core import in_double_precision
from continua.equations import Lorenz
from continua.files import bundled_record

GALLERY = Path(__file__).parent / "gallery"
DATA = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
NOISE = 0.05  # of the deviation of each state of the simulation
FIRST_LINES = """# Gallery

What `continua fit` says of four records, and the reports that it writes (open the HTML files in a browser: they need
nothing else). Written by `python docs/make_gallery.py`.
"""


class Item(NamedTuple):
    """A record, how it is fitted, and where it comes from."""

    title: str
    file: Path
    options: tuple[str, ...]
    source: str


@in_double_precision
def simulated(folder: Path) -> Path:
    """Lorenz's equations with noise, as a table."""
    t = np.arange(0, 10.01, 0.02)
    y = np.asarray(solve(Lorenz(10.0, 28.0, 8 / 3), np.array([-8.0, 7.0, 27.0]), t, rtol=1e-10, atol=1e-10).ys)
    noisy = y + NOISE * y.std(0) * np.random.default_rng(0).standard_normal(y.shape)
    rows = [",".join(f"{x:.6g}" for x in (time, *row)) for time, row in zip(t, noisy, strict=True)]
    file = folder / "lorenz.csv"
    file.write_text("\n".join(["t,x,y,z", *rows]) + "\n", encoding="utf-8")
    return file


def items(folder: Path) -> dict[str, Item]:
    """By the name of their folder in the gallery."""
    return {
        "lynx-hare": Item(
            "Lynx and hare", bundled_record(), (), "Furs taken by the Hudson's Bay Company (ships with continua)."
        ),
        "sunspots": Item(
            "Sunspots",
            DATA / "series" / "statsmodels_sunspots.csv",
            (),
            "Yearly numbers, 1700 to 2008, NOAA's National Geophysical Data Center; the table comes with statsmodels.",
        ),
        "lorenz": Item(
            "A chaotic simulation", simulated(folder), (), f"Lorenz's equations with {NOISE:.0%} noise, seed 0."
        ),
        "silverbox": Item(
            "Silverbox",
            DATA / "sysid" / "silverbox_SNLS80mV.csv",
            ("--inputs", "V1", "--states", "V2"),
            "An electronic oscillator with a hardening spring, driven by V1: Wigren & Schoukens, nonlinear benchmarks.",
        ),
    }


def made(name: str, item: Item, folder: Path) -> None:
    """The report, its first figure, and what the command said."""
    command = ["continua", "fit", item.file.name, *item.options, "-o", name]
    program = "import sys; from continua.app.command import main; sys.exit(main())"
    run = [sys.executable, "-c", program, "fit", str(item.file), *item.options, "-o", str(folder / name), "--force"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    place = GALLERY / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copy(folder / name / "report.html", place)
    shutil.copy(folder / name / "figures" / "record.svg", place)
    said = done.stdout.replace(f"{folder}{os.sep}", "")
    words = [f"$ {' '.join(command)}", *said.strip().splitlines()]
    (place / "said.txt").write_text("\n".join(words) + "\n", encoding="utf-8")


def page(known: dict[str, Item]) -> str:
    """Markdown, of the items that were made."""
    lines = [FIRST_LINES]
    for name, item in known.items():
        place = GALLERY / name
        if not place.is_dir():
            continue
        said = (place / "said.txt").read_text(encoding="utf-8").rstrip()
        figure = f"![{item.title}: data, law and forecast]({name}/record.svg)"
        lines += [f"## {item.title}", "", f"{item.source} [The report]({name}/report.html).", ""]
        lines += ["```", said, "```", "", figure, ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes the gallery.")
    parser.add_argument("--only", nargs="+", help="names of folders in the gallery")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder:
        known = items(Path(folder))
        for name in only or known:
            made(name, known[name], Path(folder))
    (GALLERY / "README.md").write_text(page(known), encoding="utf-8")


if __name__ == "__main__":
    main()
