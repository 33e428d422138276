"""Points, volumes and ghosts: closed forms, and polynomials that must come out exactly."""

import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import ArgumentError, ArgumentTypeError
from continua.space import (
    Boundaries,
    Cylindrical,
    Dirichlet,
    Grid,
    Neumann,
    Outside,
    Periodic,
    Polar,
    Robin,
    Spherical,
    Symmetric,
    extend,
)
from continua.space.boundaries import Face, ghost_rule


def faces_of(grid):
    return [(grid.face(axis, False), grid.face(axis, True)) for axis in range(grid.dimension)]


@pytest.mark.core
def test_points_stand_where_the_boundaries_leave_unknowns():
    assert np.allclose(Grid.cells(4).axes[0].points(), [0.125, 0.375, 0.625, 0.875])
    assert np.allclose(Grid.vertices(3, Dirichlet()).axes[0].points(), [0.25, 0.5, 0.75])
    assert np.allclose(Grid.vertices(3, Neumann()).axes[0].points(), [0.0, 0.5, 1.0])
    assert np.allclose(Grid.vertices(4, Periodic()).axes[0].points(), [0.0, 0.25, 0.5, 0.75])
    mixed = Grid.vertices(4, [(Dirichlet(), Neumann())], lower=-1.0, upper=1.0)
    assert np.allclose(mixed.axes[0].points(), [-0.5, 0.0, 0.5, 1.0])
    assert Grid.cells((2, 4), upper=(1.0, 8.0)).spacing == (0.5, 2.0)


def test_integrals_are_of_second_order_and_exact_for_volumes():
    ball = Grid.cells(64, upper=2.0, coordinates=Spherical())
    assert np.isclose(ball.integral(jnp.ones(64)), 4 / 3 * np.pi * 8, rtol=1e-4)
    disk = Grid.cells((8, 5), upper=(3.0, 2 * np.pi), coordinates=Polar())
    assert np.isclose(disk.integral(jnp.ones((8, 5))), 9 * np.pi)
    pipe = Grid.cells((8, 5), upper=(3.0, 2.0), coordinates=Cylindrical())
    assert np.isclose(pipe.integral(jnp.ones((8, 5))), 18 * np.pi)
    for boundary in (Neumann(), Periodic()):
        grid = Grid.vertices(65, boundary)
        assert np.isclose(grid.integral(grid.sample(lambda x: jnp.sin(jnp.pi * x) ** 2)), 0.5)


@pytest.mark.parametrize(
    ("boundary", "mode"), [(Symmetric(), "symmetric"), (Periodic(), "wrap"), (Outside(), "constant")]
)
def test_ghosts_of_images_are_those_of_numpy(boundary, mode):
    field = jnp.arange(20.0).reshape(4, 5)
    width = ((2, 3), (1, 2))
    found = extend(field, faces_of(Grid.cells((4, 5))), Boundaries.of(boundary, 2), width)
    assert np.array_equal(found, np.pad(field, width, mode=mode))


def test_values_on_a_face_stay_at_their_points_where_other_axes_are_wider_on_one_side():
    field, on_face = jnp.arange(20.0).reshape(4, 5), jnp.array([3.0, 1.0, 4.0, 1.0])
    sides = Boundaries.of([Neumann(), Dirichlet(on_face)], 2)
    found = extend(field, faces_of(Grid.cells((4, 5))), sides, ((3, 1), (1, 0)))
    assert np.array_equal(found[3:7, 0], 2 * on_face - field[:, 0])


def test_a_mirror_on_points_does_not_repeat_them():
    field = jnp.arange(20.0).reshape(4, 5)
    grid = Grid.vertices((4, 5), Symmetric())
    found = extend(field, faces_of(grid), Boundaries.of(Symmetric(), 2), ((2, 2), (1, 1)))
    assert np.array_equal(found, np.pad(field, ((2, 2), (1, 1)), mode="reflect"))


