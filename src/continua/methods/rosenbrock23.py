"""Rosenbrock23: the method of MATLAB's ode23s, for stiff equations at loose tolerances."""

import math

from continua.methods.rosenbrock import Rosenbrock, RosenbrockTableau

_GAMMA = 1 / (2 + math.sqrt(2))
_E32 = 6 + math.sqrt(2)


class Rosenbrock23(Rosenbrock):
    r"""Rosenbrock method of order 2 with three stages, L-stable, with an estimate of order 3.

    $$ W k_1 = f(t_n, y_n) + \gamma h\, \partial_t f, \qquad
       W (k_2 - k_1) = f\big( t_n + \tfrac h2,\; y_n + \tfrac h2 k_1 \big) - k_1, \qquad
       y_{n+1} = y_n + h k_2, \qquad W = I - \gamma h J $$

    Good for: stiff problems at rtol 1e-2 … 1e-4, and rough ones, since it looks at f three times a step alone.

    Source: Shampine & Reichelt, The MATLAB ODE Suite, SIAM J. Sci. Comput. 18 (1997) 1–22, Section 3, with
    u₁ = γh k₁, u₂ = γh (k₂ − k₁) and u₃ = γh (k₃ − (6 + √2)(k₂ − k₁) − 2 k₁).
    """

    order = 2
    error_order = 3
    tableau = RosenbrockTableau(
        gamma=_GAMMA,
        c=[0.0, 0.5, 1.0],
        d=[_GAMMA, 0.0, -_GAMMA],
        a=[[], [0.5 / _GAMMA], [1 / _GAMMA, 1 / _GAMMA]],
        coupling=[[], [-1 / _GAMMA], [-2 / _GAMMA, -_E32 / _GAMMA]],
        b=[1 / _GAMMA, 1 / _GAMMA, 0.0],
        b_error=[1 / (6 * _GAMMA), (_E32 - 2) / (6 * _GAMMA), 1 / (6 * _GAMMA)],
        dense=[[0.0, -1 / (_GAMMA * (1 - 2 * _GAMMA)), 0.0]],
    )
