"""One table of all named systems, through everything that should hold for each of them."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua import equations
from continua.equations import (
    ODE,
    SIR,
    Duffing,
    Equation,
    EulerLagrange,
    ExponentialDecay,
    Geodesic,
    GradientFlow,
    HarmonicOscillator,
    LinearTerm,
    Logistic,
    LotkaVolterra,
    Partitioned,
    Pendulum,
    Robertson,
    Scaled,
    Spatial,
    SplitODE,
    Stochastic,
    Written,
    parameter_values,
    parameters_of,
)

from .systems import SYSTEMS

WRAPPERS = {Equation, ODE, Scaled, Written}
FORMS = (
    Stochastic,
    SplitODE,
    LinearTerm,
    Partitioned,
    Spatial,
    EulerLagrange,
    Geodesic,
    GradientFlow,
)  # made of functions, or with noise; they have tests of their own

every_system = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
every_documented = pytest.mark.parametrize(
    "system", [s for s in SYSTEMS.values() if parameters_of(type(s.equation))], ids=lambda s: s.name
)


def perturbed(equation, generator):
    """The equation with every number of its parameters moved by up to a fifth, so that no default hides a term."""
    return jax.tree.map(lambda x: x * generator.uniform(0.8, 1.2, x.shape) + 0.01, equation)


def solved(equation, start, end, tolerance=1e-10):
    """ys [time, state] at 21 times."""
    return continua.solve(equation, jnp.array(start), jnp.linspace(0.0, end, 21), rtol=tolerance, atol=tolerance).ys


def drift(invariant):
    """How far a quantity strays from its first value, relative to its size."""
    return float(np.ptp(invariant) / np.abs(invariant).max())


def test_the_table_has_every_named_system():
    public = [getattr(equations, name) for name in equations.__all__]
    named = {
        x for x in public if inspect.isclass(x) and issubclass(x, Equation) and not issubclass(x, FORMS)
    } - WRAPPERS
    assert named == {type(s.equation) for s in SYSTEMS.values()}


@pytest.mark.core
@every_system
def test_right_hand_side_is_the_formula(system):
    generator = np.random.default_rng(1)
    for t in generator.uniform(0.0, 3.0, 5):
        y = np.array(system.start) + generator.uniform(0.1, 1.0, len(system.start))
        equation = perturbed(system.equation, generator)
        slope = equation(jnp.asarray(t), jnp.asarray(y), None)
        assert slope.shape == y.shape
        assert np.allclose(slope, system.formula(t, y, equation), rtol=1e-12, atol=1e-12)


@every_system
def test_states_are_named(system):
    names = system.equation.states
    assert len(set(names)) == len(names)
    assert len(names) in (0, len(system.start))


@every_documented
def test_parameters_tell_unit_meaning_and_a_good_value(system):
    kind = type(system.equation)
    infos = parameters_of(kind)
    assert [i.name for i in infos] == list(parameter_values(kind()))
    for info in infos:
        assert info.meaning
        assert info.unit
        assert info.sign in ("positive", "any")
        assert info.sign == "any" or info.good > 0
        assert parameter_values(kind())[info.name] == pytest.approx(info.good)


@every_documented
def test_units_speak_of_states_and_time_only(system):
    for info in parameters_of(type(system.equation)):
        assert set(re.split(r"[/·()²]+", info.unit)) - {""} <= {"time", "1", *system.equation.states}, info


@every_system
def test_jit_and_vmap_give_the_same_slope(system):
    y, t = jnp.array(system.start) + 0.3, jnp.array(0.7)
    slope = system.equation(t, y, None)
    assert np.allclose(jax.jit(lambda e: e(t, y, None))(system.equation), slope, rtol=1e-14)
    assert np.allclose(jax.jit(lambda y: system.equation(t, y, None))(y), slope, rtol=1e-14)
    many = jax.tree.map(lambda x: jnp.stack([x, 2 * x]), system.equation)
    lanes = jax.vmap(lambda e: e(t, y, None))(many)
    double = jax.tree.map(lambda x: 2 * x, system.equation)
    assert np.allclose(lanes, jnp.stack([slope, double(t, y, None)]), rtol=1e-14)


@every_documented
def test_default_construction_inside_jit(system):
    kind, y = type(system.equation), jnp.array(system.start)
    inside = jax.jit(lambda y: kind()(jnp.array(0.0), y, None))(y)
    assert np.allclose(inside, kind()(jnp.array(0.0), y, None), rtol=1e-14)


@every_system
def test_gradient_with_respect_to_the_parameters(system):
    y, t = jnp.array(system.start) + 0.3, jnp.array(0.7)
    weights = jnp.arange(1.0, len(system.start) + 1.0)
    leaves, structure = jax.tree.flatten(system.equation)

    def of(*leaves):
        return (jax.tree.unflatten(structure, leaves)(t, y, None) * weights).sum()

    gradient = jax.tree.leaves(jax.grad(lambda e: (e(t, y, None) * weights).sum())(system.equation))
    scale = max(float(jnp.abs(g * x).max()) for g, x in zip(gradient, leaves, strict=True))
    for i, leaf in enumerate(leaves):
        for at in np.ndindex(leaf.shape):
            step = 1e-4 * max(abs(float(leaf[at])), 1.0)
            up, down = (of(*leaves[:i], leaf.at[at].add(s), *leaves[i + 1 :]) for s in (step, -step))
            assert float(gradient[i][at]) * step == pytest.approx(float(up - down) / 2, rel=1e-5, abs=1e-11 * scale)


@every_system
def test_single_precision_stays_single(system):
    single = jax.tree.map(lambda x: x.astype(jnp.float32), system.equation)
    slope = single(jnp.array(0.7, jnp.float32), jnp.array(system.start, jnp.float32), None)
    assert slope.dtype == jnp.float32
    assert np.allclose(slope, system.equation(jnp.array(0.7), jnp.array(system.start), None), rtol=1e-5, atol=1e-5)


@pytest.mark.core
@pytest.mark.parametrize("name", ["SIR", "Robertson"])
def test_the_total_is_conserved(name):
    system = SYSTEMS[name]
    assert drift(solved(system.equation, system.start, system.end).sum(1)) < 1e-14


@pytest.mark.core
def test_lotka_volterra_keeps_its_first_integral():
    p, (x, y) = LotkaVolterra(), solved(LotkaVolterra(), [30.0, 4.0], 12.0, 1e-12).T
    assert drift(p.delta * x - p.gamma * jnp.log(x) + p.beta * y - p.alpha * jnp.log(y)) < 1e-10


@pytest.mark.parametrize(
    ("equation", "energy"),
    [
        (HarmonicOscillator(omega=1.5, zeta=0.0), lambda x, v: v**2 / 2 + 1.5**2 * x**2 / 2),
        (Duffing(delta=0.0), lambda x, v: v**2 / 2 - x**2 / 2 + x**4 / 4),
        (Pendulum(omega_0=1.5, c=0.0), lambda x, v: v**2 / 2 - 1.5**2 * jnp.cos(x)),
    ],
    ids=["HarmonicOscillator", "Duffing", "Pendulum"],
)
def test_without_friction_the_energy_is_conserved(equation, energy):
    assert drift(energy(*solved(equation, [1.0, 0.8], 10.0).T)) < 1e-8


def test_friction_takes_energy():
    x, v = solved(Pendulum(), [2.0, 0.0], 10.0).T
    assert (jnp.diff(v**2 / 2 - 3.13**2 * jnp.cos(x)) < 0).all()


def test_closed_forms_of_growth_and_decay():
    t = np.linspace(0.0, 6.0, 21)
    assert np.allclose(solved(ExponentialDecay(), [2.0], 6.0)[:, 0], 2 * np.exp(-0.5 * t), rtol=1e-8)
    assert np.allclose(solved(Logistic(), [0.5], 6.0)[:, 0], 10 / (1 + (10 / 0.5 - 1) * np.exp(-t)), rtol=1e-8)


def test_an_epidemic_ends_where_the_final_size_equation_says():
    """ln(S∞/S₀) = −(β/γ)(total − S∞): Kermack & McKendrick 1927."""
    p = SIR()
    s, i, _ = solved(p, [0.99, 0.01, 0.0], 400.0)[-1]
    assert float(jnp.log(s / 0.99)) == pytest.approx(float(-p.beta / p.gamma * (1 - s)), rel=1e-7)
    assert float(i) < 1e-9


def test_robertson_starts_as_its_slow_reaction():
    assert float(solved(Robertson(), [1.0, 0.0, 0.0], 1e-6)[-1, 0]) == pytest.approx(1 - 0.04e-6, abs=1e-15)
