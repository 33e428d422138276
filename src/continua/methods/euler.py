"""Explicit Euler: gradient descent, a residual layer and an Elman cell are steps of it."""

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class Euler(ExplicitRungeKutta):
    r"""Explicit Euler, order 1, fixed steps.

    $$ y_{n+1} = y_n + h f(t_n, y_n) $$

    Good for: reading what an algorithm is. Source: Euler, Institutionum calculi integralis I (1768), § 650.
    """

    order = 1
    tableau = ButcherTableau(c=[0.0], a=[[]], b=[1.0])
