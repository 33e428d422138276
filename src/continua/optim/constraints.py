r"""Bounds and constraints: what they are, the conditions that hold at a minimum within them, and what they cost.

$$ \min f(x), \quad l \le x \le u, \quad g(x) = 0, \quad h(x) \ge 0, \qquad L = f - \mu \cdot g - \lambda \cdot h $$

At a minimum ∇L vanishes but at active bounds, λ ≥ 0, and λ h = 0.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from continua.core import ArgumentError, ArgumentTypeError, is_traced, takes_args
from continua.optim.objective import Minimiser, Objective, Point, Unknowns, Value, Vector

DEPENDENT = 1e-9  # of the largest singular value: below, a gradient of constraints adds nothing to the others


class Box(eqx.Module):
    r"""Bounds $l \le x \le u$ of the parameters, each a number for all or of the structure of x; ±∞ is no bound.

    Example:
        >>> from continua import minimise
        >>> from continua.optim import Box
        >>> print(minimise(lambda x: jnp.sum((x - 2) ** 2), jnp.zeros(2), bounds=Box(high=jnp.array([1.0, 5.0]))).x)
        [1. 2.]
    """

    low: Any = -np.inf
    high: Any = np.inf


class Constraint(eqx.Module):
    """A function whose values are constrained: `function(x)` or `function(x, args)`, any PyTree of arrays."""

    function: Callable[..., Any]
    takes_args: bool = eqx.field(static=True)

    def __init__(self, function: Callable[..., Any]) -> None:
        """Checks how many arguments the function takes."""
        if not callable(function):
            name = type(self).__name__
            raise ArgumentTypeError(
                f"`function` of `{name}` must be a function of x, or of x and args. Got {type(function).__name__}. "
                f"Write {name}(lambda x: …)."
            )
        self.function, self.takes_args = function, takes_args(function)

    def values(self, x: Any, args: Any) -> Vector:
        """What it returns, as one vector."""
        found = self.function(x, args) if self.takes_args else self.function(x)
        return ravel_pytree(jax.tree.map(jnp.asarray, found))[0]


class Equality(Constraint):
    r"""$g(x) = 0$, entry by entry."""


class Inequality(Constraint):
    r"""$h(x) \ge 0$, entry by entry. What must stay below c is `Inequality(lambda x: c - …)`."""


class Domain(eqx.Module):
    """Where a vector [n] may be: between bounds, and where constraints hold."""

    low: Vector
    high: Vector
    constraints: tuple[Constraint, ...]
    args: Any
    unravel: Callable[[Vector], Any]
    sizes: tuple[int, ...] = eqx.field(static=True)  # how many values each constraint has
    bounded: tuple[int, ...] = eqx.field(static=True)  # which bounds may be finite, of the lower and then the upper

    @property
    def equal(self) -> np.ndarray:
        """Which values must be zero, [row]; all others must not be negative."""
        kinds = [isinstance(one, Equality) for one in self.constraints]
        return np.repeat(np.asarray(kinds, bool), self.sizes)

    def values(self, x: Vector) -> Float[Array, " row"]:
        """All that is constrained but x itself."""
        tree = self.unravel(x)
        return jnp.concatenate([jnp.zeros(0, x.dtype), *(one.values(tree, self.args) for one in self.constraints)])

    def clip(self, x: Vector) -> Vector:
        """The nearest point between the bounds."""
        return jnp.clip(x, self.low, self.high)

    def held(self, x: Vector, gradient: Vector, near: Value | float = 0.0) -> Bool[Array, " n"]:
        """Which parameters are at a bound, or near one, and pushed against it."""
        return ((x <= self.low + near) & (gradient > 0)) | ((x >= self.high - near) & (gradient < 0))

    def residual(self, here: Point, values: Float[Array, " row"], multipliers: Float[Array, " row"]) -> Value:
        """The largest entry of what must vanish at a minimum; `here` is a point of the Lagrangian.

        A slope counts in units of the multipliers, where they are large.
        """
        steep = jnp.where(self.held(here.x, here.gradient), 0, jnp.abs(here.gradient)).max()
        missed = jnp.abs(self.missed(values, multipliers)).max(initial=0)
        return jnp.maximum(steep / jnp.maximum(1, jnp.abs(multipliers).max(initial=0)), missed)

    def missed(self, values: Float[Array, " row"], multipliers: Float[Array, " row"]) -> Float[Array, " row"]:
        """What must vanish of constraints: g, and min(h, λ)."""
        return jnp.where(self.equal, values, jnp.minimum(values, multipliers))


class Constrained(Minimiser):
    """A minimiser that stays within a `Domain`."""

    domain: eqx.AbstractVar[Domain | None]

    def within(self, domain: Domain) -> "Constrained":
        """Itself, within this domain."""
        return eqx.tree_at(lambda one: one.domain, self, domain, is_leaf=lambda leaf: leaf is None)

    @property
    def room(self) -> Domain:
        """The domain it stays within."""
        if self.domain is None:
            raise ArgumentError(
                f"`method` {type(self).__name__} of `minimise` needs `bounds` or `constraints`. Leave it out for none."
            )
        return self.domain

    def lagrangian(self, objective: Objective, multipliers: Float[Array, " row"]) -> Objective:
        """F − λ · constraints."""
        return Objective(lambda x: objective.value(x) - multipliers @ self.room.values(x))

    def condition(self, objective: Objective, unknowns: Unknowns) -> Unknowns:
        """Karush, Kuhn and Tucker's conditions as equations.

        At active bounds x is the bound, for all other parameters too: so the equations' matrix is symmetric where there
        are no constraints.
        """
        n = self.room.low.size
        x, multipliers = unknowns[:n], unknowns[n:]
        slope = jax.grad(self.lagrangian(objective, multipliers).value)
        held = jax.lax.stop_gradient(self.room.held(x, slope(x)))
        bound = jnp.where(x <= self.room.low, self.room.low, self.room.high)
        there = jnp.where(held, bound, x)
        missed = self.room.missed(self.room.values(there), multipliers)
        return jnp.concatenate([jnp.where(held, x - bound, slope(there)), missed])

    def bends(self, objective: Objective, unknowns: Unknowns) -> Float[Array, "n n"]:
        """The Hessian of the Lagrangian on the tangents of what is active; elsewhere the mean of these curvatures."""
        n = self.room.low.size
        x, multipliers = unknowns[:n], unknowns[n:]
        lagrangian = self.lagrangian(objective, multipliers)
        free = ~self.room.held(x, jax.grad(lagrangian.value)(x))
        values, normals = self.room.values(x), jax.jacfwd(self.room.values)(x)
        tight = self.room.equal | (multipliers > values)
        tangents = jnp.diag(free.astype(x.dtype))
        if self.room.sizes:
            _, sizes, across = jnp.linalg.svd(jnp.where(tight[:, None] & free[None], normals, 0), full_matrices=False)
            across = jnp.where((sizes > DEPENDENT * sizes.max())[:, None], across, 0)
            tangents = tangents - across.T @ across
        bent = tangents @ lagrangian.hessian(x) @ tangents
        left = jnp.trace(tangents)
        mean = jnp.where(left > 0.5, jnp.trace(bent) / jnp.maximum(left, 1), jnp.nan)
        return bent + mean * (jnp.eye(n, dtype=x.dtype) - tangents)


class Multipliers(eqx.Module):
    r"""What bounds and constraints cost: relaxing one by a small ε changes the minimum by −ε times its multiplier.

    Attributes:
        low: of each lower bound, with the structure of x; zero where it is not active. Never negative.
        high: of each upper bound.
        constraints: of each constraint, in the order given, a vector of its entries: λ ≥ 0 of h ≥ 0, which is
            relaxed to h ≥ −ε, and μ of g = 0, which becomes g = −ε.
    """

    low: Any
    high: Any
    constraints: tuple[Array, ...]

    def explain(self) -> str:
        """A line for each that is not zero."""
        lines = []
        for name, tree in (("lower", self.low), ("upper", self.high)):
            flat, _ = ravel_pytree(tree)
            lines += [(f"the {name} bound of parameter {i}", value) for i, value in enumerate(np.asarray(flat))]
        for k, entries in enumerate(self.constraints):
            lines += [(f"constraint {k}, entry {i}", value) for i, value in enumerate(np.asarray(entries))]
        told = [
            f"{what}: {value:.6g}: relaxing this by one unit changes the minimum by about {-value:.6g}"
            for what, value in lines
            if value
        ]
        return "\n".join(told) or "no bound or constraint is active"


def multipliers(method: Constrained, objective: Objective, unknowns: Unknowns) -> Multipliers:
    """Those of the bounds and constraints at a minimum."""
    room = method.room
    n = room.low.size
    x, of_constraints = unknowns[:n], unknowns[n:]
    slope = jax.grad(method.lagrangian(objective, of_constraints).value)(x)
    low = jnp.where((x <= room.low) & (slope > 0), slope, 0)
    high = jnp.where((x >= room.high) & (slope < 0), -slope, 0)
    ends = np.cumsum(room.sizes)[:-1].tolist()
    each = tuple(jnp.split(of_constraints, ends)) if room.sizes else ()
    return Multipliers(room.unravel(low), room.unravel(high), each)


def domain_of(bounds: Any, constraints: Any, x0: Any, args: Any) -> Domain | None:
    """The domain, with its arguments checked; None where nothing was asked for."""
    each = tuple(constraints) if isinstance(constraints, Sequence) else (constraints,)
    if bounds is None and not each:
        return None
    for one in each:
        if not isinstance(one, Equality | Inequality):
            raise ArgumentTypeError(
                f"`constraints` of `minimise` must be of Equality and Inequality. Got {type(one).__name__}. "
                "Write Equality(lambda x: …) or Inequality(lambda x: …)."
            )
    box = Box() if bounds is None else bounds
    if not isinstance(box, Box):
        raise ArgumentTypeError(
            f"`bounds` of `minimise` must be a Box. Got {type(bounds).__name__}. Write Box(low, high)."
        )
    sides = [_side("low", box.low, x0), _side("high", box.high, x0)]
    known = not any(is_traced(leaf) for side in sides for leaf in side)
    low, high = (jnp.concatenate([jnp.ravel(leaf) for leaf in side]) for side in sides)
    finite = np.ones(2 * low.size, bool)
    if known:
        numbers = [np.concatenate([np.ravel(leaf) for leaf in side]) for side in sides]
        wrong = ~(numbers[0] <= numbers[1])
        if wrong.any():
            worst = int(np.argmax(wrong))
            raise ArgumentError(
                f"`bounds` of `minimise` must have low ≤ high. Got low {numbers[0][worst]} and high "
                f"{numbers[1][worst]} of parameter {worst}. Exchange them."
            )
        finite = np.isfinite(np.concatenate(numbers))
    sizes = tuple(_size(one, x0, args) for one in each)
    return Domain(low, high, each, args, ravel_pytree(x0)[1], sizes, tuple(np.flatnonzero(finite).tolist()))


def _side(name: str, bound: Any, x0: Any) -> list[Any]:
    """One side of a box: an array for each of x0's."""
    leaves, structure = jax.tree.flatten(x0)
    given = jax.tree.leaves(bound)
    if len(given) == 1 and np.ndim(given[0]) == 0 and not isinstance(bound, dict | Sequence):
        given = given * len(leaves)
    elif jax.tree.structure(bound) != structure:
        given = []
    shapes = [np.shape(one) for one in given]
    if len(given) != len(leaves) or any(
        shape not in ((), leaf.shape) for shape, leaf in zip(shapes, leaves, strict=True)
    ):
        raise ArgumentError(
            f"`{name}` of `Box` must be a number or have the structure and shapes of x0. "
            f"Got shapes {shapes} for {[leaf.shape for leaf in leaves]}. Give one bound for each parameter."
        )
    return [
        jnp.broadcast_to(jnp.asarray(one, leaf.dtype), leaf.shape)
        if is_traced(one)
        else np.broadcast_to(np.asarray(one, leaf.dtype), leaf.shape)
        for one, leaf in zip(given, leaves, strict=True)
    ]


def _size(one: Constraint, x0: Any, args: Any) -> int:
    """How many values it has."""
    found = jax.eval_shape(one.values, x0, args)
    if found.size == 0 or not jnp.issubdtype(found.dtype, jnp.floating):
        raise ArgumentTypeError(
            f"`function` of `{type(one).__name__}` must return real floats. Got {found.dtype}{list(found.shape)}. "
            "Return what must vanish, or must not be negative."
        )
    return found.size
