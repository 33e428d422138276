"""Back-propagation by hand: XOR with one hidden layer.

Forward, values go from the weights to the loss; backward, each node hands its adjoint ∂loss/∂node to those it was
made of. Before the output's sigmoid, with the cross-entropy −Σ y log p + (1 − y) log(1 − p), that is simply δ = p − y;
before the hidden one δ W₂ᵀ ∘ h (1 − h). `graph` shows them all.

The traps: σ′ applied twice (it is in p − y already); no hidden layer (no line parts XOR); ∂b of a batch is the sum over
its rows, not the whole matrix; and ∂(Σx)/∂xᵢ is 1 for each i, so an average divides every δ by the number of rows.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np

import continua
from continua.calculus import graph
from continua.methods import Euler
from continua.solver import Fixed

jax.config.update("jax_enable_x64", True)
X, Y = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), jnp.array([0.0, 1.0, 1.0, 0.0])


def forward(W1, b1, W2, b2):
    hidden = jax.nn.sigmoid(X @ W1 + b1[None])
    return hidden, jax.nn.sigmoid(hidden @ W2 + b2)


def loss(W1, b1, W2, b2):
    p = forward(W1, b1, W2, b2)[1]
    return -jnp.sum(Y * jnp.log(p) + (1 - Y) * jnp.log(1 - p))


def by_hand(W1, b1, W2, b2):
    hidden, p = forward(W1, b1, W2, b2)
    delta = p - Y
    inner = jnp.outer(delta, W2) * hidden * (1 - hidden)
    return X.T @ inner, inner.sum(0), hidden.T @ delta, delta.sum()


def descent(t, weights, args):
    return jax.tree.map(jnp.negative, by_hand(*weights))


def main(path="back_propagation_by_hand.png"):
    first, second = jax.random.split(jax.random.key(1))
    start = (jax.random.normal(first, (2, 2)), jnp.zeros(2), jax.random.normal(second, (2,)), jnp.array(0.0))
    drawn = graph(loss, *start)
    print(drawn)
    gradients = jax.grad(loss, (0, 1, 2, 3))(*start)
    for name, hand, exact in zip(("W1", "b1", "W2", "b2"), by_hand(*start), gradients, strict=True):
        off = max(np.abs(each - exact).max() for each in (hand, drawn[name].adjoint))
        print(f"δ {name}: by hand, in the graph and by jax.grad the same to {off:.0e}")
    rate = Fixed(0.5)  # Euler on the flow w' = −∂loss/∂w is gradient descent
    flow = continua.solve(descent, start, jnp.array([0.0, 1000.0]), method=Euler(), step_control=rate)
    trained = [each[-1] for each in flow.ys]
    print(f"loss {float(loss(*start)):.3f} → {float(loss(*trained)):.4f} after 2,000 steps")
    print(f"XOR learned: {np.round(forward(*trained)[1], 3)}")
    drawn.figure().savefig(path, facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:2])