@pytest.mark.parametrize(
    ("offset", "condition"),
    [(0.5, (1.0, 0.0)), (0.5, (0.0, 1.0)), (0.5, (2.0, 3.0)), (1.0, (1.0, 0.0)), (0.0, (0.0, 1.0)), (0.0, (2.0, 3.0))],
)
@pytest.mark.parametrize("order", [2, 4, 6])
def test_ghosts_continue_polynomials(offset, condition, order):
    alpha, beta = condition
    degree = 1 if order == 2 else order + 1
    p = np.polynomial.Polynomial(np.random.default_rng(0).normal(size=degree + 1))
    h = 0.1
    rule = ghost_rule(alpha, beta, offset, h, 2, order)
    value = alpha * p(0) - beta * p.deriv()(0)
    inside = p(h * (offset + np.arange(rule.inner.shape[1])))
    assert np.allclose(rule.inner @ inside + rule.outer * value, p(-h * (np.arange(1, 3) - offset)))


def test_values_on_faces_may_be_fields_and_functions_of_time():
    grid = Grid.cells((3, 4))
    edge = jnp.arange(4.0)
    sides = Boundaries.of(((Dirichlet(lambda t: t * edge), Neumann(1.0)), Periodic()), 2)
    found = extend(jnp.ones((3, 4)), faces_of(grid), sides, ((1, 1), (0, 0)), 2, 2.0)
    assert np.allclose(found[0], 2 * 2.0 * edge - 1)
    assert np.allclose(found[-1], 1 + 1 / 3)


def test_bad_input_is_answered_in_one_line():
    with pytest.raises(ArgumentError, match="less than `upper`"):
        Grid.cells(4, lower=1.0, upper=0.0)
    with pytest.raises(ArgumentError, match="must be positive along x"):
        Grid.cells(0)
    with pytest.raises(ArgumentError, match="1 to 1 axes"):
        Grid.cells((3, 3), coordinates=Spherical())
    with pytest.raises(ArgumentError, match="at least 0"):
        Grid.cells(3, lower=-1.0, coordinates=Spherical())
    with pytest.raises(ArgumentError, match="on both faces"):
        Boundaries.of([(Periodic(), Neumann())], 1)
    with pytest.raises(ArgumentTypeError, match="for each of 2 axes"):
        Boundaries.of([Neumann()], 2)
    with pytest.raises(ArgumentTypeError, match="must hold Dirichlet"):
        Boundaries.of([Neumann(), "neumann"], 2)
    with pytest.raises(ArgumentError, match="`beta` not 0"):
        Robin(1.0, 0.0)
    field, inner = jnp.ones(3), Grid.vertices(3, Dirichlet())
    with pytest.raises(ArgumentError, match="where the grid has unknowns"):
        extend(field, faces_of(Grid.vertices(3, Neumann())), Boundaries.of(Dirichlet(), 1), ((1, 1),))
    with pytest.raises(ArgumentError, match="needs unknowns on the lower face of axis 0"):
        extend(field, faces_of(inner), Boundaries.of(Neumann(), 1), ((1, 1),))
    with pytest.raises(ArgumentError, match="too small for the stencil"):
        extend(field, faces_of(Grid.cells(3)), Boundaries.of(Neumann(), 1), ((4, 4),))
    box = Grid.cells((3, 4))
    for sides, words in (
        ([Neumann(jnp.ones(5)), Periodic()], r"the lower face of axis 0, \(4,\). Got \(5,\)"),
        ([Periodic(), Dirichlet(jnp.ones(2))], r"the lower face of axis 1, \(3,\). Got \(2,\)"),  # not stretched
        ([Periodic(), (Dirichlet(), Dirichlet(jnp.ones(5)))], r"the upper face of axis 1, \(3,\). Got \(5,\)"),
        ([Periodic(), Dirichlet(jnp.ones((1, 3)))], r"\(3,\). Got \(1, 3\)"),
    ):
        with pytest.raises(ArgumentError, match=f"a number or a field on .*{words}"):
            extend(jnp.ones((3, 4)), faces_of(box), Boundaries.of(sides, 2), ((1, 1), (1, 1)))
    assert Face(0, True, 0.5, 1.0).name == "the upper face of axis 0"
