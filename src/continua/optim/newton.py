r"""Newton's method as a flow: linearly implicit Euler on $x' = -\nabla f$, with steps that end in Newton's own.

$$ \Big( H + \frac{1}{h} I \Big)\, \Delta = -\nabla f(x), \qquad h \to \infty $$
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from continua.optim.definite import MOST, positive
from continua.optim.line_search import wolfe
from continua.optim.objective import Minimiser, Objective, Stand, Value, Vector

LEAST = 1e-14  # of 1/h, in units of the mean curvature
FARTHEST = 1e10  # of a step, in units of the parameters
COARSEST = 0.25  # of the gradient: what products may leave of a step's equation


class Newton(Minimiser):
    r"""Newton's method with the whole Hessian, for up to some hundred parameters.

    $$ \Delta = -t\, (H + \tfrac1h I)^{-1} \nabla f $$

    Where H is positive definite, 1/h is nothing, and the last steps are Newton's own: they converge quadratically.
    Where it is not, 1/h is raised until the sum is, so that saddles are left; t satisfies the conditions of Wolfe, and
    is 1 where Newton's model holds.

    Good for: smooth functions of up to some 500 parameters.

    Source: Kelley & Keyes, SIAM J. Numer. Anal. 35 (1998) 508–523 (the flow); Nocedal & Wright, Numerical Optimization
    (2006), 3.4 (the shift).
    """

    def start(self, x: Vector) -> Value:
        """1/h."""
        return jnp.zeros((), x.dtype)

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step."""
        here = stand.here
        hessian = objective.hessian(here.x)
        size = jnp.abs(jnp.diagonal(hessian)).mean()
        reach = FARTHEST * (1 + jnp.abs(here.x).max())  # of a step where nothing bends
        solve, damping = positive(
            hessian, jnp.clip(stand.own, jnp.maximum(LEAST * size, jnp.linalg.norm(here.gradient) / reach), MOST)
        )
        found = wolfe(objective, here, -solve(here.gradient), jnp.ones_like(size), likely=True)
        # A full step says that the model holds; none at all, that it does not hold even near.
        own = jnp.select(
            [~found.good, found.length >= 1], [jnp.maximum(10 * damping, 1e-3 * size), damping / 10], damping
        )
        stuck = ~found.good & (damping > 1e8 * size)
        return Stand(found.point, own, stand.evaluations + found.evaluations + here.x.size, stuck)


class TruncatedNewton(Minimiser):
    r"""Newton's method by products with the Hessian alone, for many parameters.

    $$ H\, \Delta = -\nabla f \quad \text{by conjugate gradients, to within } \eta\, |\nabla f| $$

    It is linearly implicit Euler of endless steps. η falls with the gradient, so that the last steps converge faster
    than linearly. Where a direction of negative curvature is met, the step ends there.

    Good for: convex functions of more than some hundred parameters, such as regressions.

    Args:
        most: products in one step at most.

    Source: Dembo & Steihaug, Math. Program. 26 (1983) 190–212.
    """

    most: int = eqx.field(static=True, default=200)

    def start(self, x: Vector) -> tuple[()]:
        """Nothing."""
        return ()

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step."""
        here = stand.here
        size = jnp.linalg.norm(here.gradient)
        tolerance = jnp.minimum(COARSEST, jnp.sqrt(size)) * size
        move, products = conjugate_gradients(objective.curvature(here.x), here.gradient, tolerance, self.most)
        found = wolfe(objective, here, move, jnp.ones_like(size))
        return Stand(found.point, (), stand.evaluations + found.evaluations + products, ~found.good)


def conjugate_gradients(
    product: Callable[[Vector], Vector], gradient: Vector, tolerance: Value, most: int
) -> tuple[Vector, Int[Array, ""]]:
    """Δ of H Δ = −gradient, up to where curvature is negative, and how many products it took."""

    class Search(NamedTuple):
        move: Vector
        left: Vector
        along: Vector
        square: Value
        products: Array
        bowl: Bool[Array, ""]

    def step(search: Search) -> Search:
        bent = product(search.along)
        curvature = search.along @ bent
        bowl = curvature > 0
        first = jnp.where(search.products == 0, 1, 0).astype(curvature.dtype)
        share = jnp.where(bowl, search.square / jnp.where(bowl, curvature, 1), first)
        move, left = search.move + share * search.along, search.left - share * bent
        square = left @ left
        along = left + square / search.square * search.along
        return Search(move, left, along, square, search.products + 1, bowl)

    def far(search: Search) -> Bool[Array, ""]:
        return (jnp.sqrt(search.square) > tolerance) & (search.products < most) & search.bowl

    start = Search(
        jnp.zeros_like(gradient), -gradient, -gradient, gradient @ gradient, jnp.zeros((), jnp.int32), jnp.asarray(True)
    )
    end = lax.while_loop(far, step, start)
    return end.move, end.products
