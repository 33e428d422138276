"""Tsitouras 5(4): the default of this library, of diffrax and of Julia's non-stiff solvers."""

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import polynomial

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta

_B = [
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
    0.0,
]

# Dense weights as published: a factor, then the factors of the polynomial in θ (low powers first) beside θ or θ².
_DENSE_FACTORS = [
    (-1.0530884977290216, [0.0, 1.0], [-1.3299890189751412, 1.0], [0.7139816917074209, -1.4364028541716351, 1.0]),
    (0.1017, [0.0, 0.0, 1.0], [1.2949852507374631, -2.1966568338249754, 1.0]),
    (2.490627285651252793, [0.0, 0.0, 1.0], [1.57803468208092486, -2.38535645472061657, 1.0]),
    (-16.54810288924490272, [0.0, 0.0, 1.0], [-1.21712927295533244, 1.0], [-0.61620406037800089, 1.0]),
    (47.37952196281928122, [0.0, 0.0, 1.0], [-1.203071208372362603, 1.0], [-0.658047292653547382, 1.0]),
    (-34.87065786149660974, [0.0, 0.0, 1.0], [-1.2, 1.0], [-0.666666666666666667, 1.0]),
    (2.5, [0.0, 0.0, 1.0], [-1.0, 1.0], [-0.6, 1.0]),
]


def _expand(factor: float, *factors: Sequence[float]) -> np.ndarray:
    """The product as coefficients of θ, θ², θ³, θ⁴."""
    product = np.array([factor])
    for other in factors:
        product = polynomial.polymul(product, other)
    return product[1:]


class Tsit5(ExplicitRungeKutta):
    r"""Explicit Runge–Kutta pair of order 5 with an embedded order-4 estimate.

    $$ y_{n+1} = y_n + h \sum_{i=1}^{7} b_i k_i, \qquad k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big) $$

    Good for: smooth, non-stiff problems at rtol 1e-3 … 1e-9.

    The last stage is the next step's first (FSAL).

    Source: Tsitouras, Comput. Math. Appl. 62 (2011) 770–775.
    """

    order = 5
    tableau = ButcherTableau(
        c=[0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0],
        a=[
            [],
            [0.161],
            [-0.008480655492356989, 0.335480655492357],
            [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
            [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
            [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
            _B[:6],
        ],
        b=_B,
        b_error=[
            -0.00178001105222577714,
            -0.0008164344596567469,
            0.007880878010261995,
            -0.1447110071732629,
            0.5823571654525552,
            -0.45808210592918697,
            0.015151515151515152,
        ],
        dense=np.array([_expand(*row) for row in _DENSE_FACTORS]),
    )
