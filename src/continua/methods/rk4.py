"""The classical Runge–Kutta method."""

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class RK4(ExplicitRungeKutta):
    r"""The classical Runge–Kutta method, order 4, fixed steps.

    $$ y_{n+1} = y_n + \tfrac{h}{6} (k_1 + 2 k_2 + 2 k_3 + k_4) $$

    Good for: fixed steps on smooth problems. Source: Kutta, Z. Math. Phys. 46 (1901) 435–453.
    """

    order = 4
    tableau = ButcherTableau(
        c=[0.0, 0.5, 0.5, 1.0],
        a=[[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]],
        b=[1 / 6, 1 / 3, 1 / 3, 1 / 6],
    )
