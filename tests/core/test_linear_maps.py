"""The primitive with its own transpose and batching, against the same map as a plain JAX function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import LinearMap, linear_map

RNG = np.random.default_rng(0)
R, S = (jnp.asarray(RNG.normal(size=shape)) for shape in ((3, 2), (4, 3)))
X, U = (jnp.asarray(RNG.normal(size=shape)) for shape in ((2,), (3,)))
MANY_R, MANY_X, MANY_U = (jnp.asarray(RNG.normal(size=(5, *x.shape))) for x in (R, X, U))


def plain(r, x, u):
    """Two outputs, linear in (x, u), not linear in r."""
    inner = jnp.tanh(r) @ x + u
    return S @ inner, inner[:1]


def _apply(residuals, tangents):
    return list(plain(*residuals, *tangents))


def _transpose(residuals, cotangents):
    (r,), (a, b) = residuals, cotangents
    inner = S.T @ a + jnp.zeros_like(U).at[:1].set(b)
    return [jnp.tanh(r).T @ inner, inner]


OWN = LinearMap(_apply, _transpose)


def mapped(r, x, u):
    return tuple(linear_map(OWN, [r], [x, u]))


def same(a, b):
    """Every leaf equal to round-off."""
    a, b = jax.tree.leaves(a), jax.tree.leaves(b)
    close = [p.shape == q.shape and np.allclose(p, q, rtol=1e-13, atol=1e-13) for p, q in zip(a, b, strict=True)]
    return all(close)


def scalar(f):
    """A function with a gradient that asks for everything."""

    def of(*args):
        a, b = f(*args)
        return (a**2 * jnp.arange(1.0, 5.0)).sum() + jnp.sin(b).sum()

    return of


@pytest.mark.core
def test_value_jit_and_jvp():
    assert same(mapped(R, X, U), plain(R, X, U))
    assert same(jax.jit(mapped)(R, X, U), plain(R, X, U))
    tangents = (jnp.cos(R), X + 1, U - 2)
    assert same(jax.jvp(mapped, (R, X, U), tangents), jax.jvp(plain, (R, X, U), tangents))


@pytest.mark.core
def test_jvp_in_the_residuals_alone():
    def of(f):
        return jax.jvp(lambda r: f(r, X, U), (R,), (jnp.cos(R),))

    assert same(of(mapped), of(plain))
    assert same(jax.jacfwd(mapped)(R, X, U), jax.jacfwd(plain)(R, X, U))


@pytest.mark.core
def test_transpose_and_gradients():
    out = plain(R, X, U)
    by_jax = jax.linear_transpose(lambda x, u: plain(R, x, u), X, U)(out)
    assert same(jax.linear_transpose(lambda x, u: mapped(R, x, u), X, U)(out), by_jax)
    assert same(jax.grad(scalar(mapped), (0, 1, 2))(R, X, U), jax.grad(scalar(plain), (0, 1, 2))(R, X, U))


def test_transpose_of_one_input_alone():
    out = plain(R, X, U)

    def of(f):
        return jax.linear_transpose(lambda x: f(R, x, 0 * U), X)(out)

    assert same(of(mapped), of(plain))


def test_transposing_twice_is_the_map():
    def of(f):
        back = jax.linear_transpose(lambda x, u: f(R, x, u), X, U)
        return jax.linear_transpose(back, plain(R, X, U))((X, U))

    assert same(of(mapped), of(plain))


AXES = [(0, None, None), (None, 0, None), (None, None, 0), (0, 0, None), (None, 0, 0), (0, 0, 0)]
every_batch = pytest.mark.parametrize("axes", AXES, ids=str)


def batch(axes):
    pairs = ((R, MANY_R), (X, MANY_X), (U, MANY_U))
    return [one if axis is None else many for (one, many), axis in zip(pairs, axes, strict=True)]


@pytest.mark.core
@every_batch
def test_vmap_of_the_map_its_jvp_and_its_gradient(axes):
    args = batch(axes)
    assert same(jax.vmap(mapped, axes)(*args), jax.vmap(plain, axes)(*args))

    def push(f):
        return lambda *args: jax.jvp(f, args, args)

    assert same(jax.vmap(push(mapped), axes)(*args), jax.vmap(push(plain), axes)(*args))
    of_mapped, of_plain = (jax.jit(jax.vmap(jax.grad(scalar(f), (0, 1, 2)), axes)) for f in (mapped, plain))
    assert same(of_mapped(*args), of_plain(*args))


@every_batch
def test_gradient_of_a_batch_sums_over_what_is_shared(axes):
    args = batch(axes)

    def of(f):
        return jax.jit(jax.grad(lambda *args: jax.vmap(scalar(f), axes)(*args).sum(), (0, 1, 2)))(*args)

    assert same(of(mapped), of(plain))


def test_vmap_over_other_axes_and_twice():
    def turned(f):
        return jax.vmap(f, (2, 1, None), 1)(jnp.moveaxis(MANY_R, 0, 2), MANY_X.T, U)

    assert same(turned(mapped), turned(plain))

    def twice(f):
        return jax.vmap(lambda r: jax.vmap(lambda x: f(r, x, U))(MANY_X))(MANY_R)

    assert same(twice(mapped), twice(plain))


def test_hessian_forward_over_reverse():
    def of(f):
        return jax.jit(jax.jacfwd(jax.grad(scalar(f), (0, 1)), (0, 1)))(R, X, U)

    assert same(of(mapped), of(plain))


def test_a_rule_for_batches_is_used_and_falls_back():
    calls = []

    def rule(size, residuals, inputs):
        calls.append((size, list(residuals), list(inputs)))
        if residuals[0]:
            return None

        def apply(r, tangents):
            return list(jax.vmap(plain, (None, 0, 0))(*r, *tangents))

        def transpose(r, cotangents):
            return jax.vmap(lambda a, b: _transpose(r, [a, b]))(*cotangents)

        return LinearMap(apply, transpose), [True, True]

    own = LinearMap(_apply, _transpose, rule)

    def ruled(r, x, u):
        return tuple(linear_map(own, [r], [x, u]))

    assert same(jax.vmap(ruled, (None, 0, None))(R, MANY_X, U), jax.vmap(plain, (None, 0, None))(R, MANY_X, U))
    assert calls == [(5, [False], [True, False])]
    assert same(jax.vmap(ruled)(MANY_R, MANY_X, MANY_U), jax.vmap(plain)(MANY_R, MANY_X, MANY_U))
    assert len(calls) == 2

    def of(f):
        return jax.grad(lambda u: jax.vmap(lambda x: scalar(f)(R, x, u))(MANY_X).sum())(U)

    assert same(of(ruled), of(plain))
