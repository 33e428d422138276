"""SSPRK3: three Euler steps averaged, so that what one Euler step cannot make grow does not grow."""

from typing import ClassVar

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class SSPRK3(ExplicitRungeKutta):
    r"""Strong-stability-preserving method of order 3 with Heun's method embedded.

    $$ u = y_n + h f(y_n), \qquad v = \tfrac34 y_n + \tfrac14 (u + h f(u)), \qquad
       y_{n+1} = \tfrac13 y_n + \tfrac23 (v + h f(v)) $$

    A convex combination of Euler steps of length h: a norm or a total variation that no Euler step of at most
    `ssp_coefficient` × h makes grow is not made to grow by a step of h. The coefficient, 1, is the largest that three
    stages of order 3 allow.

    Good for: conservation laws with shocks, at a fixed step that Euler's method allows.

    Source: Shu & Osher, J. Comput. Phys. 77 (1988) 439–471; Gottlieb, Shu & Tadmor, SIAM Rev. 43 (2001) 89–112.
    """

    order = 3
    ssp_coefficient: ClassVar[float] = 1.0
    tableau = ButcherTableau(
        c=[0.0, 1.0, 0.5],
        a=[[], [1.0], [0.25, 0.25]],
        b=[1 / 6, 1 / 6, 2 / 3],
        b_error=[-1 / 3, -1 / 3, 2 / 3],
    )
