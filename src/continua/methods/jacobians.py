"""How an implicit method gets at ∂f/∂y: what is known of its structure decides how its systems are solved.

Every kind is given one linear map v ↦ (I − γh ∂f/∂y) v, by its products alone, and returns its inverse.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import eval_jaxpr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.calculus import Band, Compression, band_of, compression, sparsity
from continua.core import Args, ArgumentError, FlatState, State
from continua.methods.krylov import least_residual
from continua.methods.linear_systems import Product, Solve, banded, factored, turned
from continua.methods.method import Slope


class Inverse(NamedTuple):
    """Solutions of one linear map and of its transpose; the work that they share is done once for each."""

    solve: Solve
    transposed: Callable[[], Solve]


class Jacobian(eqx.Module):
    """A way to invert linear maps on flat states [state] or [state, lane], lane by lane."""

    def prepared(self, equation: Slope) -> Slope:
        """The equation as the method is to see it: with a derivative of its own, where one is given."""
        return equation

    @abstractmethod
    def invert(self, product: Product, like: FlatState) -> Inverse:
        """The inverse of the map that `product` applies; its own derivatives do not matter."""

    def inverse(self, product: Product, like: FlatState) -> Inverse:
        """The same with derivatives of every order, which are those of the map: no solver is differentiated."""
        plain = self.invert(product, like)

        def solve(right: FlatState) -> FlatState:
            return lax.custom_linear_solve(
                product, right, lambda _, b: plain.solve(b), lambda _, b: plain.transposed()(b)
            )

        def transposed() -> Solve:
            across, turned = jax.linear_transpose(product, like), plain.transposed()
            return lambda right: lax.custom_linear_solve(
                lambda v: across(v)[0], right, lambda _, b: turned(b), lambda _, b: plain.solve(b)
            )

        return Inverse(solve, transposed)


def _as_pattern(given: Any) -> tuple[tuple[bool, ...], ...] | None:
    """As nested tuples, which compare and hash: a method is part of what a compiled program is found by."""
    return None if given is None else tuple(map(tuple, np.asarray(given, bool).tolist()))


class Dense(Jacobian):
    """Every entry, by one forward derivative a state, and elimination with partial pivoting.

    Good for: up to some hundred states.
    """

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By the whole matrix."""
        size = len(like)
        matrix = jnp.moveaxis(_products(product, np.eye(size), like), 0, 1)
        return Inverse(factored(matrix), lambda: factored(jnp.swapaxes(matrix, 0, 1)))


class Banded(Jacobian):
    """A band around the diagonal: lower + 1 + upper forward derivatives and a banded elimination, whatever the size.

    Good for: chains, and one-dimensional partial differential equations. What lies outside of the band must be 0.

    Args:
        lower: how many diagonals below the main one.
        upper: how many above.
    """

    lower: int = eqx.field(static=True)
    upper: int = eqx.field(static=True)

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By the band, whose every (lower + 1 + upper)-th column comes from one product."""
        size = len(like)
        lower, upper = min(self.lower, size - 1), min(self.upper, size - 1)
        colours = np.arange(size) % (lower + 1 + upper)
        return _by_band(product, like, Compression(colours, lower + 1 + upper), Band(np.arange(size), lower, upper))


class Coloured(Jacobian):
    """Sparse: columns that meet in no row share a forward derivative; elimination is banded where an order allows it.

    Good for: sparse systems of a hundred states and more. The pattern is read from the equation; where it holds more
    than it must (arrays that the equation closes over count as full), give it.

    Args:
        sparsity: [state, state] of booleans, in the order of the flat state, True where ∂fᵢ/∂yⱼ may differ from 0.
    """

    sparsity: Any = eqx.field(default=None, converter=_as_pattern, static=True)

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By the entries of the pattern."""
        size = len(like)
        pattern = sparsity(product, like) if self.sparsity is None else np.array(self.sparsity, bool)
        if pattern.shape != (size, size):
            raise ArgumentError(
                f"`sparsity` of `Coloured` must be [state, state] for {size} states. Got shape {pattern.shape}. "
                "Use the order of the flat state."
            )
        pattern = pattern | np.eye(size, dtype=bool)
        colours, band = compression(pattern), band_of(pattern)
        if band.lower + 1 + band.upper <= size / 4:
            return _by_band(product, like, colours, band, pattern)
        compressed = _products(product, colours.seeds, like)
        whole = jnp.swapaxes(compressed[colours.colours], 0, 1)
        matrix = jnp.where(pattern.reshape(size, size, *[1] * (like.ndim - 1)), whole, 0)
        return Inverse(factored(matrix), lambda: factored(jnp.swapaxes(matrix, 0, 1)))


