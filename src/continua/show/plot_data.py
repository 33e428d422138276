"""What a page's script must know of a figure to zoom it and to name its points.

`described` gives, as plain lists and dictionaries for JSON (lengths in points from the upper left corner):

    {"columns": [[number or null, …], …],                 each stands once, however many series share it
     "axes": [{"box": [left, top, width, height],
               "x": {"scale": "linear" | "log" | "date" | "fixed", "limits": [left, right], "label": …, "side": …,
                     "ticks": [[value, label], …] of a "fixed" one},
               "y": the same, limits from bottom to top,
               "series": [{"name": …, "x": column, "y": column, "to": column of a band's other edge}, …]}, …]}

"fixed" are the scales and the tick labels that only matplotlib knows: there the script moves the ticks that are there.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 2000  # of a series: more cannot be told apart on a screen
DIGITS = 6  # of a number, more where the axis starts far from zero
OWN_LABEL = "_"  # matplotlib's names for what has none begin so


class Marks(dict[str, tuple[str, str]]):
    """(attribute, value) by the id under which matplotlib draws an artist; the old ids come back in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.former: list[tuple[Any, str | None]] = []
        self.anchored: list[tuple[str, Any, Any]] = []

    def put(self, artist: Any, attribute: str, value: str = "") -> str:
        """Has the artist drawn under an id of our own."""
        name = f"continua-mark-{len(self.former)}"
        self.former.append((artist, artist.get_gid()))
        artist.set_gid(name)
        self[name] = (attribute, value)
        return name

    def anchor(self, artist: Any, axes: Any, text: Any) -> None:
        """Has the artist go with the text's point; where that is, is known when the axes have their final limits."""
        self.anchored.append((self.put(artist, "data-at"), axes, text))

    def settle(self) -> None:
        """Notes the anchors, after drawing, as shares of the axes."""
        for name, axes, text in self.anchored:
            self[name] = ("data-at", _share(axes, text))

    def restore(self) -> None:
        """Gives every artist its former id."""
        for artist, former in self.former:
            artist.set_gid(former)


@contextmanager
def marked(figure: "Figure") -> Iterator[Marks]:
    """Marks by id, for drawing a figure inside: its axes, and its parts that do not simply stretch when zoomed.

    `data-axes` (a number) on a group of axes, `data-axis` (x or y) on its ticks and labels, `data-keep` on an axis
    label, `data-move` on what keeps its shape and goes with its "centre" or its "start", `data-shape` on areas and
    lines that stretch, `data-loose` on what the axes do not clip, `data-at` on text and arrows that go with a point.
    """
    marks = Marks()
    try:
        for number, axes in enumerate(_zoomable(figure)):
            marks.put(axes, "data-axes", str(number))
            for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
                marks.put(axis, "data-axis", letter)
                marks.put(axis.label, "data-keep")
            for artist in axes.get_children():
                _mark_artist(marks, axes, artist)
        yield marks
    finally:
        marks.restore()


def _mark_artist(marks: Marks, axes: Any, artist: Any) -> None:
    from matplotlib.collections import Collection, PathCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.quiver import Quiver
    from matplotlib.text import Text

    if isinstance(artist, Quiver):
        marks.put(artist, "data-move", "centre" if artist.pivot == "middle" else "start")
    elif isinstance(artist, (FancyArrowPatch, PathCollection)):
        marks.put(artist, "data-move", "centre")
    elif isinstance(artist, Collection):
        marks.put(artist, "data-shape")
    elif isinstance(artist, Line2D) and not artist.get_clip_on() and _in_data(artist.get_transform(), axes):
        marks.put(artist, "data-loose")
    elif isinstance(artist, Text) and _is_anchored(axes, artist):
        marks.anchor(artist, axes, artist)
        if (arrow := getattr(artist, "arrow_patch", None)) is not None:
            marks.anchor(arrow, axes, artist)


def _is_anchored(axes: Any, text: Any) -> bool:
    """Whether a text belongs to a point of the data."""
    from matplotlib.text import Annotation

    return text.xycoords == "data" if isinstance(text, Annotation) else _in_data(text.get_transform(), axes)


def _share(axes: Any, text: Any) -> str:
    """The point that a text belongs to, "x y" from 0 0, the lower left corner of the axes, to 1 1."""
    x, y = getattr(text, "xy", None) or text.get_position()
    units = axes.convert_xunits(x), axes.convert_yunits(y)
    across, up = (axes.transData + axes.transAxes.inverted()).transform(units)
    return f"{across:.5f} {up:.5f}"


def described(figure: "Figure") -> dict[str, Any]:
    """The axes and series of a figure that was drawn just now: its layout is known only then."""
    columns: dict[tuple[float | None, ...], int] = {}
    width, height = (72 * inches for inches in figure.get_size_inches())
    axes = [_axes(one, columns, float(width), float(height)) for one in _zoomable(figure)]
    return {"columns": [list(column) for column in columns], "axes": axes}


def _zoomable(figure: "Figure") -> list[Any]:
    """The rectangular axes that show data and may move; a colour bar is none."""
    return [
        axes
        for axes in figure.axes
        if axes.name == "rectilinear"
        and axes.get_visible()
        and axes.get_navigate()
        and axes.get_label() != "<colorbar>"
        and np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    ]


