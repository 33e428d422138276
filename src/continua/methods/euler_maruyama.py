"""Euler–Maruyama: Euler's step with the noise at its start."""

from continua.core import FlatState, Instant
from continua.equations import Interpretation
from continua.methods.stochastic_step import StochasticMethod, Terms, driven


class EulerMaruyama(StochasticMethod):
    r"""Euler–Maruyama for Itô equations with any noise: strong order 1/2 (1 where the noise is additive), weak order 1.

    $$ y_{n+1} = y_n + h f(t_n, y_n) + g(t_n, y_n)\, \Delta W $$

    It takes fixed steps: chosen by what they see of the path, steps of this method lead to a wrong limit.

    Good for: means over many paths; noise that does not commute.

    Source: Maruyama, Rend. Circ. Mat. Palermo 4 (1955) 48–90; Gaines & Lyons, SIAM J. Appl. Math. 57 (1997) 1455–1484.
    """

    order = 0.5
    weak_order = 1
    interpretation = Interpretation.ITO

    def increment(self, terms: Terms, t: Instant, h: Instant, y: FlatState) -> tuple[FlatState, None]:
        """Slope and noise at the start."""
        return h * terms.drift(t, y) + driven(terms.diffusion(t, y), terms.noise, y), None
