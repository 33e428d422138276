"""Many steps tile by tile, on one device or more, are the steps of the whole field; so are their derivatives."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua.space.tiles as tiles_of
from continua.core import ArgumentError
from continua.methods import RK4, Euler, Substeps, Verlet
from continua.solver import Fixed, Status, solve
from continua.space import Dilation, Dirichlet, Evolution, Flow, Grid, Neumann, Periodic, Stencil, Symmetric
from continua.space.tiles import planned, tiled

NINE = [[0.05, 0.2, 0.05], [0.2, -1.0, 0.2], [0.05, 0.2, 0.05]]


def step(operator, u):
    return u + 0.2 * operator(u)


def field(*shape):
    return jnp.asarray(np.random.default_rng(0).random(shape))


@pytest.mark.core
@pytest.mark.parametrize(
    ("operator", "u"),
    [
        (Stencil.from_kernel([1.0, -2.0, 1.0], Dirichlet(0.7)), field(101)),
        (Stencil.from_kernel(NINE, Symmetric()), field(23, 37)),
        (Stencil.from_kernel([[0.0, 0, 0], [0, -1, 1], [0, 0, 0]], Periodic()), field(16, 40)),
        (Flow(lambda g: g / (1 + g**2), Symmetric(), spacing=(1.0, 0.5)), field(2, 24, 21)),
        (Dilation.disk(1), field(24, 20)),
        (Stencil.of("laplace", Grid.cells((9, 14, 12), upper=(9.0, 14.0, 12.0)), Neumann()), field(9, 14, 12)),
    ],
)
def test_steps_tile_by_tile_are_those_of_the_whole_field(monkeypatch, operator, u):
    """Seven steps: turns upward and downward, one that is shorter, tiles that end beyond the field."""
    monkeypatch.setattr(tiles_of, "CACHE", u.nbytes // 2)
    monkeypatch.setattr(tiles_of, "EXCHANGE", (50, 50))
    monkeypatch.setattr(tiles_of, "MOST", 2)
    first = u.ndim - operator.dimension
    plan = planned(u.shape[first:], 8 * int(np.prod(u.shape[:first])), tuple(map(max, operator.reach)), 7)
    assert plan.together == 2
    assert plan.tile != u.shape[first:]
    by_tiles = jax.jit(lambda u: tiled(step, operator, 1, 7, u))(u)
    whole = jax.jit(lambda u: jax.lax.fori_loop(0, 7, lambda _, u: step(operator, u), u))(u)
    assert np.abs(by_tiles - whole).max() < 1e-15


def test_a_plan_keeps_its_tiles_in_cache_and_its_rims_small():
    large = planned((4096, 4096), 4, (1, 1), 128)
    assert np.prod(large.wide) * 4 <= tiles_of.CACHE
    assert large.together == 16  # out of cache more at once than within it
    assert planned((1024, 1024), 4, (1, 1), 128).together == 8
    assert planned((128, 128, 128), 4, (1, 1, 1), 128).together == 4
    assert planned((64, 64), 8, (1, 1), 3) == (3, (64, 64), (3, 3))
    assert planned((6, 64), 8, (4, 4), 8) is None


def test_derivatives_and_live_fields_of_many_steps(monkeypatch):
    """Through tiles as through steps in turn; and beyond the state a solve holds less than three fields."""
    monkeypatch.setattr(tiles_of, "CACHE", 2**10)
    u, cells = field(24, 20), Grid.cells((24, 20), upper=(24.0, 20.0))

    def end(u, rate, method, h):
        heat = Evolution(Stencil.of("laplace", cells, Neumann()), rate)
        return solve(heat, u, jnp.array([0.0, 20 * 0.2]), method=method, step_control=Fixed(h), max_steps=32).ys[-1]

    def energy(u, rate, *how):
        return jnp.sum(jnp.sin(3 * end(u, rate, *how)))

    at, way = (u, jnp.asarray(0.7)), (jnp.cos(jnp.arange(480.0)).reshape(24, 20), jnp.asarray(0.3))
    many, one = (Substeps(Euler(), 20), 20 * 0.2), (Euler(), 0.2)
    ours, theirs = (jax.jit(jax.grad(lambda *at, how=how: energy(*at, *how), (0, 1)))(*at) for how in (many, one))
    assert np.abs(ours[0] - theirs[0]).max() < 1e-13
    assert np.isclose(ours[1], theirs[1], rtol=1e-12)
    forward = jax.jit(lambda: jax.jvp(lambda *at: energy(*at, *many), at, way)[1])()
    assert np.isclose(forward, jnp.vdot(ours[0], way[0]) + ours[1] * way[1], rtol=1e-12)


def test_a_solve_holds_less_than_three_fields_beyond_the_state():
    u, cells = field(512, 512), Grid.cells((512, 512), upper=512.0)
    heat = Evolution(Stencil.of("laplace", cells, Neumann()))
    how = {"method": Substeps(Euler(), 8), "step_control": Fixed(1.6), "max_steps": 8}
    program = jax.jit(lambda u: solve(heat, u, jnp.array([0.0, 6.4]), **how).ys[-1]).lower(u).compile()
    assert program.memory_analysis().temp_size_in_bytes < 3 * u.nbytes


def test_a_field_that_overflows_is_explained_as_steps_in_turn_are():
    """Backward in time heat concentrates without bound."""
    u = field(72, 64)
    back = Evolution(Stencil.of("laplace", Grid.cells((72, 64), upper=(72.0, 64.0)), Periodic()), rate=-1.0)
    endings = []
    for many in (1, 4):
        method = Euler() if many == 1 else Substeps(Euler(), many)
        found = solve(back, u, jnp.array([0.0, 400.0]), method=method, step_control=Fixed(many * 0.5), throw=False)
        assert found.status == Status.BLOW_UP
        endings.append(found)
        assert np.isfinite(found.ending.y).all()
        assert np.isnan(found.ys[-1]).all()
    assert abs(float(endings[0].ending.t[0] - endings[1].ending.t[0])) <= 4 * 0.5
    assert int(endings[0].ending.component[0]) >= 0


def test_a_step_gives_its_end_itself():
    heat = Evolution(Stencil.of("laplace", Grid.cells((24, 20), upper=(24.0, 20.0)), Neumann()))
    u, t, method = field(24, 20), jnp.asarray(0.0), Substeps(Euler(), 3)
    made = method.step(heat, t, jnp.asarray(0.6), u, None, None)
    assert (made.after(u) == made.end).all()
    assert np.abs(u + made.increment - made.end).max() < 1e-15
    assert (method.advance(heat, t, jnp.asarray(0.0), u, None) == u).all()


SHARDS = """
import jax, jax.numpy as jnp, numpy as np
import continua
continua.configure(devices=2, float64=True)
from continua.methods import RK4, Euler, Substeps
from continua.solver import Fixed, solve
from continua.space import Dirichlet, Evolution, Grid, Neumann, Periodic, Stencil

