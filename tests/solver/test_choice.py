"""Which method `solve` takes where none is named, and that it solves everything."""

import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.equations import Diagonal, Linear, Matrix, Robertson, SecondOrder, SplitODE
from continua.methods import ETD1, ETDRK4, KenCarp4, Rodas5P, Tsit5, Verlet
from continua.solver import Fixed, by_structure, solve_ensemble

Y0, PAIR = jnp.array([1.0, 0.5]), (jnp.array([1.0]), jnp.array([0.0]))
SPRING = SecondOrder(lambda t, q, args: -q)
DECAY = Diagonal(jnp.array([-1.0, -1e4]))


def wave(t, y, args):
    return jnp.stack([jnp.cos(t), jnp.sin(t)])


CASES = {
    "mechanics": (SPRING, PAIR, Tsit5, Verlet),
    "function": (wave, Y0, Tsit5, Tsit5),
    "stiff part": (SplitODE(lambda t, y, args: -1e4 * y, wave), Y0, KenCarp4, KenCarp4),
    "diagonal": (SplitODE(DECAY, wave), Y0, ETDRK4, ETDRK4),
    "matrix": (SplitODE(Matrix([[-1.0, 0.0], [0.0, -1e4]]), wave), Y0, KenCarp4, ETDRK4),
    "linear": (Linear([[-1.0, 0.0], [0.0, -1e4]], [1.0, 1.0]), Y0, ETD1, ETD1),
}


@pytest.mark.core
@pytest.mark.parametrize("name", CASES)
def test_the_structure_of_the_equation_decides(name):
    equation, start, adaptive, fixed = CASES[name]
    found = continua.solve(equation, start, [0.0, 1.0])
    assert type(found.question.method) is adaptive
    plain = continua.solve(equation, start, [0.0, 1.0], method=Rodas5P(), rtol=1e-8)
    for a, b in zip(found.ys, plain.ys, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    assert isinstance(continua.solve(equation, start, [0.0, 0.01], step_control=Fixed(1e-3)).question.method, fixed)


def test_large_systems_are_not_taken_for_small_ones():
    big = SplitODE(lambda t, y, args: -y, lambda t, y, args: y)
    assert by_structure(big, 2000, False).jacobian == continua.methods.Coloured()
    assert isinstance(by_structure(Linear(np.eye(100), np.zeros(100)), 100, False), Tsit5)


def test_a_sum_whose_rest_is_stiff_is_solved_all_the_same():
    hidden = SplitODE(lambda t, y, args: 0 * y, Robertson())
    found = continua.solve(hidden, jnp.array([1.0, 0.0, 0.0]), [0.0, 1e4], rtol=1e-6, max_steps=2000)
    assert isinstance(found.question.method, Rodas5P)
    assert float(found.ys[-1].sum()) == pytest.approx(1, rel=1e-6)


def test_ensembles_choose_alike():
    starts = jnp.stack([Y0, 2 * Y0])
    found = solve_ensemble(SplitODE(DECAY, wave), starts, jnp.array([0.0, 1.0]))
    assert isinstance(found.plan.method, ETDRK4)
    one = continua.solve(SplitODE(DECAY, wave), starts[1], [0.0, 1.0])
    np.testing.assert_allclose(found.ys[1], one.ys, rtol=1e-10)
