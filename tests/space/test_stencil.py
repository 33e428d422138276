"""Stencils: standard filters to round-off, orders by moments, transposes by the dot test."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as ndimage
from scipy.sparse.linalg import splu

from continua.core import ArgumentError, ArgumentTypeError
from continua.space import (
    Cylindrical,
    Dirichlet,
    Flow,
    Grid,
    Neumann,
    Outside,
    Periodic,
    Polar,
    Robin,
    Spherical,
    Stencil,
    Symmetric,
    divergence_form,
    kernel_of,
    matrix_of,
    operator_of,
    stencil_of,
)
from continua.space.operators import terms_of

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
IMAGE = np.random.default_rng(0).normal(size=(9, 11))


def dot_test(function, *shapes):
    """|<J v, c> − <v, Jᵀ c>| beside the size of either, for a function of several arrays."""
    rng = np.random.default_rng(1)
    at = [jnp.asarray(rng.normal(size=shape)) for shape in shapes]
    moves = [jnp.asarray(rng.normal(size=shape)) for shape in shapes]

    @jax.jit
    def both(at, moves):
        value, pull = jax.vjp(function, *at)
        weights = jnp.cos(jnp.arange(value.size, dtype=value.dtype)).reshape(value.shape)
        _, pushed = jax.jvp(function, tuple(at), tuple(moves))
        left = pushed * weights
        return jnp.sum(left) - sum(jnp.sum(a * b) for a, b in zip(pull(weights), moves, strict=True)), jnp.sum(
            abs(left)
        )

    gap, size = both(at, moves)
    return float(abs(gap) / size)


@pytest.mark.core
def test_the_operator_of_well_known_kernels():
    assert Stencil.from_kernel(SOBEL / 8).explain(2) == "∂x + h²/6 ∂xxx + h²/4 ∂xyy + …"
    assert Stencil.from_kernel(SOBEL.T / 8).explain(1) == "∂y + …"
    assert operator_of([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]).formula(2) == "1 − h² ∂xx − h² ∂yy + …"
    assert operator_of(np.outer([1, 2, 1], [1, 2, 1]) / 16).formula(2) == "1 + h²/4 ∂xx + h²/4 ∂yy + …"
    assert operator_of([1.0, 1.0], origin=[0]).formula(2) == "2 + h ∂x + …"
    laplace = Stencil.of("laplace", Grid.cells((8, 8)), Periodic())
    order, error = laplace.operator().order_of({(2, 0): 1, (0, 2): 1})
    assert order == 2
    assert np.allclose(list(error.terms.values()), (1 / 8) ** 2 / 12)


@pytest.mark.parametrize("name", ["dx", "dxx", "dxy", "laplace", "biharmonic", "1 - 0.5 dxxx + 2 dyy"])
@pytest.mark.parametrize("order", [2, 4, 6])
def test_kernels_have_the_order_they_were_made_for(name, order):
    wanted = terms_of(name, "yx")
    found, error = operator_of(kernel_of(name, order=order), order=12).order_of(wanted)
    spread = max(map(sum, wanted)) - min(map(sum, wanted))  # where it has derivatives of several orders
    assert found >= order - spread
    assert error.terms


def test_one_dimensional_weights_are_those_of_the_books():
    assert np.allclose(kernel_of("dxx", order=4, dimension=1), np.array([-1, 16, -30, 16, -1]) / 12)
    assert np.allclose(kernel_of("dx", order=6, dimension=1), np.array([-1, 9, -45, 0, 45, -9, 1]) / 60)
    assert np.allclose(kernel_of("dxxx", dimension=1, spacing=0.5), np.array([-1, 2, 0, -2, 1]) / 2 / 0.125)


@pytest.mark.parametrize(
    ("boundary", "mode"), [(Symmetric(), "reflect"), (Periodic(), "wrap"), (Outside(), "constant")]
)
def test_filters_equal_those_of_scipy(boundary, mode):
    for kernel in (SOBEL, np.random.default_rng(3).normal(size=(5, 3))):
        found = Stencil.from_kernel(kernel, boundary)(jnp.asarray(IMAGE))
        assert np.abs(found - ndimage.correlate(IMAGE, kernel, mode=mode)).max() < 1e-13
    assert np.abs(Stencil.from_kernel(SOBEL)(jnp.asarray(IMAGE)) - ndimage.sobel(IMAGE, 1)).max() < 1e-13


def test_the_symbol_is_the_transform_of_the_impulse_response():
    kernel = np.random.default_rng(4).normal(size=(3, 3))
    stencil = Stencil.from_kernel(kernel, Periodic())
    impulse = jnp.zeros((8, 6)).at[0, 0].set(1.0)
    a, b = np.meshgrid(2 * np.pi * np.fft.fftfreq(8), 2 * np.pi * np.fft.fftfreq(6), indexing="ij")
    assert np.allclose(np.fft.fft2(stencil(impulse)), stencil.symbol(a, b))
    assert np.isclose(np.abs(Stencil.of("laplace", Grid.cells((8, 8), upper=8.0), Periodic()).spectrum()).max(), 8)


def observed_order(make, sizes=(16, 32)):
    errors = [make(size) for size in sizes]
    return np.log(errors[0] / errors[1]) / np.log(sizes[1] / sizes[0])


@pytest.mark.parametrize(("order", "dimension"), [(2, 1), (2, 2), (2, 3), (4, 1), (4, 2)])
def test_derivatives_converge_at_their_order_on_periodic_grids(order, dimension):
    names = {"laplace": -4 * np.pi**2 * dimension, "biharmonic": 16 * np.pi**4 * dimension**2}

    def error(size):
        grid = Grid.vertices((size,) * dimension, Periodic())
        field = grid.sample(
            lambda *x: jnp.prod(jnp.stack([jnp.sin(2 * jnp.pi * (a + 0.1)) + 0 * sum(x) for a in x]), 0)
        )
        return {
            name: float(jnp.abs(Stencil.of(name, grid, Periodic(), order=order)(field) - value * field).max())
            for name, value in names.items()
        }

    coarse, fine = error(12), error(18)
    for name in names:
        assert abs(np.log(coarse[name] / fine[name]) / np.log(1.5) - order) < 0.1


CONDITIONS = [Dirichlet, Neumann, lambda g: Robin(2.0, 0.5, g)]


@pytest.mark.parametrize("condition", range(3))
@pytest.mark.parametrize("centred", ["cells", "vertices"])
@pytest.mark.parametrize("order", [2, 4])
def test_boundary_value_problems_converge_at_the_order_of_the_stencil(condition, centred, order):
    """u″ = f with u = sin(3x + 1), by its matrix: the ghosts must not spoil the order."""

    def error(size):
        ends = {False: -1.0, True: 1.0}  # the normals

        def given(upper):
            x, n = float(upper), ends[upper]
            u, slope = np.sin(3 * x + 1), 3 * np.cos(3 * x + 1) * n
            return [Dirichlet(u), Neumann(slope), Robin(2.0, 0.5, 2.0 * u + 0.5 * slope)][condition]

        low = Dirichlet(np.sin(1.0)) if condition == 1 else given(False)  # no null space
        sides = [(low, given(True))]
        grid = Grid.cells(size) if centred == "cells" else Grid.vertices(size, sides)
        stencil = Stencil.of("laplace", grid, sides, order=order)
        exact = grid.sample(lambda x: jnp.sin(3 * x + 1))
        matrix, constant = matrix_of(stencil)
        solution = splu(matrix.tocsc()).solve(-9 * np.asarray(exact) - constant)
        return np.abs(solution - exact).max()

    assert observed_order(error, (60, 120)) > order - 0.1


@pytest.mark.parametrize(
    ("boundaries", "order"),
    [
        (Symmetric(), 2),
        (Periodic(), 4),
        (Outside(), 2),
        (Dirichlet(2.0), 4),
        ((Neumann(1.0), Robin(1.0, 2.0, 3.0)), 2),
        ((Neumann(1.0), Robin(1.0, 2.0, 3.0)), 4),
    ],
)
def test_forward_and_reverse_agree(boundaries, order):
    stencil = Stencil.of("laplace + dxy + dx", Grid.cells((8, 9)), boundaries, order=order)
    assert dot_test(stencil, (8, 9)) < 1e-12


def test_weights_can_be_trained_whatever_their_axes():
    plain = Stencil.from_kernel(np.random.default_rng(5).normal(size=(3, 5))).trainable()
    assert dot_test(lambda w, u: plain.with_weights(w)(u), (15,), (2, 8, 9)) < 1e-12
    channels = plain.with_weights(jnp.ones((15, 4, 1, 1)))
    assert dot_test(lambda w, u: channels.with_weights(w)(u), (15, 4, 1, 1), (2, 4, 6, 7)) < 1e-12
    varying = plain.with_weights(jnp.ones((15, 6, 7)))
    assert dot_test(lambda w, u: varying.with_weights(w)(u), (15, 6, 7), (6, 7)) < 1e-12
    assert np.allclose(channels(jnp.ones((4, 6, 7))), 15.0)


def test_constant_and_trainable_weights_give_the_same_numbers():
    stencil, field = Stencil.from_kernel(SOBEL), jnp.asarray(IMAGE)
    loop = jnp.stack([stencil(field[:, :6]), stencil(field[:, 5:])])
    mapped = jax.vmap(stencil.trainable())(jnp.stack([field[:, :6], field[:, 5:]]))
    assert np.abs(loop - mapped).max() < 1e-13
    single = stencil.trainable(jnp.float32)(jnp.asarray(IMAGE, jnp.float32))
    assert single.dtype == jnp.float32
    assert np.abs(np.asarray(single) - np.asarray(stencil(field))).max() < 1e-5


def test_second_derivatives_are_exact():
    plain = Stencil.from_kernel(SOBEL).trainable()

    def energy(w):
        return jnp.sum(plain.with_weights(w)(jnp.asarray(IMAGE)) ** 2)

    hessian = jax.jit(jax.hessian(energy))(plain.weights)
    columns = jnp.stack([plain.with_weights(row)(jnp.asarray(IMAGE)).ravel() for row in jnp.eye(6)])
    assert np.allclose(hessian, 2 * columns @ columns.T)


def test_flow_is_conservative_and_differentiates_exactly():
    grid = Grid.cells((6, 7), upper=(1.0, 2.0))

    def flow(k, field):
        return Flow(lambda g: g / (1 + (g / k) ** 2), Neumann(), grid=grid)(field)

    field = jnp.asarray(np.random.default_rng(6).normal(size=(6, 7)))
    assert abs(grid.integral(flow(3.0, field))) < 1e-12
    linear = Flow(lambda g: g, Neumann(), grid=grid)(field)
    assert np.allclose(linear, Stencil.of("laplace", grid, Neumann())(field))
    assert dot_test(lambda field: flow(3.0, field), (6, 7)) < 1e-12
    way = jnp.asarray(np.random.default_rng(7).normal(size=(6, 7)))
    slope = jax.jvp(lambda u: flow(3.0, u), (field,), (way,))[1]
    assert np.allclose(
        slope, (flow(3.0, field + 1e-6 * way) - flow(3.0, field - 1e-6 * way)) / 2e-6, rtol=1e-6, atol=1e-6
    )


def test_stencils_add_and_scale():
    grid = Grid.cells((8, 9))
    field = jnp.asarray(np.random.default_rng(8).normal(size=(8, 9)))
    a, b = Stencil.of("dxx", grid, Symmetric()), Stencil.of("dyy", grid, Symmetric())
    both = (a + b.scaled(2.0))(field)
    assert np.allclose(both, a(field) + 2 * b(field))
    local = jnp.abs(field)
    assert np.allclose(a.scaled(local)(field), local * a(field))
    assert np.allclose((a.scaled(local) + b)(field), local * a(field) + b(field))


@pytest.mark.parametrize(
    "boundaries",
    [Symmetric(), Periodic(), Outside(1.0), Dirichlet(2.0), [Neumann(1.0), (Robin(1.0, 2.0, 3.0), Dirichlet(1.0))]],
)
def test_a_matrix_gives_the_numbers_of_its_stencil_and_the_stencil_back(boundaries):
    grid = Grid.cells((8, 9))
    field = np.random.default_rng(9).normal(size=(8, 9))
    stencil = Stencil.of("laplace + dxy + dx", grid, boundaries, order=4)
    for one in (stencil, stencil.scaled(jnp.asarray(field))):
        matrix, constant = matrix_of(one)
        assert np.allclose(matrix @ field.ravel() + constant, one(jnp.asarray(field)).ravel())
    local = divergence_form(grid, boundaries, jnp.asarray(2 + np.tanh(field)))
    matrix, constant = matrix_of(local)
    back = stencil_of(matrix, grid)(jnp.asarray(field))
    assert np.allclose(back.ravel() + constant, local(jnp.asarray(field)).ravel())


def radial(coordinates, function, laplacian):
    """The largest error of Δu = f on 0 < r < 1, for 20 and 40 cells."""

    def error(size):
        grid = Grid.cells(size, coordinates=coordinates)
        r = grid.axes[0].points()
        matrix, constant = matrix_of(divergence_form(grid, [(Symmetric(), Dirichlet(float(function(1.0))))]))
        return np.abs(splu(matrix.tocsc()).solve(laplacian(r) - constant) - function(r)).max()

    return observed_order(error, (20, 40))


def test_diffusion_is_of_second_order_in_every_coordinates():
    assert radial(Spherical(), lambda r: np.sin(3 * r) / r, lambda r: -9 * np.sin(3 * r) / r) > 1.9
    assert radial(Polar(), lambda r: np.cos(r**2), lambda r: -4 * np.sin(r**2) - 4 * r**2 * np.cos(r**2)) > 1.9

    def disk(size):
        """The harmonic r cos φ."""
        grid = Grid.cells((size, size), upper=(1.0, 2 * np.pi), coordinates=Polar())
        rim = jnp.cos(grid.points()[1][0])
        matrix, constant = matrix_of(divergence_form(grid, [(Symmetric(), Dirichlet(rim)), Periodic()]))
        return np.abs(splu(matrix.tocsc()).solve(-constant) - grid.sample(lambda r, a: r * jnp.cos(a)).ravel()).max()

    def pipe(size):
        """Δu = 8 of u = r² + 2 z²."""
        grid = Grid.cells((size, size), coordinates=Cylindrical())
        wall = 1 + 2 * grid.points()[1][0] ** 2
        sides = [(Symmetric(), Dirichlet(wall)), (Neumann(), Neumann(4.0))]
        matrix, constant = matrix_of(divergence_form(grid, sides))
        exact = grid.sample(lambda r, z: r**2 + 2 * z**2).ravel()
        return np.abs(splu(matrix.tocsc()).solve(np.full(size**2, 8.0) - constant) - exact).max()

    assert observed_order(disk) > 1.9
    assert observed_order(pipe) > 1.9


def test_coefficients_of_diffusion_are_met_to_second_order_and_can_be_learned():
    """(a u′)′ with a = 1 + x and u = sin 2x, as a function and as a field."""

    def error(size, as_field):
        grid = Grid.cells(size)
        ends = [(Dirichlet(0.0), Dirichlet(float(np.sin(2.0))))]
        a = grid.sample(lambda x: 1 + x) if as_field else lambda x: 1 + x
        matrix, constant = matrix_of(divergence_form(grid, ends, a))
        x = grid.axes[0].points()
        return np.abs(
            splu(matrix.tocsc()).solve(2 * np.cos(2 * x) - 4 * (1 + x) * np.sin(2 * x) - constant) - np.sin(2 * x)
        ).max()

    for as_field in (False, True):
        assert observed_order(lambda size, kind=as_field: error(size, kind), (20, 40)) > 1.9
    grid = Grid.cells((5, 6))
    flow = lambda a, u: divergence_form(grid, (Neumann(), Periodic()), jnp.exp(a))(u)  # noqa: E731
    assert dot_test(flow, (5, 6), (5, 6)) < 1e-12


def test_bad_input_is_answered_in_one_line():
    grid = Grid.cells((8, 9))
    with pytest.raises(ArgumentError, match="no point in its middle"):
        Stencil.from_kernel([[1.0, 1.0]])
    with pytest.raises(ArgumentError, match="it is a shift by half a cell along x plus h²/8 ∂xx"):
        Stencil.from_kernel([0.5, 0.5], origin=[0], approximates="dx")
    with pytest.raises(ArgumentError, match=r"does not approximate dx: it is 8 ∂x \+ 4h²/3 ∂xxx"):
        Stencil.from_kernel(SOBEL, approximates="dx")
    with pytest.raises(ArgumentError, match="a shift by a cell backward along y and half a cell along x plus"):
        Stencil.from_kernel([[0.5, 0.5], [0.0, 0.0]], origin=[1, 0], approximates="dx")
    assert Stencil.from_kernel(SOBEL / 8, approximates="dx").explain(1) == "∂x + …"
    with pytest.raises(ArgumentError, match="an index of the kernel"):
        Stencil.from_kernel([1.0, 1.0], origin=[2])
    with pytest.raises(ArgumentError, match="finite numbers"):
        Stencil.from_kernel([1.0, np.nan, 1.0])
    with pytest.raises(ArgumentTypeError, match="squares overflow"):
        Stencil.from_kernel(SOBEL)(jnp.arange(12).reshape(3, 4))
    with pytest.raises(ArgumentError, match="shape \\(8, 9\\) of its grid"):
        Stencil.of("laplace", grid, Neumann())(jnp.ones((9, 8)))
    gap = jnp.ones((8, 9)).at[2, 3].set(jnp.nan)
    for stencil in (Stencil.of("laplace", grid, Neumann()), Stencil.from_kernel(SOBEL)):
        with pytest.raises(ArgumentError, match=r"`field` of Stencil must be finite. Got nan at \(2, 3\)"):
            stencil(gap)
    with pytest.raises(ArgumentError, match="too small for the stencil"):
        Stencil.of("biharmonic", Grid.cells((8, 3)), Neumann())
    with pytest.raises(ArgumentError, match='such as "d'):
        kernel_of("dq")
    with pytest.raises(ArgumentError, match="must be like"):
        kernel_of("∂x²")
    with pytest.raises(ArgumentError, match="2, 4, 6"):
        kernel_of("dx", order=3)
    with pytest.raises(ArgumentError, match="Use divergence_form"):
        Stencil.of("laplace", Grid.cells(4, coordinates=Spherical()), Symmetric())
    with pytest.raises(ArgumentError, match="positive everywhere"):
        divergence_form(grid, Neumann(), -1.0)
    with pytest.raises(ArgumentError, match="a field \\(8, 9\\)"):
        divergence_form(grid, Neumann(), jnp.ones(3))
    with pytest.raises(ArgumentError, match="no cells"):
        divergence_form(Grid.vertices(4, Symmetric(), coordinates=Spherical()), Symmetric())
    with pytest.raises(ArgumentError, match="must have the shape"):
        stencil_of(np.eye(3), grid)
    with pytest.raises(ArgumentError, match="at most 125"):
        stencil_of(np.ones((72, 72)), grid)
    with pytest.raises(ArgumentError, match="without a grid"):
        matrix_of(Stencil.from_kernel(SOBEL))
    with pytest.raises(ArgumentError, match="must be odd"):
        Flow(lambda g: g**2, Neumann(), grid=grid)
    with pytest.raises(ArgumentError, match="either a `grid` or"):
        Flow(lambda g: g, Neumann())
