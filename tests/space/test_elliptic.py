"""Elliptic equations: manufactured solutions, published numbers, methods against each other, exact derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import ArgumentError, ArgumentTypeError, FailedSolve
from continua.space import (
    GMRES,
    Boundaries,
    ConjugateGradient,
    Cylindrical,
    Dirichlet,
    Grid,
    Multigrid,
    Neumann,
    Periodic,
    Polar,
    Robin,
    Spherical,
    Symmetric,
    Transform,
    TransformThomas,
    biharmonic,
    clamped_plate,
    diffusion,
    eigenmodes,
    extend,
    helmholtz,
    poisson,
)
from continua.space.elliptic.network import network

D, N, R, P = "Dirichlet", "Neumann", "Robin", "Periodic"
ALPHA, BETA = 2.0, 0.5
LAYOUTS = {
    1: [[(D, D)], [(N, D)], [(D, N)], [(R, D)], [(N, R)], [(R, R)], [(N, N)], [(P, P)]],
    2: [[(D, D), (P, P)], [(N, D), (R, N)], [(N, N), (N, N)], [(P, P), (P, P)], [(R, D), (D, D)]],
    3: [[(D, D), (N, D), (P, P)], [(R, N), (D, D), (N, N)], [(P, P), (N, N), (P, P)]],
}
SIZES = {1: (32, 64), 2: (32, 64), 3: (24, 48)}


def profile(periodic, x, derivative=0):
    """A function of one coordinate, and its first two derivatives."""
    if periodic:
        k = 2 * np.pi
        return [2 + np.sin(k * x + 0.3), k * np.cos(k * x + 0.3), -(k**2) * np.sin(k * x + 0.3)][derivative]
    e, s, c = np.exp(0.5 * x), np.sin(1.7 * x + 0.4), np.cos(1.7 * x + 0.4)
    return [e * (s + 1.5), e * (0.5 * s + 0.75 + 1.7 * c), e * (0.25 * s + 0.375 + 1.7 * c - 2.89 * s)][derivative]


def manufactured(layout, size, make):
    """A grid, boundaries with the values of the solution, f = −Δu and u."""
    kinds = {D: Dirichlet(), N: Neumann(), R: Robin(ALPHA, BETA), P: Periodic()}
    plain = [tuple(kinds[k] for k in pair) for pair in layout]
    shape = (size,) * len(layout)
    grid = Grid.cells(shape) if make == "cells" else Grid.vertices(shape, plain)
    wraps = [pair[0] == P for pair in layout]
    factors = [[profile(w, axis.points(), d) for d in range(3)] for w, axis in zip(wraps, grid.axes, strict=True)]

    def outer(parts):
        total = parts[0]
        for part in parts[1:]:
            total = np.multiply.outer(total, part)
        return total

    u = outer([one[0] for one in factors])
    f = -sum(outer([one[2 * (i == k)] for k, one in enumerate(factors)]) for i in range(len(layout)))

    def side(axis, upper, kind):
        end = float(upper)
        value, slope = profile(wraps[axis], end), profile(wraps[axis], end, 1) * (1 if upper else -1)
        beside = outer([one[0] for k, one in enumerate(factors) if k != axis] or [np.array(1.0)])
        made = {D: Dirichlet, N: Neumann, R: lambda g: Robin(ALPHA, BETA, g)}
        given = {D: value, N: slope, R: ALPHA * value + BETA * slope}
        return Periodic() if kind == P else made[kind](jnp.asarray(given[kind] * beside))

    boundaries = [tuple(side(i, up, kind) for up, kind in enumerate(pair)) for i, pair in enumerate(layout)]
    return grid, boundaries, jnp.asarray(f), u


def norm_of_error(found, exact, layout):
    off = np.asarray(found) - exact
    if all(pair in ((N, N), (P, P)) for pair in layout):
        off = off - off.mean()
    return np.sqrt(np.mean(off**2))


@pytest.mark.parametrize("make", ["cells", "vertices"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_condition_is_met_to_second_order(dimension, make):
    cases = [[manufactured(layout, size, make) for size in SIZES[dimension]] for layout in LAYOUTS[dimension]]

    @jax.jit
    def solved(data):
        return [
            [poisson(grid, f, faces, subtract_mismatch=True) for (grid, *_), (faces, f) in zip(pair, row, strict=True)]
            for pair, row in zip(cases, data, strict=True)
        ]

    found = solved([[(case[1], case[2]) for case in pair] for pair in cases])
    for layout, pair, fields in zip(LAYOUTS[dimension], cases, found, strict=True):
        errors = [norm_of_error(u, case[3], layout) for u, case in zip(fields, pair, strict=True)]
        ratio = pair[0][0].spacing[0] / pair[1][0].spacing[0]
        order = np.log(errors[0] / errors[1]) / np.log(ratio)
        assert abs(order - 2) < 0.1, (layout, order)


@pytest.mark.core
def test_published_numbers_of_the_unit_square():
    sizes = (31, 63, 127, 255)

    @jax.jit
    def both():
        found = []
        for n in sizes:
            grid = Grid.vertices((n, n), Dirichlet())
            u = poisson(grid, jnp.ones((n, n)), Dirichlet())
            found.append(jnp.stack([u[n // 2, n // 2], grid.integral(u)]))
        return jnp.stack(found)

    rows = np.asarray(both())
    for power in (2, 4, 6):  # Richardson: the error is a series in the square of the spacing
        rows = (2**power * rows[1:] - rows[:-1]) / (2**power - 1)
    np.testing.assert_allclose(rows[0], [0.073671353280506, 0.035144253738574625], rtol=1e-8)


def negative_laplacian(grid, boundaries, u):
    """By ghosts."""
    faces = Boundaries.of(boundaries, grid.dimension)
    sides = [(grid.face(i, False), grid.face(i, True)) for i in range(grid.dimension)]
    held = extend(u, sides, faces, ((1, 1),) * grid.dimension)
    total = jnp.zeros_like(u)
    for axis, h in enumerate(grid.spacing):
        inner = tuple(slice(None) if k == axis else slice(1, -1) for k in range(grid.dimension))
        total = total - jnp.diff(held[inner], 2, axis) / h**2
    return total


@pytest.mark.parametrize("make", ["cells", "vertices"])
def test_direct_methods_leave_round_off_and_all_methods_agree(make):
    grid, boundaries, f, _ = manufactured([(R, D), (N, D)], 21, make)
    methods = [TransformThomas(), Transform(), Multigrid(), ConjugateGradient(), GMRES()]

    @jax.jit
    def all_of(f):
        fields = [poisson(grid, f, boundaries, method=method) for method in methods]
        return fields, [negative_laplacian(grid, boundaries, u) for u in fields[:2]]

    fields, residuals = all_of(f)
    for again in residuals:
        np.testing.assert_allclose(again, f, atol=1e-10)
    for field in fields[1:]:
        np.testing.assert_allclose(field, fields[0], rtol=1e-8)


def medium(x, y):
    return jnp.exp(jnp.sin(4 * x + 1) * jnp.cos(3 * y))


@pytest.mark.parametrize("make", ["cells", "vertices"])
def test_a_medium_that_varies_is_resolved_to_second_order(make):
    layout = [(N, D), (R, D)]
    errors = []
    for size in (16, 32):
        grid, _, _, exact = manufactured(layout, size, make)
        x, y = (axis.points()[:, None] if i == 0 else axis.points()[None] for i, axis in enumerate(grid.axes))
        _, boundaries, f, _ = manufactured(layout, size, make)
        a, ax, ay = (np.asarray(one) for one in _medium_and_slopes(x, y))
        px, py = profile(False, x), profile(False, y)
        f = a * np.asarray(f) - ax * profile(False, x, 1) * py - ay * px * profile(False, y, 1)
        by_field = diffusion(grid, jnp.asarray(f), boundaries, jnp.asarray(a))
        by_function = diffusion(grid, jnp.asarray(f), boundaries, medium)
        errors.append([norm_of_error(u, exact, layout) for u in (by_field, by_function)])
    ratio = (33 if make == "vertices" else 32) / (16.5 if make == "vertices" else 16)
    orders = np.log(np.array(errors[0]) / errors[1]) / np.log(ratio)
    np.testing.assert_allclose(orders, 2, atol=0.15)


def _medium_and_slopes(x, y):
    x, y = np.broadcast_arrays(x, y)
    a = np.exp(np.sin(4 * x + 1) * np.cos(3 * y))
    return a, a * 4 * np.cos(4 * x + 1) * np.cos(3 * y), -a * 3 * np.sin(4 * x + 1) * np.sin(3 * y)


MEDIA = {
    "constant": lambda x, y: 1.0 + 0 * x * y,
    "smooth": lambda x, y: 1 + 0.9 * jnp.sin(7 * x) * jnp.cos(5 * y),
    "log-normal": lambda x, y: jnp.exp(2 * jnp.sin(13 * x + 3 * y) + 1.5 * jnp.cos(17 * y)),
}


def test_a_cycle_of_multigrid_takes_four_fifths_of_the_residual_away():
    b = np.random.default_rng(0).standard_normal((40, 33))
    cases = [
        (Grid.cells(b.shape), [(Dirichlet(), Neumann()), (Robin(1.0, 2.0), Dirichlet())]),
        (Grid.vertices(b.shape, Dirichlet()), Dirichlet()),
    ]

    @jax.jit
    def factors(b):
        found = []
        for medium in MEDIA.values():
            for grid, boundaries in cases:
                zero = jnp.zeros((1, 1))
                net = network(grid, Boundaries.of(boundaries, 2), grid.sample(medium), zero, b.dtype)
                cycle = Multigrid().cycle(net, False)

                def once(left, _, net=net, cycle=cycle):
                    left = left - net.product(cycle(left))
                    return left, jnp.linalg.norm(left.ravel())

                found.append(jax.lax.scan(once, b, None, length=8)[1])
        return jnp.stack(found)

    norms = np.asarray(factors(b))
    assert (norms[:, 1:] / norms[:, :-1]).max() < 0.2


def test_jumps_of_a_thousand_are_solved_through():
    grid = Grid.cells((32, 33))
    a = grid.sample(lambda x, y: jnp.where((x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.07, 1000.0, 1.0))
    f = grid.sample(lambda x, y: jnp.sin(5 * x) + y)
    u = diffusion(grid, f, Dirichlet(), a, method=ConjugateGradient(max_steps=15))
    net = network(grid, Boundaries.of(Dirichlet(), 2), a, jnp.zeros((1, 1)), a.dtype)
    assert jnp.linalg.norm(net.product(u) - f) < 1e-8 * jnp.linalg.norm(f)


def test_layers_across_one_axis_are_exact():
    """In one dimension a medium of two layers has a solution of two lines, met by harmonic means."""
    grid = Grid.cells((8, 3))
    a = jnp.where(jnp.arange(8) < 4, 1.0, 9.0)[:, None]
    u = diffusion(grid, jnp.zeros(grid.shape), [(Dirichlet(), Dirichlet(1.0)), Neumann()], a)
    x = grid.axes[0].points()
    exact = np.where(x < 0.5, 1.8 * x, 0.9 + 0.2 * (x - 0.5))
    np.testing.assert_allclose(u, np.broadcast_to(exact[:, None], grid.shape), atol=1e-13)


@pytest.mark.parametrize("method", [None, ConjugateGradient(rtol=1e-13)])
def test_derivatives_are_those_of_the_solution(method):
    grid = Grid.cells((6, 5))
    rng = np.random.default_rng(3)
    f, c, g = rng.standard_normal((6, 5)), rng.random((1, 1)), rng.standard_normal(5)
    a = rng.random((6, 1) if method is None else (6, 5)) + 0.5
    at, moves = (f, a, c, g), tuple(rng.standard_normal(x.shape) for x in (f, a, c, g))
    pull = rng.standard_normal((6, 5))

    def u(f, a, c, g):
        return diffusion(grid, f, [(Dirichlet(g), Neumann()), Robin(1.0, 2.0, 0.3)], a, c, method=method)

    @jax.jit
    def all_of(at, moves, pull):
        _, moved = jax.jvp(u, at, moves)
        pulled = jax.vjp(u, *at)[1](pull)
        near = [u(*(x + s * v for x, v in zip(at, moves, strict=True))) for s in (-1e-5, 1e-5)]
        return moved, pulled, (near[1] - near[0]) / 2e-5

    moved, pulled, differences = all_of(at, moves, pull)
    np.testing.assert_allclose(moved, differences, rtol=1e-6, atol=1e-8)
    both = np.vdot(pull, moved), sum(np.vdot(p, v) for p, v in zip(pulled, moves, strict=True))
    np.testing.assert_allclose(*both, rtol=1e-12 if method is None else 1e-10)


@pytest.mark.core
def test_batches_are_loops_and_single_precision_stays():
    grid = Grid.vertices((7, 6), Dirichlet())
    f = np.random.default_rng(4).standard_normal((3, 7, 6)).astype(np.float32)
    medium = 1 + np.random.default_rng(5).random((7, 6)).astype(np.float32)

    @jax.jit
    def all_of(f):
        one = lambda x: (poisson(grid, x, Dirichlet()), diffusion(grid, x, Dirichlet(), medium))  # noqa: E731
        return jax.vmap(one)(f), [one(x) for x in f], poisson(grid, f[0].astype(float), Dirichlet())

    together, loop, exact = all_of(f)
    for i, each in enumerate(loop):
        for batch, alone in zip(together, each, strict=True):
            assert batch.dtype == jnp.float32
            np.testing.assert_allclose(batch[i], alone, atol=2e-6)
    np.testing.assert_allclose(together[0][0], exact, atol=1e-6)


@pytest.mark.parametrize("method", [None, Transform(), Multigrid()])
def test_what_is_determined_up_to_a_constant_has_mean_zero(method):
    grid = Grid.cells((8, 20))
    f = grid.sample(lambda x, y: jnp.cos(np.pi * x) + jnp.cos(2 * np.pi * y))
    u = poisson(grid, f, [Neumann(), Periodic()], method=method)
    assert abs(float(grid.integral(u))) < 1e-12
    np.testing.assert_allclose(negative_laplacian(grid, [Neumann(), Periodic()], u), f, atol=1e-8)


def test_sources_that_do_not_balance_are_refused_or_balanced():
    grid, faces = Grid.cells((8, 8)), [(Neumann(1.0), Symmetric()), Neumann()]
    with pytest.raises(ArgumentError, match=r"leave 1 of all sources, and 0.12 is what this grid cannot resolve"):
        poisson(grid, 0.0, faces)
    u = poisson(grid, 0.0, faces, subtract_mismatch=True)
    np.testing.assert_allclose(negative_laplacian(grid, faces, u), -1.0, atol=1e-11)
    balanced = poisson(grid, -1.0, faces)
    np.testing.assert_allclose(balanced, u, atol=1e-13)
    assert jnp.isnan(jax.jit(lambda f: poisson(grid, f, faces))(jnp.ones((8, 8)))).all()


def test_curved_coordinates():
    errors = []
    for n in (12, 24):
        ball, ring = Grid.cells(n, coordinates=Spherical()), Grid.cells(n, coordinates=Polar(), lower=0.5, upper=2.0)
        disk = Grid.cells((n, n), upper=(1.0, 2 * np.pi), coordinates=Polar())
        tube = Grid.cells((n, n), coordinates=Cylindrical())
        exact = {
            ball: ball.sample(lambda r: 1 - r**2),
            ring: ring.sample(jnp.log),
            disk: disk.sample(lambda r, p: (1 - r**2) * r * jnp.cos(p)),
            tube: tube.sample(lambda r, z: (1 - r**2) * jnp.cos(np.pi * z)),
        }
        axis = (Neumann(), Dirichlet())
        given = {
            ball: (6.0, axis),
            ring: (0.0, (Dirichlet(np.log(0.5)), Robin(0.0, 1.0, 0.5))),
            disk: (disk.sample(lambda r, p: 8 * r * jnp.cos(p)), axis),
            tube: (tube.sample(lambda r, z: (4 + np.pi**2 * (1 - r**2)) * jnp.cos(np.pi * z)), axis),
        }
        other = {disk: [Periodic()], tube: [Neumann()]}
        errors.append(
            [
                float(jnp.sqrt(grid.integral((poisson(grid, f, [pair, *other.get(grid, [])]) - exact[grid]) ** 2)))
                for grid, (f, pair) in given.items()
            ]
        )
    np.testing.assert_allclose(np.log2(np.array(errors[0]) / errors[1]), 2, atol=0.15)


def test_helmholtz_radiates_and_resonates():
    grid, boundaries, f, _ = manufactured([(D, D), (N, D)], 12, "cells")
    k2 = jnp.asarray(30.0)
    u = helmholtz(grid, f, boundaries, k2)
    np.testing.assert_allclose(negative_laplacian(grid, boundaries, u) - k2 * u, f, atol=1e-9)
    field = jnp.broadcast_to(k2, grid.shape)
    np.testing.assert_allclose(helmholtz(grid, f, boundaries, field), u, rtol=1e-6, atol=1e-8)
    line = Grid.vertices(7, Dirichlet())
    first = (2 * np.sin(np.pi / 16) * 8) ** 2
    with pytest.raises(ArgumentError, match="resonate"):
        helmholtz(line, jnp.ones(7), Dirichlet(), first)
    with pytest.raises(ArgumentError, match=r"Multigrid\(\) needs a reaction that is nowhere negative"):
        helmholtz(grid, f, boundaries, 30.0, method=Multigrid())


def test_plates():
    """Centre of the square plate under a load of 1: Timoshenko & Woinowsky-Krieger; more digits by Meleshko (1997)."""
    supported, clamped = [], []
    for n in (15, 31):
        grid = Grid.vertices((n, n), Dirichlet())
        supported.append(biharmonic(grid, 1.0, Dirichlet())[n // 2, n // 2])
        clamped.append(clamped_plate(grid, 1.0)[n // 2, n // 2])
    by_richardson = [(4 * fine - coarse) / 3 for coarse, fine in (supported, clamped)]
    np.testing.assert_allclose(by_richardson, [0.00406235266, 0.00126531908], rtol=5e-4)


def test_the_membrane_of_an_l():
    """9.63972384402 (Fox, Henrici & Moler 1967; Trefethen & Betcke 2006), by Richardson in the corner's powers."""
    found = []
    for m in (8, 16, 32, 64):
        grid = Grid.vertices((2 * m - 1,) * 2, Dirichlet(), lower=-1.0, upper=1.0)
        inside = grid.sample(lambda x, y: ~((x > -1e-9) & (y > -1e-9)))
        found.append(eigenmodes(grid, Dirichlet(), inside=inside).eigenvalues[0])
    rows = np.array(found)
    for power in (4 / 3, 2, 8 / 3):
        rows = (2**power * rows[1:] - rows[:-1]) / (2**power - 1)
    np.testing.assert_allclose(rows[0], 9.63972384402, rtol=2e-6)


