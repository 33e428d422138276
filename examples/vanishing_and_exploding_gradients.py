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
X = jax.random.normal(KEY, (256, 8))
BATCH = X, (X[:, 0] * X[:, 1] > 0).astype(int)  # no single input tells the class
SIZES = (8, *[16] * 12, 2)
NETS = {
    "sigmoid": {"activation": "sigmoid"},
    "tanh, orthogonal weights": {"activation": "tanh", "initialisation": "orthogonal"},
    "sigmoid, normalised": {"activation": "sigmoid", "normalised": True},
    "sigmoid, residual steps": {"activation": "sigmoid", "residual": True},
}
TURN = jnp.linalg.qr(jax.random.normal(KEY, (16, 16)))[0]
WAVE = 0.3 * jnp.sin(jnp.arange(200.0))
STEP = {"as it is": 1.0, "residual steps": 0.05}  # of Euler's method on h' = −h + tanh(W h + u)


def loss(net, batch):
    return jnp.mean(optim.softmax_cross_entropy(net(batch[0]), batch[1]))


def train(net, watch, optimiser, chunks=6):
    @jax.jit
    def chunk(carry):
        def step(carry, _):
            net, state = carry
            updates, state = optimiser.update(jax.grad(loss)(net, BATCH), state, net)
            return (optim.apply_updates(net, updates), state), None

        return jax.lax.scan(step, carry, length=100)[0]

    carry = net, optimiser.init(net)
    with watch.live():  # a table, where there is a terminal
        for number in range(chunks):
            watch(100 * number, carry[0], BATCH, carry[1])
            carry = chunk(carry)
    return float(loss(carry[0], BATCH))


def recurrent(weight, h, length=1.0):
    """All states after h, [time, unit]."""

    def step(h, u):
        h = h + length * (-h + jnp.tanh(weight @ h + u))
        return h, h

    return jax.lax.scan(step, h, WAVE)[1]


def main(path="vanishing_and_exploding_gradients.png"):
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, options in NETS.items():
        net = MLP(SIZES, KEY, **options)
        spectrum = jacobian_spectrum(partial(hidden_states, net), X[:8])
        watch = Diagnosis(loss, optim.adam(1e-3))
        print(f"{name}: a gradient arrives {spectrum.gains[-1]:.0e} as long: {spectrum.verdict}")
        if name in ("sigmoid", "tanh, orthogonal weights"):
            print(f"  loss after 600 steps of Adam: {train(net, watch, optim.adam(1e-3)):.3f}")
            print(*(f"  → {advice}" for advice in watch.advice()), sep="\n")
        left.semilogy(range(1, len(SIZES)), spectrum.gains, label=name)
    for scale in (0.7, 1.0, 1.8):
        for name, length in STEP.items():
            spectrum = jacobian_spectrum(partial(recurrent, scale * TURN, length=length), jnp.zeros(16))
            print(f"recurrent, weights {scale}, {name}: {spectrum.gains[-1]:.0e}: {spectrum.verdict}")
            right.semilogy(spectrum.gains, "-" if length == 1 else "--", label=f"W = {scale} Q, {name}")
    cliff = jax.grad(lambda w: recurrent(w, jnp.zeros(16))[-1] @ jnp.ones(16))(1.8 * TURN)
    clip = optim.clip_by_global_norm(1.0)
    clipped = clip.update(cliff, clip.init(cliff))[0]
    print(f"gradient through 200 steps: {jnp.linalg.norm(cliff):.0e} long; clipped {jnp.linalg.norm(clipped):.3f}")
    left.set(xlabel="layer", ylabel="gain of gradients, |∂x_l/∂x₀|")
    right.set(xlabel="time step")
    left.legend()
    right.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
