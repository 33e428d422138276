"""Which method `solve` takes where none is named, and that it solves everything."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import continua
from continua.equations import Diagonal, Linear, Matrix, Robertson, SecondOrder, SplitODE
from continua.methods import ETD1, ETDRK4, KenCarp4, Rodas5P, Switching, Tsit5, Verlet
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
    assert isinstance(found.question.method, Switching)
    assert float(found.ys[-1].sum()) == pytest.approx(1, rel=1e-6)


def test_ensembles_choose_alike():
    starts = jnp.stack([Y0, 2 * Y0])
    found = solve_ensemble(SplitODE(DECAY, wave), starts, jnp.array([0.0, 1.0]))
    assert isinstance(found.plan.method, ETDRK4)
    one = continua.solve(SplitODE(DECAY, wave), starts[1], [0.0, 1.0])
    np.testing.assert_allclose(found.ys[1], one.ys, rtol=1e-10)


SIZE = 10


def squares(t, y, args):
    """y' = L y + b + Q y², the squares element by element: the form of the stiff problems A, B and C of DETEST."""
    return args[0] @ y + args[1] + args[2] @ y**2


def problem(linear, start, end, constant=(), square=()):
    """One of them among SIZE unknowns, so that all of them are one program: the rest stays zero."""
    linear, square = (dict(entries) for entries in (linear, square))
    parts = np.zeros((SIZE, SIZE)), np.zeros(SIZE), np.zeros((SIZE, SIZE))
    for part, entries in zip(parts, (linear, dict(constant), square), strict=True):
        for place, value in entries.items():
            part[place] = value
    return parts, np.append(start, np.zeros(SIZE - len(start))), end


def rates(*diagonal):
    return {(i, i): rate for i, rate in enumerate(diagonal)}


def chain():
    """A2: conduction along nine cells, the first and the last of them fast."""
    inner = {(i, j): value for i in range(1, 8) for j, value in ((i - 1, 1), (i, -2), (i + 1, 1))}
    return inner | {(0, 0): -1800, (0, 1): 900, (8, 7): 1000, (8, 8): -2000}


def spiral(alpha):
    """B2 to B5: eigenvalues −10 ± iα beside slow decays."""
    return rates(-10, -10, -4, -1, -0.5, -0.1) | {(0, 1): alpha, (1, 0): -alpha}


def cascade(beta):
    """C2 to C5: each unknown is driven by the squares of those before it."""
    below = {(i, j): scale * beta for i, scale in ((1, 1), (2, 4), (3, 10)) for j in range(i)}
    return problem(rates(-1, -10, -40, -100), np.ones(4), 20, {0: 2}, below)


UPPER = {(0, 1): 100, (0, 2): -10, (0, 3): 1, (1, 2): 10, (1, 3): -10, (2, 3): 10}
SWING = {(0, 1): 1, (1, 0): -100, (2, 3): 1, (3, 2): -10000}
STIFF = {
    "A1": problem(rates(-0.5, -1, -100, -90), np.ones(4), 20),
    "A2": problem(chain(), np.zeros(9), 120, {8: 1000}),
    "A3": problem(rates(-1e4, -1e3, -1, -0.1) | UPPER, np.ones(4), 20),
    "A4": problem(rates(*(-(np.arange(1.0, 11) ** 5))), np.ones(10), 1),
    "B1": problem(rates(-1, -1, -100, -100) | SWING, [1, 0, 1, 0], 20),
    **{f"B{i}": problem(spiral(alpha), np.ones(6), 20) for i, alpha in ((2, 3), (3, 8), (4, 25), (5, 100))},
    "C1": problem(
        rates(-1, -10, -40, -100),
        np.ones(4),
        20,
        {3: 2},
        {(0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 2): 10, (1, 3): 10, (2, 3): 40},
    ),
    **{f"C{i}": cascade(beta) for i, beta in ((2, 0.1), (3, 1), (4, 10), (5, 20))},
}


def solution(parts, start, end):
    """exp(t L) where nothing is squared, else scipy's Radau at 1e-10."""
    linear, constant, square = parts
    if not square.any():
        return (expm(end * np.block([[linear, constant[:, None]], [np.zeros(SIZE + 1)]])) @ [*start, 1])[:SIZE]
    options = {"method": "Radau", "rtol": 1e-10, "atol": 1e-14, "jac": lambda _, y: linear + square * (2 * y)}
    return solve_ivp(lambda _, y: linear @ y + constant + square @ y**2, (0, end), start, **options).y[:, -1]


def end_of(parts, start, end):
    """What `solve` finds there, with no method named."""
    ts = jnp.stack([jnp.zeros_like(end), end])
    return continua.solve(squares, start, ts, args=parts, rtol=1e-6, atol=1e-9, max_steps=8000).ys[-1]


@pytest.mark.parametrize("way", [end_of, jax.jit(end_of)], ids=["plain", "jit"])
@pytest.mark.parametrize("name", STIFF)
def test_stiff_problems_of_detest_need_no_method(name, way):
    """Enright, Hull and Lindberg (1975)."""
    parts, start, end = STIFF[name]
    found = way(parts, jnp.asarray(start), jnp.asarray(float(end)))
    np.testing.assert_allclose(found, solution(parts, start, end), rtol=5e-5, atol=1e-7)


def test_under_jit_a_small_state_may_turn_stiff_and_a_large_one_builds_no_jacobian():
    def method_for(size):
        found = jax.eval_shape(lambda y: continua.solve(lambda t, y, args: -y, y, [0.0, 1.0]), jnp.ones(size))
        return found.question.method

    assert isinstance(method_for(32), Switching)
    assert isinstance(method_for(33), Tsit5)
    assert isinstance(continua.solve(lambda t, y, args: -y, Y0, [0.0, 1.0]).question.method, Tsit5)
