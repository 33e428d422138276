"""Gradients that vanish or explode: a deep sigmoid network and a long recurrent one, diagnosed and cured.

A gradient on its way back is multiplied by the Jacobian of every layer, or of every time step. The product's singular
values are its fate: below 1 each, it vanishes, above 1 it explodes. `Diagnosis` watches a training and says so, with
a remedy and its reason: another activation, other weights, normalisation, residual steps x + h σ(W x + b), clipping.

The trap: waiting. A network whose first layers get no gradient does not fail, it sits at the loss of a guess.
"""

import sys
from functools import partial

import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

from continua import optim
from continua.models import MLP
from continua.train import Diagnosis, hidden_states, jacobian_spectrum

KEY = jax.random.key(1)
X = jax.random.normal(KEY, (128, 8))
BATCH = X, (X[:, 0] * X[:, 1] > 0).astype(int)  # no single input tells the class
NETS = {
    "sigmoid": {"activation": "sigmoid"},
    "tanh, orthogonal weights": {"activation": "tanh", "initialisation": "orthogonal"},
    "sigmoid, normalised": {"activation": "sigmoid", "normalised": True},
    "sigmoid, residual steps": {"activation": "sigmoid", "residual": True},
}
TURN = jnp.linalg.qr(jax.random.normal(KEY, (16, 16)))[0]
ADAM, WAVE = optim.adam(5e-3), 0.3 * jnp.sin(jnp.arange(100.0))


def loss(net, batch):
    return jnp.mean(optim.softmax_cross_entropy(net(batch[0]), batch[1]))


def trained(net, watch):
    @jax.jit
    def step(net, state):
        updates, state = ADAM.update(jax.grad(loss)(net, BATCH), state, net)
        return optim.apply_updates(net, updates), state

    state = ADAM.init(net)
    for number in range(200):
        watch(number, net, BATCH, state)  # when it can afford to
        net, state = step(net, state)
    return loss(net, BATCH)


def recurrent(weight, length, h):
    """All states after h, [time, unit], by steps of Euler's method on h' = −h + tanh(W h + u)."""
    return jax.lax.scan(lambda h, u: (h + length * (-h + jnp.tanh(weight @ h + u)),) * 2, h, WAVE)[1]


def main(path="vanishing_and_exploding_gradients.png"):
    left, right = (figure := Figure(figsize=(11, 4.2), layout="constrained")).subplots(1, 2)
    watch = Diagnosis(loss, ADAM)
    for name, options in NETS.items():
        net = MLP((8, *[16] * 12, 2), KEY, **options)
        spectrum = jacobian_spectrum(partial(hidden_states, net), X[:8])
        spectrum.draw(left, name)
        with watch.live():  # a table on the terminal, if there is one
            end = trained(net, watch if name == "sigmoid" else lambda *seen: None)
        gain = f"a gradient arrives {spectrum.gains[-1]:.0e} times as long, {spectrum.verdict}"
        print(f"{name}: {gain}; loss after 200 steps of Adam {end:.3f}")
    print("The first one's diagnosis:", *watch.advice(), sep="\n  → ")
    for scale, length in ((0.7, 1.0), (0.7, 0.05), (1.8, 1.0), (1.8, 0.05)):
        spectrum = jacobian_spectrum(partial(recurrent, scale * TURN, length), jnp.zeros(16))
        print(f"recurrent, weights {scale} Q, steps of {length}: {spectrum.gains[-1]:.0e}: {spectrum.verdict}")
        spectrum.draw(right, f"W = {scale} Q, steps of {length}", "-" if length == 1 else "--")
    cliff = jax.grad(lambda w: recurrent(w, 1.0, jnp.zeros(16))[-1] @ jnp.ones(16))(1.8 * TURN)
    clipped, _ = optim.clip_by_global_norm(1.0).update(cliff, ())
    print(f"gradient through 100 steps: {jnp.linalg.norm(cliff):.0e} long; clipped {jnp.linalg.norm(clipped):.3f}")
    for axes, along, title in ((left, "layer", "a deep network"), (right, "time step", "a recurrent network")):
        axes.set(xlabel=along, title=title)
        axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
