"""What a network's outputs cost against targets of each kind, and what is predicted from them."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import expit, softmax

from continua.models import MLP
from continua.optim import absolute_error, huber, logistic, softmax_cross_entropy, squared_error


class Kind(NamedTuple):
    """The loss of scores z [sample, output] against targets, [sample]; and what is predicted from z, on the host."""

    loss: Callable[[Array, Array], Array]
    link: Callable[[Any], Any] = lambda z: z
    name: str = "identity"


def _chance(z: Any) -> Any:
    """The logistic function; nothing is certain beyond round-off, so its logarithms are finite."""
    most = -np.log(np.finfo(z.dtype).eps)
    return expit(np.clip(z, -most, most))


KINDS = {
    "classes": Kind(softmax_cross_entropy, partial(softmax, axis=1), "softmax"),  # targets: numbers of classes
    "labels": Kind(lambda z, t: logistic(t * z).sum(-1), _chance, "logistic"),  # targets: -1 or +1
    "squared_error": Kind(lambda z, t: squared_error(z - t).sum(-1) / 2),
    "absolute_error": Kind(lambda z, t: absolute_error(z - t).sum(-1)),
    "huber": Kind(lambda z, t: huber(z - t).sum(-1)),
    "poisson": Kind(lambda z, t: (jnp.exp(z) - t * z).sum(-1), np.exp, "exp"),
}
REGRESSIONS = tuple(name for name in KINDS if name not in ("classes", "labels"))


class Rows(NamedTuple):
    """Samples: features [sample, feature], targets as their kind has them, and weights [sample]."""

    X: Any
    targets: Any
    weights: Any


class Cost(eqx.Module):
    r"""The objective of a network on some rows.

    $$ F = \frac1S \Big(\sum_i s_i\, \ell(z_i, t_i) + \tfrac12 \alpha \sum_l |W_l|^2\Big) $$

    Attributes:
        alpha: α.
        total: S.
        kind: of ℓ, a name in `KINDS`.
        told: whose progress is told on the standard error, if anyone's.
    """

    alpha: Float[Array, ""]
    total: Float[Array, ""]
    kind: str = eqx.field(static=True)
    told: str = eqx.field(static=True, default="")

    def __call__(self, model: MLP, rows: Rows) -> Float[Array, ""]:
        """F."""
        squares = jnp.stack([jnp.sum(layer.weight**2) for layer in model.layers]).sum()
        losses = KINDS[self.kind].loss(model(rows.X), rows.targets)
        value = (rows.weights @ losses + self.alpha * squares / 2) / self.total
        if self.told:
            jax.debug.callback(partial(_tell, self.told), value)
        return value


def _tell(name: str, value: Any) -> None:
    sys.stderr.write(f"{name}: loss {float(value):.8g}\n")


@eqx.filter_jit
def outputs(model: MLP, X: Float[Array, "sample feature"]) -> Float[Array, "sample output"]:
    """z, compiled once for a shape."""
    return model(X)
