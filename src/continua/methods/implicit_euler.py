"""Implicit Euler: the most stable method, of the lowest order."""

from continua.core import Args, FlatState, Instant
from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, ImplicitTableau, Stages
from continua.methods.method import Slope


class ImplicitEuler(DiagonallyImplicitRungeKutta):
    r"""Implicit Euler, order 1, L-stable; its error is estimated against the trapezoidal rule.

    $$ y_{n+1} = y_n + h f(t_{n+1}, y_{n+1}), \qquad
       e = (I - hJ)^{-1}\, \tfrac h2 \big( f(t_{n+1}, y_{n+1}) - f(t_n, y_n) \big) $$

    Good for: solutions that must neither oscillate nor leave their bounds, at rtol 1e-1 … 1e-3.

    Source: Hairer & Wanner, Solving Ordinary Differential Equations II, IV.3; the inverse in front of the estimate
    keeps it from growing with the stiffness (IV.8, equation 8.20).
    """

    order = 1
    error_order = 2
    tableau = ImplicitTableau(c=[1.0], a=[[1.0]], b=[1.0], b_error=None, predictor=[[]], dense=[[1.0]])

    def _error(self, slope: Slope, t: Instant, h: Instant, y: FlatState, args: Args, stages: Stages) -> FlatState:
        return stages.inverse.solve((stages.z[0] - h * slope(t, y, args)) / 2)
