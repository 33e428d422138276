"""How a space or a surface is bent, from its metric or from the map that draws it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.calculus import arguments
from continua.calculus.metrics import Coordinates, Metric, at_point, symbols
from continua.core import ArgumentError

Curvature = Float[Array, "axis axis axis axis"]


def riemann(g: Metric) -> Callable[[Any], Curvature]:
    r"""How much a vector is turned that is carried round a small loop.

    $$ R^k{}_{lij} = \partial_i \Gamma^k_{jl} - \partial_j \Gamma^k_{il}
       + \sum_m \big( \Gamma^k_{im} \Gamma^m_{jl} - \Gamma^k_{jm} \Gamma^m_{il} \big) $$

    Args:
        g: the metric, a function of u [axis] that returns [axis, axis].

    Returns:
        R(u) [k, l, i, j], antisymmetric in the last two; 0 everywhere where the space is flat.

    Raises:
        ArgumentError: g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> print(riemann(lambda u: jnp.diag(jnp.stack([1.0 + 0 * u[0], u[0] ** 2])))(jnp.array([2.0, 0.0])).max())
        0.0
    """
    return at_point("riemann", g, _riemann)


def ricci(g: Metric) -> Callable[[Any], Float[Array, "axis axis"]]:
    r"""The curvature averaged over the planes through a direction.

    $$ R_{lj} = \sum_k R^k{}_{lkj} $$

    Args:
        g: the metric.

    Returns:
        A function of u that gives [axis, axis], symmetric.

    Raises:
        ArgumentError: g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> sphere = lambda u: jnp.diag(jnp.stack([1.0 + 0 * u[0], jnp.sin(u[0]) ** 2]))
        >>> print(ricci(sphere)(jnp.array([jnp.pi / 2, 0.0])).round(6) + 0.0)
        [[1. 0.]
         [0. 1.]]
    """
    return at_point("ricci", g, _ricci)


def scalar_curvature(g: Metric) -> Callable[[Any], Array]:
    r"""One number for the curvature at a point: how much less volume a small ball has than in flat space.

    $$ R = \sum_{lj} g^{lj} R_{lj} $$

    Args:
        g: the metric.

    Returns:
        A function of u that gives one number, over the square of a length; twice Gauss's curvature on a surface.

    Raises:
        ArgumentError: g gives another shape, or is singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> sphere = lambda u: jnp.diag(jnp.stack([4.0 + 0 * u[0], 4 * jnp.sin(u[0]) ** 2]))
        >>> print(f"{scalar_curvature(sphere)(jnp.array([1.0, 0.0])):.4f}")
        0.5000
    """
    return at_point("scalar_curvature", g, lambda g, u: jnp.trace(jnp.linalg.solve(g(u), _ricci(g, u))))


def gaussian_curvature(surface: Callable[[Any], Any]) -> Callable[[Any], Array]:
    r"""Gauss's curvature of a surface in space: the product of the curvatures of its two principal sections.

    $$ K = \frac{\det II}{\det I}, \qquad I = J^\top J, \qquad
       II_{ij} = n \cdot \frac{\partial^2 x}{\partial u_i\, \partial u_j} $$

    It is half of the `scalar_curvature` of `metric(surface)`, which knows lengths on the surface alone.

    Args:
        surface: `x(u)` returns the point [3] at the coordinates u [2].

    Returns:
        A function of u that gives one number, over the square of a length: positive on a hill, negative on a saddle.

    Raises:
        ArgumentError: u or x(u) has another shape, or the coordinates are singular at u.
        ArgumentTypeError: u holds integers.

    Example:
        >>> print(gaussian_curvature(lambda u: jnp.stack([u[0], u[1], u[0] * u[1]]))(jnp.zeros(2)))
        -1.0
    """
    arguments.function("gaussian_curvature", surface, "surface")

    def at(u: Any) -> Array:
        u = arguments.vector("gaussian_curvature", u, sizes=(2,), name="u")
        if getattr(found := jax.eval_shape(surface, u), "shape", None) != (3,):
            raise ArgumentError(
                f"`surface` of `gaussian_curvature` must return a point [3]. Got {arguments.layout(found)}. "
                "Use jnp.stack([x, y, z])."
            )
        J, bend = jax.jacfwd(surface)(u), jax.jacfwd(jax.jacfwd(surface))(u)
        normal = jnp.cross(J[:, 0], J[:, 1])  # not of length 1: its square is det I
        second = jnp.einsum("k,kij->ij", normal, bend)
        return arguments.finite("gaussian_curvature", jnp.linalg.det(second) / (normal @ normal) ** 2, u, "surface")

    return at


def _riemann(g: Metric, u: Coordinates) -> Curvature:
    gamma, slopes = symbols(g, u), jax.jacfwd(lambda u: symbols(g, u))(u)  # slopes [k, j, l, i]
    turn = jnp.einsum("kjli->klij", slopes) + jnp.einsum("kim,mjl->klij", gamma, gamma)
    return turn - jnp.swapaxes(turn, 2, 3)


def _ricci(g: Metric, u: Coordinates) -> Float[Array, "axis axis"]:
    return jnp.einsum("klkj->lj", _riemann(g, u))
