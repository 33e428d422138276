"""How many problems `jax.vmap` makes of one is read from the tracers, under derivatives and in closures too."""

import jax
import jax.numpy as jnp
import pytest

from continua.core import anywhere, batch_size
from continua.equations import ODE

X = jnp.ones((3, 5))


def seen(transformed):
    """What `batch_size` says inside of a transformed function of one number."""
    found = []

    def look(x, tree=lambda x: x):
        found.append(batch_size(tree(x)))
        return x**2

    transformed(look)
    return set(found)


@pytest.mark.core
@pytest.mark.parametrize(
    ("transformed", "size"),
    [
        (lambda f: f(X[0, 0]), 1),
        (lambda f: jax.vmap(f)(X[0]), 5),
        (lambda f: jax.vmap(jax.vmap(f))(X), 15),
        (lambda f: jax.jit(jax.vmap(f))(X[0]), 5),
        (lambda f: jax.vmap(jax.grad(f))(X[0]), 5),
        (lambda f: jax.grad(lambda x: jax.vmap(f)(x).sum())(X[0]), 5),
        (lambda f: jax.vmap(jax.hessian(f))(X[0]), 5),
        (lambda f: jax.vmap(lambda x: f(x, lambda x: {"rate": [x, x], "start": 1.0}))(X[0]), 5),
        (lambda f: jax.vmap(lambda x: f(x, lambda x: lambda t: t * x))(X[0]), 5),
        (lambda f: jax.vmap(lambda x: f(x, lambda x: jax.tree_util.Partial(lambda t: t * x)))(X[0]), 5),
        (lambda f: jax.vmap(lambda x: f(x, lambda x: ODE(lambda t, y, args: x * y)))(X[0]), 5),
        (lambda f: jax.vmap(lambda x, y: f(x, lambda x: y), (0, None))(X[0], X[1, 0]), 1),
    ],
)
def test_it_is_the_product_of_the_mapped_axes(transformed, size):
    assert seen(transformed) == {size}


def test_a_name_that_is_not_yet_bound_is_passed_over():
    def field(t):
        return later * t

    assert batch_size(field) == 1
    later = 1.0
    assert field(2.0) == 2.0


def test_a_branch_that_no_entry_needs_is_skipped_under_vmap():
    """It stays a `cond` there, also under a derivative, and all entries get the same answer."""

    def either(x, happens):
        return jax.lax.cond(anywhere(happens), jnp.sin, jnp.zeros_like, x)

    mapped = jax.vmap(jax.grad(either))
    primitives = str(jax.make_jaxpr(mapped)(X[0], X[0] > 0))
    assert "cond" in primitives
    assert "select_n" not in primitives
    for row in (jnp.zeros(5, bool), jnp.arange(5) == 3):
        assert jnp.array_equal(mapped(X[0], row), jnp.cos(X[0]) if row.any() else X[0] * 0)
