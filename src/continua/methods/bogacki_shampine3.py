"""Bogacki–Shampine 3(2): the pair behind MATLAB's ode23 and scipy's RK23."""

import numpy as np

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta

_B = [2 / 9, 1 / 3, 4 / 9, 0.0]


class BogackiShampine3(ExplicitRungeKutta):
    r"""Explicit Runge–Kutta pair of order 3 with an embedded order-2 estimate.

    $$ y_{n+1} = y_n + h \sum_{i=1}^{4} b_i k_i, \qquad k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big) $$

    Good for: rtol 1e-2 … 1e-4.

    The last stage is the next step's first; its dense output is the cubic Hermite one.

    Source: Bogacki & Shampine, Appl. Math. Lett. 2 (1989) 321–325.
    """

    order = 3
    tableau = ButcherTableau(
        c=[0.0, 0.5, 0.75, 1.0],
        a=[[], [0.5], [0.0, 0.75], _B[:3]],
        b=_B,
        b_error=(np.array(_B) - np.array([7 / 24, 1 / 4, 1 / 3, 1 / 8])).tolist(),
    )
