"""When to stop, and how far to step: rules that say why they stop, rates that fall, a rate that is found, none at all.

A line through two hundred noisy points. Descent from zero with four rules to stop by; the same with x in other units,
where the same thousand steps are nowhere near the end; mini-batches with a rate that stays and one that falls; the rate
finder; and `minimise`, which needs no rate.

The trap: a fixed thousand steps. It is ten times too many here and hopelessly few there, and nothing says which.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from continua import minimise, optim
from continua.train import Budget, GradientBelow, LossLevel, find_rate, train

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "standard")  # JAX's own setting, which optax's schedules need
DRAWS = np.random.default_rng(0).normal(size=(2, 200))
X, Y = DRAWS[0], 0.5 + DRAWS[0] + 0.5 * DRAWS[1]
START, STEPS = jnp.zeros(2), 400
RULES = {"gradient": GradientBelow(1e-6), "loss": LossLevel(1e-10), "budget": Budget(steps=30), "thousand": ()}
RATES = {"a rate that stays": 0.3, "a rate that falls": optim.cosine_decay_schedule(0.3, STEPS)}


def loss(w, batch):
    x, y = batch
    return jnp.mean(optim.squared_error(w[0] + w[1] * x - y)) / 2


def main(path="stopping_rules_and_rates.png"):
    best = minimise(lambda w: loss(w, (X, Y)), START)
    print(f"minimise, no rate at all: {best.status.name} after {best.steps} steps, gradient {best.slope:.0e}")
    for name, rule in RULES.items():
        found = train(loss, START, (X, Y), optim.sgd(0.1), epochs=1000, stop=rule)
        away = float(jnp.linalg.norm(found.model - best.x))
        print(f"{name}: {away:.1e} from the minimum after {len(found.history)} steps: {found.why}")
    found = train(loss, START, (X / 100, Y), optim.sgd(0.1), epochs=1000, stop=RULES["gradient"])
    slope = float(found.model[1]) / 100
    print(f"x in other units: slope {slope:.2f} where {best.x[1]:.2f} is best after a thousand steps: {found.why}")
    search = find_rate(loss, START, (X, Y), optim.sgd, low=1e-4, high=100.0)
    limit = 2 / float(best.curvatures[1])
    print(f"rate finder: {search.rate:.3f}; descent is stable up to 2/λ = {limit:.2f}")

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, rate in RATES.items():
        away = []

        def watch(step, w, batch, own, away=away):
            away.append(float(jnp.linalg.norm(w - best.x)))
            return {}

        train(loss, START, (X, Y), optim.sgd(rate), epochs=STEPS // 20, batch_size=10, watch=watch, every=1)
        print(f"mini-batches, {name}: on average {np.mean(away[-20:]):.1e} from the minimum in the last epoch")
        left.semilogy(np.arange(1, STEPS + 1), away, label=name)
    left.set(xlabel="step", ylabel="distance from the minimum", title="batches of 10 of 200 points")
    left.legend()
    right.loglog(search.rates, search.losses)
    right.axvline(search.rate, color="C1", label=f"found: {search.rate:.3f}")
    right.axvline(limit, color="C2", linestyle="--", label=f"2/λ = {limit:.2f}")
    right.set(xlabel="rate", ylabel="loss", title="one run, in which the rate grows")
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
