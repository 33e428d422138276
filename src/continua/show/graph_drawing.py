"""A graph without cycles, drawn from top to bottom: each box stands above all that it leads to."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from continua.show.figures import PALETTE, new_figure
from continua.show.svg_markup import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTER, LINE = 0.078, 0.16  # inches that a letter and a line of text take
BETWEEN, BESIDE = 0.3, 0.22  # inches between rows, and between neighbours in a row
SWEEPS = 24


class Box(NamedTuple):
    """What stands in a box: lines of text, the numbers of the boxes that lead to it, and whether it is a start."""

    lines: tuple[str, ...]
    inputs: tuple[int, ...] = ()
    start: bool = False


class _Layout(NamedTuple):
    """Boxes, and behind them points at which long lines pass a row; all in inches.

    Args:
        rows: [row], the numbers of what stands in it, from left to right.
        around: [item], the items above and below with which it is joined.
        lines: (source, …points…, target) for each line.
        sizes: [item], width and height.
    """

    rows: list[list[int]]
    around: list[list[int]]
    lines: list[list[int]]
    sizes: list[tuple[float, float]]


def layered_graph(boxes: Sequence[Box]) -> "Figure":
    """A figure of boxes in rows. A box leads only to later ones; its last two lines have colours of their own."""
    layout = _layout(boxes)
    x, width = _across(layout)
    heights = [max(layout.sizes[item][1] for item in row) for row in layout.rows]
    tops = [sum(heights[:n]) + BETWEEN * n for n in range(len(heights))]
    row_of = {item: n for n, row in enumerate(layout.rows) for item in row}
    y = {item: tops[n] + heights[n] / 2 for item, n in row_of.items()}
    reach = {item: (layout.sizes[item][1] if item < len(boxes) else heights[n]) / 2 for item, n in row_of.items()}
    figure, axes = new_figure(width, tops[-1] + heights[-1] + 0.1)
    axes = axes[0, 0]
    axes.set(xlim=(0, width), ylim=(tops[-1] + heights[-1] + 0.05, -0.05))
    axes.set_axis_off()
    axes.set_navigate(False)
    for line in layout.lines:
        _draw_line(axes, [(x[item], y[item], reach[item]) for item in line])
    for item, box in enumerate(boxes):
        _draw_box(axes, x[item], y[item], layout.sizes[item], box)
    return figure


def _draw_line(axes: Any, points: list[tuple[float, float, float]]) -> None:
    """From below the first to above the last, straight down past every row between."""
    path = [(x, y + side * reach) for x, y, reach in points for side in (-1, 1)][1:-1]
    axes.plot(*zip(*path[:-1], strict=True), color="0.5", linewidth=0.9)
    arrow = {"arrowstyle": "-|>", "color": "0.5", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
    axes.annotate("", path[-1], path[-2], arrowprops=arrow)


def _draw_box(axes: Any, x: float, y: float, size: tuple[float, float], box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    wide, high = size
    look = {"facecolor": "none", "edgecolor": PALETTE[0] if box.start else "0.5", "linewidth": 1.0}
    rounded = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, boxstyle=rounded, **look))
    colours = [*[INK] * (len(box.lines) - 2), PALETTE[2], PALETTE[1]]
    for row, (line, colour) in enumerate(zip(box.lines, colours, strict=True)):
        axes.text(x, y + LINE * (row + 0.5 - len(box.lines) / 2), line, color=colour, ha="center", va="center", size=8)


def _layout(boxes: Sequence[Box]) -> _Layout:
    """Each box as low as what it leads to allows; a line that passes rows gets a point in each."""
    depth = [0] * len(boxes)
    for number in range(len(boxes) - 1, -1, -1):
        for source in boxes[number].inputs:
            depth[source] = max(depth[source], depth[number] + 1)
    rows: list[list[int]] = [[] for _ in range(max(depth) + 1)]
    for number, each in enumerate(depth):
        rows[-1 - each].append(number)
    sizes = [(LETTER * max(map(len, box.lines)) + 0.2, LINE * len(box.lines) + 0.12) for box in boxes]
    around: list[list[int]] = [[] for _ in boxes]
    lines = []
    for number, box in enumerate(boxes):
        for source in dict.fromkeys(box.inputs):
            line = [source]
            for each in range(depth[source] - 1, depth[number], -1):
                line.append(len(sizes))
                rows[-1 - each].append(len(sizes))
                sizes.append((0.0, 0.0))
                around.append([])
            line.append(number)
            for one, other in pairwise(line):
                around[one].append(other)
                around[other].append(one)
            lines.append(line)
    return _Layout(rows, around, lines, sizes)


def _across(layout: _Layout) -> tuple[list[float], float]:
    """Where each item stands in its row, and the width of the whole: at the mean of those that it is joined with."""
    width = max(sum(layout.sizes[item][0] + BESIDE for item in row) for row in layout.rows) + BESIDE
    x = [width / 2] * len(layout.sizes)
    for sweep in range(SWEEPS):
        for row in layout.rows if sweep % 2 else layout.rows[::-1]:
            wanted = {n: sum(x[m] for m in layout.around[n]) / max(len(layout.around[n]), 1) for n in row}
            row.sort(key=lambda n: wanted[n])
            right = BESIDE
            for n in row:
                x[n] = max(wanted[n], right + layout.sizes[n][0] / 2)
                right = x[n] + layout.sizes[n][0] / 2 + BESIDE
            left = width - BESIDE
            for n in row[::-1]:
                x[n] = min(x[n], left - layout.sizes[n][0] / 2)
                left = x[n] - layout.sizes[n][0] / 2 - BESIDE
    return x, width
