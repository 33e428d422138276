"""A recurrent network is a differential equation.

τ h' = −h + tanh(W h + U x + b): Euler's method with step τ forgets h at once, h ← h + (−h + tanh(…)) = tanh(…), and
that is Elman's cell, as torch.nn.RNNCell computes it. Shorter steps give a network in continuous time.

The trap: h' at time t depends on h at the same time t. Texts that write h'(t) = −h(t) + tanh(W h(t − 1) + …) mix the
index of a recurrence with the time of an equation; a cell that reads the state one step late is another network.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from continua import ODE
from continua.methods import Euler

jax.config.update("jax_enable_x64", True)

REFERENCE = json.loads(Path(__file__).with_name("rnn_reference.json").read_text(encoding="utf-8"))
W, U, B, C, INPUTS, OUTPUTS = (
    jnp.array(REFERENCE[k]) for k in ("weight_hh", "weight_ih", "bias_hh", "bias_ih", "inputs", "outputs")
)
TAU = 0.25
CELL = ODE(lambda t, h, x: (-h + jnp.tanh(W @ h + U @ x + B + C)) / TAU)
LATE = ODE(lambda t, h, given: (-h + jnp.tanh(W @ given[1] + U @ given[0] + B + C)) / TAU)


def network(steps):
    """[input · steps, unit]: the state after each of the Euler steps of length TAU / steps, inputs held for TAU."""

    def one(h, x):
        h = h + Euler().step(CELL, 0.0, TAU / steps, h, x, None).increment
        return h, h

    return jax.lax.scan(one, jnp.zeros(len(W)), jnp.repeat(INPUTS, steps, 0))[1]


def late_network():
    def one(states, x):
        h, before = states
        after = h + Euler().step(LATE, 0.0, TAU, h, (x, before), None).increment
        return (after, h), after

    return jax.lax.scan(one, (jnp.zeros(len(W)), jnp.zeros(len(W))), INPUTS)[1]


def main(path="rnn_is_an_ode.png"):
    def off(states):
        return float(np.abs(states - OUTPUTS).max())

    print(f"Euler with h = τ: torch.nn.RNNCell's outputs to {off(network(1)):.0e}")
    print(f"Euler with h = τ/64, read every τ: {off(network(64)[63::64]):.2f} away, a network in continuous time")
    print(f"h one step late in tanh: {off(late_network()):.2f} away, another network")
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, 1 + len(INPUTS) * 64) * TAU / 64, network(64), label="h = τ/64")
    axes.set_prop_cycle(None)
    axes.plot(np.arange(1, 1 + len(INPUTS)) * TAU, OUTPUTS, "o", label="torch")
    axes.plot(np.arange(1, 1 + len(INPUTS)) * TAU, network(1), "k+", label="h = τ")
    axes.set(xlabel="t", ylabel="h", title="The three units of a recurrent cell")
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
