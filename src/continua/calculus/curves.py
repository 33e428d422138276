"""Lengths, areas and volumes that one integral gives."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from continua.calculus.integrands import result_of
from continua.calculus.quadrature import Integral, integrate
from continua.core import ArgumentError, is_traced

Axis = Literal["x", "y"]

SAMPLES = 256  # where curves are compared
CROSSINGS = 16  # that are looked for


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
    _check("curve", "arc_length", curve, most_axes=1)
    return integrate(lambda t: _speed(curve, t), a, b, **options)


def area_between(f: Callable[[Any], Any], g: Callable[[Any], Any], a: Any, b: Any, **options: Any) -> Integral:
    r"""The area between two curves, wherever which of them is above.

    $$ A = \int_a^b |f(x) - g(x)|\,dx $$

    Where the curves cross is found first, and the integral is cut there.

    Args:
        f: a function of a number that gives a number.
        g: another.
        a: the left end, finite.
        b: the right end, finite.
        options: those of `integrate`, except `corners`.

    Returns:
        An `Integral`. Sixteen crossings are found that are not closer to each other than (b − a)/256; others are
        corners that `integrate` cuts out by itself.

    Example:
        >>> print(f"{area_between(jnp.sin, jnp.cos, 0.0, 2 * jnp.pi).value:.6f}")
        5.656854
    """
    for name, curve in (("f", f), ("g", g)):
        _check(name, "area_between", curve)
    for end in (a, b):
        if not is_traced(end) and not np.all(np.isfinite(end)):
            raise ArgumentError(f"`a` and `b` of `area_between` must be finite. Got {end}. Use `integrate` of jnp.abs.")
    corners = _crossings(lambda x: f(x) - g(x), jnp.asarray(a, float), jnp.asarray(b, float))
    return integrate(lambda x: jnp.abs(f(x) - g(x)), a, b, corners=corners, **options)


def _crossings(difference: Callable, a: Array, b: Array) -> Float[Array, " crossing"]:
    """Where a function changes its sign, in order; b where there are fewer such points than there is room for."""
    difference = jax.vmap(difference)
    places = a + (b - a) * jnp.linspace(0, 1, SAMPLES + 1, dtype=a.dtype)
    negative = jnp.signbit(difference(places))
    (found,) = jnp.nonzero(negative[1:] != negative[:-1], size=CROSSINGS, fill_value=SAMPLES)
    low, high = (jnp.append(places, b)[found + step] for step in (0, 1))
    below = jnp.append(negative, True)[found]

    def halved(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        before = jnp.signbit(difference(middle)) == below
        return jnp.where(before, middle, low), jnp.where(before, high, middle)

    return lax.stop_gradient(lax.fori_loop(0, jnp.finfo(a.dtype).nmant, halved, (low, high))[0])


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


def _turns_about_y(name: str, about: Any) -> bool:
    if about not in get_args(Axis):
        raise ArgumentError(f'`about` of `{name}` must be "x" or "y". Got {about!r}.')
    return about == "y"


def _check(name: str, of: str, curve: Any, most_axes: Literal[0, 1] = 0) -> None:
    """A curve is a function of a number that gives a number, or a point."""
    result_of(curve, jax.ShapeDtypeStruct((), jnp.result_type(float)), name=name, of=of, most_axes=most_axes)
