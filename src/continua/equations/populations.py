"""Populations that eat or infect each other."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation, parameter


class LotkaVolterra(Equation):
    r"""Predators and their prey.

    $$ x' = \alpha x - \beta x y, \qquad y' = \delta x y - \gamma y $$

    Good values: α = 0.55, β = 0.028, δ = 0.024, γ = 0.80 per year from (30, 4): hare and lynx of the Hudson Bay.
    Source: Lotka, J. Am. Chem. Soc. 42 (1920) 1595–1599; Volterra, Nature 118 (1926) 558–560.
    """

    states = ("prey", "predator")
    alpha: Float[Array, ""] = parameter(0.55, "1/time", "growth rate of the prey")
    beta: Float[Array, ""] = parameter(0.028, "1/(predator·time)", "predation rate")
    delta: Float[Array, ""] = parameter(0.024, "1/(prey·time)", "growth of predators by prey eaten")
    gamma: Float[Array, ""] = parameter(0.80, "1/time", "death rate of the predators")

    def __call__(self, t: Instant, y: Float[Array, "2"], args: Args) -> Float[Array, "2"]:
        """dy/dt of y = [prey, predator]."""
        prey, predator = y[0], y[1]
        return jnp.stack(
            [
                self.alpha * prey - self.beta * prey * predator,
                self.delta * prey * predator - self.gamma * predator,
            ]
        )


class SIR(Equation):
    r"""An epidemic: susceptible, infectious, recovered.

    $$ S' = -\beta S I, \qquad I' = \beta S I - \gamma I, \qquad R' = \gamma I $$

    The states are shares or heads; the total is conserved. Good values: β = 0.5, γ = 0.2 per day from (0.99, 0.01, 0).
    Source: Kermack & McKendrick, Proc. R. Soc. A 115 (1927) 700–721.
    """

    states = ("susceptible", "infectious", "recovered")
    beta: Float[Array, ""] = parameter(0.5, "1/(infectious·time)", "transmission rate")
    gamma: Float[Array, ""] = parameter(0.2, "1/time", "recovery rate")

    def __call__(self, t: Instant, y: Float[Array, "3"], args: Args) -> Float[Array, "3"]:
        """dy/dt of y = [susceptible, infectious, recovered]."""
        susceptible, infectious = y[0], y[1]
        infections = self.beta * susceptible * infectious
        recoveries = self.gamma * infectious
        return jnp.stack([-infections, infections - recoveries, recoveries])
