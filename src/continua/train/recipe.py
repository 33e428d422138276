"""An optimiser by its settings, whose rate is a number in the compiled program: other rates need no other program."""

from functools import partial
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua import optim
from continua.train.configuration import OptimiserSettings

SHARE = 0.01  # of the rate that an exponential schedule ends with
MOMENTUM = 0.9


class Recipe(eqx.Module):
    """What `optimiser` makes inside of a compiled step.

    Args:
        settings: of a configuration.
        steps: after how many the rate has fallen.
    """

    rate: Float[Array, ""]
    clip: Float[Array, ""] | None
    name: str = eqx.field(static=True)
    schedule: str = eqx.field(static=True)
    steps: int = eqx.field(static=True)

    def __init__(self, settings: OptimiserSettings, steps: int) -> None:
        self.rate = jnp.asarray(settings.rate, jnp.float32)
        self.clip = None if settings.clip is None else jnp.asarray(settings.clip, jnp.float32)
        self.name, self.schedule, self.steps = settings.name, settings.schedule, steps

    def optimiser(self) -> Any:
        """A transformation as optax means it."""
        schedules = {
            "constant": optim.constant_schedule(1.0),
            "cosine": optim.cosine_decay_schedule(1.0, self.steps),
            "exponential": optim.exponential_decay(1.0, self.steps, SHARE),
        }
        share = schedules[self.schedule]
        made = partial(optim.sgd, momentum=MOMENTUM) if self.name == "momentum" else getattr(optim, self.name)
        one = made(lambda done: self.rate * jnp.asarray(share(done), jnp.float32))
        return one if self.clip is None else optim.chain(optim.clip_by_global_norm(self.clip), one)
