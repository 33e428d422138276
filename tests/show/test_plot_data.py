"""What a figure carries along for the page's script: where its axes are, and all its points by name."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.show import new_figure, svg
from continua.show.plot_data import MOST_POINTS

SVG = "{http://www.w3.org/2000/svg}"


def read(figure):
    root = ElementTree.fromstring(svg(figure))
    return root, json.loads(root.get("data-plot", "null"))


def points_of(about, axes=0, series=0):
    one = about["axes"][axes]["series"][series]
    columns = [np.array(about["columns"][one[key]], dtype=float) for key in ("x", "y", "to") if key in one]
    return one["name"], columns


def place(about, axes, x, y):
    """Points of the drawing from points of the data, by the limits, scales and box that the figure carries."""
    one = about["axes"][axes]
    left, top, width, height = one["box"]

    def share(axis, values):
        scaled = np.log if axis["scale"] == "log" else np.asarray
        low, high = scaled(axis["limits"])
        return (scaled(values) - low) / (high - low)

    return left + share(one["x"], x) * width, top + (1 - share(one["y"], y)) * height


@pytest.mark.parametrize("scales", [("linear", "linear"), ("log", "linear"), ("linear", "log"), ("log", "log")])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_transform_is_that_of_the_drawing(scales, inverted):
    """The points of the data fall on the marks that matplotlib drew, to the hundredth of a point that it was cut to."""
    figure, axes = new_figure(5.0, 4.0, rows=2)
    x, y = np.array([0.5, 2.0, 7.0, 40.0]), np.array([3.0, 0.02, 11.0, 5.0])
    axes[1, 0].plot(x, y, "o", label="p")
    axes[1, 0].set(xscale=scales[0], yscale=scales[1], ylabel="two\nlines")
    if inverted:
        axes[1, 0].invert_yaxis()
    root, about = read(figure)
    group = next(group for group in root.iter(SVG + "g") if group.get("data-axes") == "1")
    uses = [use for part in group if part.get("data-axis") is None for use in part.iter(SVG + "use")]
    drawn = np.array([[float(use.attrib["x"]), float(use.attrib["y"])] for use in uses])
    assert np.stack(place(about, 1, x, y), 1) == pytest.approx(drawn, abs=0.02)
    assert [about["axes"][1][letter]["scale"] for letter in "xy"] == list(scales)


def test_every_kind_of_series_is_there_by_its_label():
    figure, axes = new_figure()
    x = np.array([1.0, 2.0, 3.0])
    axes[0, 0].plot(x, x**2, label="line")
    axes[0, 0].scatter(x, -x, label="dots")
    axes[0, 0].fill_between(x, x - 1, x + 1, label="band")
    axes[0, 0].bar(x, x, label="bars")
    axes[0, 0].axvline(2.0, label="across")  # no series: its ends are the axes'
    axes[0, 0].plot(x, x)  # without a label
    found = dict(points_of(read(figure)[1], 0, k) for k in range(5))
    assert set(found) == {"line", "dots", "band", "bars", ""}
    for name, expected in {"line": [x, x**2], "dots": [x, -x], "band": [x, x - 1, x + 1], "bars": [x, x]}.items():
        np.testing.assert_array_equal(found[name], expected)
    assert len(read(figure)[1]["axes"][0]["series"]) == 5


def test_columns_that_are_alike_stand_once():
    figure, axes = new_figure(rows=2)
    x = np.linspace(0, 1, 50)
    for axis, power in zip(axes[:, 0], (1, 2), strict=True):
        axis.plot(x, x**power)
        axis.plot(x, 1 - x**power)
    assert len(read(figure)[1]["columns"]) == 4


@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=1, max_size=8),
    label=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
)
@settings(deadline=None, max_examples=12)
def test_any_numbers_and_names_survive(values, label):
    """Not finite: null. Names: as they are, whatever they hold."""
    figure, axes = new_figure(2.0, 2.0)
    with np.errstate(all="ignore"):
        axes[0, 0].plot(np.arange(len(values)), values, label=label)
        axes[0, 0].set(xlim=(-1, 9), ylim=(-1, 1))
        about = read(figure)[1]
    name, (x, y) = points_of(about)
    assert name == ("" if label.startswith("_") else label)
    np.testing.assert_array_equal(x, np.arange(len(values)))
    known = np.isfinite(values)
    np.testing.assert_array_equal(np.isfinite(y), known)
    np.testing.assert_allclose(y[known], np.array(values)[known], rtol=5e-6)


def test_a_hostile_name_stays_in_its_attribute():
    figure, axes = new_figure()
    hostile = '"></svg><script>alert(1)</script>\u2028&quot;'
    axes[0, 0].plot([1.0], [1.0], label=hostile)
    axes[0, 0].set_xlabel(hostile)
    root, about = read(figure)
    assert points_of(about)[0] == about["axes"][0]["x"]["label"] == hostile
    assert not list(root.iter(SVG + "script"))
    assert "<script" not in svg(figure)


def test_a_long_series_keeps_its_peaks_and_its_order():
    figure, axes = new_figure()
    y = np.sin(np.arange(50_000) / 500.0)
    y[12_345], y[33_333] = 7.0, np.nan
    axes[0, 0].plot(y)
    _, (x, kept) = points_of(read(figure)[1])
    assert len(x) <= MOST_POINTS + 2
    assert (np.diff(x) > 0).all()
    assert 7.0 in kept
    assert {0.0, 49_999.0} <= set(x)


def test_numbers_far_from_zero_keep_their_digits():
    figure, axes = new_figure()
    time = 1.7e9 + np.arange(5.0)
    axes[0, 0].plot(time, np.arange(5.0))
    np.testing.assert_array_equal(points_of(read(figure)[1])[1][0], time)


def test_ticks_that_only_matplotlib_knows_are_told():
    figure, axes = new_figure(columns=2)
    axes[0, 0].barh(["one", "two <b>"], [1.0, 2.0])
    axes[0, 1].plot(np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"), [1.0, 2.0])
    first, second = read(figure)[1]["axes"]
    assert first["y"]["scale"] == "fixed"
    assert first["y"]["ticks"] == [[0.0, "one"], [1.0, "two <b>"]]
    assert second["x"]["scale"] == "date"
    assert points_of(read(figure)[1], 1)[1][0][0] == 18262  # days from 1970 to 2020


def test_axes_that_cannot_move_are_left_out():
    figure, axes = new_figure(columns=2)
    figure.colorbar(axes[0, 0].imshow(np.eye(3)))
    axes[0, 1].set_navigate(False)
    assert len(read(figure)[1]["axes"]) == 1
    alone, axes = new_figure()
    axes[0, 0].set_navigate(False)
    assert read(alone)[1] is None
    assert read(new_figure()[0])[1] is not None
    assert "data-" not in svg(new_figure()[0], interactive=False)


def test_the_artists_keep_their_own_ids():
    figure, axes = new_figure()
    line = axes[0, 0].plot([1.0, 2.0], label="a")[0]
    arrows = axes[0, 0].quiver([1.0], [1.0], [1.0], [1.0])
    arrows.set_gid("mine")
    before = svg(figure, interactive=False)
    svg(figure)
    assert (line.get_gid(), arrows.get_gid()) == (None, "mine")
    assert svg(figure, interactive=False) == before


def test_parts_that_keep_their_shape_are_marked():
    figure, axes = new_figure()
    grid = np.linspace(0, 4, 5)
    axes[0, 0].quiver(*np.meshgrid(grid, grid), np.ones((5, 5)), np.ones((5, 5)))
    axes[0, 0].scatter(grid, grid, s=10 + grid)
    axes[0, 0].annotate("here", (1.0, 3.0), xytext=(5, 5), textcoords="offset points", arrowprops={"arrowstyle": "->"})
    axes[0, 0].text(0.5, 0.5, "corner", transform=axes[0, 0].transAxes)
    axes[0, 0].set(xlim=(0, 4), ylim=(0, 4))
    root, _ = read(figure)
    assert {group.get("data-move") for group in root.iter(SVG + "g")} == {None, "start", "centre"}
    anchors = [group.get("data-at") for group in root.iter(SVG + "g") if group.get("data-at")]
    assert anchors == ["0.25000 0.75000"] * 2  # the arrow and its text
