"""Sources and whirls: the divergence and the curl of a vector field."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from continua.calculus import arguments
from continua.calculus.derivatives import flat


def divergence(f: Callable[..., Any]) -> Callable[..., Any]:
    r"""How much more of a field flows out of a point than into it, in Cartesian coordinates.

    $$ \nabla \cdot f = \sum_i \frac{\partial f_i}{\partial x_i} $$

    Args:
        f: `f(x, *args)` returns a vector in the structure and shapes of x.

    Returns:
        A function of (x, *args) that gives one number. It takes one forward product for each component of x; where
        those are too many, `estimate_divergence` takes some.

    Raises:
        ArgumentError: f(x) is not like x, or the result is not finite.
        ArgumentTypeError: x or f(x) holds integers.

    Example:
        >>> print(divergence(lambda x: x**2)(jnp.array([1.0, 2.0, 3.0])))
        12.0
    """
    arguments.function("divergence", f)

    def operator(x: Any, *args: Any) -> Any:
        x = arguments.floats("divergence", x)
        own, z = flat(arguments.checked("divergence", f, like=x), x, *args)

        def component(unit: jax.Array) -> jax.Array:
            return unit @ ravel_pytree(jax.jvp(own, (z,), (unit,))[1])[0]

        return arguments.finite("divergence", jax.vmap(component)(jnp.eye(z.size, dtype=z.dtype)).sum(), x)

    return operator


def curl(f: Callable[..., Any]) -> Callable[..., Any]:
    r"""How fast and about which axis a field turns, in Cartesian coordinates.

    $$ \nabla \times f = \begin{pmatrix} \partial_y f_z - \partial_z f_y \\ \partial_z f_x - \partial_x f_z \\
       \partial_x f_y - \partial_y f_x \end{pmatrix}, \qquad \text{in the plane } \partial_x f_y - \partial_y f_x $$

    Args:
        f: `f(x, *args)` returns [3] for x [3], or [2] for x [2].

    Returns:
        A function of (x, *args) that gives [3], or in the plane one number.

    Raises:
        ArgumentError: x has another shape, f(x) is not like x, or the result is not finite.
        ArgumentTypeError: x or f(x) holds integers.

    Example:
        >>> print(curl(lambda x: jnp.stack([-x[1], x[0]]))(jnp.array([1.0, 2.0])))
        2.0
    """
    arguments.function("curl", f)

    def operator(x: Any, *args: Any) -> jax.Array:
        x = arguments.vector("curl", x, sizes=(2, 3))
        J = jax.jacfwd(arguments.checked("curl", f, like=x))(x, *args)
        turning = J - J.T
        whole = turning[1, 0] if x.size == 2 else jnp.stack([turning[2, 1], turning[0, 2], turning[1, 0]])
        return arguments.finite("curl", whole, x)

    return operator
