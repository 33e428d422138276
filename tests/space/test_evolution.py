"""Fields as equations: closed forms, invariants, and the same numbers on a wide halo."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import ArgumentError
from continua.methods import RK4, RKC, Euler, ImplicitEuler, Substeps, Tsit5, growth_factor, stability_limit
from continua.solver import Fixed, solve
from continua.space import (
    Dirichlet,
    Evolution,
    Flow,
    Grid,
    Neumann,
    Outside,
    Periodic,
    Robin,
    Stencil,
    Symmetric,
    propagate,
)

GRID = Grid.cells((24, 20), upper=(1.2, 1.0))
BUMP = np.exp(-20 * ((GRID.points()[0] - 0.3) ** 2 + (GRID.points()[1] - 0.6) ** 2))


def perona_malik(g):
    return g / (1 + (g / 2.0) ** 2)


@pytest.mark.core
def test_explicit_steps_multiply_a_wave_by_the_growth_factor():
    grid = Grid.cells(16)
    heat = Evolution(Stencil.of("laplace", grid, Periodic()), rate=0.1)
    wave = grid.sample(lambda x: jnp.cos(6 * jnp.pi * x))
    h = 0.9 * stability_limit(Euler(), heat.spectrum())
    end = solve(heat, wave, jnp.array([0.0, 20 * h]), method=Euler(), step_control=Fixed(h)).ys[-1]
    factor = 1 + 0.1 * h * float(heat.operator.symbol(2 * np.pi * 3 / 16).real)
    assert np.allclose(end, factor**20 * wave, rtol=1e-12)


@pytest.mark.parametrize(
    ("boundaries", "method"),
    [(Symmetric(), Euler()), (Periodic(), RK4()), (Dirichlet(0.7), RK4()), ((Neumann(), Dirichlet()), Euler())],
)
def test_steps_on_a_wide_halo_are_the_same_steps(boundaries, method):
    heat = Evolution(Stencil.of("laplace", GRID, boundaries), rate=jnp.asarray(0.1))
    assert heat.repeats()
    h = 0.9 * stability_limit(method, heat.spectrum())
    ts = jnp.array([0.0, 8 * h])
    plain = solve(heat, BUMP, ts, method=method, step_control=Fixed(h)).ys[-1]
    many = 4 if method == Euler() else 2
    wide = solve(heat, BUMP, ts, method=Substeps(method, many), step_control=Fixed(many * h)).ys[-1]
    assert np.abs(plain - wide).max() < 1e-14


def test_where_ghosts_would_not_persist_steps_are_taken_in_turn():
    for boundaries in (Neumann(1.0), Robin(1.0, 1.0), Outside(), Dirichlet(lambda t: t)):
        assert not Evolution(Stencil.of("laplace", GRID, boundaries)).repeats()
    assert not Evolution(Stencil.of("laplace + dx", GRID, Symmetric())).repeats()
    assert not Evolution(Stencil.of("laplace - 1", GRID, Dirichlet(1.0))).repeats()
    assert not Evolution(Stencil.of("laplace", GRID, Neumann(), order=4)).repeats()
    assert Evolution(Stencil.of("laplace + dx", GRID, Periodic())).repeats()
    heat = Evolution(Stencil.of("laplace", GRID, Neumann(1.0)), rate=0.1)
    h = 0.9 * stability_limit(Euler(), heat.spectrum())
    ts = jnp.array([0.0, 8 * h])
    plain = solve(heat, BUMP, ts, method=Euler(), step_control=Fixed(h)).ys[-1]
    turns = solve(heat, BUMP, ts, method=Substeps(Euler(), 4), step_control=Fixed(4 * h)).ys[-1]
    assert np.abs(plain - turns).max() < 1e-14
    gained = float(GRID.integral(plain) - GRID.integral(BUMP))
    assert np.isclose(gained, 0.1 * 8 * h * 2 * (1.2 + 1.0))  # what flows in through the faces


def test_flow_keeps_its_sum_and_its_range_and_its_gradient():
    flow = Evolution(Flow(perona_malik, Symmetric(), grid=GRID), rate=0.1)
    h = 0.4 * stability_limit(Euler(), flow.spectrum())
    ts = jnp.array([0.0, 16 * h])

    def end(field, method, h):
        return solve(flow, field, ts, method=method, step_control=Fixed(h), max_steps=32).ys[-1]

    def energy(field, method, h):
        return jnp.sum(jnp.sin(3 * end(field, method, h)))

    wide = end(BUMP, Substeps(Euler(), 4), 4 * h)
    assert np.isclose(GRID.integral(wide), GRID.integral(BUMP), rtol=1e-13)
    assert BUMP.min() <= wide.min()
    assert wide.max() <= BUMP.max()
    one, two = (
        jax.jit(jax.grad(lambda field, m=m, h=h: energy(field, m, h)))(jnp.asarray(BUMP))
        for m, h in ((Euler(), h), (Substeps(Euler(), 4), 4 * h))
    )
    assert np.abs(one - two).max() < 1e-12
    way = jnp.cos(jnp.arange(480.0)).reshape(24, 20)
    forward = (energy(BUMP + 1e-6 * way, Euler(), h) - energy(BUMP - 1e-6 * way, Euler(), h)) / 2e-6
    assert np.isclose(jnp.vdot(one, way), forward, rtol=1e-7)


def test_rates_and_sources_can_be_learned():
    def misfit(rate, push):
        heat = Evolution(Stencil.of("laplace", GRID, Neumann()), rate, lambda t, u, args: push * u * (1 - u))
        return jnp.sum(solve(heat, BUMP, jnp.array([0.0, 0.02]), method=Tsit5()).ys[-1] ** 2)

    one = jnp.asarray(1.0)
    reverse = jax.jit(jax.grad(misfit, (0, 1)))(0.1 * one, 2 * one)
    forward = jax.jit(jax.jacfwd(misfit, (0, 1)))(0.1 * one, 2 * one)
    assert np.allclose(reverse, forward, rtol=1e-9)


def test_limits_of_stability_are_those_of_the_books():
    assert np.isclose(stability_limit(Euler(), [-4.0]), 0.5)
    assert np.isclose(stability_limit(RK4(), [-1.0]), 2.785293563)
    assert np.isclose(stability_limit(RK4(), [1j]), 2 * np.sqrt(2))
    assert stability_limit(Euler(), [1j]) == 0
    assert stability_limit(ImplicitEuler(), [-1.0, 1j]) == np.inf
    assert np.isclose(stability_limit(Substeps(Euler(), 4), [-4.0]), 2.0)
    assert stability_limit(Euler(), [0.0, 3.0]) == np.inf  # what stays or grows by itself bounds nothing
    five, wide = (Stencil.of("laplace", Grid.cells((8, 8), upper=8.0), Periodic(), order=n) for n in (2, 4))
    assert np.isclose(stability_limit(Euler(), five.spectrum()), 0.25)
    assert np.isclose(stability_limit(Euler(), wide.spectrum()), 0.1875)
    assert np.isclose(growth_factor(Euler(), 0.5, five.spectrum()), 3.0)


def test_steps_too_long_for_the_grid_are_refused():
    heat = Evolution(Stencil.of("laplace", GRID, Neumann()), rate=0.1)
    ts = jnp.array([0.0, 1.0])
    with pytest.raises(ArgumentError, match=r"at most 0\.00625 for Euler\(\).*Use Fixed\(0\.00625\), or RKC\(\)"):
        solve(heat, BUMP, ts, method=Euler(), step_control=Fixed(0.01))
    with pytest.raises(ArgumentError, match=r"at most 0\.05 for Euler\(\)"):
        solve(heat, BUMP, ts, method=Substeps(Euler(), 8), step_control=Fixed(0.1))
    with pytest.raises(ArgumentError, match=r"at most 0\.00625 for Euler\(\)"):
        jax.jit(lambda u: solve(heat, u, ts, method=Euler(), step_control=Fixed(0.01)).ys)(BUMP)
    flow = Evolution(Flow(perona_malik, Symmetric(), grid=GRID))
    assert jax.jit(lambda u: solve(flow, u, ts / 1e3, method=Euler(), step_control=Fixed(1e-4)).ys)(BUMP).shape == (
        2,
        24,
        20,
    )
    wind = Evolution(Stencil.of("dx", GRID, Periodic()))
    with pytest.raises(ArgumentError, match="only travel, and no step of Euler"):
        solve(wind, BUMP, 2 * ts, method=Euler(), step_control=Fixed(0.05))
    assert solve(heat, BUMP, ts, method=RKC(), step_control=Fixed(0.1)).status == 0
    with pytest.raises(ArgumentError, match="at least 1"):
        Substeps(Euler(), 0)


def test_substeps_serve_any_equation_and_method():
    turn = jnp.array([1.0, 0.0])
    field = lambda t, y, args: jnp.stack([y[1], -y[0]]) * (1 + t)  # noqa: E731
    ts = jnp.array([0.0, 0.3, 1.0])
    plain = solve(field, turn, ts, method=RK4(), step_control=Fixed(0.05)).ys
    grouped = solve(field, turn, ts, method=Substeps(RK4(), 4), step_control=Fixed(0.2)).ys
    assert np.allclose(plain[-1], grouped[-1], rtol=1e-13)
    assert np.allclose(plain[1], grouped[1], atol=1e-6)


@pytest.mark.parametrize(
    ("boundaries", "name"),
    [
        (Symmetric(), "laplace"),
        (Periodic(), "laplace - 0.01 biharmonic"),
        (Dirichlet(), "laplace - 0.01 biharmonic"),
        (((Neumann(), Dirichlet()), Periodic()), "laplace"),
    ],
)
def test_waves_become_in_one_go_what_steps_make_of_them(boundaries, name):
    heat = Evolution(Stencil.of(name, GRID, boundaries), rate=0.05)
    h = 0.9 * stability_limit(Euler(), heat.spectrum())
    steps = solve(heat, BUMP, jnp.array([0.0, 40 * h]), method=Euler(), step_control=Fixed(h)).ys[-1]
    at_once = propagate(heat, BUMP, 40 * h, lambda z: (1 + z / 40) ** 40)
    assert np.abs(steps - at_once).max() < 1e-13
    exact = solve(heat, BUMP, jnp.array([0.0, 40 * h]), rtol=1e-9, method=Tsit5()).ys[-1]
    assert np.abs(exact - propagate(heat, BUMP, 40 * h)).max() < 1e-8


def test_travelling_waves_travel_and_derivatives_are_exact():
    grid = Grid.cells((32, 24))
    wave = grid.sample(lambda x, y: jnp.sin(2 * jnp.pi * x) * jnp.cos(2 * jnp.pi * y))
    wind = Evolution(Stencil.of("dx", grid, Periodic(), order=6), rate=-1.0)
    moved = propagate(wind, wave, 0.25)
    assert np.abs(moved + grid.sample(lambda x, y: jnp.cos(2 * jnp.pi * x) * jnp.cos(2 * jnp.pi * y))).max() < 1e-5

    def energy(rate, time, field):
        return jnp.sum(jnp.sin(propagate(Evolution(Stencil.of("laplace", grid, Neumann()), rate), field, time)))

    at = (jnp.asarray(0.05), jnp.asarray(0.1), wave)
    reverse = jax.jit(jax.grad(energy, (0, 1)))(*at)
    assert np.isclose(reverse[0] * at[0], reverse[1] * at[1])  # both enter as their product
    nearby = (energy(at[0] + 1e-5, *at[1:]) - energy(at[0] - 1e-5, *at[1:])) / 2e-5
    assert np.isclose(reverse[0], nearby, rtol=1e-6)
    with pytest.raises(ArgumentError, match="waves stay waves"):
        propagate(Evolution(Stencil.of("laplace", GRID, Neumann(1.0))), BUMP, 1.0)
    with pytest.raises(ArgumentError, match="the same everywhere"):
        propagate(Evolution(Stencil.of("laplace", GRID, Neumann()), BUMP), BUMP, 1.0)
