"""DOP853: Hairer's order-8 method of Dormand and Prince, the one in scipy and in many astronomers' codes."""

import numpy as np

from continua.methods.explicit_runge_kutta import ButcherTableau, ExplicitRungeKutta, read_coefficients

_PUBLISHED = read_coefficients("dop853")


def _dense(b: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """The weights as polynomials in θ of y + θ (F₀ + (1−θ) (F₁ + θ (F₂ + (1−θ) (F₃ + …)))), without the constant term.

    F₀ … F₂ are of Hermite's cubic, h times the `bends` are F₃ … F₆: Hairer, Nørsett & Wanner I, II.6.
    """
    stages = bends.shape[1]
    whole = np.append(b, np.zeros(stages - len(b)))
    first, last = np.eye(stages)[[0, len(b) - 1]]
    rows = [whole, first - whole, 2 * whole - first - last, *bends]
    weights = np.zeros((stages, len(rows) + 1))
    for number, row in reversed([*enumerate(rows)]):
        weights[:, 0] += row
        times_theta = np.roll(weights, 1, 1)
        weights = weights - times_theta if number % 2 else times_theta
    return weights[:, 1:]


class DOP853(ExplicitRungeKutta):
    r"""Explicit Runge–Kutta method of order 8 whose error is estimated by two embedded methods of orders 5 and 3.

    $$ y_{n+1} = y_n + h \sum_{i=1}^{12} b_i k_i, \qquad k_i = f\Big(t_n + c_i h,\; y_n + h \sum_{j<i} a_{ij} k_j\Big),
       \qquad \text{error} = \frac{E_5^2}{\sqrt{E_5^2 + E_3^2 / 100}} $$

    Good for: smooth, non-stiff problems at rtol 1e-8 … 1e-13.

    A thirteenth stage is the next step's first; the dense output of order 7 takes three more, in the steps that contain
    outputs. Where a mode decays about as fast as stability allows, values between steps can be off by a hundred
    tolerances, as in other codes of this method; those of `Vern7` are not.

    Source: Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, II.5, II.6 and II.10; coefficients of
    the code dop853.f there, after Dormand & Prince.
    """

    order = 8
    tableau = ButcherTableau(
        c=_PUBLISHED["c"],
        a=_PUBLISHED["a"],
        b=_PUBLISHED["b"],
        b_error=_PUBLISHED["b_error_5"],
        b_error_low=(np.array(_PUBLISHED["b"]) - np.array(_PUBLISHED["b_embedded_3"])).tolist(),
        dense=_dense(np.array(_PUBLISHED["b"]), np.array(_PUBLISHED["bends"])),
        c_dense=_PUBLISHED["c_dense"],
        a_dense=_PUBLISHED["a_dense"],
    )
