"""Equations with noise through `solve` and `solve_ensemble`: paths, steps, gradients, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import (
    SDE,
    BrownianPath,
    GeneralNoise,
    GeometricBrownianMotion,
    Interpretation,
    OrnsteinUhlenbeck,
    ScalarNoise,
)
from continua.methods import SRA1, EulerMaruyama, Milstein, Projected, StochasticHeun, Tsit5
from continua.solver import Fixed, H211b
from continua.solver.step_control import Adaptive

from .problems import apart

KEY = jax.random.key(7)
KEYS = jax.random.split(KEY, 6)
P = jnp.array([0.5, 0.4])
TS = jnp.array([0.0, 0.3, 0.5, 1.0])
ENDS = jnp.array([0.0, 1.0])


def growth(key, p=P, ts=TS, y0=1.0, **options):
    """ys [time] of geometric Brownian motion."""
    y0 = jnp.full(1, y0, jnp.result_type(p))
    return continua.solve(GeometricBrownianMotion(*p), y0, ts, key=key, **options).ys[:, 0]


def exact(key, width, p=P, ts=TS):
    """The closed form on the path of a solve with cells of this width."""
    path = BrownianPath(key, 1, 0.0, width)
    w = jax.vmap(lambda t: path(0.0, t)[0])(ts)
    return jnp.exp((p[0] - p[1] ** 2 / 2) * ts + p[1] * w)


FIXED = {"step_control": Fixed(1 / 50)}
LOOSE = {"rtol": 1e-2}
SETTINGS = {
    "Euler–Maruyama": FIXED | {"method": EulerMaruyama()},
    "Heun, H211b, pages": {"step_control": Adaptive(1e-2, 1e-2, H211b), "max_steps": 100, "method": StochasticHeun()},
}


def test_outputs_lie_on_the_path_whatever_the_steps():
    """Also between steps, and behind a stop: to the error of a step, not of an interpolation."""
    every = jax.jit(jax.vmap(lambda key, h: growth(key, step_control=Fixed(h), tstops=[0.111, 0.777]), (0, None)))
    for h in (1 / 64, 0.3 / 17):
        truth = jax.vmap(lambda key, h=h: exact(key, h))(KEYS)
        assert np.abs(np.asarray(every(KEYS, h) / truth) - 1).max() < 0.02
    bridge = growth(KEY, ts=jnp.linspace(0.0, 1.0, 101), step_control=Fixed(0.25))
    assert np.abs(np.diff(np.asarray(bridge))).min() > 0  # every output has its own noise


def test_adaptive_steps_follow_the_same_path():
    """With rejections too: errors against the closed form on that path fall with the tolerance."""
    keys = jax.random.split(KEY, 200)
    truth = jax.vmap(lambda key: exact(key, 1.0))(keys)
    run = jax.jit(jax.vmap(lambda key, rtol: growth(key, rtol=rtol), (0, None)))
    away = [np.asarray(run(keys, rtol) - truth)[:, -1] for rtol in (1e-1, 1e-2, 1e-3)]
    sizes = [float(np.sqrt((x**2).mean())) for x in away]
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]
    assert sizes[2] < 0.02
    solution = continua.solve(GeometricBrownianMotion(*P), jnp.ones(1), TS, key=KEY, rtol=1e-3)
    assert solution.stats.rejected > 0
    np.testing.assert_allclose(solution(TS), solution.ys, rtol=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_are_those_of_the_recorded_steps(name):
    """Reverse is forward, jit is eager, and fixed steps have the derivative that differences show."""
    options = SETTINGS[name]

    def loss(p):
        return (growth(KEY, p, y0=p[0], **options) ** 2).sum()

    value, reverse = jax.jit(jax.value_and_grad(loss))(P)
    assert value == pytest.approx(float(loss(P)), rel=1e-12)
    assert apart(jax.jit(jax.jacfwd(loss))(P), reverse) < 1e-8
    if name == "Euler–Maruyama":
        d = jnp.array([0.0, 1e-6])
        assert float((loss(P + d) - loss(P - d)) / 2e-6) == pytest.approx(float(reverse[1]), rel=1e-7)


@pytest.mark.parametrize("options", [pytest.param(FIXED, marks=pytest.mark.core), LOOSE], ids=["fixed", "adaptive"])
def test_a_key_each_makes_an_ensemble(options):
    """vmap is a loop, solve_ensemble is vmap, and their gradients agree."""
    ts = ENDS if options is FIXED else TS

    def together(p):
        equation = GeometricBrownianMotion(*p)
        who = {"in_axes": {}, "key": KEYS, "lanes": 4}
        return continua.solve_ensemble(equation, jnp.ones(1), ts, **who, **options).ys[..., 0]

    def mapped(p):
        return jax.vmap(lambda key: growth(key, p, ts, **options))(KEYS)

    alone = np.stack([growth(key, ts=ts, **options) for key in KEYS])
    for every in (mapped, together):
        np.testing.assert_allclose(jax.jit(every)(P), alone, rtol=1e-12)
    if options is FIXED:
        slopes = [jax.jit(jax.grad(lambda p, f=f: (f(p) ** 2).sum()))(P) for f in (mapped, together)]
        assert apart(*slopes) < 1e-10


def test_one_key_is_split_for_the_trajectories():
    starts = jnp.linspace(0.5, 1.5, 5)[:, None]
    ensemble = continua.solve_ensemble(GeometricBrownianMotion(*P), starts, ENDS, key=KEY, **FIXED)
    keys = jax.random.split(KEY, 5)
    np.testing.assert_allclose(ensemble.ys[3, :, 0], growth(keys[3], ts=ENDS, y0=starts[3, 0], **FIXED), rtol=1e-12)
    np.testing.assert_allclose(ensemble[3].ys, ensemble.ys[3], rtol=1e-12)


def test_the_law_of_an_ensemble():
    """Mean and variance of Ornstein–Uhlenbeck after a while, by the default method and steps."""
    ensemble = continua.solve_ensemble(OrnsteinUhlenbeck(2.0, 1.0, 0.5), jnp.zeros((4000, 1)), ENDS, key=KEY, rtol=1e-2)
    y, variance = np.asarray(ensemble.ys)[:, -1, 0], 0.0625 * (1 - np.exp(-4))
    assert y.mean() == pytest.approx(1 - np.exp(-2), abs=4 * np.sqrt(variance / 4000))
    assert y.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 4000))
    assert isinstance(ensemble[0].question.method, SRA1)


def test_states_of_many_kinds():
    """Trees, single precision, scalar and general noise, and steps that are projected."""
    tree = {"x": jnp.ones(2), "v": jnp.ones(())}

    def pull(t, y, args):
        return jax.tree.map(lambda y: -args * y, y)

    def columns(t, y, args):
        return {"x": jnp.eye(3)[:2] * y["v"], "v": jnp.eye(3)[2] * y["v"]}

    for noise, diffusion in ((ScalarNoise(), lambda t, y, args: y), (GeneralNoise(), columns)):
        equation = SDE(pull, diffusion, noise)
        solution = continua.solve(equation, tree, ENDS, args=0.5, key=KEY, **FIXED)
        assert solution.ys["x"].shape == (2, 2)
        assert isinstance(solution.question.method, Milstein if isinstance(noise, ScalarNoise) else EulerMaruyama)
    single = growth(KEY, P.astype(jnp.float32), ENDS.astype(jnp.float32), **FIXED)
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, growth(KEY, ts=ENDS, **FIXED), rtol=1e-5)
    sphere = Projected(EulerMaruyama(), lambda t, y, args: y / jnp.linalg.norm(y))
    spin = SDE(lambda t, y, args: -y / 2, lambda t, y, args: jnp.stack([-y[1], y[0]]), ScalarNoise())
    ys = continua.solve(spin, jnp.array([1.0, 0.0]), ENDS, key=KEY, method=sphere, **FIXED).ys
    np.testing.assert_allclose(jnp.linalg.norm(ys, axis=1), 1, rtol=1e-12)


WRONG = [
    ({"key": None}, "`key` of `solve` must be given for an equation with noise"),
    ({"key": 3}, "`key` of `solve` must be a key of JAX. Got 3. Use jax.random.key"),
    ({"method": Tsit5()}, r"with noise. Got Tsit5\(\). Use EulerMaruyama"),
    ({"method": EulerMaruyama()}, r"estimate its error to adapt its steps. Got EulerMaruyama\(\). Use .*Milstein"),
    ({"method": SRA1()}, r"Got SRA1\(\), for additive noise. Use Milstein"),
    ({"ts": [1.0, 0.0]}, "`ts` of `solve` must increase where there is noise"),
    ({"events": continua.solver.Event(lambda t, y, args: y[0])}, "`events` of `solve` must be none"),
    ({"equation": lambda t, y, args: y}, "`key` of `solve` is for equations with noise. Got one for ODE"),
    ({"equation": lambda t, y, args: y, "key": None, "method": Milstein()}, r"without noise. Got Milstein\(\)"),
    ({"equation": SDE(lambda *x: x[1], lambda *x: jnp.ones((2, 3)))}, r"\[2\] for DiagonalNoise.*Use noise=General"),
    ({"equation": SDE(lambda *x: x[1], lambda *x: jnp.ones(3), ScalarNoise())}, r"have the shape \[2\] for Scalar"),
    (
        {"equation": SDE(lambda *x: x[1], lambda *x: jnp.ones(2), GeneralNoise())},
        r"the shape \[2, 2\] for General",
    ),
]


@pytest.mark.core
@pytest.mark.parametrize(("change", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_bad_input_is_answered_in_one_line(change, words):
    given = {"equation": GeometricBrownianMotion(), "y0": jnp.ones(2), "ts": TS, "key": KEY} | change
    with pytest.raises((ArgumentError, ArgumentTypeError), match=words) as caught:
        continua.solve(given.pop("equation"), given.pop("y0"), given.pop("ts"), **given)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_stratonovich_and_ito_are_converted_exactly():
    """Growth said in Stratonovich's words has the same solution; by default Heun steps it."""
    mu, sigma = P
    said = SDE(
        lambda t, y, args: (mu - sigma**2 / 2) * y,
        lambda t, y, args: sigma * y,
        interpretation=Interpretation.STRATONOVICH,
    )
    for method in (EulerMaruyama(), StochasticHeun()):
        ys = continua.solve(said, jnp.ones(1), ENDS, key=KEY, method=method, **FIXED).ys[:, 0]
        np.testing.assert_allclose(ys, growth(KEY, ts=ENDS, method=method, **FIXED), rtol=1e-12)
    solution = continua.solve(said, jnp.ones(1), ENDS, key=KEY, rtol=1e-2)
    assert isinstance(solution.question.method, StochasticHeun)
