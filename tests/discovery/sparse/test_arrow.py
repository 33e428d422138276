"""The eliminated system against dense linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.discovery.sparse.arrow import Arrow, reduced, solve_definite


def dense_problem(seed, rows, size, head):
    """(arrow, dense matrix, dense gradient) of a positive definite block-tridiagonal matrix with an arrow head."""
    random = np.random.default_rng(seed)
    unknowns = rows * size
    root = np.zeros((unknowns + size, unknowns + head))
    for k in range(rows):
        root[k * size : (k + 1) * size, k * size : (k + 2) * size if k + 1 < rows else unknowns] = random.normal(
            size=(size, 2 * size if k + 1 < rows else size)
        )
    root[: len(root), unknowns:] = random.normal(size=(len(root), head))
    root = np.concatenate([root, np.eye(unknowns + head)])
    matrix, gradient = root.T @ root, random.normal(size=unknowns + head)
    own = matrix[:unknowns, :unknowns]
    band = np.zeros((2 * size, unknowns))
    for b in range(min(2 * size, unknowns)):
        band[b, : unknowns - b] = np.diag(own, -b)
    arrow = Arrow(
        band,
        matrix[unknowns:, :unknowns],
        matrix[unknowns:, unknowns:],
        gradient[:unknowns],
        gradient[unknowns:],
    )
    return arrow, matrix, gradient


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3), st.integers(0, 4))
def test_it_solves_the_whole_system(seed, rows, size, head):
    arrow, matrix, gradient = dense_problem(seed, rows, size, head)
    left = reduced(arrow)
    assert left is not None
    change = -solve_definite(left.schur, left.gradient)
    np.testing.assert_allclose(
        np.concatenate([left.states(change), change]), -np.linalg.solve(matrix, gradient), rtol=1e-6, atol=1e-8
    )
    inverse = np.linalg.inv(matrix)[rows * size :, rows * size :]
    np.testing.assert_allclose(solve_definite(left.schur, np.eye(head)), inverse, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("fault", [-1e6, np.nan, np.inf])
def test_what_is_not_positive_definite_is_none(fault):
    arrow, _, _ = dense_problem(0, 4, 2, 2)
    arrow.band[0, 3] = fault
    left = reduced(arrow)
    assert left is None or np.isfinite(left.schur).all()
    if fault == -1e6:
        assert left is None


def test_damping_is_added_to_the_diagonal():
    arrow, matrix, _ = dense_problem(1, 3, 2, 2)
    left = reduced(arrow, 0.7)
    matrix[:6, :6] += 0.7 * np.eye(6)
    expected = matrix[6:, 6:] - matrix[6:, :6] @ np.linalg.solve(matrix[:6, :6], matrix[:6, 6:])
    np.testing.assert_allclose(left.schur, expected, rtol=1e-10)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(-150, 150), min_size=1, max_size=5))
def test_units_play_no_part_in_a_definite_solve(seed, exponents):
    random, size = np.random.default_rng(seed), 10.0 ** np.array(exponents) / 2
    root = random.normal(size=(len(size) + 2, len(size)))
    matrix, right = root.T @ root + np.eye(len(size)), random.normal(size=len(size))
    with np.errstate(all="ignore"):
        scaled = solve_definite(matrix * size[:, None] * size, right * size)
        plain = np.linalg.solve(matrix, right) / size
    usable = (size > 1e-140) & (size < 1e140)
    if usable.all():
        np.testing.assert_allclose(scaled, plain, rtol=1e-6, atol=1e-9 * np.abs(plain).max())


def test_a_lost_direction_gets_nothing():
    matrix = np.array([[1.0, 1.0], [1.0, 1.0]])
    solved = solve_definite(matrix, np.array([1.0, 1.0]))
    np.testing.assert_allclose(matrix @ solved, [1.0, 1.0], rtol=1e-6)
    assert np.abs(solved).max() < 10