def test_modes_of_a_box_are_waves():
    grid = Grid.cells((12, 10), upper=(1.0, 0.7))
    modes = eigenmodes(grid, [Neumann(), Dirichlet()], 3)
    x, y = (2 * np.sin(np.pi * np.arange(4) * h / (2 * s)) / h for h, s in zip(grid.spacing, (1.0, 0.7), strict=True))
    exact = np.sort(np.add.outer(x**2, y[1:] ** 2).ravel())[:3]
    np.testing.assert_allclose(modes.eigenvalues, exact, rtol=1e-9)
    np.testing.assert_allclose([grid.integral(u**2) for u in modes.fields], 1)


GRID = Grid.cells((8, 8))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: poisson(GRID, jnp.ones((8, 7)), Dirichlet()), ArgumentError, r"shape \(8, 8\) of its grid"),
        (
            lambda: poisson(GRID, jnp.ones((8, 8)).at[3, 4].set(jnp.nan), Dirichlet()),
            ArgumentError,
            "`source` .* finite",
        ),
        (lambda: poisson(GRID, 1.0, None), ArgumentTypeError, "`boundaries` of poisson must be a boundary"),
        (lambda: poisson(GRID, 1.0, [Dirichlet()]), ArgumentTypeError, "one or a pair"),
        (lambda: poisson(GRID, 1.0, Dirichlet(jnp.nan)), ArgumentError, "`boundaries` .* finite"),
        (lambda: poisson(GRID, 1.0, Dirichlet(lambda t: jnp.nan * t)), FailedSolve, "function of time"),
        (lambda: poisson(GRID, 1.0, Dirichlet(jnp.ones(7))), ArgumentError, r"fields \(8,\) on the faces of axis 0"),
        (lambda: poisson((8, 8), 1.0, Dirichlet()), ArgumentTypeError, "must be a Grid"),
        (lambda: poisson(GRID, 1.0, Dirichlet(), method="fft"), ArgumentTypeError, "must be an elliptic method"),
        (lambda: diffusion(GRID, 1.0, Dirichlet(), 0.0), ArgumentError, r"`coefficient` .* positive. Got 0.0"),
        (lambda: diffusion(GRID, 1.0, Dirichlet(), -jnp.ones((8, 8))), ArgumentError, "positive"),
        (lambda: diffusion(GRID, 1.0, Dirichlet(), MEDIA["smooth"], method=Transform()), ArgumentError, "constant"),
        (lambda: poisson(GRID, 1.0, Periodic(), method=TransformThomas()), ArgumentError, "not periodic"),
        (lambda: clamped_plate(GRID, 1.0), ArgumentError, "Grid.vertices"),
        (lambda: eigenmodes(GRID, Dirichlet(), 20), ArgumentError, "points inside"),
        (lambda: Multigrid(smoothing=0), ArgumentError, "at least 1"),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_direct_solve_takes_two_fields_of_memory():
    grid = Grid.vertices((511, 511), Dirichlet())
    program = jax.jit(lambda f: poisson(grid, f, Dirichlet())).lower(jnp.ones(grid.shape)).compile()
    assert program.memory_analysis().temp_size_in_bytes < 2 * 8 * 511**2


def test_an_iteration_that_ends_too_early_says_so():
    grid = Grid.cells((32, 32))
    with pytest.raises(FailedSolve, match="did not come to its tolerance"):
        diffusion(grid, 1.0, Dirichlet(), MEDIA["log-normal"], method=ConjugateGradient(max_steps=1))
