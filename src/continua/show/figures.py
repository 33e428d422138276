"""Figures as inline SVG: small, the same in every run, and legible on a light and on a dark page."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from continua.show.plot_data import described, marked
from continua.show.svg_markup import INK, inline_svg, standalone_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Six hues that keep a contrast of at least 3 on white and on near-black and differ for colour-blind eyes, after
# Okabe & Ito, Color Universal Design (2008), darkened or lightened where needed.
PALETTE = ("#1f77b4", "#d55e00", "#009e73", "#b8579a", "#a07800", "#7f7f7f")

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
DOTS_PER_INCH = 200  # twice the screen's 100: sharp on a dense display and on paper


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
            one.tick_params(which="both", color=INK, labelcolor=INK, grid_color="0.5", grid_alpha=0.35)
    return figure, axes


def svg(figure: "Figure", interactive: bool = True) -> str:
    """The figure as an `<svg>` element to stand inside a page.

    Black becomes the colour of the page's text, the background is transparent and legends have no box, ids are unique
    to the figure, a dollar in a label is a dollar, and the same figure gives the same string in every run.

    Args:
        figure: as from `new_figure`. Axes for which `set_navigate(False)` was said stay still.
        interactive: carry the data along (limits, scales, series by their labels), so that a page's script can zoom
            and name the points. Without a script the picture is the same.
    """
    if not interactive:
        with _left_as_it_was(figure):
            return inline_svg(_written(figure, "svg").decode())
    return _drawn(figure)[0]


def _drawn(figure: "Figure") -> tuple[str, str]:
    """(for a page, as matplotlib wrote it)."""
    with _left_as_it_was(figure), marked(figure) as marks:
        markup = _written(figure, "svg").decode()
        marks.settle()
        return inline_svg(markup, described(figure), marks), markup


def svg_and_files(name: str, figure: "Figure", alt: str) -> tuple[str, dict[str, bytes]]:
    """(`svg(figure)`, `figure_files(name, figure, alt)`) from one drawing less."""
    _check_words(alt)
    inline, markup = _drawn(figure)
    return inline, _files(name, figure, alt, markup)


def figure_files(name: str, figure: "Figure", alt: str) -> dict[str, bytes]:
    """The same figure as files that stand alone: an SVG and a PNG on white, the same bytes in every run.

    Args:
        name: of the files, without an ending.
        figure: as from `new_figure`.
        alt: says in words what is to be seen; it becomes the SVG's title and the PNG's description.

    Returns:
        Contents by file name: `NAME.svg` and `NAME.png`, the latter with 200 dots an inch.

    Raises:
        ValueError: `alt` is blank.

    Example:
        >>> sorted(figure_files("empty", new_figure()[0], "Axes without data."))
        ['empty.png', 'empty.svg']
    """
    _check_words(alt)
    with _left_as_it_was(figure):
        markup = _written(figure, "svg").decode()
    return _files(name, figure, alt, markup)


def _check_words(alt: str) -> None:
    if not alt.strip():
        raise ValueError(
            f"`alt` of `figure_files` must say what is to be seen. Got {alt!r}. Describe it in a sentence."
        )


def _files(name: str, figure: "Figure", alt: str, markup: str) -> dict[str, bytes]:
    """The files, of which the SVG was drawn already."""
    about = {"Software": None, "Description": alt.encode("utf-8", "replace").decode()}
    with _left_as_it_was(figure):
        picture = _written(figure, "png", dpi=DOTS_PER_INCH, facecolor="white", metadata=about)
    return {f"{name}.svg": standalone_svg(markup, alt).encode(), f"{name}.png": picture}


@contextmanager
def _left_as_it_was(figure: "Figure") -> Iterator[None]:
    """The layout of a second drawing would start from that of the first and differ by a hair: it starts anew."""
    before = [(axes, axes.get_in_layout(), *(axes.get_position(own) for own in (True, False))) for axes in figure.axes]
    try:
        yield
    finally:
        for axes, laid_out, original, active in before:
            axes.set_position(original, which="original")
            axes.set_position(active, which="active")
            axes.set_in_layout(laid_out)  # setting a position takes the axes out of the layout


def _written(figure: "Figure", kind: str, **options: Any) -> bytes:
    """What matplotlib writes for the figure, as SVG or PNG."""
    import matplotlib as mpl

    for label in _labels(figure):
        label.set_parse_math(False)
    for legend in _legends(figure):  # a box in the user's colours would hide the text on a dark page
        legend.get_frame().set(facecolor="none", edgecolor="none")
    stream = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader's browser has the letter
        figure.savefig(stream, format=kind, **{"metadata": {"Date": None}, **options})
    return stream.getvalue()


def _labels(figure: "Figure") -> list[Any]:
    """The texts that a user's names may stand in; tick labels are matplotlib's own."""
    found: list[Any] = list(figure.texts)
    for axes in figure.axes:
        found += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
    return found + [text for legend in _legends(figure) for text in legend.get_texts()]


def _legends(figure: "Figure") -> list[Any]:
    return [*figure.legends, *(legend for axes in figure.axes if (legend := axes.get_legend()) is not None)]
