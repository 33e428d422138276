"""The elliptic equations: Poisson's, Helmholtz', diffusion with any coefficient, and the biharmonic one."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, FailedSolve, is_traced
from continua.space.boundaries import Boundaries, Periodic
from continua.space.elliptic.direct import Transform, TransformThomas, separable, spectrum_of, swept_axis
from continua.space.elliptic.krylov import GMRES, ConjugateGradient
from continua.space.elliptic.method import EllipticMethod, IterativeMethod
from continua.space.elliptic.network import Network, network, points_on_faces
from continua.space.grid import Grid


def poisson(
    grid: Grid,
    source: Any,
    boundaries: Any,
    *,
    method: EllipticMethod | None = None,
    subtract_mismatch: bool = False,
    t: Any = 0.0,
) -> Array:
    r"""Poisson's equation.

    $$ -\Delta u = f $$

    Args:
        grid: where, in any of its coordinates.
        source: f, a field [*shape] or a number.
        boundaries: as for a stencil; they may bring numbers, fields or functions of time.
        method: `TransformThomas()` unless all axes are periodic; see `diffusion`.
        subtract_mismatch: where no boundary fixes the level of u, whether a constant is taken from f so that a solution
            exists. Otherwise sources that do not balance what flows in are refused.
        t: the time at which boundaries are read.

    Returns:
        u [*shape], accurate to second order. Where only its differences are determined, its mean is 0.

    Raises:
        ArgumentError: the source has another shape than the grid, is not finite, or does not balance the boundaries.

    Example:
        >>> from continua.space import Dirichlet, Grid
        >>> grid = Grid.vertices(3, Dirichlet())
        >>> poisson(grid, 1.0, Dirichlet()).round(6).tolist()
        [0.09375, 0.125, 0.09375]

    Good for: potentials, pressure, steady heat; differentiable in source and boundary values, for one solve more.
    """
    return _solve("poisson", grid, source, boundaries, 1.0, 0.0, method, subtract_mismatch, t)


def helmholtz(
    grid: Grid,
    source: Any,
    boundaries: Any,
    k_squared: Any,
    *,
    method: EllipticMethod | None = None,
    t: Any = 0.0,
) -> Array:
    r"""Helmholtz' equation, with the sign that a source radiates with.

    $$ \Delta u + k^2 u = -f $$

    Args:
        grid: where.
        source: f, a field [*shape] or a number.
        boundaries: as for a stencil.
        k_squared: k² in 1/length², a number or a field; negative where waves decay (screened Poisson).
        method: see `diffusion`.
        t: the time at which boundaries are read.

    Returns:
        u [*shape], accurate to second order where waves are resolved: k·spacing must be well below 1.

    Raises:
        ArgumentError: −k² is an eigenvalue of the Laplacian on this grid, or as in `poisson`.
    """
    reaction = -(k_squared if is_traced(k_squared) else np.asarray(k_squared))
    return _solve("helmholtz", grid, source, boundaries, 1.0, reaction, method, False, t)


def diffusion(
    grid: Grid,
    source: Any,
    boundaries: Any,
    coefficient: Any,
    reaction: Any = 0.0,
    *,
    method: EllipticMethod | None = None,
    subtract_mismatch: bool = False,
    t: Any = 0.0,
) -> Array:
    r"""Steady diffusion through a medium.

    $$ -\nabla \cdot (a \nabla u) + c u = f $$

    Args:
        grid: where.
        source: f, a field [*shape] or a number.
        boundaries: as for a stencil; a Neumann value is ∂u/∂n, without a.
        coefficient: a, positive: a number, a field or what broadcasts to one, or a function of the coordinates. A field
            is taken to the faces by harmonic means, which are exact where a jumps there; a function is evaluated there.
        reaction: c, a number or a field.
        method: `TransformThomas()` where a and c vary along one axis at most, `Transform()` where all axes are
            periodic or c may be negative, otherwise `ConjugateGradient()` with multigrid, and `GMRES()` where c is
            negative.
        subtract_mismatch: as in `poisson`.
        t: the time at which boundaries are read.

    Returns:
        u [*shape], accurate to second order; differentiable in source, coefficient, reaction and boundary values.

    Raises:
        ArgumentError: a is not positive, or as in `poisson`.
        FailedSolve: an iteration did not come to its tolerance.
    """
    return _solve("diffusion", grid, source, boundaries, coefficient, reaction, method, subtract_mismatch, t)


class Verdict(NamedTuple):
    """What Python says after a solve: sizes of what may be wrong, 0 where nothing can be."""

    mismatch: Array  # of sources and boundaries, relative
    excess: Array  # of the residual, over that wanted
    closeness: Array  # of an eigenvalue to 0, relative to the largest; 1 where none can be


def _solve(
    who: str,
    grid: Grid,
    source: Any,
    boundaries: Any,
    coefficient: Any,
    reaction: Any,
    method: EllipticMethod | None,
    subtract: bool,
    t: Any,
) -> Array:
    """At the door: every argument is looked at once, and the verdict is spoken where it can be."""
    if not isinstance(grid, Grid):
        raise ArgumentTypeError(f"`grid` of {who} must be a Grid, such as Grid.cells((64, 64)). Got {grid!r}.")
    if not isinstance(method, EllipticMethod | None):
        raise ArgumentTypeError(f"`method` of {who} must be an elliptic method, such as Transform(). Got {method!r}.")
    faces = Boundaries.of(boundaries, grid.dimension, who)
    faces = jax.tree.map(lambda x: jnp.asarray(x) if isinstance(x, float) and x != 0 else x, faces)
    _check_values(faces, grid, who)
    f = as_field(source, grid.shape, "source", who)
    c = as_field(reaction, grid.shape, "reaction", who, f.dtype)
    a = _medium(coefficient, grid, faces, who, f.dtype)
    for one in a if isinstance(a, tuple) else (a if callable(coefficient) else coefficient,):
        if not is_traced(one) and not np.all(np.asarray(one) > 0):
            raise ArgumentError(f"`coefficient` of {who} must be positive. Got {np.min(np.asarray(one))} at its least.")
    if is_traced(reaction):
        known = Known(False, None, subtract)
    else:
        given = np.asarray(reaction)
        known = Known(not given.any(), not (given < 0).any(), subtract)
    u, verdict = _compiled(grid, faces, a, c, f, jnp.asarray(t, f.dtype), method, known)
    if not is_traced(u):
        _speak(who, u, verdict, (f, c, a, faces))
    return u


def _check_values(faces: Boundaries, grid: Grid, who: str) -> None:
    """The fields that stand on faces have their shapes."""
    for axis, pair in enumerate(faces.faces):
        room = grid.shape[:axis] + grid.shape[axis + 1 :]
        for one in pair:
            have = jnp.shape(value) if eqx.is_array_like(value := getattr(one, "value", 0.0)) else ()
            if len(have) > len(room) or any(a not in (1, b) for a, b in zip(have[::-1], room[::-1], strict=False)):
                raise ArgumentError(
                    f"`boundaries` of {who} must hold numbers or fields {room} on the faces of axis {axis}. Got {have}."
                )


class Known(NamedTuple):
    """What is known of an equation before it is compiled."""

    no_reaction: bool
    definite: bool | None  # c is nowhere negative; None if that is not known
    subtract: bool


def as_field(value: Any, shape: tuple[int, ...], name: str, who: str, dtype: Any = None) -> Array:
    """A number or a field, with an axis for each of the grid."""
    array = jnp.asarray(value)
    if dtype is None:
        dtype = array.dtype if jnp.issubdtype(array.dtype, jnp.floating) and array.ndim else jnp.result_type(float)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise ArgumentTypeError(f"`{name}` of {who} must be real. Got {array.dtype}.")
    fits = all(have in (1, size) for have, size in zip(array.shape, shape, strict=False))
    if array.ndim and not (len(shape) == array.ndim and fits):
        raise ArgumentError(
            f"`{name}` of {who} must be a number or have the shape {shape} of its grid. Got {array.shape}."
        )
    return array.astype(dtype).reshape(array.shape or (1,) * len(shape))


def _medium(coefficient: Any, grid: Grid, faces: Boundaries, who: str, dtype: Any) -> Any:
    """The coefficient at the points, or a function of the coordinates on the faces of each axis."""
    if not callable(coefficient):
        return as_field(coefficient, grid.shape, "coefficient", who, dtype)
    found = []
    for axis, (low, _) in enumerate(faces.faces):
        shape = tuple(size + (i == axis) for i, size in enumerate(grid.shape))
        values = coefficient(*points_on_faces(grid, axis, isinstance(low, Periodic), dtype))
        found.append(as_field(values, shape, "coefficient", who, dtype))
    return tuple(found)


@eqx.filter_jit
def _compiled(
    grid: Grid,
    faces: Boundaries,
    a: Any,
    c: Array,
    f: Array,
    t: Array,
    method: EllipticMethod | None,
    known: Known,
) -> tuple[Array, Verdict]:
    net = network(grid, faces, a, c, f.dtype)
    singular = known.no_reaction and not any(end.grounded for end in net.ends)
    method = default_method(net, known.definite) if method is None else method
    method.check(net, known.definite)
    b, nothing = net.load(f, t), jnp.zeros((), f.dtype)
    mismatch = excess = nothing
    closeness = nothing + 1
    if singular:
        mismatch = jnp.abs(jnp.sum(b)) / jnp.maximum(jnp.sum(jnp.abs(b)), jnp.finfo(b.dtype).tiny)
        b = _balanced(b, net.weights)

    def solve(_: Any, right: Array) -> Array:
        find = method.solver(net, singular)
        if not singular:
            return find(right)
        found = find(_balanced(right, net.weights))
        return found - jnp.sum(net.weights * found) / _volume(net.weights, found)

    u = lax.custom_linear_solve(net.product, b, solve, symmetric=True)
    fine = jnp.asarray(known.subtract) | (mismatch <= _resolved(grid.shape))
    if isinstance(method, IterativeMethod):
        excess = jnp.linalg.norm((b - net.product(u)).ravel()) / method.goal(b, net.diagonal() * u)
        fine = fine & (excess <= SLACK)
    if isinstance(method, Transform) and not known.definite:
        sizes = jnp.abs(spectrum_of(net))
        closeness = jnp.min(sizes) / jnp.max(sizes)
        fine = fine & (closeness > _resonant(f.dtype))
    if singular or isinstance(method, IterativeMethod) or not known.definite:
        u = jnp.where(fine, u, jnp.nan)
    return u, Verdict(nothing if known.subtract else mismatch, excess, closeness)


def _resonant(dtype: Any) -> float:
    """An eigenvalue so near to 0, relative to the largest, is 0 but for rounding."""
    return 8 * float(jnp.finfo(dtype).eps)


SLACK = 10  # times the residual wanted: what an iteration may end with, because it measures another one


def _resolved(shape: tuple[int, ...]) -> float:
    """The mismatch that is ascribed to the grid: sums are integrals up to the square of the spacing."""
    return sum(4 / size**2 for size in shape)


def _volume(weights: Array, like: Array) -> Array:
    return jnp.sum(jnp.broadcast_to(weights, like.shape))


def _balanced(b: Array, weights: Array) -> Array:
    """Less a constant source, so that all of it together is 0."""
    return b - weights * (jnp.sum(b) / _volume(weights, b))


def default_method(net: Network, definite: bool | None) -> EllipticMethod:
    """The fastest that the structure of the equation allows."""
    swept = swept_axis(net)
    if definite and swept is not None:
        return TransformThomas()
    if separable(net, range(net.grid.dimension)):
        return Transform()
    return ConjugateGradient() if definite else GMRES()


def _speak(who: str, u: Array, verdict: Verdict, given: tuple[Any, ...]) -> None:
    """Raise what the numbers say."""
    allowed = _resolved(u.shape)
    if verdict.mismatch > allowed:
        raise ArgumentError(
            f"`source` of {who} does not balance its boundaries, which fix no level: together they leave "
            f"{float(verdict.mismatch):.2g} of all sources, and {allowed:.2g} is what this grid cannot resolve. "
            "Use subtract_mismatch=True, which spreads the rest evenly, or a Dirichlet face."
        )
    if bool(jnp.isfinite(u.ravel()[0])):
        return
    for name, value in zip(("source", "reaction", "coefficient", "boundaries"), given, strict=True):
        if not all(bool(jnp.all(jnp.isfinite(x))) for x in jax.tree.leaves(value) if eqx.is_inexact_array(x)):
            raise ArgumentError(f"`{name}` of {who} must be finite. Got NaN or infinity in it.")
    if verdict.closeness <= _resonant(u.dtype):
        raise ArgumentError(
            f"`{who}` has no unique solution: an eigenvalue of its operator is {float(verdict.closeness):.1g} of the "
            "largest, so the boundaries resonate with the reaction (k²). Use another value of it."
        )
    if not verdict.excess > SLACK:
        raise FailedSolve(
            f"`{who}` gave NaN or infinity: a boundary that is a function of time did, or elimination met a pivot of 0."
            " Use finite boundaries, and method=Transform() or GMRES() where the reaction is negative."
        )
    raise FailedSolve(
        f"`{who}` did not come to its tolerance: the residual is {float(verdict.excess):.2g} times as large. "
        "Use more steps in `method`, or Transform() where the coefficients are constant."
    )
