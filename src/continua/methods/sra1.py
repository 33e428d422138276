"""SRA1: a Runge–Kutta method of strong order 3/2 for noise that does not depend on the state."""

import jax.numpy as jnp
from jax import lax

from continua.core import FlatState, Instant
from continua.equations import Interpretation
from continua.methods.stochastic_step import Needs, StochasticMethod, Terms, driven


class SRA1(StochasticMethod):
    r"""Rößler's SRA1 for additive noise: strong order 3/2, weak order 2, and order 2 without noise.

    $$ k = f\Big(t_n + \tfrac34 h,\; y_n + \tfrac34 h f_n + \tfrac32\, g(t_n + h) \tfrac Ah\Big), \qquad
       y_{n+1} = y_n + \tfrac h3 (f_n + 2 k) + g(t_n + h) \Big(\Delta W - \tfrac Ah\Big) + g(t_n) \tfrac Ah $$

    A is the integral of W − W(tₙ) over the step. Adaptive steps compare with Euler–Maruyama on the same path.

    Good for: forced oscillators, Ornstein–Uhlenbeck and Langevin equations. The default for additive noise.

    Source: Rößler, SIAM J. Numer. Anal. 48 (2010) 922–952, table 6.1.
    """

    order = 1.5
    weak_order = 2
    adaptive = True
    evaluations = 2
    interpretation = Interpretation.ITO
    needs = Needs.ADDITIVE
    areas = True

    def increment(self, terms: Terms, t: Instant, h: Instant, y: FlatState) -> tuple[FlatState, FlatState]:
        """Two slopes, and the diffusion at both ends."""
        noise, area = jnp.split(terms.noise, 2)
        mean = area / jnp.where(h != 0, h, 1)
        slope, early, late = terms.drift(t, y), terms.diffusion(t, y), terms.diffusion(t + h, y)
        inside = lax.optimization_barrier(y + 0.75 * h * slope + 1.5 * driven(late, mean, y))
        change = h * (2 / 3) * (terms.drift(t + 0.75 * h, inside) - slope)
        error = change + driven(late - early, noise - mean, y)
        return h * slope + driven(early, noise, y) + error, error
