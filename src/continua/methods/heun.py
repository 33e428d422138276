"""Heun's method: the explicit trapezoidal rule."""

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class Heun(ExplicitRungeKutta):
    r"""Heun's method, order 2 with Euler embedded.

    $$ y_{n+1} = y_n + \tfrac{h}{2} \big(f(t_n, y_n) + f(t_n + h, y_n + h f(t_n, y_n))\big) $$

    Good for: rough answers at low cost. Source: Heun, Z. Math. Phys. 45 (1900) 23–38.
    """

    order = 2
    tableau = ButcherTableau(c=[0.0, 1.0], a=[[], [1.0]], b=[0.5, 0.5], b_error=[-0.5, 0.5])
