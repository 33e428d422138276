"""Returns to a section, on curves that are known."""

import numpy as np
import pytest

from continua.stability.section import nearest, returns

TS = np.linspace(0, 20, 2001)


def test_a_circle_returns_once_a_turn():
    found = returns(TS, np.stack([np.cos(TS), np.sin(TS)], -1), np.array([0.0, 1.0]))
    assert [r.time for r in found] == pytest.approx([2 * np.pi, 4 * np.pi, 6 * np.pi], abs=1e-4)
    assert max(r.distance for r in found) < 1e-4
    assert nearest(found).time == found[0].time


def test_of_two_loops_the_one_that_closes_is_taken():
    radius = 1 + 0.3 * np.cos(TS / 2 + 0.5)
    path = np.stack([radius * np.cos(TS), radius * np.sin(TS)], -1)
    normal = np.gradient(path, TS, axis=0)[0]
    found = returns(TS, path, normal / np.linalg.norm(normal))
    assert len(found) >= 2
    assert nearest(found).time == pytest.approx(4 * np.pi, abs=1e-3)


def test_a_straight_line_never_returns():
    assert returns(TS, np.stack([TS, 2 * TS], -1), np.array([1.0, 0.0])) == []
