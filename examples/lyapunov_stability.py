"""Lyapunov stability: a function that can only fall, for a pendulum and for a training.

Without friction a pendulum's energy stays: it neither rests nor runs away. With friction every state near the rest
comes to it, and V = xᵀPx with AᵀP + PA = −I proves it wherever V' = ∇V·f < 0: the largest {V < c} in which that holds
is a region of attraction. It is certified here, not sampled: a cell of a grid counts as good if the value of V' in its
middle, its slope and a bound of its second derivatives leave no room for 0 anywhere in it, and around the rest the
bound |θ − sin θ| ≤ |θ|³/6 (all up to rounding). Descent is such a system too, with the loss as V: while h < 2/λ it
falls at every step, by a certified amount.

The trap: V' ≤ 0 with equality where ω = 0, as for the energy, proves that a pendulum stays near, not that it rests.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import solve_continuous_lyapunov

import continua
from continua.equations import Pendulum
from continua.optim import logistic
from continua.stability import equilibria, jacobian
from continua.train import sharpness

jax.config.update("jax_enable_x64", True)
FREE, DAMPED = (Pendulum(omega_0=1.0, c=c) for c in (0.0, 0.5))
P = solve_continuous_lyapunov(jacobian(DAMPED, [0.0, 0.0]).T, -np.eye(2))
BOX, HALF = 3.0, 0.003  # half the sides of the grid, and of a cell
X = jax.random.normal(jax.random.key(0), (100, 3))
SIGNS = jnp.sign(X @ jnp.array([1.0, -2.0, 0.5]) + jax.random.normal(jax.random.key(1), (100,)))


def slope(x):
    """V' along the damped pendulum: −|x|² + 2 (θ − sin θ)(Px)₂."""
    return 2 * (P @ x) @ DAMPED(0.0, x, None)


def certified():
    """The largest c for which V' < 0 in {0 < V < c} is proven, and the least V of a point where V' ≥ 0."""
    cells = jnp.stack(jnp.meshgrid(*[jnp.arange(-BOX + HALF, BOX, 2 * HALF)] * 2), -1).reshape(-1, 2)
    here, there = jax.jit(jax.vmap(jax.value_and_grad(slope)))(cells)
    bends = 2 + 2 * np.linalg.norm(P[1]) * (np.sqrt(2) * BOX + 4)  # |V''|, since |sin| ≤ 1 and |1 − cos| ≤ 2
    highest = here + HALF * jnp.abs(there).sum(1) + bends * HALF**2  # of V' in the cell
    v = jnp.sum(cells * (cells @ P), 1)
    lowest = v - 2 * HALF * jnp.abs(cells @ P).sum(1)  # of V, which is convex
    far = jnp.linalg.norm(cells, axis=1) + np.sqrt(2) * HALF > np.sqrt(3 / np.linalg.norm(P[1]))  # the cubic fails
    edge = BOX**2 / np.linalg.inv(P).diagonal().max()  # a larger ellipse leaves the grid
    return min(edge, float(lowest[far & (highest >= 0)].min())), float(v[here >= 0].min())


def loss(w):
    return jnp.mean(logistic(SIGNS * (X @ w)))


def descent(h):
    def step(w, _):
        slopes = jax.grad(loss)(w)
        return w - h * slopes, (loss(w) - loss(w - h * slopes), h * (1 - 0.9) * slopes @ slopes)  # h is 0.9 · 2/λ

    return jax.lax.scan(step, jnp.array([3.0, 3.0, -3.0]), length=100)[1]


def main(path="lyapunov_stability.png"):
    left, right = (figure := Figure(figsize=(11, 4.2), layout="constrained")).subplots(1, 2)
    for name, pendulum in (("without friction", FREE), ("with friction", DAMPED)):
        path_ = continua.solve(pendulum, jnp.array([1.2, 0.0]), jnp.linspace(0, 40.0, 400), rtol=1e-9, atol=1e-9).ys
        energy = path_[:, 1] ** 2 / 2 + 1 - jnp.cos(path_[:, 0])
        print(f"{name}: {equilibria(pendulum, [0.1, 0.1])[0].kind}; energy {energy[0]:.4f} → {energy[-1]:.4f}")
        left.plot(*path_.T, label=name)
    proven, refuted = certified()
    print(f"V' < 0 proven where V < {proven:.3f}; not so at a point where V = {refuted:.3f}")
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200)).view(float).reshape(-1, 2).T
    ellipse = np.linalg.solve(np.linalg.cholesky(P).T, np.sqrt(proven) * circle)
    left.fill(*ellipse, alpha=0.15, label=f"all come to rest: V < {proven:.2f}")
    fell, least = descent(0.9 * 2 / sharpness(loss, jnp.zeros(3)).largest)  # nowhere does it bend more than at 0
    print(f"descent falls by h|∇L|²(1 − hλ/2) or more in {jnp.sum(fell >= least - 1e-15)} of 100 steps")
    right.semilogy(jnp.stack([fell, least], 1), label=["fall of the loss, step by step", "certified: h|∇L|²(1 − hλ/2)"])
    left.set(xlabel="θ", ylabel="ω", ylim=(-2.5, 3.8))
    for axes in (left, right):
        axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
