"""Taylor's polynomial of a function of one variable."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.calculus import arguments
from continua.calculus.series import HIGHEST, derivatives_at
from continua.core import ArgumentTypeError, Scalar, count


class Taylor(eqx.Module):
    r"""A polynomial round a centre.

    $$ p(x) = \sum_{k=0}^{n} c_k\, (x - x_0)^k $$

    Args:
        centre: x₀.
        coefficients: [power, *shape of f], c₀ first.
    """

    centre: Scalar
    coefficients: Float[Array, "power *output"]

    @property
    def order(self) -> int:
        """The highest power."""
        return len(self.coefficients) - 1

    def __call__(self, x: Any) -> Array:
        """The value at a number x, by Horner's rule; of a function of one output also at an array of them."""
        x = jnp.asarray(x, self.coefficients.dtype)
        total = jnp.zeros_like(self.coefficients[0])
        for coefficient in self.coefficients[::-1]:
            total = total * (x - self.centre) + coefficient
        return total


def taylor(f: Callable[[Any], Any], x0: Any, order: int) -> Taylor:
    r"""Taylor's polynomial of a function round a point.

    $$ p(x) = \sum_{k=0}^{n} \frac{f^{(k)}(x_0)}{k!} (x - x_0)^k, \qquad f(x) - p(x) = O\big((x - x_0)^{n+1}\big) $$

    Args:
        f: `f(x)` of one number; returns an array.
        x0: the centre, one float.
        order: the highest power n, up to 30.

    Returns:
        `Taylor`: call it at x; its `coefficients` are [power, *shape of f].

    Raises:
        ArgumentError: x0 is no single finite number, or a derivative is not finite there.
        ArgumentTypeError: x0 is an integer, or f returns a tree.

    Example:
        >>> sine = taylor(jnp.sin, 0.0, 5)
        >>> print(f"{sine(0.5):.5f} {jnp.sin(0.5):.5f} {sine.coefficients[5] * 120:.1f}")
        0.47943 0.47943 1.0
    """
    arguments.function("taylor", f)
    x = arguments.number("taylor", x0, "x0")
    order = count("taylor", "order", order, HIGHEST, least=0)
    rows = derivatives_at(arguments.checked("taylor", f), x, order)
    if not isinstance(rows[0], jax.Array | float):
        raise ArgumentTypeError(
            f"`f` of `taylor` must return one array. Got {arguments.layout(rows[0])}. Use one function for each."
        )
    rows = [row / float(math.factorial(k)) for k, row in enumerate(rows)]
    return arguments.finite("taylor", Taylor(x, jnp.stack(jax.tree.map(jnp.asarray, rows))), x)