def compared(sides, shape, method, h):
    operator = Stencil.of("laplace", Grid.cells(shape, upper=[float(n) for n in shape]), sides)
    u, both = jnp.asarray(np.random.default_rng(0).random(shape)), []
    for devices in ((), jax.devices()):
        def energy(u, rate, devices=devices):
            how = {"method": Substeps(method, 2, devices), "step_control": Fixed(2 * h), "max_steps": 4}
            end = solve(Evolution(operator, rate), u, jnp.array([0.0, 8 * h]), **how).ys[-1]
            return jnp.sum(jnp.sin(3 * end)), end
        both.append(jax.jit(jax.value_and_grad(energy, (0, 1), has_aux=True))(u, jnp.asarray(0.5)))
    ((_, one), one_pulls), ((_, two), two_pulls) = both
    assert len(two.sharding.device_set) == 2
    print(max(float(jnp.abs(a - b).max()) for a, b in zip((one, *one_pulls), (two, *two_pulls))))

compared(Periodic(), (64,), Euler(), 0.4)
compared(Dirichlet(0.7), (40, 36), RK4(), 0.2)
compared(Neumann(), (16, 12, 10), Euler(), 0.1)
try:
    compared(Neumann(), (8, 8), RK4(), 0.1)
except continua.core.ArgumentError as error:
    assert "too few points for steps that reach 4 far" in str(error), error
"""


def test_devices_give_the_numbers_of_one():
    """One exchange at the cuts serves several steps; gradients pass the cuts too."""
    done = subprocess.run([sys.executable, "-c", SHARDS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    gaps = [float(line) for line in done.stdout.split()]
    assert len(gaps) == 3
    assert max(gaps) < 1e-13


def test_what_cannot_be_divided_is_said():
    heat = Evolution(Stencil.of("laplace", Grid.cells((9, 8), upper=(9.0, 8.0)), Neumann()))
    waves, pair = Evolution(Stencil.of("laplace", Grid.cells((9, 8)), Neumann(1.0)), rate=0.001), (object(), object())
    ts, u = jnp.array([0.0, 0.4]), field(9, 8)

    def run(equation, method):
        return solve(equation, u, ts, method=method, step_control=Fixed(0.4))

    with pytest.raises(ArgumentError, match=r"must divide the 9 points of the field's first axis\. Got 2\. Use 1"):
        run(heat, Substeps(Euler(), 2, pair))
    with pytest.raises(ArgumentError, match="must have no `devices` where steps are taken in turn"):
        run(waves, Substeps(RK4(), 2, pair))
    assert Substeps(Verlet(), 2).devices == ()
