"""Lengths, areas and volumes that one integral gives."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array

from continua.calculus.quadrature import Integral, integrate
from continua.core import ArgumentError, ArgumentTypeError

Axis = Literal["x", "y"]

SAMPLES = 256  # where curves are compared: crossings that are closer to each other are missed
HALVINGS = 60  # of the interval around a crossing


def arc_length(curve: Callable[[Any], Any], a: Any, b: Any, **options: Any) -> Integral:
    r"""The length of a graph y = f(x), or of a curve r(t) in any dimension.

    $$ L = \int_a^b \sqrt{1 + f'(x)^2}\,dx, \qquad L = \int_a^b \lVert r'(t) \rVert\,dt $$

    Args:
        curve: a function of a number that gives a number, or the point [dim].
        a: where the curve begins; infinite slopes at the ends, as of a circle, do no harm.
        b: where it ends.
        options: those of `integrate`.

    Returns:
        An `Integral`, in the units of y, or of r.

    Example:
        >>> circle = lambda t: jnp.stack([jnp.cos(t), jnp.sin(t)])
        >>> print(f"{arc_length(circle, 0.0, 2 * jnp.pi).value:.6f}")
        6.283185
    """
    _check("curve", "arc_length", curve, most=1)
    return integrate(lambda t: _speed(curve, t), a, b, **options)


def area_between(f: Callable[[Any], Any], g: Callable[[Any], Any], a: Any, b: Any, **options: Any) -> Integral:
    r"""The area between two curves, wherever which of them is above.

    $$ A = \int_a^b |f(x) - g(x)|\,dx $$

    Where the curves cross is found first, to the last digit, and the integral is cut there.

    Args:
        f: a function of a number that gives a number.
        g: another.
        a: the left end, finite.
        b: the right end, finite.
        options: those of `integrate`, except `corners`.

    Returns:
        An `Integral`. Crossings closer to each other than (b − a)/256 may be taken for none; the area between them is
        then found by cutting anyway.

    Example:
        >>> print(f"{area_between(jnp.sin, jnp.cos, 0.0, 2 * jnp.pi).value:.6f}")
        5.656854
    """
    for name, curve in (("f", f), ("g", g)):
        _check(name, "area_between", curve)
    corners = crossings(lambda x: f(x) - g(x), jnp.asarray(a, float), jnp.asarray(b, float))
    return integrate(lambda x: jnp.abs(f(x) - g(x)), a, b, corners=corners, **options)


def volume_of_revolution(f: Callable[[Any], Any], a: Any, b: Any, about: Axis = "x", **options: Any) -> Integral:
    r"""The volume that the area below y = f(x) sweeps when it turns about an axis.

    $$ V_x = \pi \int_a^b f(x)^2\,dx \;\text{(discs)}, \qquad V_y = 2\pi \int_a^b |x f(x)|\,dx \;\text{(shells)} $$

    Args:
        f: the curve, a function of a number that gives a number.
        a: where it begins. About the y axis, `a` and `b` must lie on one side of 0.
        b: where it ends.
        about: the axis, "x" or "y".
        options: those of `integrate`.

    Returns:
        An `Integral`.

    Example:
        >>> ball = volume_of_revolution(lambda x: jnp.sqrt(1 - x**2), -1.0, 1.0)
        >>> print(f"{ball.value / jnp.pi:.6f}")
        1.333333
    """
    _check("f", "volume_of_revolution", f)
    shells = _turns_about_y("volume_of_revolution", about)
    return integrate(lambda x: 2 * jnp.pi * jnp.abs(x * f(x)) if shells else jnp.pi * f(x) ** 2, a, b, **options)


def surface_of_revolution(f: Callable[[Any], Any], a: Any, b: Any, about: Axis = "x", **options: Any) -> Integral:
    r"""The surface that the curve y = f(x) sweeps when it turns about an axis.

    $$ S_x = 2\pi \int_a^b |f| \sqrt{1 + f'^2}\,dx, \qquad S_y = 2\pi \int_a^b |x| \sqrt{1 + f'^2}\,dx $$

    Args:
        f: the curve, a function of a number that gives a number.
        a: where it begins. About the y axis, `a` and `b` must lie on one side of 0.
        b: where it ends.
        about: the axis, "x" or "y".
        options: those of `integrate`.

    Returns:
        An `Integral`.

    Example:
        >>> sphere = surface_of_revolution(lambda x: jnp.sqrt(1 - x**2), -1.0, 1.0)
        >>> print(f"{sphere.value / jnp.pi:.6f}")
        4.000000
    """
    _check("f", "surface_of_revolution", f)
    around_y = _turns_about_y("surface_of_revolution", about)
    return integrate(lambda x: 2 * jnp.pi * jnp.abs(x if around_y else f(x)) * _speed(f, x), a, b, **options)


def _speed(curve: Callable, t: Array) -> Array:
    """How fast the point (t, f(t)), or r(t), moves."""
    slope = jax.jvp(curve, (t,), (jnp.ones_like(t),))[1]
    return jnp.sqrt(1 + slope**2) if slope.ndim == 0 else jnp.sqrt(jnp.sum(slope**2))


@partial(jax.jit, static_argnums=0)
def _sampled(difference: Callable, a: Array, b: Array) -> tuple[Array, Array]:
    """Points along the interval, and the difference there."""
    x = a + (b - a) * jnp.linspace(0, 1, SAMPLES + 1, dtype=a.dtype)
    return x, jax.vmap(difference)(x)


def _turns_about_y(name: str, about: Any) -> bool:
    if about not in ("x", "y"):
        raise ArgumentError(f'`about` of `{name}` must be "x" or "y". Got {about!r}.')
    return about == "y"


def _check(name: str, function: str, curve: Any, most: int = 0) -> None:
    """A curve is a function of a number that gives a number, or a point."""
    if not callable(curve):
        raise ArgumentTypeError(f"`{name}` of `{function}` must be a function. Got {type(curve).__name__}. Use jnp.sin.")
    value = jax.eval_shape(curve, jax.ShapeDtypeStruct((), jnp.result_type(float)))
    if getattr(value, "ndim", most + 1) > most or not jnp.issubdtype(value.dtype, jnp.floating):
        got = f"{value.dtype}{list(value.shape)}" if hasattr(value, "shape") else type(value).__name__
        wanted = "a real number or a point [dim]" if most else "a real number"
        raise ArgumentError(f"`{name}` of `{function}` must give {wanted}. Got {got}. Use jnp.stack for a point.")
