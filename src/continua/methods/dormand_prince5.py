"""Dormand–Prince 5(4): the explicit Runge–Kutta pair behind scipy's RK45 and MATLAB's ode45."""

import numpy as np

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta

_B = [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0]
_B_EMBEDDED = [5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40]

# Shampine, Math. Comp. 46 (1986) 135–150: the continuous extension of order 4, by powers θ, θ², θ³, θ⁴.
_DENSE = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)


class DormandPrince5(ExplicitRungeKutta):
    r"""Explicit Runge–Kutta pair of order 5 with an embedded order-4 estimate.

    $$ y_{n+1} = y_n + h \sum_{i=1}^{7} b_i k_i, \qquad k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big) $$

    Good for: smooth, non-stiff problems at rtol 1e-3 … 1e-8.

    The last stage is the next step's first (FSAL).

    Source: Dormand & Prince, J. Comput. Appl. Math. 6 (1980) 19–26; dense output as in the file's table.
    """

    order = 5
    tableau = ButcherTableau(
        c=[0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0],
        a=[
            [],
            [1 / 5],
            [3 / 40, 9 / 40],
            [44 / 45, -56 / 15, 32 / 9],
            [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
            [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
            _B[:6],
        ],
        b=_B,
        b_error=(np.array(_B) - np.array(_B_EMBEDDED)).tolist(),
        dense=_DENSE,
    )
