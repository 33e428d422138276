"""Figures as inline SVG: small, the same in every run, and legible on a light and on a dark page."""

import hashlib
import io
import re
import warnings
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Six hues that keep a contrast of at least 3 on white and on near-black and differ for colour-blind eyes, after
# Okabe & Ito, Color Universal Design (2008), darkened or lightened where needed.
PALETTE = ("#1f77b4", "#d55e00", "#009e73", "#b8579a", "#a07800", "#7f7f7f")

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
DECIMALS = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
INK = "#000000"  # matplotlib's default; becomes the colour of the text around the figure

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "legend.edgecolor": "none",
    "legend.facecolor": "none",
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "continua",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelcolor": INK,
    "ytick.color": INK,
    "ytick.labelcolor": INK,
}


def new_figure(width: float = 6.4, height: float = 4.0, rows: int = 1, columns: int = 1) -> "tuple[Figure, Any]":
    """A figure that pyplot knows nothing of, and its axes.

    Args:
        width: in inches; a page shrinks it where it must.
        height: in inches.
        rows: rows of axes.
        columns: columns of axes.

    Returns:
        The figure and an object array of axes [row, column]. The user's matplotlib settings stay as they are.
    """
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, "axes.prop_cycle": cycler(color=list(PALETTE))}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(rows, columns, squeeze=False)
        for one in axes.ravel():  # ticks are made later, under the user's settings, unless they are told now
            one.tick_params(which="both", color=INK, labelcolor=INK)
    return figure, axes


def svg(figure: "Figure") -> str:
    """The figure as an `<svg>` element to stand inside a page.

    Black becomes the colour of the page's text, the background is transparent and legends have no box, ids are unique
    to the figure, a dollar in a label is a dollar, and the same figure gives the same string in every run.
    """
    root = ElementTree.fromstring(_drawn(figure))
    for parent in (root, *root.findall(f"{{{SVG_NAMESPACE}}}defs")):
        for child in [child for child in parent if child.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)  # a date, and a style that would reach the whole page
    prefix = "f" + hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:10] + "-"
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: _own(name, value, prefix) for name, value in element.attrib.items()}
    root.set("xmlns", SVG_NAMESPACE)
    root.attrib.pop("version", None)
    root.attrib.update({"fill": "currentColor", "stroke-linejoin": "round", "stroke-linecap": "butt"})
    return ElementTree.tostring(root, encoding="unicode").strip()


def _drawn(figure: "Figure") -> str:
    """The SVG document that matplotlib writes."""
    import matplotlib as mpl

    for label in _labels(figure):
        label.set_parse_math(False)
    for legend in _legends(figure):  # a box in the user's colours would hide the text on a dark page
        legend.get_frame().set(facecolor="none", edgecolor="none")
    stream = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader's browser has the letter
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _labels(figure: "Figure") -> list[Any]:
    """The texts that a user's names may stand in; tick labels are matplotlib's own."""
    found: list[Any] = list(figure.texts)
    for axes in figure.axes:
        found += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
    return found + [text for legend in _legends(figure) for text in legend.get_texts()]


def _legends(figure: "Figure") -> list[Any]:
    return [*figure.legends, *(legend for axes in figure.axes if (legend := axes.get_legend()) is not None)]


def _own(name: str, value: str, prefix: str) -> str:
    """An attribute with ids of this figure, the page's ink for black, and lengths to a hundredth of a point."""
    if name in ("d", "x", "y"):
        return DECIMALS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    if name == "id":
        return prefix + value
    if name in (LINK, "href") and value.startswith("#"):
        return "#" + prefix + value[1:]
    return REFERENCE.sub(rf"url(#{prefix}\1)", value).replace(INK, "currentColor")
