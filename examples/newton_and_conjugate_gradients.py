"""Newton's method and conjugate gradients: few steps instead of many.

Rosenbrock's valley, by descent with the best of many rates, by conjugate gradients, by L-BFGS and by Newton's method,
each through `minimise`, which asks for no learning rate and says how sure it is. A quadratic function of n parameters
takes conjugate gradients n steps; Newton's method one; near a minimum Newton's method doubles its digits each step.

The trap: Newton's step goes to any point of rest, to maxima too. `minimise` goes down only, and says what it found.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from continua import minimise, optim

jax.config.update("jax_enable_x64", True)
WAYS = {"conjugate gradients": optim.ConjugateGradient(), "L-BFGS": optim.LBFGS(), "Newton": optim.Newton()}


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def descended(rate, start, steps=20_000):
    """The values on the way down by plain gradient descent."""
    optimiser = optim.sgd(rate)

    def step(carry, _):
        x, state = carry
        updates, state = optimiser.update(jax.grad(rosenbrock)(x), state, x)
        return (x + updates, state), rosenbrock(x)

    return jax.lax.scan(step, (start, optimiser.init(start)), length=steps)[1]


def main(path="newton_and_conjugate_gradients.png"):
    start = jnp.asarray([-1.2, 1.0])
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    rates = 1e-4 * 2.0 ** np.arange(5)
    values = np.asarray(jax.jit(jax.vmap(lambda rate: descended(rate, start)))(jnp.asarray(rates)))
    best = values[np.nanargmin(values[:, -1])]
    print(f"descent, the best of {len(rates)} rates: {best[-1]:.1e} after {best.size:,} steps")
    left.loglog(best, label="descent")
    for number, (name, method) in enumerate(WAYS.items(), start=1):
        found = minimise(rosenbrock, start, method=method)
        told = np.asarray(found.history)[: int(found.steps) + 1]
        print(f"{name}: {found.status.name} at {found.x} after {found.steps} steps, slope {found.slope:.0e}")
        left.loglog(told[:, 0] + 1e-32, f"C{number}", label=name)
        right.semilogy(told[:, 1] + 1e-16, f"C{number}.-", label=name)
    digits = -np.log10(told[-4:-1, 1])
    print("digits of Newton's slope in its last steps:", ", ".join(f"{d:.1f}" for d in digits))
    matrix = np.diag(np.linspace(1.0, 100.0, 20))
    for name, method in WAYS.items():
        steps = minimise(lambda x: x @ matrix @ x / 2 - x.sum(), jnp.zeros(20), method=method, gtol=1e-7).steps
        print(f"a quadratic of 20 parameters, {name}: {steps} steps")
    top = minimise(lambda x: -jnp.sum(x**2), jnp.zeros(2), throw=False)
    print(f"from the top of a hill: {top.status.name}, curvatures {top.curvatures}")
    left.set(xlabel="step", ylabel="Rosenbrock's function")
    right.set(xlabel="step", ylabel="largest entry of the gradient")
    left.legend()
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
