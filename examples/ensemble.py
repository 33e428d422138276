"""A hundred thousand pendulums.

One pendulum from one start draws one curve. Where the start is known only to a few degrees, the answer is a cloud:
100,000 pendulums, each released from another angle and with another friction, and after a while they are spread over
the whole swing although each follows the same law. `solve_ensemble` solves them all, each with its own steps.

The trap: the mean of the cloud is no pendulum. After fifteen seconds the mean angle hardly moves, while every single
one still swings: what is planned for the mean is right for none of them.
"""

import sys

import numpy as np
from matplotlib.figure import Figure

import continua
from continua.equations import Pendulum

continua.configure(float64=True)  # and one device for each core

COUNT = 100_000
TIMES = np.linspace(0.0, 20.0, 101)


def main(path="ensemble.png"):
    random = np.random.default_rng(0)
    start = np.stack([random.normal(2.0, 0.2, COUNT), np.zeros(COUNT)], 1)
    friction = random.uniform(0.02, 0.06, COUNT)
    pendulums = Pendulum(c=friction)
    axes = {"y0": 0, "equation": {"c": 0}}
    ensemble = continua.solve_ensemble(pendulums, start, TIMES, in_axes=axes, rtol=1e-6)
    angles = np.asarray(ensemble.ys)[..., 0]
    one = continua.solve(Pendulum(c=0.04), [2.0, 0.0], TIMES, rtol=1e-6).ys[:, 0]
    late = TIMES > 15
    print(f"{len(ensemble):,} pendulums, all at the end: {bool((ensemble.status == 0).all())}")
    print(f"steps of each: {ensemble.stats.steps.min()} to {ensemble.stats.steps.max()}")
    print(f"after 15 s the pendulum of the mean start swings to {np.abs(one[late]).max():.2f}")
    print(f"after 15 s the mean of all pendulums swings to {np.abs(angles.mean(0)[late]).max():.2f}")
    figure = Figure(layout="constrained", figsize=(8, 4))
    drawn = figure.subplots()
    for low, high, shade in ((2.5, 97.5, 0.2), (25, 75, 0.35)):
        band = np.percentile(angles, [low, high], axis=0)
        drawn.fill_between(TIMES, *band, color="C0", alpha=shade, linewidth=0, label=f"{high - low:.0f} % of them")
    drawn.plot(TIMES, angles.mean(0), "C0", label="their mean")
    drawn.plot(TIMES, one, "C1--", label="the pendulum of the mean start")
    drawn.set(xlabel="time, s", ylabel="angle, radians", ylim=(-2.6, 3.6))
    drawn.legend(loc="upper right", ncols=2)
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
