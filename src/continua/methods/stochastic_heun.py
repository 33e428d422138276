"""Heun's method for stochastic equations in Stratonovich's sense."""

from jax import lax

from continua.core import FlatState, Instant
from continua.equations import Interpretation
from continua.methods.stochastic_step import StochasticMethod, Terms, driven


class StochasticHeun(StochasticMethod):
    r"""Heun's method for Stratonovich equations: strong order 1 where noise commutes, 1/2 for any other, weak order 1.

    $$ \bar y = y_n + h f_n + g_n \Delta W, \qquad
       y_{n+1} = y_n + \tfrac h2 (f_n + \bar f) + \tfrac12 (g_n + \bar g)\, \Delta W $$

    No derivative of the diffusion is needed. Adaptive steps compare with $\bar y$, where noise commutes.

    Good for: physics, where the chain rule should hold; noise whose diffusion is dear to differentiate. The default for
    Stratonovich equations.

    Source: Rümelin, SIAM J. Numer. Anal. 19 (1982) 604–613.
    """

    order = 1
    weak_order = 1
    adaptive = True
    evaluations = 2
    interpretation = Interpretation.STRATONOVICH

    def increment(self, terms: Terms, t: Instant, h: Instant, y: FlatState) -> tuple[FlatState, FlatState]:
        """The mean of what start and end say."""
        slope, diffusion = terms.drift(t, y), terms.diffusion(t, y)
        euler = h * slope + driven(diffusion, terms.noise, y)
        end = lax.optimization_barrier(y + euler)
        change = h * (terms.drift(t + h, end) - slope)
        error = (change + driven(terms.diffusion(t + h, end) - diffusion, terms.noise, y)) / 2
        return euler + error, error
