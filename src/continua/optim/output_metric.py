r"""The metric that a model's outputs give its parameters: natural gradients, and Gauss and Newton's steps."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import ArgumentError
from continua.optim.first_order import Optimiser
from continua.optim.flows import Drift, Now, Params, Rate, Subflow, at_step, flow
from continua.optim.newton import conjugate_gradients


class Composite(eqx.Module):
    r"""A loss of what a model puts out: $f(x) = \ell(z(x))$.

    It is a function of the parameters x like any other, to be given as `value_fn`, and tells `GaussNewton` its halves.

    Args:
        outputs: z(x), any PyTree of arrays.
        loss: ℓ(z), a real scalar; convex, for curvatures that are never negative.

    Example:
        >>> from continua.optim import Composite, natural_gradient, softmax_cross_entropy
        >>> points, classes = jnp.array([[-1.0], [0.0], [2.0]]), jnp.array([0, 1, 1])
        >>> loss = Composite(lambda w: points * w[None], lambda z: softmax_cross_entropy(z, classes).mean())
        >>> optimiser, w = natural_gradient(1.0, damping=0.1), jnp.zeros(2)
        >>> updates, _ = optimiser.update(jax.grad(loss)(w), optimiser.init(w), w, value_fn=loss)
        >>> bool(loss(w + updates) < 0.7 * loss(w))
        True
    """

    outputs: Callable[[Params], Any]
    loss: Callable[[Any], Array]

    def __call__(self, x: Params) -> Array:
        """The loss."""
        return self.loss(self.outputs(x))

    def metric(self, x: Params) -> Callable[[Params], Params]:
        r"""The product $v \mapsto J^\top \nabla^2 \ell\, J\, v$ at x, linearised once."""
        z, push = jax.linearize(self.outputs, x)
        pull = jax.linear_transpose(push, x)
        bend = jax.linearize(jax.grad(self.loss), z)[1]
        return lambda v: pull(bend(push(v)))[0]


class GaussNewton(Subflow):
    r"""The metric of a model's outputs, measured by the curvature of their loss.

    $$ q \mapsto (G + \lambda I)^{-1} q, \qquad G = J^\top\, \nabla^2 \ell(z)\, J, \qquad J = \partial z / \partial x $$

    For the mean of softmax and cross-entropy, and of every other likelihood in its natural parameters, G is Fisher's
    information, and what follows is the natural gradient; with λ = 1/h and `Drift(1.0)` it is a step h of linearly
    implicit Euler. The system is solved by conjugate gradients, two passes through the model a product. `update` needs
    `value_fn`, a `Composite`.

    Args:
        damping: λ, or a schedule of it.
        products: at most so many in a step.
        tolerance: of the residual, relative to the direction, at which a step has enough of them.

    Source: Schraudolph, Neural Comput. 14 (2002) 1723–1738 (G); Amari, Neural Comput. 10 (1998) 251–276; Martens,
    arXiv 1412.1193 (why they are one).
    """

    damping: Rate = 1e-3
    products: int = eqx.field(static=True, default=50)
    tolerance: float = 1e-3

    def __check_init__(self) -> None:
        """Refuses damping that is negative, where it is a plain number."""
        if isinstance(self.damping, int | float) and not self.damping >= 0:
            raise ArgumentError(f"`damping` of `GaussNewton` must not be negative. Got {self.damping!r}. Use 1e-3.")
        if self.products < 1:
            raise ArgumentError(f"`products` of `GaussNewton` must be at least 1. Got {self.products}. Use 50.")

    @property
    def counts(self) -> bool:
        """Where the damping has a schedule."""
        return callable(self.damping)

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The direction in the metric."""
        loss = now.extra.get("value_fn")
        if now.params is None or not isinstance(loss, Composite):
            raise ArgumentError(
                "`update` in the metric of Gauss and Newton needs `params`, and as `value_fn` a loss of a model's "
                "outputs. Pass value_fn=Composite(outputs, loss)."
            )
        product, (right, unravel) = loss.metric(now.params), ravel_pytree(now.direction)
        damping = at_step(self.damping, now.done, right)

        def damped(v: Array) -> Array:
            return ravel_pytree(product(unravel(v)))[0] + damping * v

        enough = self.tolerance * jnp.linalg.norm(right)
        move, _ = conjugate_gradients(damped, right, enough, self.products)
        return now._replace(direction=unravel(jnp.where(jnp.isfinite(enough), -move, jnp.nan))), own


def natural_gradient(
    learning_rate: Rate, damping: Rate = 1e-3, products: int = 50, tolerance: float = 1e-3
) -> Optimiser:
    r"""Descent in the metric of the model's outputs, the same however its parameters are written.

    $$ x' = -(G + \lambda I)^{-1} \nabla f $$

    by explicit Euler; `update` needs `value_fn`, a `Composite`.

    Args:
        learning_rate: h; 1 is Gauss and Newton's step, damped.
        damping: λ; what keeps parameters that the outputs do not feel where they are. Networks want about 1 at first,
            less later: a schedule.
        products: at most so many with G in a step.
        tolerance: of the linear system, relative.

    Source: Amari, Neural Comput. 10 (1998) 251–276.
    """
    return flow(GaussNewton(damping, products, tolerance), Drift(learning_rate))


def gauss_newton(learning_rate: Rate, products: int = 50, tolerance: float = 1e-3) -> Optimiser:
    r"""The gradient flow by linearly implicit Euler, with Gauss and Newton's part of the Hessian.

    $$ x_{n+1} = x_n - (G + \tfrac1h I)^{-1} \nabla f $$

    Short steps are gradient descent, long ones Gauss and Newton's; no step is unstable where G is the Hessian.
    `update` needs `value_fn`, a `Composite`.

    Good for: all data at once, or large batches. Of networks, outputs are linear over short ways only: begin at h = 1.

    Args:
        learning_rate: h, infinite for Gauss and Newton's own step.
        products: at most so many with G in a step.
        tolerance: of the linear system, relative.
    """
    if isinstance(learning_rate, int | float) and not learning_rate > 0:
        raise ArgumentError(
            f"`learning_rate` of `gauss_newton` must be positive. Got {learning_rate!r}. Use 1.0, or a schedule."
        )
    damping = (lambda done: 1 / learning_rate(done)) if callable(learning_rate) else 1 / learning_rate
    return flow(GaussNewton(damping, products, tolerance), Drift(1.0))
