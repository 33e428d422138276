r"""Lengths in any coordinates: the metric of a map, and the derivatives that follow from it.

A metric g is a function of the coordinates u [axis] that gives the matrix [axis, axis] of the squared length

$$ ds^2 = \sum_{ij} g_{ij}(u)\, du_i\, du_j $$
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.calculus import arguments
from continua.core import ArgumentError

Coordinates = Float[Array, " axis"]
Metric = Callable[[Any], Float[Array, "axis axis"]]


def metric(embedding: Callable[[Any], Any]) -> Metric:
    r"""The metric that a map into a flat space induces on its coordinates.

    $$ g = J^\top J, \qquad J_{ki} = \frac{\partial x_k}{\partial u_i} $$

    Args:
        embedding: `x(u)` returns the point [place] at the coordinates u [axis]: polar coordinates of the plane, a
            parametrised surface in space.

    Returns:
        g(u) [axis, axis], in squared units of x over those of u.

    Raises:
        ArgumentError: u or x(u) is no vector.
        ArgumentTypeError: u holds integers.

    Example:
        >>> polar = metric(lambda u: u[0] * jnp.stack([jnp.cos(u[1]), jnp.sin(u[1])]))
        >>> print(polar(jnp.array([2.0, 0.0])))
        [[1. 0.]
         [0. 4.]]
    """
    arguments.function("metric", embedding, "embedding")

    def induced(u: Any) -> Float[Array, "axis axis"]:
        u = arguments.vector("metric", u, name="u")
        J = jax.jacfwd(embedding)(u)
        if J.ndim != 2:
            raise ArgumentError(
                f"`embedding` of `metric` must return a point [place]. Got {arguments.layout(embedding(u))}. "
                "Use jnp.stack([x, y, z])."
            )
        return J.T @ J

    return induced


def christoffel(g: Metric) -> Callable[[Any], Float[Array, "axis axis axis"]]:
    r"""How the coordinate directions turn from point to point.

    $$ \Gamma^k_{ij} = \tfrac12 \sum_l g^{kl} \big(\partial_i g_{jl} + \partial_j g_{il} - \partial_l g_{ij}\big) $$

    Args:
        g: the metric, a function of u [axis] that returns [axis, axis].

    Returns:
        Γ(u) [k, i, j], symmetric in the last two.

    Raises:
        ArgumentError: g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> polar = metric(lambda u: u[0] * jnp.stack([jnp.cos(u[1]), jnp.sin(u[1])]))
        >>> gamma = christoffel(polar)(jnp.array([2.0, 0.0]))
        >>> print(gamma[0, 1, 1], gamma[1, 0, 1])
        -2.0 0.5
    """
    return at_point("christoffel", g, symbols)


def symbols(g: Metric, u: Coordinates) -> Float[Array, "axis axis axis"]:
    """Christoffel's symbols at a point that has been looked at."""
    slopes = jax.jacfwd(g)(u)  # [j, l, i]: ∂_i g_jl
    first = (jnp.einsum("jli->lij", slopes) + jnp.einsum("ilj->lij", slopes) - jnp.einsum("ijl->lij", slopes)) / 2
    return jnp.einsum("kl,lij->kij", jnp.linalg.inv(g(u)), first)


def covariant_divergence(f: Callable[[Any], Any], g: Metric) -> Callable[[Any], Array]:
    r"""The divergence of a vector field in any coordinates.

    $$ \nabla_i f^i = \frac{1}{\sqrt{|\det g|}} \sum_i \partial_i \big( \sqrt{|\det g|}\, f^i \big) $$

    Args:
        f: `f(u)` returns the components [axis] along the coordinates: a velocity du/dt. (Along unit vectors, as physics
            texts give them, divide each by the root of gᵢᵢ first.)
        g: the metric.

    Returns:
        A function of u that gives one number.

    Raises:
        ArgumentError: f(u) is not like u, g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> polar = metric(lambda u: u[0] * jnp.stack([jnp.cos(u[1]), jnp.sin(u[1])]))
        >>> outward = lambda u: jnp.stack([u[0], 0 * u[1]])
        >>> print(covariant_divergence(outward, polar)(jnp.array([2.0, 0.0])))
        2.0
    """
    arguments.function("covariant_divergence", f)

    def at(g: Metric, u: Coordinates) -> Array:
        return _spreading(arguments.checked("covariant_divergence", f, like=u), g, u)

    return at_point("covariant_divergence", g, at)


def laplace_beltrami(f: Callable[[Any], Any], g: Metric) -> Callable[[Any], Array]:
    r"""The Laplacian in any coordinates, and on any surface.

    $$ \Delta f = \frac{1}{\sqrt{|\det g|}} \sum_{ij} \partial_i \big( \sqrt{|\det g|}\, g^{ij}\, \partial_j f \big) $$

    Args:
        f: `f(u)` returns one number.
        g: the metric.

    Returns:
        A function of u that gives one number.

    Raises:
        ArgumentError: f(u) is no single number, g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> polar = metric(lambda u: u[0] * jnp.stack([jnp.cos(u[1]), jnp.sin(u[1])]))
        >>> print(laplace_beltrami(lambda u: u[0] ** 2, polar)(jnp.array([2.0, 0.0])))
        4.0
    """
    arguments.function("laplace_beltrami", f)

    def at(g: Metric, u: Coordinates) -> Array:
        slopes = jax.grad(arguments.checked("laplace_beltrami", f, scalar=True))
        return _spreading(lambda u: jnp.linalg.solve(g(u), slopes(u)), g, u)

    return at_point("laplace_beltrami", g, at)


def _spreading(f: Callable[[Any], Any], g: Metric, u: Coordinates) -> Array:
    """The divergence of f over the volume of a cell of coordinates."""

    def volume(u: Coordinates) -> Array:
        return jnp.sqrt(jnp.abs(jnp.linalg.det(g(u))))

    return jnp.trace(jax.jacfwd(lambda u: volume(u) * f(u))(u)) / volume(u)


def at_point(verb: str, g: Any, found: Callable[[Metric, Coordinates], Any]) -> Callable[[Any], Any]:
    """An operator on a metric with a door."""
    arguments.function(verb, g, "g")

    def operator(u: Any) -> Any:
        u = arguments.vector(verb, u, name="u")
        shape = getattr(jax.eval_shape(g, u), "shape", None)
        if shape != (u.size, u.size):
            raise ArgumentError(
                f"`g` of `{verb}` must return the metric [{u.size}, {u.size}] of {u.size} coordinates. "
                f"Got {arguments.layout(jax.eval_shape(g, u))}. Use metric(embedding)."
            )
        return arguments.finite(verb, found(g, u), u, name="g")

    return operator
