r"""The linear part of an equation at a state: its Jacobian matrix and eigenvalues.

$$ (y - y_*)' \approx J\, (y - y_*), \qquad J_{ij} = \partial f_i / \partial y_j \,(t, y_*) $$
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from continua.core import Args, Scalar, in_double_precision, kept
from continua.equations import Equation
from continua.stability import arguments

Matrix = Float[np.ndarray, "state state"]
Eigenvalues = Complex[np.ndarray, " state"]


@in_double_precision
def jacobian(
    equation: Equation | Callable[[Any, Any, Any], Any], point: Any, t: float = 0.0, args: Args = None
) -> Matrix:
    r"""The Jacobian matrix of the slope with respect to the state, exact.

    $$ J_{ij} = \frac{\partial f_i}{\partial y_j}(t, y) $$

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt.
        point: [state], where.
        t: when.
        args: handed to the equation.

    Returns:
        [state, state], in the unit of state i over that of state j, per unit of time.

    Raises:
        ArgumentError: a shape or value cannot be used; the message names the argument and the remedy.
        ArgumentTypeError: a type cannot be used.

    Example:
        >>> from continua.equations import LotkaVolterra
        >>> print(jacobian(LotkaVolterra(1.0, 1.0, 1.0, 1.0), [1.0, 1.0]))
        [[ 0. -1.]
         [ 1.  0.]]
    """
    state = arguments.one_state("jacobian", point)
    equation, args = arguments.system("jacobian", equation, len(state), args)
    return slopes_and_jacobians(equation, state[None], args, t)[1][0]


@in_double_precision
def eigenvalues(
    equation: Equation | Callable[[Any, Any, Any], Any], point: Any, t: float = 0.0, args: Args = None
) -> Eigenvalues:
    """The eigenvalues of the Jacobian matrix at a state.

    Real parts are rates of growth, imaginary parts angular frequencies.

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt.
        point: [state], where.
        t: when.
        args: handed to the equation.

    Returns:
        [state], complex, per unit of time, the largest real part first.

    Raises:
        ArgumentError: a shape or value cannot be used; the message names the argument and the remedy.
        ArgumentTypeError: a type cannot be used.

    Example:
        >>> from continua.equations import Logistic
        >>> print(eigenvalues(Logistic(r=0.5, K=10.0), [10.0]))
        [-0.5+0.j]
    """
    return ordered_eigenvalues(jacobian(equation, point, t, args))


def ordered_eigenvalues(matrix: Matrix) -> Eigenvalues:
    """Of a matrix, the largest real part first, of a pair the positive imaginary part first."""
    values = np.linalg.eigvals(matrix).astype(complex)
    return values[np.lexsort((-np.imag(values), -np.real(values)))]


def slopes_and_jacobians(
    equation: Equation, points: np.ndarray, args: Args, t: float = 0.0
) -> tuple[Float[np.ndarray, "point state"], Float[np.ndarray, "point state state"]]:
    """Slopes and Jacobians at many states."""
    time, states = jax.device_put((np.asarray(t, float), points))
    slopes, matrices = _linearise(equation, time, states, args)
    return np.asarray(slopes), np.asarray(matrices)


@kept()
def _linearise(equation: Equation, t: Scalar, points: Float[Array, "point state"], args: Args) -> tuple[Array, Array]:
    def one(y: Array) -> tuple[Array, Array]:
        slope, push = jax.linearize(lambda y: jnp.asarray(equation(t, y, args), y.dtype), y)
        return slope, jax.vmap(push, out_axes=-1)(jnp.eye(len(y), dtype=y.dtype))

    return jax.vmap(one)(points)
