"""The trapezoidal rule: implicit, of order 2, and it damps nothing that it should not."""

import jax

from continua.core import Args, FlatState, Instant
from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, ImplicitTableau, Stages
from continua.methods.method import Slope


class Trapezoidal(DiagonallyImplicitRungeKutta):
    r"""The trapezoidal rule (Crank–Nicolson), order 2, A-stable but not L-stable.

    $$ y_{n+1} = y_n + \tfrac h2 \big( f(t_n, y_n) + f(t_{n+1}, y_{n+1}) \big), \qquad
       e = (I - \tfrac h2 J)^{-2}\, \tfrac{h^2}{12} \big( y''_{n+1} - y''_n \big), \qquad y'' = \partial_t f + J f $$

    Good for: oscillations and diffusion at moderate tolerances. Very fast decays ring: use an L-stable method there.

    Source: Hairer & Wanner, Solving Ordinary Differential Equations II, IV.3. The error is the difference to the
    Obreshkov formula of order 4 with y'' at both ends (Hairer, Nørsett & Wanner I, II.13); the inverse in front keeps
    it from growing with the stiffness.
    """

    order = 2
    error_order = 3
    tableau = ImplicitTableau(
        c=[0.0, 1.0],
        a=[[0.0], [0.5, 0.5]],
        b=[0.5, 0.5],
        b_error=None,
        predictor=[[], [1.0]],
        dense=[[1.0, -0.5], [0.0, 0.5]],
    )

    def _error(self, slope: Slope, t: Instant, h: Instant, y: FlatState, args: Args, stages: Stages) -> FlatState:
        def bend(t: Instant, y: FlatState, z: FlatState) -> FlatState:
            return h * jax.jvp(lambda t, y: slope(t, y, args), (t, y), (h, z))[1]

        start, end = bend(t, y, stages.z[0]), bend(t + h, stages.inside[1], stages.z[1])
        return stages.inverse.solve(stages.inverse.solve((end - start) / 12))
