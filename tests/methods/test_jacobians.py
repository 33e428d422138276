"""Every way to invert I − γh ∂f/∂y against numpy, and through the methods against the dense one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.core import ArgumentError
from continua.methods import Banded, Coloured, Dense, Given, Kvaerno5, MatrixFree, Rodas5P, Tsit5

SIZE, LOWER, UPPER = 12, 2, 1


def band_matrix(seed=0):
    """Banded, with a zero on the diagonal: it needs pivots."""
    entries = np.random.default_rng(seed).normal(size=(SIZE, SIZE))
    entries[range(SIZE), range(SIZE)] *= np.arange(SIZE) % 3
    offset = np.subtract.outer(range(SIZE), range(SIZE))
    return np.where((offset <= LOWER) & (offset >= -UPPER), entries, 0)


PATTERN = band_matrix() != 0
SHUFFLE = np.random.default_rng(1).permutation(SIZE)
KINDS = {
    "Dense": Dense(),
    "Banded": Banded(LOWER, UPPER),
    "Coloured": Coloured(),
    "Coloured, given": Coloured(PATTERN | np.eye(SIZE, dtype=bool)),
    "MatrixFree": MatrixFree(tolerance=1e-13),
}


@pytest.mark.parametrize("size", [1, 3, 8, 9])
def test_small_systems_whatever_their_pivots(size):
    matrices = np.random.default_rng(size).normal(size=(4, size, size))
    matrices[0] = np.eye(size)[::-1]  # nothing on the diagonal
    matrices[1] *= 10.0 ** np.arange(size)[:, None]
    rights = np.random.default_rng(0).normal(size=(4, size))
    stacked = jnp.asarray(np.moveaxis(matrices, 0, -1))
    inverse = Dense().invert(lambda v: jnp.einsum("ijl,jl->il", stacked, v), jnp.asarray(rights.T))
    np.testing.assert_allclose(inverse.solve(jnp.asarray(rights.T)).T, _solved(matrices, rights), rtol=1e-9)
    across = inverse.transposed()(jnp.asarray(rights.T)).T
    np.testing.assert_allclose(across, _solved(matrices.swapaxes(1, 2), rights), rtol=1e-9)


def _solved(matrices, rights):
    return np.linalg.solve(matrices, rights[..., None])[..., 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lanes", [None, 3])
def test_solves_with_a_matrix_and_its_transpose(kind, lanes):
    matrices = np.stack([band_matrix(seed) for seed in range(lanes or 1)])
    if kind == "MatrixFree":  # the method of least residuals needs no more products than states
        matrices = np.eye(SIZE) + 0.3 * matrices
    rights = np.random.default_rng(2).normal(size=(len(matrices), SIZE))
    stacked = jnp.asarray(matrices[0] if lanes is None else np.moveaxis(matrices, 0, -1))
    product = (lambda v: stacked @ v) if lanes is None else (lambda v: jnp.einsum("ijl,jl->il", stacked, v))
    given = jnp.asarray(rights[0] if lanes is None else rights.T)
    inverse = KINDS[kind].inverse(product, given)
    for solve, entries in ((inverse.solve, matrices), (inverse.transposed(), matrices.swapaxes(1, 2))):
        expected = _solved(entries, rights)
        np.testing.assert_allclose(solve(given), expected[0] if lanes is None else expected.T, rtol=1e-8, atol=1e-10)


def test_a_band_in_a_hidden_order():
    size = 40
    chain = np.abs(np.subtract.outer(range(size), range(size))) < 2
    shuffle = np.random.default_rng(3).permutation(size)
    matrix = np.where(chain, np.random.default_rng(4).normal(size=(size, size)), 0)[np.ix_(shuffle, shuffle)]
    right = np.random.default_rng(5).normal(size=size)
    inverse = Coloured(matrix != 0).invert(lambda v: jnp.asarray(matrix) @ v, jnp.asarray(right))
    np.testing.assert_allclose(inverse.solve(jnp.asarray(right)), np.linalg.solve(matrix, right), rtol=1e-8)
    np.testing.assert_allclose(inverse.transposed()(jnp.asarray(right)), np.linalg.solve(matrix.T, right), rtol=1e-8)


def heat(t, y, rate):
    """Diffusion and growth in a chain whose ends are held at 0."""
    u = jnp.pad(y["u"], 1)
    return {"u": rate * (u[2:] - 2 * u[1:-1] + u[:-2]) + y["u"] * (1 - y["u"]) * jnp.cos(t)}


def heat_jacobian(t, y, rate):
    size = len(y["u"])
    chain = jnp.eye(size, k=1) - 2 * jnp.eye(size) + jnp.eye(size, k=-1)
    return rate * chain + jnp.diag((1 - 2 * y["u"]) * jnp.cos(t))


START = {"u": jnp.sin(jnp.arange(1.0, 13.0))}
STRUCTURES = {
    "Coloured": Coloured(),
    "MatrixFree": MatrixFree(tolerance=1e-13),
    "Given, banded": Given(heat_jacobian, Banded(1, 1)),
}


def derivatives(method):
    """The end of a step, its forward derivative, and a gradient of second order, in the rate."""

    def end(rate):
        return method.advance(heat, jnp.array(0.3), jnp.array(0.5), START, rate)["u"]

    def norm(rate):
        return (end(rate) ** 2).sum()

    def every(rate):
        return (
            end(rate),
            jax.jvp(end, (rate,), (1.0,))[1],
            jax.grad(norm)(rate),
            jax.jvp(jax.grad(norm), (rate,), (1.0,))[1],
        )

    return jax.jit(every)(jnp.array(20.0))


@pytest.fixture(scope="module")
def dense():
    return {method: derivatives(method()) for method in (Rodas5P, Kvaerno5)}


@pytest.mark.parametrize("kind", STRUCTURES)
@pytest.mark.parametrize("method", [Rodas5P, Kvaerno5])
def test_steps_and_their_derivatives_are_those_of_the_dense_matrix(method, kind, dense):
    for found, expected in zip(derivatives(method(jacobian=STRUCTURES[kind])), dense[method], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_a_given_matrix_reaches_the_driver():
    """On a tree, with args; and it is used: a wrong one makes steps that are rejected."""

    def values(rate, function):
        method = Rodas5P(jacobian=Given(function))
        return continua.solve(heat, START, [0.0, 1.0], args=rate, method=method, rtol=1e-6, atol=1e-9)

    rate = jnp.array(20.0)
    plain = continua.solve(heat, START, [0.0, 1.0], args=rate, method=Rodas5P(), rtol=1e-6, atol=1e-9)
    found = values(rate, heat_jacobian)
    np.testing.assert_allclose(found.ys["u"], plain.ys["u"], rtol=1e-12)
    assert found.stats.steps == plain.stats.steps
    wrong = values(rate, lambda t, y, rate: 0.5 * heat_jacobian(t, y, rate))
    assert int(wrong.stats.steps) > 1.2 * int(plain.stats.steps)
    explicit = continua.solve(heat, START, [0.0, 1.0], args=rate, method=Tsit5(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(plain.ys["u"][-1], explicit.ys["u"][-1], rtol=1e-5)


def test_bad_shapes_are_named():
    with pytest.raises(ArgumentError, match=r"`function` of `Given` must return .* for 12 states. Got shape \(12,\)"):
        Rodas5P(jacobian=Given(lambda t, y, rate: y["u"])).advance(heat, jnp.array(0.0), jnp.array(0.1), START, 1.0)
    with pytest.raises(ArgumentError, match=r"`sparsity` of `Coloured` must be .* for 12 states. Got shape \(3, 3\)"):
        Rodas5P(jacobian=Coloured(np.eye(3))).advance(heat, jnp.array(0.0), jnp.array(0.1), START, 1.0)


def test_too_few_products_make_no_number():
    right = jnp.arange(1.0, 13.0)
    matrix = jnp.asarray(np.diag(10.0 ** np.arange(12)))
    few = MatrixFree(most=3).invert(lambda v: matrix @ v, right)
    assert jnp.isnan(few.solve(right)).all()
