"""The multi-layer perceptron: affine maps and one non-linearity in turn."""

import itertools
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from continua.core import ArgumentError, ArgumentTypeError, one_of

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "sin": jnp.sin,
    "identity": lambda x: x,
}
INITIALISATIONS: dict[str, Callable[..., Array]] = {
    "glorot": jax.nn.initializers.glorot_uniform(in_axis=1, out_axis=0),
    "he": jax.nn.initializers.he_normal(in_axis=1, out_axis=0),
    "lecun": jax.nn.initializers.lecun_normal(in_axis=1, out_axis=0),
    "orthogonal": jax.nn.initializers.orthogonal(column_axis=0),
}


class Dense(eqx.Module):
    """An affine map of the last axis, y = W x + b.

    Attributes:
        weight: W, [outputs, inputs].
        bias: b, [outputs].
    """

    weight: Float[Array, "outputs inputs"]
    bias: Float[Array, " outputs"]

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """W x + b."""
        y = x @ self.weight.T
        return y + jnp.broadcast_to(self.bias, y.shape)


class MLP(eqx.Module):
    r"""A multi-layer perceptron; with `residual`, every hidden layer is an Euler step of an equation over depth.

    $$ x_{l+1} = \sigma(W_l\, x_l + b_l), \qquad\text{or}\quad x_{l+1} = x_l + h\, \sigma(W_l\, n(x_l) + b_l), $$

    where the second form is `residual` (between layers of equal width, h = 1 / hidden layers) and n is the identity
    or, with `normalised`, x ↦ (x − mean) / √(variance + 1e-5) over the last axis. The last layer is affine.

    Args:
        sizes: The width of every layer, inputs first, outputs last: (64, 32, 10) has one hidden layer of 32.
        key: What the weights are drawn with, from jax.random.key.
        activation: σ by name: relu, tanh, sigmoid, gelu, silu, softplus, sin, identity.
        initialisation: How W is drawn: glorot, he, lecun or orthogonal. Without one he for relu, gelu and silu, glorot
            for the others. Biases start at 0.
        residual: Whether hidden layers add to what they get.
        normalised: Whether hidden layers see what they get with mean 0 and variance 1.
        dtype: Of the parameters; without one JAX's default float.

    Attributes:
        layers: The affine maps, in order.

    Raises:
        ArgumentError: for fewer than two sizes or one below 1, or for a name not in these lists.

    Example:
        >>> model = MLP((2, 16, 1), jax.random.key(0), activation="tanh")
        >>> model(jnp.ones((5, 2))).shape
        (5, 1)
    """

    layers: tuple[Dense, ...]
    activation: str = eqx.field(static=True)
    residual: bool = eqx.field(static=True)
    normalised: bool = eqx.field(static=True)

    def __init__(
        self,
        sizes: Sequence[int],
        key: PRNGKeyArray,
        *,
        activation: str = "relu",
        initialisation: str | None = None,
        residual: bool = False,
        normalised: bool = False,
        dtype: jnp.dtype | type | None = None,
    ) -> None:
        sizes = checked_sizes(sizes)
        if initialisation is None:
            initialisation = "he" if activation in {"relu", "gelu", "silu"} else "glorot"
        one_of("MLP", "activation", activation, ACTIVATIONS)
        one_of("MLP", "initialisation", initialisation, INITIALISATIONS)
        dtype = dtype or jnp.zeros(()).dtype
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(
            Dense(INITIALISATIONS[initialisation](k, (outputs, inputs), dtype), jnp.zeros(outputs, dtype))
            for k, (inputs, outputs) in zip(keys, itertools.pairwise(sizes), strict=True)
        )
        self.activation, self.residual, self.normalised = activation, residual, normalised

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """The outputs of inputs of any leading axes."""
        for layer in self.layers[:-1]:
            x = self.hidden(layer, x)
        return self.layers[-1](x)

    def hidden(self, layer: Dense, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """What a hidden layer makes of its input."""
        slope = ACTIVATIONS[self.activation](layer(standardised(x) if self.normalised else x))
        if self.residual and slope.shape == x.shape:
            return x + slope / (len(self.layers) - 1)
        return slope


def standardised(x: Array) -> Array:
    """With mean 0 and variance 1 over the last axis, but for constant rows, which become 0."""
    return jax.nn.standardize(x, epsilon=1e-5)


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """The widths, if they are two or more whole numbers from 1."""
    try:
        widths = tuple(sizes)
    except TypeError as error:
        raise ArgumentTypeError(
            f"`sizes` of `MLP` must be a list of widths, such as (64, 32, 10). Got {sizes!r}."
        ) from error
    if len(widths) < 2 or any(not isinstance(width, int) or width < 1 for width in widths):
        raise ArgumentError(
            f"`sizes` of `MLP` must be two or more whole numbers from 1, inputs first, outputs last. Got {widths!r}."
        )
    return widths
