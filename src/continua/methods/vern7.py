"""Verner's efficient 7(6) pair: for tight tolerances, where a fifth-order pair takes too many steps."""

import numpy as np

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta, read_coefficients

_PUBLISHED = read_coefficients("vern7")


class Vern7(ExplicitRungeKutta):
    r"""Explicit Runge–Kutta pair of order 7 with an embedded order-6 estimate.

    $$ y_{n+1} = y_n + h \sum_{i=1}^{9} b_i k_i, \qquad k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big) $$

    Good for: smooth, non-stiff problems at rtol 1e-7 … 1e-12.

    A tenth stage serves the estimate alone; the dense output of order 7 takes six more, in the steps that contain
    outputs.

    Source: Verner, Numerically optimal Runge–Kutta pairs with interpolants, Numer. Algorithms 53 (2010) 383–396; the
    pair as he publishes it under RKV76.IIa.Efficient.00001675585. The stages of the interpolant that he published with
    it in 2008 miss conditions of order 7 by 3e-7: those here solve all of them, with the node 0.29 moved to the root
    0.2898 that they ask for and the other nodes as they were.
    """

    order = 7
    tableau = ButcherTableau(
        c=_PUBLISHED["c"],
        a=_PUBLISHED["a"],
        b=_PUBLISHED["b"],
        b_error=(np.array(_PUBLISHED["b"]) - np.array(_PUBLISHED["b_embedded"])).tolist(),
        dense=np.array(_PUBLISHED["dense"]),
        c_dense=_PUBLISHED["c_dense"],
        a_dense=_PUBLISHED["a_dense"],
    )
