"""Parts of a flow that act on the gradient before it is followed: decay of the parameters, and saturation."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import optax
from jaxtyping import Array

from continua.core import ArgumentError
from continua.optim.flows import Now, Params, Rate, Subflow


class WeightDecay(Subflow):
    r"""A pull of the parameters towards zero: $x' = -q - w x$.

    Args:
        rate: w, or a schedule of it.
        mask: which parameters decay: a tree of booleans, a prefix of the parameters, or a function that makes one.
    """

    rate: Rate
    mask: Any | Callable[[Params], Any] | None = eqx.field(static=True, default=None)

    @property
    def counts(self) -> bool:
        """Where there is a schedule."""
        return callable(self.rate)

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The direction with the pull."""
        if isinstance(self.rate, int | float) and self.rate == 0:
            return now, own
        if now.params is None:
            raise ArgumentError(
                "`update` of an optimiser with weight decay needs `params`. Pass update(g, state, params)."
            )
        rate = self.rate(now.done) if callable(self.rate) else self.rate
        pulled = jax.tree.map(lambda q, x: q + rate * x, now.direction, now.params)
        return now._replace(direction=self._chosen(now, pulled)), own

    def _chosen(self, now: Now, pulled: Params) -> Params:
        """The pulled direction where the mask says so."""
        if self.mask is None:
            return pulled
        mask = self.mask(now.params) if callable(self.mask) else self.mask
        return jax.tree.map(
            lambda here, q, p: jax.tree.map(lambda q, p: p if here else q, q, p), mask, now.direction, pulled
        )


class Saturation(Subflow):
    r"""A field that is bounded: long gradients are followed no faster than short ones.

    With `largest` each entry is cut to [−c, c]; with `norm` the whole gradient is shortened to the length c where it is
    longer; with `share` the gradient of each unit is shortened to that share of the length of its weights.

    Args:
        largest: c of the entries.
        norm: c of the whole.
        share: c of the units, as in normaliser-free networks.

    Source: Pascanu, Mikolov & Bengio, arXiv 1211.5063 (norm); Brock et al., arXiv 2102.06171 (share).
    """

    largest: float | Array | None = None
    norm: float | Array | None = None
    share: float | Array | None = None

    def __check_init__(self) -> None:
        """Exactly one bound."""
        bounds = {"largest": self.largest, "norm": self.norm, "share": self.share}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        if len(given) != 1:
            raise ArgumentError(f"`Saturation` takes one bound of largest, norm, share. Got {len(given)}.")
        for name, bound in given.items():
            if isinstance(bound, int | float) and not bound > 0:
                raise ArgumentError(f"`{name}` of `Saturation` must be positive. Got {bound!r}. Use 1.0, for example.")

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The bounded gradient, which is the direction too."""
        clip = self._clip()
        bounded, _ = clip.update(now.gradient, clip.init(now.gradient), now.params)
        return now._replace(gradient=bounded, direction=bounded), own

    def _clip(self) -> optax.GradientTransformation:
        """The transformation that bounds."""
        if self.largest is not None:
            return optax.clip(self.largest)
        if self.norm is not None:
            return optax.clip_by_global_norm(self.norm)
        assert self.share is not None  # by __check_init__
        return optax.adaptive_grad_clip(self.share)
