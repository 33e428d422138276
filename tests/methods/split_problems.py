"""Sums of two parts that the tests of splitting, additive and exponential methods share."""

import jax
import jax.numpy as jnp
import numpy as np

import continua
from continua.equations import Diagonal, Matrix, SplitODE
from continua.methods import DOP853
from continua.solver import Fixed

TS = jnp.array([0.0, 0.77, 2.0])
Y0 = jnp.array([1.0, 0.5])
A = jnp.array([[-3.0, 1.0], [1.0, -2.0]])


def rest(t, y, args):
    """Nonlinear, and its time enters by itself."""
    return jnp.stack([jnp.sin(y[1]) * y[0], jnp.cos(2 * t) - y[0] * y[1]])


def stiff(t, y, args):
    return jnp.stack([y[1] - 3 * y[0] + jnp.sin(t), y[0] - 2 * y[1] ** 3])


NONLINEAR, DENSE, SPECTRAL = (SplitODE(s, rest) for s in (stiff, Matrix(A), Diagonal(jnp.array([-3.0, -2.0]))))
REFERENCE = {}


def reference(equation):
    """Values at TS to the last digits."""
    if id(equation) not in REFERENCE:
        found = continua.solve(equation, Y0, TS, method=DOP853(), rtol=1e-13, atol=1e-15)
        REFERENCE[id(equation)] = np.asarray(found.ys)
    return REFERENCE[id(equation)]


def observed_orders(equation, method, counts):
    """At a time between two steps and at the end."""
    run = jax.jit(lambda h: continua.solve(equation, Y0, TS, method=method, step_control=Fixed(h)).ys)
    coarse, fine = (np.abs(run(2 / count) - reference(equation)).max(1)[1:] for count in counts)
    return np.log2(coarse / fine)


def check_derivatives(method, build, p, y0, batch=True, **options):
    """Reverse = forward = differences; vmap = a loop, also of gradients; `build(p)` is the equation."""

    def run(p, y0):
        return continua.solve(build(p), y0, TS[::2], method=method, **options).ys

    def loss(p, y0):
        return (run(p, y0) ** 2).sum()

    both, forward = jax.jit(jax.value_and_grad(loss, (0, 1))), jax.jit(jax.jacfwd(loss, (0, 1)))
    reverse = both(p, y0)[1]
    for a, b in zip(reverse, forward(p, y0), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max())
    if "step_control" in options:
        quotient = (both(p + 1e-5, y0)[0] - both(p - 1e-5, y0)[0]) / 2e-5
        np.testing.assert_allclose(reverse[0].sum(), quotient, rtol=1e-7)
    if not batch:
        return
    ps, starts = (jnp.stack([x, 1.1 * x, 0.9 * x]) for x in (p, y0))
    many = jax.tree.leaves(jax.jit(jax.vmap(jax.value_and_grad(loss, (0, 1))))(ps, starts))
    each = jax.tree.leaves(jax.tree.map(lambda *x: jnp.stack(x), *map(both, ps, starts)))
    for a, b in zip(many, each, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)
