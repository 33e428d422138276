"""Two classes and the line between them: logistic regression and a support vector machine.

Both go down a convex function of a margin m = y (x · w + b): the first log(1 + e^−m), the second max(0, 1 − m)².
Descent takes a hundred steps; Newton's method, which is the same flow with endless implicit steps, takes a handful.
The coefficients are scikit-learn's.

The trap: labels 0 and 1 where a loss expects −1 and +1. The class with label 0 then has margin 0 whatever w is: it
costs the same everywhere, and the line forgets it. The estimators here take any labels and number them themselves.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from sklearn import linear_model, svm

from continua import optim
from continua.estimators import LinearSVC, LogisticRegression

jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 2)) + np.repeat([[-1.0, -0.5], [1.0, 0.5]], 100, axis=0)
LABELS = np.repeat([0, 1], 100)


def loss(w, labels):
    """Logistic loss with a penalty, for labels −1 and +1."""
    return jnp.sum(optim.logistic(labels * (jnp.asarray(X) @ w[:2] + w[2]))) + jnp.sum(w[:2] ** 2) / 2


def descended(labels, steps=150, rate=0.01):
    """Parameters and losses on the way down."""

    def step(w, _):
        value, slope = jax.value_and_grad(loss)(w, labels)
        return w - rate * slope, value

    return jax.jit(lambda w: jax.lax.scan(step, w, length=steps))(jnp.zeros(3))


def main(path="logistic_regression_and_svm.png"):
    ours = {"logistic regression": LogisticRegression(), "support vector machine": LinearSVC()}
    theirs = linear_model.LogisticRegression(tol=1e-10), svm.LinearSVC(tol=1e-10, dual=False)
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.scatter(*X.T, c=LABELS, cmap="coolwarm", s=12)
    across, styles = np.array([-4.0, 4.0]), ("-", "--")
    for number, ((name, model), other) in enumerate(zip(ours.items(), theirs, strict=True)):
        model.fit(X, LABELS)
        off = np.abs(model.coef_ - other.fit(X, LABELS).coef_).max()
        steps = np.max(model.n_iter_)
        print(
            f"{name}: {model.score(X, LABELS):.3f} right after {steps} steps; scikit-learn's coefficients to {off:.0e}"
        )
        left.plot(
            across, -(model.intercept_ + model.coef_[0, 0] * across) / model.coef_[0, 1], styles[number], label=name
        )
    signs = jnp.asarray(2.0 * LABELS - 1)
    _, values = descended(signs)
    fitted = ours["logistic regression"]
    best = loss(jnp.append(jnp.asarray(fitted.coef_[0]), jnp.asarray(fitted.intercept_)), signs)
    print(f"descent: {values[-1] - best:.0e} above the minimum after {len(values)} steps")
    forgot, _ = descended(jnp.asarray(1.0 * LABELS))
    right_of_it = np.mean((X @ np.asarray(forgot[:2]) + float(forgot[2]) > 0) == LABELS)
    print(f"labels 0 and 1 in a loss for −1 and +1: {right_of_it:.3f} right")
    left.set_title("labels 0 and 1 by mistake: no line, all is one class", fontsize=10)
    right.semilogy(np.maximum(values - best, 1e-13))
    left.set(xlim=(-4, 4), ylim=(-4, 4), xlabel="x₁", ylabel="x₂")
    right.set(xlabel="step of descent", ylabel="logistic loss above its minimum")
    left.legend(loc="lower left", fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
