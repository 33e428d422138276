"""The explicit midpoint rule."""

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class Midpoint(ExplicitRungeKutta):
    r"""Explicit midpoint rule, order 2 with Euler embedded.

    $$ y_{n+1} = y_n + h f\big(t_n + \tfrac{h}{2},\; y_n + \tfrac{h}{2} f(t_n, y_n)\big) $$

    Good for: rough answers at low cost. Source: Runge, Math. Ann. 46 (1895) 167–178.
    """

    order = 2
    tableau = ButcherTableau(c=[0.0, 0.5], a=[[], [0.5]], b=[0.0, 1.0], b_error=[-1.0, 1.0])