def _axes(axes: Any, columns: dict[tuple[float | None, ...], int], width: float, height: float) -> dict[str, Any]:
    place = axes.get_position()
    box = [place.x0 * width, (1 - place.y1) * height, place.width * width, place.height * height]
    x, y = _axis(axes.xaxis, axes.get_xlim()), _axis(axes.yaxis, axes.get_ylim())

    def column(values: np.ndarray, axis: dict[str, Any]) -> int:
        return columns.setdefault(_rounded(values, axis["limits"]), len(columns))

    series = []
    for name, across, up in _series(axes):
        kept = _thinned(up[0])
        one = {"name": name, "x": column(across[kept], x), "y": column(up[0][kept], y)}
        series.append({**one, "to": column(up[1][kept], y)} if len(up) > 1 else one)
    return {"box": [round(float(length), 2) for length in box], "x": x, "y": y, "series": series}


def _axis(axis: Any, limits: tuple[float, float]) -> dict[str, Any]:
    scale = _scale(axis)
    about = {
        "scale": scale,
        "limits": [float(end) for end in limits],
        "label": axis.label.get_text(),
        "side": axis.get_ticks_position(),
    }
    if scale == "fixed":
        labels = [label.get_text() for label in axis.get_majorticklabels()]
        about["ticks"] = [list(tick) for tick in zip(map(float, axis.get_majorticklocs()), labels, strict=False)]
    return about


def _scale(axis: Any) -> str:
    """The scale: linear or log where ticks can be made anew, date, and fixed for what matplotlib alone can label."""
    from matplotlib.dates import AutoDateFormatter, ConciseDateFormatter, DateFormatter
    from matplotlib.ticker import FixedLocator, LogFormatter, ScalarFormatter

    formatter = axis.get_major_formatter()
    if isinstance(formatter, (AutoDateFormatter, ConciseDateFormatter, DateFormatter)):
        return "date"
    plain = isinstance(formatter, (ScalarFormatter, LogFormatter)) and not isinstance(
        axis.get_major_locator(), FixedLocator
    )
    return axis.get_scale() if plain and axis.get_scale() in ("linear", "log") else "fixed"


def _series(axes: Any) -> Iterator[tuple[str, np.ndarray, list[np.ndarray]]]:
    """(name, x, [y] or [lower, upper]) of what stands in the coordinates of the data."""
    from matplotlib.collections import PathCollection, PolyCollection

    for container in axes.containers:
        yield from _container(container)
    for line in axes.lines:
        if _in_data(line.get_transform(), axes):
            yield _name(line), *_pair(line.get_xydata())
    for collection in axes.collections:
        if isinstance(collection, PathCollection) and _in_data(collection.get_offset_transform(), axes):
            yield _name(collection), *_pair(np.ma.filled(np.ma.asarray(collection.get_offsets(), dtype=float), np.nan))
        elif isinstance(collection, PolyCollection) and _in_data(collection.get_transform(), axes):
            yield from _bands(collection)


def _container(container: Any) -> Iterator[tuple[str, np.ndarray, list[np.ndarray]]]:
    """The ends of the bars of a bar chart."""
    from matplotlib.container import BarContainer

    if not isinstance(container, BarContainer):
        return
    lying = container.orientation == "horizontal"
    ends = [
        (bar.get_x() + bar.get_width() / (1 if lying else 2), bar.get_y() + bar.get_height() / (2 if lying else 1))
        for bar in container.patches
    ]
    yield _name(container), *_pair(np.array(ends, dtype=float).reshape(-1, 2))


def _bands(collection: Any) -> Iterator[tuple[str, np.ndarray, list[np.ndarray]]]:
    """The edges of what `fill_between` drew: its outline runs along one edge and comes back along the other."""
    for path in collection.get_paths():
        outline = np.asarray(path.vertices)
        count = (len(outline) - 3) // 2
        there, back = outline[1 : count + 1], outline[count + 2 : 2 * count + 2][::-1]
        if count > 0 and len(outline) == 2 * count + 3 and np.array_equal(there[:, 0], back[:, 0]):
            yield _name(collection), there[:, 0], [there[:, 1], back[:, 1]]


def _pair(points: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    return np.asarray(points[:, 0], dtype=float), [np.asarray(points[:, 1], dtype=float)]


def _in_data(transform: Any, axes: Any) -> bool:
    """Whether both coordinates are the data's; those of a line across the axes are not."""
    return all(transform.contains_branch_seperately(axes.transData))


def _name(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith(OWN_LABEL) else label


def _thinned(values: np.ndarray) -> np.ndarray:
    """Which points to keep, in order: all of a short series, else the least and the greatest of each stretch."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), MOST_POINTS // 2 + 1).astype(int)
    kept = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        stretch = values[start:stop]
        if np.isfinite(stretch).any():
            kept |= {start + int(np.nanargmin(stretch)), start + int(np.nanargmax(stretch))}
    return np.array(sorted(kept))


def _rounded(values: np.ndarray, limits: list[float]) -> tuple[float | int | None, ...]:
    """Numbers as short as the axis allows; None for what is not finite."""
    span, reach = abs(limits[1] - limits[0]), max(map(abs, limits))
    digits = DIGITS + (max(0, math.floor(math.log10(reach / span))) if span and reach else 0)
    return tuple(_short(float(value), min(digits, 17)) for value in values)


def _short(value: float, digits: int) -> float | int | None:
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
