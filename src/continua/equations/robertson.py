"""Robertson's reactions, the standard stiff test."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation, parameter


class Robertson(Equation):
    r"""Three reactions whose rates lie nine orders of magnitude apart.

    $$ A' = -k_1 A + k_3 B C, \qquad B' = k_1 A - k_2 B^2 - k_3 B C, \qquad C' = k_2 B^2 $$

    Good values: k₁ = 0.04, k₂ = 3·10⁷, k₃ = 10⁴ from (1, 0, 0) to t = 10⁵ and beyond. Stiff: explicit methods crawl.
    Source: Robertson, in Walsh (ed.), Numerical Analysis: An Introduction (1966) 178–182.
    """

    states = ("A", "B", "C")
    k1: Float[Array, ""] = parameter(0.04, "1/time", "rate of A → B")
    k2: Float[Array, ""] = parameter(3e7, "1/(B·time)", "rate of B + B → C + B")
    k3: Float[Array, ""] = parameter(1e4, "1/(C·time)", "rate of B + C → A + C")

    def __call__(self, t: Instant, y: Float[Array, "3"], args: Args) -> Float[Array, "3"]:
        """dy/dt of y = [A, B, C]."""
        a, b, c = y[0], y[1], y[2]
        slow, fast, back = self.k1 * a, self.k2 * b**2, self.k3 * b * c
        return jnp.stack([back - slow, slow - fast - back, fast])
