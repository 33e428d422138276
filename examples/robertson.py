"""Robertson's reactions over eleven decades of time: the equation that explicit methods cannot step.

    A → B,  B + B → B + C,  B + C → A + C    with rates 0.04, 3·10⁷ and 10⁴

The trap: an explicit method is held at steps of 10⁻³ by a reaction that is over after the first of them, and would take
10¹⁴ steps. Nothing is said here about stiffness: `solve` finds it out from the steps it took. The dotted lines are
sensitivities, the derivative of each substance with respect to the logarithm of each rate, exact on the same steps.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.equations import Robertson

jax.config.update("jax_enable_x64", True)

TIMES = jnp.concatenate([jnp.zeros(1), jnp.logspace(-5, 11, 161)])
START = jnp.array([1.0, 0.0, 0.0])
AT_THE_END = np.array([0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050])  # Bari test set, t = 10¹¹
TOLERANCES = {"rtol": 1e-8, "atol": 1e-18}


def reactions(t, y, logarithms):
    """The rates by their logarithms, so that a derivative is one by a relative change."""
    slow, fast, back = jnp.exp(logarithms)
    return Robertson(slow, fast, back)(t, y, None)


def main(figure=None):
    logarithms = jnp.log(jnp.array([0.04, 3e7, 1e4]))
    solution = continua.solve(reactions, START, TIMES, args=logarithms, **TOLERANCES)
    method = solution.question.method
    print(f"{type(method).__name__} took {int(solution.stats.steps)} steps to t = 1e11")
    print(f"largest relative error there: {np.max(np.abs(solution.ys[-1] / AT_THE_END - 1)):.1e}")
    print(f"A + B + C is 1 within {np.max(np.abs(solution.ys.sum(1) - 1)):.1e}")

    def moved(logarithms):
        return continua.solve(reactions, START, TIMES, args=logarithms, method=method, **TOLERANCES).ys

    sensitivity = jax.jacfwd(moved)(logarithms)
    print(
        f"C at t = 1e2 changes by {sensitivity[np.argmin(np.abs(TIMES - 1e2)), 2, 0]:.4f} per relative change of 0.04"
    )
    if figure:
        draw(solution.ys, sensitivity, figure)


def draw(ys, sensitivity, path):
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for values, name in ((ys[1:, 0], "A"), (1e4 * ys[1:, 1], "10⁴ B"), (ys[1:, 2], "C")):
        left.semilogx(TIMES[1:], values, label=name)
    left.set(xlabel="t", ylabel="share", title="Robertson's reactions")
    left.legend()
    for values, name in zip(sensitivity[1:, 2].T, ("A → B", "B + B → B + C", "B + C → A + C"), strict=True):
        right.semilogx(TIMES[1:], values, ":", label=name)
    right.set(xlabel="t", title="how far C moves with each rate, dC / d log k")
    right.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
