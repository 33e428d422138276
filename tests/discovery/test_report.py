"""The report: one page that holds everything, whatever the states are called."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from continua.discovery.report import report_files
from continua.discovery.saving import horizon

VOID = {"meta", "br", "hr", "img", "link", "input"}
SECTIONS = [
    "What it means",
    "Data, fit and forecast",
    "What the law leaves unexplained",
    "Phase portrait",
    "What the forecast depends on",
    "What else was tried",
    "Forecasts tested on the record",
    "What was read",
    "Use it in Python",
]


class Reader(HTMLParser):
    """Checks that tags nest; collects tags, attributes, and the words in each kind of tag."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append((self.open[-1] if self.open else "", data))

    def told(self, tag):
        return [words for inside, words in self.words if inside == tag]


def page_of(model):
    markup = str(report_files(model, model.forecast(horizon(len(model.time))))["report.html"])
    assert set(re.findall(r"\bhttps?:[^\s\"<]*", markup)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
    }
    reader = Reader(markup)
    assert sum(tag == "script" for tag, _ in reader.seen) == 2  # the page's own
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in reader.seen}
    assert all(a.get("href", "#").startswith("#") and "src" not in a for _, a in reader.seen)
    return reader


def test_it_holds_every_section(hares):
    reader = page_of(hares)
    assert reader.told("h2") == SECTIONS
    assert reader.told("h1") == ["The law behind Hare and Lynx"]
    assert sum(tag == "math" for tag, _ in reader.seen) == 4
    assert sum(tag == "svg" for tag, _ in reader.seen) == 3
    cells = reader.told("td")
    assert {"α", "β", "γ", "δ", "growth rate of the prey", "1/(Lynx·year)", "Lotka–Volterra", "log-normal"} <= set(
        cells
    )
    assert any("21 rows, Year 1900 to 1920" in words for words in reader.told("p"))


def test_one_state_has_no_phase_portrait(yeast):
    reader = page_of(yeast)
    assert reader.told("h2") == [title for title in SECTIONS if title != "Phase portrait"]
    assert sum(tag == "svg" for tag, _ in reader.seen) == 2


def test_three_states(epidemic):
    reader = page_of(epidemic)
    assert reader.told("h2") == SECTIONS
    assert reader.told("h1") == ["The law behind S, I and R"]
    assert sum(tag == "math" for tag, _ in reader.seen) == 6


def test_names_cannot_break_the_page(hares):
    names = ('snow <hare> & "co"', "lynx_1 $x$ </svg><script>")
    rivals = tuple(dataclasses.replace(r, states=names) for r in hares.rivals)
    model = dataclasses.replace(
        hares, states=names, rivals=rivals, time_name="<year>", source="<b>.csv", notes=("a <i>",), unit="<&>"
    )
    reader = page_of(model)
    assert reader.told("h1") == [f"The law behind {names[0]} and {names[1]}"]
    assert sum(names[0] in words for words in reader.told("text")) >= 2
    assert not {"hare", "b", "i"} & {tag for tag, _ in reader.seen}


def test_what_to_beware_of_comes_first(hares):
    """A law that explains nothing says so before its equation."""
    model = dataclasses.replace(hares, fitted=hares.fitted * 0)
    markup = str(report_files(model, model.forecast(5))["report.html"])
    assert 0 < markup.index("does not reproduce its own data") < markup.index("<math")


def test_gaps_and_no_tested_forecasts(hares):
    values = hares.values.copy()
    values[3:6, 0] = np.nan
    reader = page_of(dataclasses.replace(hares, values=values, skills=()))
    assert "Forecasts tested on the record" not in reader.told("h2")
    assert any("3 gaps" in words for words in reader.told("p"))


@pytest.mark.parametrize("bound", [np.nan, np.inf])
def test_numbers_that_are_not_known(hares, bound):
    model = dataclasses.replace(hares, errors=np.full(4, bound), bounds=np.full((4, 2), bound))
    assert page_of(model).told("h2") == SECTIONS
