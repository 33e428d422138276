"""What an elliptic solver is: K u = b, for the network of an equation."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.elliptic.network import Network, Solve


class EllipticMethod(eqx.Module):
    """How a discretised elliptic equation is solved."""

    @abstractmethod
    def solver(self, network: Network, singular: bool) -> Solve:
        """From b to u; where K is singular b has no part in its null space, and any u will do.

        Raises:
            ArgumentError: the method does not fit the equation.
        """

    def check(self, network: Network, definite: bool | None) -> None:
        """Refuse what the method does not solve; `definite`: c is nowhere negative, None if that is not known."""


class IterativeMethod(EllipticMethod):
    """One that comes closer step by step: until the residual is `rtol` of b, or what rounding leaves."""

    rtol: eqx.AbstractVar[float | None]

    def goal(self, b: Array, terms: Array) -> Array:
        """The residual to reach; `terms` are as large as what K u is the sum of."""
        return wanted_residual(self.rtol, b, terms)


class DefiniteMethod(IterativeMethod):
    """One for equations whose K is positive."""

    def check(self, network: Network, definite: bool | None) -> None:
        """Only definite equations."""
        if definite is False:
            raise ArgumentError(
                f"`method` {type(self).__name__}() needs a reaction that is nowhere negative. Use GMRES(), or "
                "Transform() where the coefficients are constant."
            )


def wanted_residual(rtol: float | None, b: Array, terms: Array) -> Array:
    """`rtol` of b (unless given 1.6e-10 in double precision, 5e-5 in single), or what rounding leaves of the terms."""
    precision = float(jnp.finfo(b.dtype).eps)
    share = precision**0.625 if rtol is None else rtol
    return share * jnp.linalg.norm(b.ravel()) + 4 * precision * jnp.linalg.norm(terms.ravel())
