"""Descent where curvatures differ by much: steps that are stable at any length, or at lengths that grow with stages."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool

from continua.core import ArgumentError
from continua.methods import RKC
from continua.optim.first_order import Optimiser
from continua.optim.flows import Drift, Motion, Now, Rate, at_step, flow
from continua.optim.newton import TruncatedNewton
from continua.optim.objective import Objective, Point, Stand, Vector

ENDLESS = 1e30  # a spectral radius that asks for all stages, in single precision too


class Proximal(Motion):
    r"""The part that moves the parameters by implicit Euler, whose equation is solved as what it is: a minimum.

    $$ x_{n+1} = x_n - h \nabla f(x_{n+1}) = \operatorname*{argmin}_z\; f(z) + \tfrac{1}{2h} |z - x_n|^2 $$

    By Newton's method with conjugate gradients, from x_n downwards: it arrives at steps where Newton's iteration on the
    equation, which `ImplicitEuler()` of `solve` takes, leaves the basin. `update` needs `value_fn`.

    Args:
        rate: h, or a schedule.
        turns: of Newton's method at most.
        tolerance: of the equation, relative to the gradient at the start.

    Source: Rockafellar, SIAM J. Control Optim. 14 (1976) 877–898.
    """

    rate: Rate
    turns: int = eqx.field(static=True, default=20)
    tolerance: float = 1e-6

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The increment of the parameters."""
        value = now.extra.get("value_fn")
        if now.params is None or value is None:
            raise ArgumentError("`update` of a proximal point needs `params` and `value_fn`. Pass value_fn=loss.")
        (start, unravel), (gradient, _) = ravel_pytree(now.params), ravel_pytree(now.direction)
        length = at_step(self.rate, now.done, start)
        moves = length > 0
        stiffness = 1 / jnp.where(moves, length, 1)

        def priced(z: Vector) -> Array:
            return value(unravel(z)) + stiffness * jnp.sum((z - start) ** 2) / 2

        objective, newton = Objective(priced), TruncatedNewton()
        enough = self.tolerance * jnp.linalg.norm(gradient)

        def far(carry: tuple[Stand, Array]) -> Bool[Array, ""]:
            stand, turn = carry
            return (jnp.linalg.norm(stand.here.gradient) > enough) & ~stand.stuck & (turn < self.turns)

        def turned(carry: tuple[Stand, Array]) -> tuple[Stand, Array]:
            return newton.step(objective, carry[0]), carry[1] + 1

        first = newton.begin(Point(start, value(now.params), gradient))
        stand, _ = lax.while_loop(far, turned, (first, jnp.zeros((), jnp.int32)))
        increment = jnp.where(jnp.isfinite(enough), stand.here.x - start, jnp.nan)
        return now._replace(direction=unravel(jnp.where(moves, increment, 0))), own


def proximal_point(learning_rate: Rate, turns: int = 20, tolerance: float = 1e-6) -> Optimiser:
    r"""The gradient flow by implicit Euler, stable at every step length; `update` needs `value_fn`.

    $$ x_{n+1} = x_n - h \nabla f(x_{n+1}) = \operatorname*{argmin}_z\; f(z) + \tfrac{1}{2h} |z - x_n|^2 $$

    Where f is convex, no step goes up, whatever h; where it is not, h below 1 over the most negative curvature.

    Args:
        learning_rate: h, or a schedule.
        turns: of Newton's method in a step at most.
        tolerance: of the equation, relative to the gradient at the start.

    Source: Rockafellar, SIAM J. Control Optim. 14 (1976) 877–898.
    """
    return flow(Proximal(learning_rate, turns, tolerance))


def chebyshev(learning_rate: Rate, stages: int) -> Optimiser:
    r"""The gradient flow by Runge–Kutta–Chebyshev steps; `update` needs `grad_fn` or `value_fn`.

    $$ P_s(h \lambda) \approx \frac23 + \frac13 T_s\!\Big(1 - \frac{3 h\lambda}{s^2 - 1}\Big)
       \quad\text{on a curvature } \lambda $$

    s gradients reach as far as $h\,\lambda_{\max} \approx 0.65\, s^2$, where s steps of gradient descent reach 2 s.

    Args:
        learning_rate: h, or a schedule.
        stages: s, from 2 to 200; taken are the most that `continua.methods.RKC` has up to it: 2 to 8, 10, 12, 15, 18,
            22, 27, 33, 40, ….

    Source: Sommeijer, Shampine & Verwer, J. Comput. Appl. Math. 88 (1998) 315–326; Eftekhari, Vandereycken, Vilmart &
    Zygalakis, BIT Numer. Math. 61 (2021) 119–139 (as descent).
    """
    return flow(Drift(learning_rate, RKC(ENDLESS, stages)))
