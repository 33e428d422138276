"""One configuration for mini-batches, with nothing left to tune but the number of steps."""

from typing import Any

import jax
import optax
from jaxtyping import Array

from continua.core import count
from continua.optim.averaging import ScheduleFree
from continua.optim.first_order import Optimiser
from continua.optim.flows import Drift, Now, Subflow, flow
from continua.optim.forces import WeightDecay
from continua.optim.metrics import MeanSquare

MOST = 10**9  # steps
WARM = 20  # the rise of the step length is the steps over this


class FanIn(Subflow):
    r"""The metric in which a unit's output moves alike however many inputs it has.

    $$ q \mapsto q / \sqrt n $$

    n is how many inputs each output of a weight has: its size over that of its axis of outputs. Vectors and scalars
    stay as they are.

    Args:
        outputs: the axis of outputs: 0 for weights [outputs, inputs], -1 for [inputs, outputs].

    Source: Yang et al., Tensor Programs V, arXiv 2203.03466 (that steps must shrink with the inputs).
    """

    outputs: int = 0

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The direction, weight by weight."""

        def shortened(q: Array) -> Array:
            return q if q.ndim < 2 else q / (q.size / q.shape[self.outputs]) ** 0.5

        return now._replace(direction=jax.tree.map(shortened, now.direction)), own


def untuned(
    steps: int, learning_rate: float = 0.4, decay: float = 4.0, b1: float = 0.9, b2: float = 0.99, outputs: int = 0
) -> Optimiser:
    r"""Mini-batch descent with one configuration for all: Schedule-Free, in the metric of squares and of inputs.

    $$ z' = -\frac{1}{\sqrt n} \frac{g(y)}{\sqrt{\hat v} + \epsilon} - w y, \qquad w = \frac{c}{h \cdot \text{steps}} $$

    A run lasts c times as long as the decay w takes, however many steps it has; h rises from zero over the first
    twentieth of them. Evaluate at `averaged_params(state, params)`. Inputs and targets should be of size one.

    Good for: networks and regressions on mini-batches whose best rate nobody has looked for. It was chosen on five
    tasks and checked on five others: see the benchmark.

    Args:
        steps: how many there will be, about.
        learning_rate: h.
        decay: c.
        b1: the share of the average in where gradients are looked at.
        b2: of the mean square, $e^{-h/\tau}$.
        outputs: the axis of outputs in weights, 0 for [outputs, inputs].

    Source: Defazio et al., arXiv 2405.15682 (Schedule-Free); Wang & Aitchison, arXiv 2405.13698 (the decay's time).
    """
    steps = count("untuned", "steps", steps, MOST)
    rate = optax.warmup_constant_schedule(0.0, learning_rate, max(1, steps // WARM))
    metrics = MeanSquare(b2, inside=False, correct=True), FanIn(outputs)
    pull = WeightDecay(decay / (learning_rate * steps))
    return flow(*metrics, pull, Drift(rate), ScheduleFree(rate, b1))
