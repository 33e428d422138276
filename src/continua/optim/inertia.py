"""Parts of a flow that remember: gradients averaged over a time, and a velocity that friction wears down."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array

from continua.optim.flows import Now, Params, Subflow

Decay = float | Array


def relaxed(decay: Decay, source: Params, memory: Params) -> Params:
    r"""The exact solution of $m' = (s - m)/\tau$ after a step with s held: $(1 - b) s + b m$, $b = e^{-h/\tau}$."""
    return jax.tree.map(lambda s, m: (1 - decay) * s + decay * m, source, memory)


def corrected(memory: Params, decay: Decay, count: Array) -> Params:
    """The memory of a start from zero, divided by the weight 1 − bⁿ that the gradients have in it by now."""
    weight = 1 - jax.lax.pow(jnp.asarray(decay, None if isinstance(decay, jax.Array) else float), count)
    return jax.tree.map(lambda m: m / weight.astype(m.dtype), memory)


def zeros(params: Params, dtype: DTypeLike | None = None) -> Params:
    """Zeros like the parameters, in another precision where one is given."""
    return jax.tree.map(lambda p: jnp.zeros_like(p, dtype=dtype), params)


def cast(tree: Params, dtype: DTypeLike | None) -> Params:
    """The same numbers in another precision, where one is given."""
    return tree if dtype is None else jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


class Relaxation(Subflow):
    r"""A memory that follows the gradient with a delay τ, solved exactly over each step.

    $$ m' = \frac{g - m}{\tau}, \qquad m_{n+1} = (1 - b)\, g + b\, m_n, \qquad b = e^{-h/\tau} $$

    The direction is m, corrected for its start from zero by $1/(1 - b^n)$; with `nesterov` it is a second relaxation
    towards the same gradient, looked at one step ahead.

    Args:
        decay: b.
        nesterov: whether to look ahead.
        dtype: the precision in which m is kept.
    """

    decay: Decay
    nesterov: bool = eqx.field(static=True, default=False)
    dtype: DTypeLike | None = eqx.field(static=True, default=None)

    @property
    def counts(self) -> bool:
        """For the correction."""
        return True

    def start(self, params: Params) -> Params:
        """Zero."""
        return zeros(params, self.dtype)

    def step(self, now: Now, own: Params) -> tuple[Now, Params]:
        """The direction m."""
        memory = relaxed(self.decay, now.gradient, own)
        if self.nesterov:
            ahead = corrected(memory, self.decay, now._replace(done=now.number).number)
            source = corrected(now.gradient, self.decay, now.number)
            direction = jax.tree.map(lambda m, g: self.decay * m + (1 - self.decay) * g, ahead, source)
        else:
            direction = corrected(memory, self.decay, now.number)
        return now._replace(direction=direction), cast(memory, self.dtype)


class Velocity(Subflow):
    r"""The velocity of a heavy ball: friction, then a kick by the direction.

    $$ x'' + \gamma x' = -\nabla f(x), \qquad v_{n+1} = b\, v_n + q, \qquad b = e^{-\gamma h} $$

    Together with the drift it is conformal symplectic Euler. With `nesterov` the kick is looked at one step ahead.

    Args:
        decay: b, the momentum.
        nesterov: whether to look ahead.
        dtype: the precision in which v is kept.

    Source: França, Robinson & Vidal, J. Stat. Mech. (2020) 124008.
    """

    decay: Decay
    nesterov: bool = eqx.field(static=True, default=False)
    dtype: DTypeLike | None = eqx.field(static=True, default=None)

    def start(self, params: Params) -> Params:
        """Zero."""
        return zeros(params, self.dtype)

    def step(self, now: Now, own: Params) -> tuple[Now, Params]:
        """The direction v."""

        def kicked(v: Params) -> Params:
            return jax.tree.map(lambda q, v: q + self.decay * v, now.direction, v)

        velocity = kicked(own)
        direction = kicked(velocity) if self.nesterov else velocity
        return now._replace(direction=direction), cast(velocity, self.dtype)


class Blend(Subflow):
    r"""A mean of the gradient and of a memory that follows it more slowly: what Lion takes the sign of.

    $$ q = (1 - b_1)\, g + b_1 m, \qquad m' = \frac{g - m}{\tau} $$

    Args:
        share: b₁, of the memory in the direction.
        decay: $e^{-h/\tau}$.
        dtype: the precision in which m is kept.
    """

    share: Decay
    decay: Decay
    dtype: DTypeLike | None = eqx.field(static=True, default=None)

    def start(self, params: Params) -> Params:
        """Zero."""
        return zeros(params, self.dtype)

    def step(self, now: Now, own: Params) -> tuple[Now, Any]:
        """The direction q, before the memory moves."""
        direction = relaxed(self.share, now.gradient, own)
        return now._replace(direction=direction), cast(relaxed(self.decay, now.gradient, own), self.dtype)
