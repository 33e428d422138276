"""Conjugate gradients and GMRES, with multigrid in front."""

import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg, gmres
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.elliptic.method import IterativeMethod
from continua.space.elliptic.multigrid import Multigrid
from continua.space.elliptic.network import Network, Solve


class ConjugateGradient(IterativeMethod):
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

    def check(self, network: Network, definite: bool | None) -> None:
        """Only definite equations."""
        if definite is False:
            raise ArgumentError(
                "`method` ConjugateGradient() needs a reaction that is nowhere negative. Use GMRES(), or Transform() "
                "where the coefficients are constant."
            )

    def solver(self, network: Network, singular: bool) -> Solve:
        """Until the residual is small."""
        cycle = self.preconditioner.cycle(network, singular)

        def solve(b: Array) -> Array:
            start = cycle(b)
            goal = self.goal(b, jnp.linalg.norm((network.diagonal() * start).ravel()))
            return cg(network.product, b, start, tol=0.0, atol=goal, maxiter=self.max_steps, M=cycle)[0]

        return solve


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
            goal = self.goal(b, jnp.linalg.norm((network.diagonal() * start).ravel()))
            options = {"restart": self.restart, "maxiter": self.max_restarts, "M": cycle}
            return gmres(network.product, b, start, tol=0.0, atol=goal, **options)[0]

        return solve
