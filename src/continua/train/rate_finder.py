"""`find_rate`: which learning rate suits, from one short run in which it grows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from numpy.typing import NDArray

from continua.core import ArgumentError, ArgumentTypeError, count
from continua.train.batches import Batches, checked_rows, checked_size
from continua.train.loop import Loss
from continua.train.stepping import advance, check_loss
from continua.train.training import assembled

LOST = 4.0  # times the first loss: beyond, the run has diverged


@dataclass(frozen=True)
class RateSearch:
    """What `find_rate` returns.

    Attributes:
        rate: where the loss falls fastest: the one to take.
        lowest: where the loss is lowest: longer steps make it worse.
        rates: of each step until the run diverged, [step].
        losses: before each step, [step].
        smoothed: by lines through an eighth of the steps, [step].
    """

    rate: float
    lowest: float
    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]


def find_rate(
    loss: Loss,
    model: Any,
    data: Any,
    optimiser: Callable[[Any], Any],
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    batch_size: int | None = None,
    key: PRNGKeyArray | None = None,
) -> RateSearch:
    r"""Train for a moment with a rate that grows, and see where the loss falls fastest and where it rises.

    $$ h_k = h_\text{low} \left(\frac{h_\text{high}}{h_\text{low}}\right)^{k / (K - 1)} $$

    The rate is that of the steepest fall of the loss over log h, smoothed, before its lowest place. The model that was
    handed in stays as it is.

    Args:
        loss: as for `train`.
        model: as for `train`.
        data: as for `train`.
        optimiser: from a rate or schedule to the optimiser, such as optim.adam.
        low: the first rate.
        high: the last rate.
        steps: K, at least 10.
        batch_size: rows of a batch; all of them unless given.
        key: as for `train`.

    Returns:
        A `RateSearch`.

    Raises:
        ArgumentError, ArgumentTypeError: as `train`; for rates that do not grow; where the loss falls nowhere.

    Example:
        >>> from continua import optim
        >>> found = find_rate(lambda w, batch: jnp.mean((w - batch) ** 2), jnp.zeros(()), jnp.ones(8), optim.sgd)
        >>> bool(0.003 < found.rate < 0.1)
        True

    Source: Smith, Cyclical learning rates for training neural networks (2017).
    """
    if not 0 < low < high < float("inf"):
        raise ArgumentError(f"`low` and `high` of `find_rate` must be 0 < low < high. Got {low!r} and {high!r}.")
    if not callable(optimiser):
        raise ArgumentTypeError(
            f"`optimiser` of `find_rate` must make one from a rate. Got {type(optimiser).__name__}. Use optim.adam."
        )
    count("find_rate", "steps", steps, most=10**6, least=10)
    data, rows = checked_rows("find_rate", data)
    batches = Batches(rows, checked_size("find_rate", batch_size, rows), drop_last=True)
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    growing = optimiser(lambda done: jnp.asarray(rates)[done])
    task, params = assembled("find_rate", loss, model, growing, key)
    check_loss("find_rate", task, params, jax.tree.map(lambda leaf: leaf[: batches.size], data))
    epochs = range(-(-steps // batches.whole))
    order = np.concatenate([batches.order(task.key, epoch)[: batches.whole * batches.size] for epoch in epochs])
    order = order.reshape(-1, batches.size)[:steps]
    taken = advance(task, task.start(params), data, order, np.array(steps, np.int32))
    losses = np.asarray(taken.losses[: int(taken.done)], float)
    return _judged(rates, losses)


def _judged(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> RateSearch:
    """The steepest place and the lowest, before the loss is lost."""
    from scipy.signal import savgol_filter

    lost = losses > LOST * losses[0]
    end = int(np.argmax(lost)) if lost.any() else len(losses)
    rates, window = rates[:end], max(len(rates) // 8, 3) | 1
    if end >= window:
        losses = losses[:end]
        smoothed, slopes = (np.asarray(savgol_filter(losses, window, 1, deriv=order)) for order in (0, 1))
        lowest = int(np.argmin(smoothed))
        steepest = int(np.argmin(slopes[: lowest + 1]))
        if slopes[steepest] < 0:
            return RateSearch(float(rates[steepest]), float(rates[lowest]), rates, losses, smoothed)
    raise ArgumentError(
        f"`find_rate` saw the loss fall nowhere from a rate of {rates[0]:g} on. Use a smaller `low`, or other data."
    )