class MatrixFree(Jacobian):
    r"""No matrix at all: products with ∂f/∂y, whose combination of least residual solves the system.

    Good for: thousands of states whose stiffness is moderate, since nothing preconditions it. A system that is not
    solved in `most` products makes the step fail, and a shorter one is tried.

    Args:
        tolerance: of the residual, relative to the right-hand side; well below the tolerance of the solve.
        most: products for a system, and vectors of the state's size that are kept.

    Source: generalised conjugate residuals, which are GMRES written in the products themselves (Eisenstat, Elman &
    Schultz, SIAM J. Numer. Anal. 20 (1983) 345–357).
    """

    tolerance: float = 1e-10
    most: int = eqx.field(default=40, static=True)

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By products with the map, and with its transpose."""

        def across() -> Solve:
            transposed = jax.linear_transpose(product, like)
            return lambda right: least_residual(lambda v: transposed(v)[0], right, self.tolerance, self.most)

        return Inverse(lambda right: least_residual(product, right, self.tolerance, self.most), across)


class Given(Jacobian):
    """The matrix that you write down, in place of forward derivatives of the equation with respect to its state.

    Args:
        function: `function(t, y, args)` returns ∂f/∂y [state, state] in the order of the flat state (that of
            `jax.flatten_util.ravel_pytree`). Derivatives of solutions are made with it too: it has to be exact.
        structure: how its systems are solved.
    """

    function: Callable[[Any, Any, Any], Any] = eqx.field(static=True)
    structure: Jacobian = Dense()

    def prepared(self, equation: Slope) -> Slope:
        """The equation whose forward derivative in y is the product with the given matrix."""
        return jax.tree_util.Partial(_with_jacobian, equation, self.function)

    def invert(self, product: Product, like: FlatState) -> Inverse:
        """By its structure."""
        return self.structure.invert(product, like)


def _with_jacobian(equation: Slope, jacobian: Callable[[Any, Any, Any], Any], t: Any, y: State, args: Args) -> State:
    """equation(t, y, args) with a derivative of its own in y; all that either closes over is handed in."""
    flat, unravel = ravel_pytree(y)
    slope = jax.make_jaxpr(lambda t, y, args: ravel_pytree(equation(t, unravel(y), args))[0])(t, flat, args)
    entries = lambda t, y, args: jnp.asarray(jacobian(t, unravel(y), args), flat.dtype)  # noqa: E731
    matrix, shape = jax.make_jaxpr(entries)(t, flat, args), jax.eval_shape(entries, t, flat, args).shape
    if shape != (flat.size, flat.size):
        raise ArgumentError(
            f"`function` of `Given` must return ∂f/∂y [state, state] for {flat.size} states. Got shape {tuple(shape)}. "
            "Use the order of the flat state."
        )

    def plain(t: Any, y: FlatState, args: Args, held: Any) -> FlatState:
        return eval_jaxpr(slope.jaxpr, held[0], t, y, *jax.tree.leaves(args))[0]

    call = jax.custom_jvp(plain)

    @call.defjvp
    def rule(primals: Any, tangents: Any) -> tuple[FlatState, FlatState]:
        (t, y, args, held), (dt, dy, dargs, dheld) = primals, tangents
        out, moved = jax.jvp(lambda t, args, held: plain(t, y, args, held), (t, args, held), (dt, dargs, dheld))
        return out, moved + eval_jaxpr(matrix.jaxpr, held[1], t, y, *jax.tree.leaves(args))[0] @ dy

    return unravel(call(t, flat, args, (slope.consts, matrix.consts)))


def _products(product: Product, seeds: np.ndarray, like: FlatState) -> Array:
    """The products with several directions [direction, state], in every lane the same: [direction, state, …]."""
    directions = jnp.asarray(seeds, like.dtype).reshape(*seeds.shape, *[1] * (like.ndim - 1))
    return jax.vmap(product)(jnp.broadcast_to(directions, (len(seeds), *like.shape)))


def _by_band(
    product: Product, like: FlatState, colours: Compression, band: Band, pattern: np.ndarray | None = None
) -> Inverse:
    """Entries of the band from products, states in the band's order."""
    size, (order, lower, upper) = len(like), band
    places = np.arange(size)[:, None] + np.arange(-lower, upper + 1)
    columns = order[np.clip(places, 0, size - 1)]
    rows = np.broadcast_to(order[:, None], columns.shape)
    there = (places >= 0) & (places < size) & (True if pattern is None else pattern[rows, columns])
    entries = _products(product, colours.seeds, like)[colours.colours[columns], rows]
    matrix = jnp.where(there.reshape(*there.shape, *[1] * (like.ndim - 1)), entries, 0)
    back = np.argsort(order)

    def in_order(solve: Solve) -> Solve:
        return lambda right: solve(right[order])[back]

    return Inverse(
        in_order(banded(matrix, lower, upper)),
        lambda: in_order(banded(turned(matrix, lower, upper), upper, lower)),
    )
