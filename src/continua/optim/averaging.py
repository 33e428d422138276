"""Averages of the parameters over a descent: parts that come behind the drift, for any optimiser."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.typing import DTypeLike
from jaxtyping import Array

from continua.core import ArgumentError
from continua.optim.first_order import Number, Optimiser
from continua.optim.flows import Drift, Now, Params, Rate, Subflow, at_step, flow
from continua.optim.forces import WeightDecay
from continua.optim.inertia import Decay, cast, relaxed, zeros
from continua.optim.metrics import MeanSquare


class Increment(Subflow):
    """The increment that any optimiser makes, as a part for others to come behind.

    Args:
        optimiser: a transformation as optax means it.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)

    @property
    def moves(self) -> bool:
        """Always."""
        return True

    def start(self, params: Params) -> Any:
        """The optimiser's own state."""
        return self.optimiser.init(params)

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The increment."""
        increment, own = optax.with_extra_args_support(self.optimiser).update(
            now.direction, own, now.params, **now.extra
        )
        return now._replace(direction=increment), own


class Mean(NamedTuple):
    """The state of `Average`."""

    sum: Params  # of parameters, each with its weight
    weight: Array  # of all together

    def read(self, params: Params) -> Params:
        """The average; before the first step the parameters themselves."""

        def divided(total: Array, x: Array) -> Array:
            weight = self.weight.astype(total.dtype)
            return jnp.where(weight > 0, total / jnp.where(weight > 0, weight, 1), x.astype(total.dtype)).astype(
                x.dtype
            )

        return jax.tree.map(divided, self.sum, params)


class Average(Subflow):
    r"""A memory that follows the parameters with a delay τ, solved exactly over each step; they do not feel it.

    $$ m' = \frac{x - m}{\tau}, \qquad m_{n+1} = (1 - b)\, x_{n+1} + b\, m_n, \qquad b = e^{-h/\tau} $$

    It is corrected for its start from zero. Where descent rattles around a minimum, the average lies nearer to it. It
    comes behind the drift; `averaged_params` reads it.

    Args:
        decay: b, or a schedule of it: $n \mapsto n / (n + 1)$ weighs all points alike.
        dtype: the precision in which m is kept.

    Source: Polyak & Juditsky, SIAM J. Control Optim. 30 (1992) 838–855; Ruppert (1988).
    """

    decay: Rate
    dtype: DTypeLike | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        """Refuses what is no share, where it is a plain number."""
        if isinstance(self.decay, int | float) and not 0 <= self.decay < 1:
            raise ArgumentError(f"`decay` of `Average` must be from 0 to below 1. Got {self.decay!r}. Use 0.999.")

    @property
    def counts(self) -> bool:
        """Where there is a schedule."""
        return callable(self.decay)

    def start(self, params: Params) -> Mean:
        """Nothing yet."""
        return Mean(zeros(params, self.dtype), jnp.zeros(()))

    def step(self, now: Now, own: Mean) -> tuple[Now, Mean]:
        """The average with the point that the increment leads to."""
        there = jax.tree.map(lambda x, u, m: (x + u).astype(m.dtype), _here(now), now.direction, own.sum)

        def followed(source: Array, memory: Array) -> Array:
            return relaxed(at_step(self.decay, now.done, memory), source, memory)

        one = jnp.ones_like(own.weight)
        return now, Mean(jax.tree.map(followed, there, own.sum), followed(one, own.weight))


class Ahead(NamedTuple):
    """The state of `ScheduleFree`."""

    z: Params  # where the drift is
    total: Array  # of the weights so far
    most: Array  # the longest step so far
    share: Array  # β

    def read(self, params: Params) -> Params:
        """The average x, from y and z."""
        return jax.tree.map(lambda y, z: _average(y, z, self.share.astype(y.dtype)), params, self.z)


class ScheduleFree(Subflow):
    r"""A drift that looks at gradients between itself and its own average, and needs no decay of the step length.

    $$ y = (1 - \beta) z + \beta x, \qquad z' = -q(y), \qquad x' = \frac{z - x}{\tau(t)} $$

    The parameters of the loop are y; the average x, whose delay τ grows with time, is what `averaged_params` reads. It
    comes behind the drift.

    Args:
        rate: the step length of the drift, by which points are weighed.
        share: β.
        power: of the longest step so far in the weight of a point.
        dtype: the precision in which z is kept.

    Source: Defazio et al., The Road Less Scheduled, arXiv 2405.15682.
    """

    rate: Rate
    share: Decay = 0.9
    power: Decay = 2.0
    dtype: DTypeLike | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        """Refuses a share that hides the average, where it is a plain number."""
        if isinstance(self.share, int | float) and not 0 < self.share <= 1:
            raise ArgumentError(f"`b1` of `schedule_free` must be above 0, at most 1. Got {self.share!r}. Use 0.9.")

    @property
    def counts(self) -> bool:
        """Where there is a schedule."""
        return callable(self.rate)

    def start(self, params: Params) -> Ahead:
        """All three at one point."""
        zero = jnp.zeros((), optax.tree.dtype(params, "lowest"))
        return Ahead(cast(params, self.dtype), zero, zero, jnp.asarray(self.share, zero.dtype))

    def step(self, now: Now, own: Ahead) -> tuple[Now, Ahead]:
        """The increment of y."""
        most = jnp.maximum(own.most, at_step(self.rate, now.number, own.most))
        weight = most**self.power
        total = own.total + weight
        part = jnp.where(total == 0, 0, weight / total)  # h/τ, exactly relaxed: points weigh alike at one rate

        def moved(y: Array, z: Array, u: Array) -> tuple[Array, Array]:
            behind, ahead = _average(y, z, self.share), (z + u).astype(z.dtype)
            c = part.astype(behind.dtype)
            average = (1.0 - c) * behind + c * ahead
            return self.share * average + (1.0 - self.share) * ahead - y, ahead

        pairs = jax.tree.map(moved, _here(now), own.z, now.direction)
        increment, z = jax.tree.transpose(jax.tree.structure(own.z), jax.tree.structure((0, 0)), pairs)
        return now._replace(direction=increment), Ahead(z, total, most, own.share)


def _average(y: Array, z: Array, share: Any) -> Array:
    """The x of y = (1 − β) z + β x."""
    return (y - (1.0 - share) * z) / share


def _here(now: Now) -> Params:
    """The parameters before the step, where they were given."""
    if now.params is None:
        raise ArgumentError("`update` of an optimiser that averages needs `params`. Pass update(g, state, params).")
    return now.params


def averaged(optimiser: optax.GradientTransformation, decay: Rate = 0.999) -> Optimiser:
    """Any optimiser, and beside it the exponential average of its points: see `Average`.

    Example:
        >>> from continua.optim import averaged, averaged_params, sgd
        >>> optimiser, x = averaged(sgd(2.0), 0.9), jnp.asarray(1.0)  # it jumps between 1 and -1 on x²/2
        >>> state = optimiser.init(x)
        >>> for _ in range(100):
        ...     updates, state = optimiser.update(x, state, x)
        ...     x = x + updates
        >>> print(f"{x:.2f} {averaged_params(state, x):.2f}")
        1.00 0.05
    """
    return flow(Increment(optimiser), Average(decay))


def schedule_free(
    base_optimizer: optax.GradientTransformation,
    learning_rate: Rate,
    b1: Number = 0.9,
    weight_lr_power: Number = 2.0,
    state_dtype: DTypeLike | None = None,
) -> Optimiser:
    """Any optimiser without momentum, stepped free of schedules: see `ScheduleFree`.

    Source: Defazio et al., The Road Less Scheduled, arXiv 2405.15682.
    """
    return flow(Increment(base_optimizer), ScheduleFree(learning_rate, b1, weight_lr_power, state_dtype))


def schedule_free_sgd(
    learning_rate: Number = 1.0,
    warmup_steps: int | None = None,
    b1: Number = 0.9,
    weight_decay: Number | None = None,
    weight_lr_power: Number = 2.0,
    state_dtype: DTypeLike | None = None,
) -> Optimiser:
    """Gradient descent free of schedules: see `ScheduleFree`."""
    rate = _warmed(learning_rate, warmup_steps)
    decay = [] if weight_decay is None else [WeightDecay(weight_decay)]
    return flow(*decay, Drift(rate), ScheduleFree(rate, b1, weight_lr_power, state_dtype))


def schedule_free_adamw(
    learning_rate: Number = 0.0025,
    warmup_steps: int | None = None,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    weight_lr_power: Number = 2.0,
    state_dtype: DTypeLike | None = None,
) -> Optimiser:
    """AdamW free of schedules, its momentum replaced by the average: see `ScheduleFree`."""
    rate = _warmed(learning_rate, warmup_steps)
    metric = MeanSquare(b2, eps, inside=False, correct=True)
    free = ScheduleFree(rate, b1, weight_lr_power, state_dtype)
    return flow(metric, WeightDecay(weight_decay), Drift(rate), free)


def _warmed(rate: Number, steps: int | None) -> Rate:
    """The rate, behind a rise from zero where steps are given."""
    return rate if steps is None else optax.warmup_constant_schedule(0, rate, steps)  # type: ignore[arg-type]


def averaged_params(state: Any, params: Params) -> Params:
    """The parameters to evaluate: the average that an optimiser keeps in its state, wherever in it.

    Args:
        state: of an optimiser with `Average` or `ScheduleFree` among its parts.
        params: where the optimiser is.

    Raises:
        ArgumentError: where the state holds no average, or more than one.
    """
    found = _averages(state)
    if len(found) != 1:
        raise ArgumentError(
            f"`state` of `averaged_params` must hold one average. Got {len(found)}. Wrap it: averaged(optimiser)."
        )
    return found[0].read(params)


def evaluated_params(state: Any, params: Params) -> Params:
    """The parameters to evaluate, whatever the optimiser: its average if it keeps one, else where it is.

    Args:
        state: of any optimiser.
        params: where the optimiser is.
    """
    return averaged_params(state, params) if _averages(state) else params


def _averages(state: Any) -> list[Any]:
    kept = (Mean, Ahead)
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, kept))
    return [node for node in nodes if isinstance(node, kept)]


def schedule_free_eval_params(state: Any, params: Params) -> Params:
    """The name that optax has for `averaged_params`."""
    return averaged_params(state, params)
