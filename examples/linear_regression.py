"""A line through five points: by formula, by descent, as a flow.

The points (1, 1.5) … (5, 5.5) lie on y = x + ½. The formula solves the normal equations; descent steps w' = −∇f with a
learning rate; the flow is the same equation, solved by `solve` until nothing changes. All end at slope 1, intercept ½.

The trap: forgetting the column of ones. Then the line has to pass through the origin, and no rate and no number of
steps can mend it.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua import optim
from continua.equations import GradientFlow
from continua.estimators import LinearRegression

jax.config.update("jax_enable_x64", True)
X, Y = np.arange(1.0, 6.0), np.arange(1.5, 6.0)
ONES = jnp.asarray(np.column_stack([X, np.ones(5)]))  # the column of ones carries the intercept
TIMES = jnp.concatenate([jnp.zeros(1), jnp.logspace(-2, 2, 60)])


def loss(w):
    """Half the mean square of the error, which is computed before it is used."""
    return jnp.mean(optim.squared_error(ONES @ w - Y)) / 2


def descent(rate, steps=2000):
    """Every w on the way from zero, [step, 2]."""
    optimiser = optim.sgd(rate)

    def step(carry, _):
        w, state = carry
        updates, state = optimiser.update(jax.grad(loss)(w), state, w)
        return (w + updates, state), w

    start = jnp.zeros(2)
    return jax.jit(lambda: jax.lax.scan(step, (start, optimiser.init(start)), length=steps)[1])()


def main(path="linear_regression.png"):
    formula = LinearRegression().fit(X[:, None], Y)
    rate = 0.1
    walked = descent(rate)
    flow = continua.solve(GradientFlow(loss), jnp.zeros(2), TIMES, rtol=1e-9, atol=1e-12).ys
    bare = LinearRegression(fit_intercept=False).fit(X[:, None], Y)
    print(f"by formula: slope {formula.coef_[0]:.6f}, intercept {formula.intercept_:.6f}")
    print(f"by descent: slope {walked[-1, 0]:.6f}, intercept {walked[-1, 1]:.6f} after {len(walked)} steps of {rate}")
    print(f"as a flow: slope {flow[-1, 0]:.6f}, intercept {flow[-1, 1]:.6f} at t = {TIMES[-1]:.0f}")
    print(f"without the column of ones: slope {bare.coef_[0]:.6f}, intercept 0, R² {bare.score(X[:, None], Y):.4f}")
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    across = np.array([0.0, 6.0])
    left.plot(X, Y, "ko", label="points")
    left.plot(across, formula.predict(across[:, None]), label="slope 1, intercept ½")
    left.plot(across, bare.predict(across[:, None]), "--", label="without the column of ones")
    left.set(xlabel="x", ylabel="y")
    right.loglog(rate * np.arange(1, len(walked)), jax.vmap(loss)(walked[1:]), ".", label=f"descent, rate {rate}")
    right.loglog(TIMES[1:], jax.vmap(loss)(flow[1:]), label="flow")
    right.set(xlabel="t = rate · step", ylabel="loss", ylim=(1e-12, 10))
    left.legend()
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
