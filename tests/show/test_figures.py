"""Figures: well-formed, the same in every run, apart from each other, and legible on any page."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from continua.show import PALETTE, new_figure, svg

SVG = "{http://www.w3.org/2000/svg}"


def drawing(phase=0.0):
    figure, axes = new_figure(4.0, 3.0, rows=1, columns=2)
    x = np.linspace(0, 6, 50)
    axes[0, 0].plot(x, np.sin(x + phase), label="cost in $ or $")
    axes[0, 0].plot(x, np.cos(x), "k.", label="<data> & 日本")
    axes[0, 0].legend()
    axes[0, 0].set_xlabel(r"t $\frac$ [s]")
    axes[0, 1].fill_between(x, x, 2 * x + 0.1, alpha=0.3)
    axes[0, 1].set_yscale("log")
    return figure


def test_the_svg_is_well_formed_and_alone():
    root = ElementTree.fromstring(svg(drawing()))
    assert root.tag == SVG + "svg"
    assert root.get("viewBox")
    assert not list(root.iter(SVG + "metadata"))
    assert not list(root.iter(SVG + "style"))
    words = "".join(root.itertext())
    for label in ("cost in $ or $", "<data> & 日本", r"t $\frac$ [s]"):
        assert label in words
    assert set(re.findall(r"https?://[^\s\"]+", svg(drawing()))) == {"http://www.w3.org/2000/svg"}


def test_the_same_figure_gives_the_same_string():
    assert svg(drawing()) == svg(drawing())


def test_ids_are_unique_across_figures_and_found():
    first, second = svg(drawing()), svg(drawing(1.0))
    ids = [set(re.findall(r'\bid="([^"]+)"', one)) for one in (first, second)]
    assert not ids[0] & ids[1]
    for one, own in zip((first, second), ids, strict=True):
        used = set(re.findall(r'href="#([^"]+)"', one)) | set(re.findall(r"url\(#([^)]+)\)", one))
        assert used
        assert used <= own


def test_black_becomes_the_ink_of_the_page_and_nothing_is_white():
    drawn = svg(drawing())
    assert "currentColor" in drawn
    assert "#000000" not in drawn
    assert "#ffffff" not in drawn


def test_the_users_settings_stay_and_do_not_leak_in():
    plain = svg(drawing())
    with mpl.rc_context(
        {"text.color": "white", "axes.edgecolor": "white", "xtick.color": "white", "svg.fonttype": "path"}
    ):
        before = dict(mpl.rcParams)
        drawn = svg(drawing())
        assert dict(mpl.rcParams) == before
    assert "<text" in drawn
    assert drawn.count("currentColor") == pytest.approx(plain.count("currentColor"), abs=4)  # the legend's own text


def luminance(colour):
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("paper", ["#ffffff", "#141414"])
def test_contrast_is_at_least_three(colour, paper):
    """WCAG 2.1, success criterion 1.4.11: graphics need a contrast of 3."""
    low, high = sorted((luminance(colour), luminance(paper)))
    assert (high + 0.05) / (low + 0.05) >= 3.0
