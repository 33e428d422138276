"""Limits and derivatives.

The derivative is the limit of the difference quotient (f(x + h) − f(x)) / h as h → 0. On a computer the error first
falls with h and then rises again: f(x + h) and f(x) agree in ever more digits, and only the rest is left.

The trap: taking h as small as possible. The smallest useful h is about the root of the machine's precision, 1e-8;
h = 1e-16 gives 0. `limit` looks at h that are far larger and extrapolates, and says how sure it is. Automatic
differentiation takes no difference at all, rules on paper take none either, and an equation turns the derivative back
into its function: y' = cos t from y(0) = 0 is sin t.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.calculus import differentiate, limit

jax.config.update("jax_enable_x64", True)

FUNCTIONS = {"x²": (jnp.square, 2.0), "sin": (jnp.sin, np.cos(1.0)), "eˣ": (jnp.exp, np.e)}
STEPS = 10.0 ** -np.arange(17)


def difference_quotient(f, x, h):
    return (f(x + h) - f(x)) / h


def main(path="limits_and_derivatives.png"):
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    for name, (f, exact) in FUNCTIONS.items():
        quotients = np.array([float(difference_quotient(f, 1.0, h)) for h in STEPS])
        errors = np.abs(quotients - exact)
        best = errors.argmin()
        first = ", ".join(f"{q:.4f}" for q in quotients[1:4])
        found = limit(lambda h, f=f: difference_quotient(f, 1.0, h), 0.0)
        print(f"{name}: h = 0.1, 0.01, 0.001 give {first} → {exact:.4f}")
        print(f"    best at h = {STEPS[best]:.0e} (error {errors[best]:.0e}); h = 1e-16 gives {quotients[16]:.4f}")
        print(f"    limit gives {found}, off by {abs(found.value - exact):.0e}")
        print(f"    jax.grad gives {jax.grad(f)(1.0):.15f}, no h needed")
        (line,) = axes.loglog(STEPS, np.maximum(errors, 1e-17), "o-", label=name)
        axes.axhline(found.error, color=line.get_color(), linestyle=":")
    axes.plot([], [], "k:", label="the error that `limit` gives")
    axes.axvline(1e-8, color="0.6", linestyle="--", label="root of the precision")
    axes.set(xlabel="h", ylabel="error of the difference quotient at x = 1")
    axes.legend()
    figure.savefig(path)
    print(differentiate("exp(-x**2)*sin(3*x)"))
    for f, words in ((lambda x: jnp.sin(x) / x, "sin x / x"), (lambda x: jnp.abs(x) / x, "|x| / x")):
        print(f"{words} at 0: {limit(f, 0.0)}")
    solution = continua.solve(lambda t, y, args: jnp.cos(t), 0.0, np.linspace(0, 2 * np.pi, 101), rtol=1e-10)
    print(f"y' = cos t is sin t up to {np.abs(solution.ys - np.sin(solution.ts)).max():.0e}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
