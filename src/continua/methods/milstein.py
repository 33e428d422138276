"""Milstein's method: Euler–Maruyama, and how the diffusion changes along its own noise."""

import jax
import jax.numpy as jnp

from continua.core import FlatState, Instant
from continua.equations import Interpretation
from continua.methods.stochastic_step import Needs, StochasticMethod, Terms, driven


class Milstein(StochasticMethod):
    r"""Milstein's method for Itô equations with commutative noise: strong and weak order 1.

    $$ y_{n+1} = y_n + h f + g\, \Delta W + \tfrac12 g' g \left(\Delta W^2 - h\right) $$

    g'g is a forward derivative. Noise commutes where a single motion drives all components, or each component has a
    motion whose strength it alone decides; adaptive steps compare with Euler–Maruyama in the noise, and with Heun's
    method in the drift.

    Good for: paths one by one, with diagonal or scalar noise. The default for such Itô equations.

    Source: Milstein, Theory Probab. Appl. 19 (1975) 557–562.
    """

    order = 1
    weak_order = 1
    adaptive = True
    evaluations = 2
    interpretation = Interpretation.ITO
    needs = Needs.COMMUTATIVE

    def increment(self, terms: Terms, t: Instant, h: Instant, y: FlatState) -> tuple[FlatState, FlatState]:
        """All at the start; with fixed steps the second slope, which the error alone needs, is never evaluated."""
        slope, diffusion = terms.drift(t, y), terms.diffusion(t, y)
        increment = h * slope + driven(diffusion, terms.noise, y)
        change = jnp.zeros_like(y)
        if len(diffusion) == len(y):  # else the noise is additive
            _, bend = jax.jvp(lambda y: terms.diffusion(t, y), (y,), (diffusion,))
            change = bend * (terms.noise * terms.noise - h) / 2
        increment = increment + change
        return increment, h / 2 * (terms.drift(t + h, y + increment) - slope) + change
