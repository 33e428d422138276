"""Travel times against closed forms, their symmetries, and their derivatives against differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from continua.core import ArgumentError, ArgumentTypeError
from continua.space import Grid, eikonal, signed_distance, sweeping
from continua.space.coordinates import Polar

SLOPE = 1.5


def apart(grid, place):
    return np.sqrt(sum((np.asarray(x) - p) ** 2 for x, p in zip(grid.points(), place, strict=True)))


def linear(grid, place):
    """The speed 1 + 1.5 x, and the times from a place: rays are arcs of circles."""
    speed = np.broadcast_to(1 + SLOPE * np.asarray(grid.points()[0]), grid.shape)
    there = 1 + SLOPE * place[0]
    return speed, np.arccosh(1 + (SLOPE * apart(grid, place)) ** 2 / (2 * speed * there)) / SLOPE


def uneven(grid, noise=0.1):
    x, y = map(np.asarray, grid.points())
    return 1 + 0.4 * np.sin(5 * x + 1) * np.cos(4 * y) + noise * np.random.default_rng(0).random(grid.shape)


@pytest.mark.core
def test_constant_speed_gives_the_distance_whatever_the_spacings():
    grid, place = Grid.cells((30, 25), lower=(0.0, -1.0), upper=(1.0, 1.0)), (0.43, 0.2)
    arrival = eikonal(grid, 2.0, place)
    assert arrival.times == pytest.approx(apart(grid, place) / 2, abs=1e-12)
    single = eikonal(grid, jnp.full(grid.shape, 2.0, jnp.float32), jnp.array(place, jnp.float32))
    assert single.times.dtype == jnp.float32
    assert np.asarray(single.times, float) == pytest.approx(apart(grid, place) / 2, abs=2e-6)


def test_units_do_not_matter():
    grid, place = Grid.cells((30, 25), upper=(1e-6, 1e-6)), (4e-7, 2e-7)
    assert eikonal(grid, 3e8, place).times == pytest.approx(apart(grid, place) / 3e8, rel=1e-9, abs=1e-27)


def test_linear_speed_converges_at_second_order():
    errors = []
    for size in (32, 64, 128):
        grid, place = Grid.cells((size, size)), (0.4, 0.55)
        speed, exact = linear(grid, place)
        errors.append(np.abs(eikonal(grid, speed, place).times - exact).mean())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (orders > 1.5).all()
    assert errors[-1] * 128 < 0.005
    rough = np.abs(eikonal(grid, speed, place, order=1).times - exact).mean()
    assert 20 * errors[-1] < rough < 0.3 / 128


def test_rays_that_cross_do_no_harm():
    times = []
    for size in (64, 192):
        grid, place = Grid.cells((size, size)), (32.5 / 64, 32.5 / 64)
        x, y = grid.points()
        speed = 1 + 0.5 * jnp.sin(6 * jnp.pi * x) * jnp.sin(6 * jnp.pi * y)
        times.append(eikonal(grid, speed, place).times)
    assert np.abs(times[0] - times[1][1::3, 1::3]).mean() * 64 < 0.15


def test_in_three_dimensions():
    grid, place = Grid.cells((16, 14, 12), upper=(1.0, 1.0, 0.8)), (0.31, 0.42, 0.5)
    speed, exact = linear(grid, place)
    times = jax.jit(lambda v: eikonal(grid, v, place).times)
    assert times(jnp.ones(grid.shape)) == pytest.approx(apart(grid, place), abs=1e-4)
    error = np.abs(times(jnp.asarray(speed)) - exact)
    assert error.mean() * 16 < 0.05
    assert error.max() * 16 < 0.25


def test_in_one_dimension():
    grid = Grid.cells(50)
    x = np.asarray(grid.points()[0])
    exact = np.abs(np.log((1 + SLOPE * x) / (1 + SLOPE * 0.3))) / SLOPE
    assert eikonal(grid, 1 + SLOPE * x, [0.3]).times == pytest.approx(exact, abs=1e-4)


def test_rays_go_around_walls_and_end_in_closed_rooms():
    grid, place = Grid.cells((60, 60)), (0.2, 0.2)
    x, y = map(np.asarray, grid.points())
    walls = (abs(x - 0.5) < 0.01) & (y < 0.6)
    room = (np.maximum(abs(x - 0.85), abs(y - 0.15)) < 0.1) & (np.maximum(abs(x - 0.85), abs(y - 0.15)) > 0.06)
    times = np.asarray(eikonal(grid, np.where(walls | room, 0.0, 1.0), place).times)
    assert np.isinf(times[walls | room]).all()
    assert np.isinf(times[51, 9])
    end = (x[x < 0.5].max(), y[0, ~walls[30]].min())  # the wall is a cell wide: rays turn beside its end
    hidden = (x > 0.55) & (x < 0.72) & (y < 0.4)
    way = np.hypot(end[0] - 0.2, end[1] - 0.2) + np.hypot(x - end[0] - 1 / 60, y - end[1]) + 1 / 60
    assert np.abs(times - way)[hidden].max() < 0.6 / 60
    assert np.abs(times - apart(grid, place))[x.ravel() < 0.48].max() < 1e-3


def test_diagonal_walls_do_not_leak():
    grid = Grid.cells((20, 20))
    times = eikonal(grid, np.where(np.eye(20), 0.0, 1.0), (0.2, 0.8)).times
    assert np.isfinite(times[3, 15])
    assert np.isinf(np.tril(times)[np.tril_indices(20)]).all()


def test_times_are_reciprocal_and_no_faster_than_the_fastest():
    grid = Grid.cells((40, 40))
    speed, one, other = uneven(grid, 0.0), (10, 31), (33, 8)
    places = [[float(x[i]) for x, i in zip(map(np.ravel, grid.points()), index, strict=True)] for index in (one, other)]
    there, back = (eikonal(grid, speed, place).times for place in places)
    assert there[other] == pytest.approx(float(back[one]), rel=2e-3)
    assert (there >= apart(grid, places[0]) / speed.max() - 1e-9).all()
    assert (there + back >= there[other] - 2e-3).all()


def test_the_first_of_several_sources_counts():
    grid, places, starts = (
        Grid.cells((30, 30)),
        np.array([[0.2, 0.3], [0.8, 0.6], [0.5, 0.5]]),
        np.array([0.0, 0.1, 9.0]),
    )
    exact = np.min([apart(grid, place) + start for place, start in zip(places, starts, strict=True)], 0)
    error = np.abs(eikonal(grid, 1.0, places, starts=starts).times - exact)
    assert np.median(error) < 1e-12
    assert error.max() < 0.25 / 30  # where they meet


def test_from_a_front():
    grid = Grid.cells((50, 40), lower=-1.0)
    circle = apart(grid, (0.1, 0.0)) - 0.5
    smooth = signed_distance(grid, circle * (2 + np.asarray(grid.points()[0])))
    away = apart(grid, (0.1, 0.0)) > 0.15
    assert np.abs(smooth - circle)[away].mean() < 0.1 * 0.05
    mask = signed_distance(grid, circle < 0)
    assert np.abs(mask - circle)[away].mean() < 0.02
    half = np.abs(signed_distance(grid, circle)) / 2
    assert np.asarray(eikonal(grid, 2.0, front=circle).times) == pytest.approx(half, abs=1e-9)


def test_a_source_in_a_slow_spot_does_no_harm():
    """Its slowness, two hundred times that of the medium, says nothing of what the scheme lacks outside the spot."""
    grid, width = Grid.cells((32, 32)), 2 / 32
    r = apart(grid, (0.5, 0.5))
    slowness, exact = 1 + 200 * np.exp(-((r / width) ** 2)), r + 100 * width * np.sqrt(np.pi) * erf(r / width)
    second, first = (np.abs(eikonal(grid, 1 / slowness, (0.5, 0.5), order=k).times - exact).mean() for k in (2, 1))
    assert second < 0.35 * first  # with corrections as large as its slowness asks for: 0.83


def test_blocks_do_not_matter(monkeypatch):
    grid, found = Grid.cells((13, 11)), []
    for side, end in ((128, 1e-12), (5, 1.01e-12)):  # another tolerance is another program
        monkeypatch.setattr(sweeping, "BLOCKS", (side,) * 3)
        total = jax.value_and_grad(
            lambda v, end=end: jnp.sum(eikonal(grid, v, (0.31, 0.42), order=1, tolerance=end).times ** 2)
        )
        found.append(jax.jit(total)(jnp.asarray(uneven(grid))))
    for one, other in zip(*found, strict=True):
        assert np.asarray(one) == pytest.approx(np.asarray(other), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("order", "shape"), [(1, (16, 14)), (2, (16, 14)), (2, (7, 6, 5))])
def test_derivative_is_that_of_the_numbers_both_ways(order, shape):
    grid, random = Grid.cells(shape, upper=(1.0, 0.9, 0.8)[: len(shape)]), np.random.default_rng(1)
    x, y, *_ = map(np.asarray, grid.points())
    speed = 1 + 0.4 * np.sin(5 * x + 1) * np.cos(4 * y) + 0.1 * np.random.default_rng(0).random(shape)
    places = np.array([[0.33, 0.41, 0.37], [0.9, 0.8, 0.7]])[:, : len(shape)]
    point = jnp.asarray(speed), jnp.asarray(places), jnp.array([0.0, 0.05])
    moves = tuple(jnp.asarray(random.standard_normal(x.shape)) for x in point)
    weights = jnp.asarray(random.standard_normal(grid.shape))

    def times(speed, sources, starts):
        return eikonal(grid, speed, sources, starts=starts, order=order, tolerance=1e-13).times

    @jax.jit
    def both(point, moves, weights):
        values, forward = jax.jvp(times, point, moves)
        return values, forward, jax.vjp(times, *point)[1](weights)

    values, forward, backward = both(point, moves, weights)
    product = sum(jnp.sum(b * m) for b, m in zip(backward, moves, strict=True))
    assert product == pytest.approx(float(jnp.sum(forward * weights)), rel=1e-12)
    still = both(point, (-point[0], 0 * point[1], point[2]), weights)[1]  # slower by a factor is later by it
    assert np.asarray(still) == pytest.approx(np.asarray(values), rel=1e-9)
    step = 1e-6
    high, low = (
        both(tuple(x + sign * step * m for x, m in zip(point, moves, strict=True)), moves, weights)[0]
        for sign in (1, -1)
    )
    assert np.asarray(forward) == pytest.approx(np.asarray(high - low) / (2 * step), abs=1e-6)


def test_derivative_in_the_slowness_adds_up_to_the_times():
    grid = Grid.cells((256, 256))
    x, y = grid.points()
    speed = (1 + 0.5 * jnp.sin(6 * jnp.pi * x) * jnp.sin(6 * jnp.pi * y)).astype(jnp.float32)
    place = jnp.full(2, 128.5 / 256, jnp.float32)
    value, slope = jax.jit(jax.value_and_grad(lambda v: jnp.mean(eikonal(grid, v, place, order=1).times)))(speed)
    assert float(jnp.sum(slope * speed)) == pytest.approx(-float(value), rel=1e-4)


def test_map_is_a_loop():
    grid = Grid.cells((20, 18))
    speeds = jnp.asarray(np.stack([uneven(grid), 2 * uneven(grid).T.T ** 2]))
    value = jax.value_and_grad(lambda v: jnp.sum(eikonal(grid, v, (0.3, 0.3), tolerance=1e-10).times ** 2))
    together, one = jax.jit(jax.vmap(value))(speeds), jax.jit(value)
    for k, speed in enumerate(speeds):
        for found, expected in zip(together, one(speed), strict=True):
            assert np.asarray(found[k]) == pytest.approx(np.asarray(expected), rel=1e-9, abs=1e-12)


GRID = Grid.cells((8, 8))
WRONG = {
    "at least 0": (lambda: eikonal(GRID, -1.0, (0.5, 0.5)), ArgumentError),
    "finite": (lambda: eikonal(GRID, np.full((8, 8), np.nan), (0.5, 0.5)), ArgumentError),
    "positive somewhere": (lambda: eikonal(GRID, 0.0, (0.5, 0.5)), ArgumentError),
    "shape": (lambda: eikonal(GRID, np.ones((8, 7)), (0.5, 0.5)), ArgumentError),
    "box": (lambda: eikonal(GRID, 1.0, (0.5, 1.5)), ArgumentError),
    "wall": (lambda: eikonal(GRID, np.where(np.eye(8), 0.0, 1.0), (0.0625, 0.0625)), ArgumentError),
    "points": (lambda: eikonal(GRID, 1.0, (0.5, 0.5, 0.5)), ArgumentError),
    "one for each": (lambda: eikonal(GRID, 1.0, (0.5, 0.5), starts=[0.0, 1.0]), ArgumentError),
    "one of them": (lambda: eikonal(GRID, 1.0), ArgumentTypeError),
    "change its sign": (lambda: eikonal(GRID, 1.0, front=np.ones((8, 8))), ArgumentError),
    "Cartesian": (lambda: eikonal(Grid.cells((8, 8), coordinates=Polar()), 1.0, (0.5, 0.5)), ArgumentError),
    "1 or 2": (lambda: eikonal(GRID, 1.0, (0.5, 0.5), order=3), ArgumentError),
    "tolerance": (lambda: eikonal(GRID, 1.0, (0.5, 0.5), tolerance=0.0), ArgumentError),
    "a Grid": (lambda: eikonal((8, 8), 1.0, (0.5, 0.5)), ArgumentTypeError),
}


@pytest.mark.parametrize("says", WRONG)
def test_bad_input_is_refused_in_one_line(says):
    call, kind = WRONG[says]
    with pytest.raises(kind, match=says) as error:
        call()
    assert "\n" not in str(error.value)
