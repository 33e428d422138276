"""What to do about it, and why."""

import math
from typing import NamedTuple


class Advice(NamedTuple):
    """A change, and the reason for it.

    Args:
        change: what to do.
        reason: why that helps, with the numbers that say so.
    """

    change: str
    reason: str

    def __str__(self) -> str:
        return f"{self.change}: {self.reason}"


def for_gains(verdict: str, gain: float, steps: int) -> list[Advice]:
    """What to do where gradients fade or grow by the factor `gain` in so many steps."""
    rate = gain ** (1 / steps)
    per_step = f"a step keeps {rate:.2g} of a gradient, {steps} of them {gain:.1e}"
    residual = Advice(
        "residual steps, x + σ(W x + b) / L",
        "the Jacobian of a step is I + J/L, so that the product over all L stays between e^−|J| and e^|J|",
    )
    normalised = Advice(
        "normalise what every layer sees",
        "units stay where σ is steep, and the size of the weights no longer counts",
    )
    initialisation = Advice(
        f"initialisation: weights about {1 / rate:.2g} times as large" if 0 < rate < math.inf else "initialisation",
        f"{per_step}; orthogonal weights, or those of glorot or he for their activation, keep 1",
    )
    match verdict:
        case "vanishing":
            activation = Advice(
                "activation: tanh or relu for a sigmoid",
                "σ′ of a sigmoid is at most 1/4, that of tanh and relu reaches 1",
            )
            return [activation, initialisation, normalised, residual]
        case "exploding":
            clipping = Advice(
                "clip gradients by their norm (optim.clip_by_global_norm)",
                "a step down a cliff stays a step; the Jacobian itself is as it was",
            )
            return [initialisation, clipping, normalised, residual]
        case _:
            return []


def for_edge(edge: float) -> list[Advice]:
    """What to do where steps are longer than the curvature allows."""
    if not edge > 1:
        return []
    return [
        Advice(
            f"a learning rate of {0.9 / edge:.2g} times this one, or a warm-up",
            f"step · curvature / 2 is {edge:.3g}: above 1 steps across the steepest direction grow",
        )
    ]


# Ratios of updates to weights beyond which a layer is spoken of: 1e-3 is usual.
STILL, RUSHING = 1e-6, 0.1


def for_updates(ratios: dict[str, float]) -> list[Advice]:
    """What to do where layers stand still or are torn away."""
    still = [f"{name} ({ratio:.0e})" for name, ratio in ratios.items() if ratio < STILL]
    rushing = [f"{name} ({ratio:.0e})" for name, ratio in ratios.items() if ratio > RUSHING]
    found = []
    if still:
        words = "a step moves them by less than a millionth of their size: they do not learn"
        found.append(Advice(f"look at the gradients of {', '.join(still)}", words))
    if rushing:
        words = "a step moves them by more than a tenth of their size; 1e-3 is usual"
        found.append(Advice(f"a lower learning rate or a warm-up for {', '.join(rushing)}", words))
    return found


def for_noise(scale: float, batch: int) -> list[Advice]:
    """What to do where batches are much smaller or larger than their noise asks for."""
    if scale > 10 * batch:
        words = f"gradients of {batch} samples are mostly noise up to about {scale:.0f}"
        return [Advice("larger batches, or a decaying learning rate", words)]
    if scale < batch / 10:
        words = f"the noise of {batch} samples is small from about {max(scale, 1):.0f} on: the rest costs time only"
        return [Advice("smaller batches, more steps", words)]
    return []
