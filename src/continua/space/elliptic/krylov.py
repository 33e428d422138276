"""Conjugate gradients and GMRES, with multigrid in front."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.scipy.sparse.linalg import gmres
from jaxtyping import Array

from continua.space.elliptic.method import DefiniteMethod, IterativeMethod
from continua.space.elliptic.multigrid import Multigrid
from continua.space.elliptic.network import Network, Solve


class ConjugateGradient(DefiniteMethod):
    """Conjugate gradients, behind a cycle of multigrid: it mends what few cells with extreme coefficients do to that.

    Args:
        preconditioner: `Multigrid(…)`, whose tolerance and number of cycles do not count.
        rtol: as for `Multigrid`.
        max_steps: how many at the most.

    Good for: coefficients with large jumps. Source: Hestenes & Stiefel, J. Res. NBS 49 (1952) 409–436.
    """

    preconditioner: Multigrid = Multigrid()
    rtol: float | None = None
    max_steps: int = 200

    def solver(self, network: Network, singular: bool) -> Solve:
        """Until the residual is small."""
        cycle = self.preconditioner.cycle(network, singular)

        diagonal = network.diagonal()

        def solve(b: Array) -> Array:
            goal = lambda b, u: self.goal(b, diagonal * u)  # noqa: E731
            return conjugate_gradients(network.product, cycle, b, goal, self.max_steps)

        return solve


def conjugate_gradients(
    product: Solve, inverse: Solve, b: Array, goal: Callable[[Array, Array], Array], steps: int
) -> Array:
    """Until the residual is at its goal, which is a function of b and u, or for so many steps.

    One product and one approximate inverse stand in the program: jax.scipy's has the inverse twice and cannot know the
    goal before it has a u, and a cycle of multigrid takes seconds to compile.
    """

    def far(held: tuple[Array, ...]) -> Array:
        u, left, _, _, count = held
        return (jnp.linalg.norm(left.ravel()) > goal(b, u)) & (count < steps)

    def once_more(held: tuple[Array, ...]) -> tuple[Array, ...]:
        u, left, direction, before, count = held
        better = inverse(left)
        now = jnp.vdot(left, better)
        direction = better + now / before * direction
        through = product(direction)
        length = now / jnp.vdot(direction, through)
        return u + length * direction, left - length * through, direction, now, count + 1

    nothing = jnp.zeros_like(b)
    first = nothing, b, nothing, jnp.ones((), b.dtype), jnp.zeros((), int)
    return lax.while_loop(far, once_more, first)[0]


class GMRES(IterativeMethod):
    """Generalised minimal residuals, behind a cycle of multigrid for the equation with |c| in the place of c.

    Args:
        preconditioner: as for `ConjugateGradient`.
        rtol: as for `Multigrid`.
        restart: how many directions are kept.
        max_restarts: how often they are begun anew.

    Good for: Helmholtz' equation in a medium that varies, with few waves. Source: Saad & Schultz, SIAM J. Sci. Stat.
    Comput. 7 (1986) 856–869.
    """

    preconditioner: Multigrid = Multigrid()
    rtol: float | None = None
    restart: int = 40
    max_restarts: int = 20

    def solver(self, network: Network, singular: bool) -> Solve:
        """Until the residual is small."""
        cycle = self.preconditioner.cycle(network, singular)

        def solve(b: Array) -> Array:
            start = cycle(b)
            goal = self.goal(b, network.diagonal() * start)
            options: dict[str, Any] = {"atol": goal, "restart": self.restart, "maxiter": self.max_restarts, "M": cycle}
            return gmres(network.product, b, start, tol=0.0, **options)[0]

        return solve
