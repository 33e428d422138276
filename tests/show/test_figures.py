"""Figures: well-formed, the same in every run, apart from each other, and legible on any page."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from continua.show import PALETTE, figure_files, new_figure, svg

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


@pytest.mark.parametrize("alpha", [None, 0.3])
def test_areas_are_drawn_the_same_with_and_without_data(alpha):
    """An area that matplotlib defines first and then uses is drawn in place, so that a script can stretch it."""
    figure, axes = new_figure(3.0, 2.0)
    x = np.linspace(0, 1, 5)
    for shift in (0, 0, 1):  # two are alike: matplotlib may share one definition
        axes[0, 0].fill_between(x, x + shift, x + shift + 1, alpha=alpha, linewidth=0)
    root = ElementTree.fromstring(svg(figure))
    shapes = [group for group in root.iter(SVG + "g") if group.get("data-shape") is not None]
    assert len(shapes) == 3
    for shape in shapes:
        assert len(list(shape.iter(SVG + "path"))) == 1
        assert not list(shape.iter(SVG + "use"))
    paths = [next(shape.iter(SVG + "path")) for shape in shapes]
    assert paths[0].get("d") == paths[1].get("d") != paths[2].get("d")
    heights = [float(y) for y in re.findall(r"-?[\d.]+ (-?[\d.]+)", paths[0].attrib["d"])]
    assert 0 < min(heights) < max(heights) < 144  # within two inches


def test_many_round_points_are_one_path_of_the_same_dots():
    few, many = new_figure(4.0, 3.0), new_figure(4.0, 3.0)
    x = np.linspace(0, 1, 3000)
    for (_, axes), count in ((few, 300), (many, 3000)):
        axes[0, 0].plot(x[:: 3000 // count], x[:: 3000 // count] ** 2, "o", markersize=4)
        axes[0, 0].set(xlim=(0, 1), ylim=(0, 1))
    joined = next(p for p in ElementTree.fromstring(svg(many[0])).iter(SVG + "path") if "h0" in p.get("d", ""))
    dots = re.findall(r"M ([\d.]+) ([\d.]+) h0", joined.attrib["d"])
    uses = [(u.get("x"), u.get("y")) for u in ElementTree.fromstring(svg(few[0])).iter(SVG + "use")]
    assert dots[::10] == uses[-300:]
    assert "stroke-width: 5;" in joined.attrib["style"]  # the diameter and half a rim on either side
    assert len(svg(many[0], interactive=False)) / 3000 < 25


def test_files_stand_alone_and_are_the_same_in_every_run():
    files = figure_files("record", drawing(), 'Falls from 1 to "0" <b> 日本')
    assert files == figure_files("record", drawing(), 'Falls from 1 to "0" <b> 日本')
    assert list(files) == ["record.svg", "record.png"]
    root = ElementTree.fromstring(files["record.svg"])
    assert root[0].tag == SVG + "title"
    assert root[0].text == 'Falls from 1 to "0" <b> 日本'
    assert root[1].get("fill") == "#ffffff"
    assert root.get("color", "").startswith("#")
    assert "data-plot" not in root.attrib


def test_the_picture_is_white_sharp_and_undated():
    from PIL import Image

    with Image.open(io.BytesIO(figure_files("record", drawing(), "Sine.")["record.png"])) as picture:
        assert picture.size == (800, 600)  # 4 × 3 inches
        assert picture.getpixel((0, 0))[:3] == (255, 255, 255)
        assert picture.info["Description"] == "Sine."
        assert not {"Software", "Date", "Creation Time"} & set(picture.info)


def test_writing_files_does_not_change_the_figure():
    figure = drawing()
    before = svg(figure)
    figure_files("record", figure, "Sine.")
    assert svg(figure) == before


def test_files_need_words():
    with pytest.raises(ValueError, match="`alt` of `figure_files`"):
        figure_files("record", drawing(), " ")


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
