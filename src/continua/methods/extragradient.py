"""Extragradient: Euler with the slope where Euler would end, explicit in place of implicit."""

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta


class Extragradient(ExplicitRungeKutta):
    r"""A step of Euler with the slope at its own end; order 1, fixed steps.

    $$ y_{n+1} = y_n + h f\big(t_n + h,\; y_n + h f(t_n, y_n)\big) $$

    Like implicit Euler, which it follows to second order, it damps what turns: circles shrink for h times their speed
    below 1, where those of Euler and of Heun grow.

    Good for: saddles and games, which Euler leaves in spirals.

    Source: Korpelevich, Matecon 12 (1976) 747–756; in meteorology Matsuno, J. Meteorol. Soc. Japan 44 (1966) 76–84.
    """

    order = 1
    tableau = ButcherTableau(c=[0.0, 1.0], a=[[], [1.0]], b=[0.0, 1.0])
