"""A drawn graph: boxes do not touch, lines go down, and long ones pass beside the boxes of other rows."""

from itertools import combinations

import numpy as np

from continua.show import Box, layered_graph

BOXES = [
    Box(("a", "1", "2"), (), start=True),
    Box(("b with a long name", "1", "2"), (), start=True),
    Box(("c = f(a, b)", "1", "2"), (0, 1)),
    Box(("d = g(c)", "1", "2"), (2,)),
    Box(("e = h(d, a)", "1", "2"), (3, 0)),
    Box(("f = k(e, b, e)", "1", "2"), (4, 1, 4)),
]


def test_boxes_are_apart_and_lines_pass_beside_them():
    (axes,) = layered_graph(BOXES).axes
    corners = [(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in axes.patches]
    assert len(corners) == len(BOXES)
    for one, other in combinations(corners, 2):
        assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
    assert len(axes.lines) == 7
    for line in axes.lines:
        x, y = map(np.asarray, line.get_data())
        assert (np.diff(y) >= 0).all()
        for left, top, right, bottom in corners:
            inside = (x > left) & (x < right) & (y > top + 1e-9) & (y < bottom - 1e-9)
            assert not inside.any()
    words = [text.get_text() for text in axes.texts if text.get_text()]
    assert words == [line for box in BOXES for line in box.lines]


def test_the_drawing_is_the_same_in_every_run():
    places = [[p.get_x() for p in layered_graph(BOXES).axes[0].patches] for _ in range(2)]
    assert places[0] == places[1]
