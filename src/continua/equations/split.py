"""Equations that are a sum: a stiff part, of which the linear ones have exact flows, and the rest."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Inexact, PyTree

from continua.calculus import phi, phi_of_matrix
from continua.core import Args, ArgumentError, Instant, State, as_node
from continua.equations.equation import Equation


class SplitODE(Equation):
    r"""An equation that is the sum of two.

    $$ y' = \text{stiff}(t, y, \text{args}) + \text{rest}(t, y, \text{args}) $$

    Args:
        stiff: what limits the steps of explicit methods: a function or an `Equation`; a `Diagonal` or `Matrix` where it
            is linear with constant coefficients, which makes exponential methods possible.
        rest: all that is left: a function or an `Equation`.

    Good for: reaction and diffusion, advection and diffusion, waves with a nonlinearity, friction beside mechanics.
    Implicit–explicit methods (`KenCarp4`) solve systems in `stiff` alone, exponential ones (`ETDRK4`) step it exactly,
    splittings (`Strang`) give each part a method of its own. Every other method sees the sum.

    Example:
        >>> heat = Diagonal(-jnp.array([0.0, 1.0, 4.0, 9.0]))
        >>> equation = SplitODE(heat, lambda t, y, args: y - y**3)
        >>> print(equation(0.0, jnp.ones(4), None))
        [ 0. -1. -4. -9.]
    """

    stiff: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)
    rest: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The sum of both parts."""
        stiff, rest = self.stiff(t, y, args), self.rest(t, y, args)
        for name, part in (("stiff", stiff), ("rest", rest)):
            _check_like(name, part, y)
        return jax.tree.map(jnp.add, stiff, rest)


def _check_like(name: str, part: State, y: State) -> None:
    """Each part gives a state, or the sum would broadcast unseen; the message names the leaf."""
    asked, got = (dict(jax.tree_util.tree_leaves_with_path(tree)) for tree in (y, part))
    if jax.tree.structure(part) != jax.tree.structure(y):
        wrong = [jax.tree_util.keystr(path) for path in asked if path not in got] or ["the whole"]
        raise ArgumentError(
            f"`{name}` of `SplitODE` must return the structure of y0. Got another at {wrong[0]}. "
            "Return every component, zeros where it does nothing."
        )
    for path, leaf in asked.items():
        if jnp.shape(got[path]) != jnp.shape(leaf):
            raise ArgumentError(
                f"`{name}` of `SplitODE` must return the shapes of y0, {list(jnp.shape(leaf))} for "
                f"y{jax.tree_util.keystr(path)}. Got {list(jnp.shape(got[path]))}. "
                "Return every component, zeros where it does nothing."
            )


class LinearTerm(Equation):
    r"""A linear equation with constant coefficients, and the functions of it that exponential methods need.

    $$ y' = L y, \qquad \varphi_0(z) = e^z, \qquad \varphi_{k+1}(z) = \frac{\varphi_k(z) - 1/k!}{z} $$

    `dense` says whether `phi` costs so much more than a product with L that methods had better make the matrices once.
    """

    dense: ClassVar[bool]

    @abstractmethod
    def phi(self, order: int, h: Instant, y: State) -> State:
        r"""The product $\varphi_{order}(hL)\, y$, like `y`."""


class Diagonal(LinearTerm):
    r"""A linear term that multiplies each component by a number of its own: a spectral method's derivatives.

    $$ y_i' = \lambda_i y_i $$

    Args:
        eigenvalues: a PyTree like y of arrays that broadcast against it, real or, for a complex y, complex.
    """

    eigenvalues: PyTree[Inexact[Array, "..."]] = eqx.field(converter=lambda tree: jax.tree.map(jnp.asarray, tree))

    dense = False

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The product with each component."""
        return jax.tree.map(lambda e, y: _times(_like(e, y), y), self.eigenvalues, y)

    def phi(self, order: int, h: Instant, y: State) -> State:
        """By components."""

        def leaf(e: Array, y: Array) -> Array:
            e = _like(e, y)
            return _times(phi(order, jnp.asarray(h).astype(e.dtype) * e), y)

        return jax.tree.map(leaf, self.eigenvalues, y)


class Matrix(LinearTerm):
    r"""A linear term with a matrix, for a state that is one array.

    $$ y' = A y $$

    Args:
        entries: [state, state], in 1/time.
    """

    entries: Inexact[Array, "state state"] = eqx.field(converter=jnp.asarray)

    dense = True

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The product A y."""
        return _times(self._checked(y), y, jnp.matmul)

    def phi(self, order: int, h: Instant, y: State) -> State:
        """By scaling and squaring."""
        entries = self._checked(y)
        return _times(phi_of_matrix(order, jnp.asarray(h).astype(entries.dtype) * entries)[order], y, jnp.matmul)

    def _checked(self, y: State) -> Array:
        size = len(self.entries)
        if not isinstance(y, jax.Array) or y.shape != (size,) or self.entries.shape != (size, size):
            shapes = jax.tree.map(lambda x: list(jnp.shape(x)), y)
            raise ArgumentError(
                f"`entries` of `Matrix` must be [state, state] for a state that is one array [state]. "
                f"Got {list(self.entries.shape)} for {shapes}. Use jax.flatten_util.ravel_pytree(y0)."
            )
        return _like(self.entries, y)


def _like(entries: Array, y: Array) -> Array:
    """The entries in the precision of the state; real ones stay real."""
    real = jnp.finfo(y.dtype).dtype
    return entries.astype(np.promote_types(real, np.complex64) if jnp.iscomplexobj(entries) else real)


def _times(entries: Array, y: Array, product: Callable[[Array, Array], Array] = jnp.multiply) -> Array:
    """The product of real or complex entries with a real or complex state."""
    kind = np.promote_types(entries.dtype, y.dtype)
    return product(entries.astype(kind), y.astype(kind))
