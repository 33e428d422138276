"""The flow down a loss: what gradient descent, proximal points and Newton's method are steps of."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentTypeError, Instant, State, takes_args
from continua.equations.equation import Equation


class GradientFlow(Equation):
    r"""The flow down a function.

    $$ x' = -\nabla f(x, \text{args}), \qquad \tfrac{d}{dt} f(x(t)) = -|\nabla f|^2 \le 0 $$

    Explicit Euler with step h is gradient descent with learning rate h, stable at a minimum while
    $h < 2 / \lambda_{\max}(\nabla^2 f)$; implicit Euler is the proximal point method; linearly implicit Euler is
    Levenberg–Marquardt's step with λ = 1/h, and Newton's for h → ∞.

    Args:
        loss: `f(x, args)`, or `f(x)`, a real scalar; x is any PyTree of arrays.

    Example:
        >>> import continua
        >>> from continua.solver import Fixed
        >>> flow = continua.equations.GradientFlow(lambda x: x**2)
        >>> ts = jnp.asarray([0.0, 0.1, 0.2])
        >>> euler = continua.solve(flow, jnp.asarray(1.0), ts, method=continua.methods.Euler(), step_control=Fixed(0.1))
        >>> [round(float(x), 6) for x in euler.ys]  # gradient descent with rate 0.1 from 1: 0.8^k
        [1.0, 0.8, 0.64]
    """

    loss: Callable[..., Any]
    takes_args: bool = eqx.field(static=True, repr=False)

    def __init__(self, loss: Callable[..., Any]) -> None:
        """Checks how many arguments the loss takes."""
        if not callable(loss):
            raise ArgumentTypeError(
                f"`loss` of `GradientFlow` must be a function of x, or of x and args. Got {type(loss).__name__}. "
                "Write GradientFlow(lambda x: …)."
            )
        self.loss, self.takes_args = loss, takes_args(loss)

    def value(self, x: State, args: Args) -> jax.Array:
        """The loss, a scalar."""
        value = jnp.asarray(self.loss(x, args) if self.takes_args else self.loss(x))
        if value.shape != () or not jnp.issubdtype(value.dtype, jnp.floating):
            raise ArgumentTypeError(
                f"`loss` of `GradientFlow` must return one real number. Got {value.dtype}{list(value.shape)}. "
                "Take the sum or the mean of it."
            )
        return value

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slope −∇f."""
        return jax.tree.map(jnp.negative, jax.grad(self.value)(y, args))
