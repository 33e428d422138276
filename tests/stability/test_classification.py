"""The words for an equilibrium."""

import numpy as np
import pytest

from continua.stability.classification import is_stable, kind_of, without_noise

KINDS = [
    ([-1], "stable node", True),
    ([2], "unstable node", False),
    ([0], "degenerate", None),
    ([-1, -2], "stable node", True),
    ([1, 2], "unstable node", False),
    ([1, -2], "saddle", False),
    ([-1 + 2j, -1 - 2j], "stable focus", True),
    ([1 + 2j, 1 - 2j], "unstable focus", False),
    ([2j, -2j], "centre to first order", None),
    ([0, -1], "degenerate", None),
    ([1, 0], "degenerate", False),
    ([-1, -2 + 1j, -2 - 1j], "stable focus-node", True),
    ([3, 2 + 1j, 2 - 1j], "unstable focus-node", False),
    ([1, -2 + 1j, -2 - 1j], "saddle-focus", False),
    ([1, -2, -3], "saddle", False),
    ([-1, 2j, -2j], "centre to first order, attracting", None),
    ([1, 2j, -2j], "centre to first order, unstable", False),
    ([-1 + 1j, -1 - 1j, -2 + 3j, -2 - 3j], "stable focus", True),
]


@pytest.mark.parametrize(("values", "kind", "stable"), KINDS)
def test_kinds(values, kind, stable):
    values = np.array(values, complex)
    assert kind_of(values) == kind
    assert is_stable(values) is stable


@pytest.mark.parametrize(
    ("values", "family", "kind", "stable"),
    [
        ([0, -1], 1, "curve of equilibria, attracting", True),
        ([0, 1], 1, "curve of equilibria, repelling", False),
        ([0, 0, 1], 2, "surface of equilibria, repelling", False),
        ([0, 1, -1], 1, "curve of equilibria, of saddle type", False),
        ([0, 1j, -1j], 1, "curve of equilibria, neutral to first order", None),
        ([0, 0, -1], 1, "curve of equilibria, degenerate", None),
        ([0, 0], 2, "surface of equilibria", None),
        ([0, 0, 0, -1], 3, "3-dimensional set of equilibria, attracting", True),
    ],
)
def test_families(values, family, kind, stable):
    values = np.array(values, complex)
    assert kind_of(values, family) == kind
    assert is_stable(values, family) is stable


def test_noise_becomes_zero_part_by_part():
    values = without_noise(np.array([1e-12 + 2j, 3 - 1e-13j, -1e-9 + 0j]), 1e-10)
    np.testing.assert_array_equal(values, [2j, 3, -1e-9])
