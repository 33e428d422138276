"""How small changes, and gradients on their way back, grow or fade from layer to layer or from time to time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.core import ArgumentError, floats
from continua.models import MLP
from continua.show import new_figure
from continua.train.diagnostics.advice import Advice, for_gains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A gradient that has become so many times smaller or larger from the last state to the first has vanished or exploded.
FACTOR = 100.0


@dataclass(frozen=True, eq=False)
class JacobianSpectrum:
    r"""The singular values of $\partial x_l / \partial x_0$ along a chain of states.

    Args:
        singular_values: of every l from 1, [sample, value], the largest first. Those a rounding error below the
            largest are round-off.
        gains: [state], by how much a gradient at $x_l$ is longer at $x_0$, as the root of the mean square over
            directions and samples.
    """

    singular_values: list[Float[np.ndarray, "sample value"]]
    gains: Float[np.ndarray, " state"]

    @property
    def rate(self) -> float:
        """By how much a gradient grows per step, as a geometric mean."""
        return float(self.gains[-1] ** (1 / len(self.gains)))

    @property
    def exponents(self) -> Float[np.ndarray, " value"]:
        """Finite-time Lyapunov exponents of the chain, ln σᵢ / l at its last state, the mean over samples."""
        with np.errstate(divide="ignore"):
            return np.log(self.singular_values[-1]).mean(0) / len(self.gains)

    @property
    def verdict(self) -> str:
        """In a word: "vanishing", "exploding" (gradients change a hundredfold along the chain), or "healthy"."""
        if self.gains[-1] < 1 / FACTOR:
            return "vanishing"
        return "exploding" if not self.gains[-1] <= FACTOR else "healthy"

    def advice(self) -> list[Advice]:
        """What to do about it, each with its reason; nothing where it is healthy."""
        return for_gains(self.verdict, float(self.gains[-1]), len(self.gains))

    def figure(self) -> "Figure":
        """The gain of gradients along the chain, and the band of all singular values, on a logarithmic axis."""
        figure, axes = new_figure()
        self.draw(axes[0, 0], self.verdict)
        axes[0, 0].legend()
        return figure

    def draw(self, axes: Any, label: str, style: str = "-") -> None:
        """The same on axes of matplotlib, in their next colour: several chains may stand together."""
        states = np.arange(1, 1 + len(self.gains))
        largest = np.array([values.max() for values in self.singular_values])
        least = np.array([values.min() for values in self.singular_values])
        (line,) = axes.plot(states, self.gains, style, label=label)
        round_off = np.finfo(self.singular_values[0].dtype).eps * largest
        axes.fill_between(states, np.maximum(least, round_off), largest, color=line.get_color(), alpha=0.1, linewidth=0)
        axes.locator_params(axis="x", integer=True)
        axes.set(xlabel="state", ylabel="∂x/∂x₀: gain and singular values", yscale="log")


def jacobian_spectrum(
    states: Callable[[Array], Any], start: Float[Array, " width"] | Float[Array, "sample width"]
) -> JacobianSpectrum:
    r"""The singular values of the exact Jacobians of a chain of states by the first one.

    $$ \frac{\partial x_l}{\partial x_0} = J_l\, J_{l-1} \cdots J_1 $$

    Args:
        states: `states(x0)` returns the states x₁, x₂, … of one sample: a list of vectors, such as
            `partial(hidden_states, model)` of a network, or an array [time, unit], such as a recurrent network's scan
            from its first state.
        start: x₀; of one sample [width], or of several [sample, width].

    Returns:
        A `JacobianSpectrum`, whose `verdict` says "vanishing", "exploding" or "healthy".

    Raises:
        ArgumentError: a start or a state is no vector.
        ArgumentTypeError: the start holds integers.

    Example:
        >>> turn = jnp.array([[0.0, -0.5], [0.5, 0.0]])
        >>> found = jacobian_spectrum(lambda x: [turn @ x, turn @ turn @ x], jnp.ones(2))
        >>> print(found.gains, found.verdict)
        [0.5  0.25] healthy
    """
    start = floats("jacobian_spectrum", start, "start")
    if jnp.ndim(start) not in (1, 2):
        raise ArgumentError(
            f"`start` of `jacobian_spectrum` must be [width] or [sample, width]. Got shape {jnp.shape(start)}. "
            "Use x.reshape(len(x), -1), and shape it back in `states`."
        )
    return spectrum_of(jax.device_get(eqx.filter_jit(state_jacobians)(states, start)))


def state_jacobians(states: Callable[[Array], Any], start: Array) -> list[Array]:
    """∂x/∂x₀ of every state, [sample, width of the state, width]; of an array of states, in one."""
    return jax.vmap(jax.jacfwd(lambda x: jax.tree.leaves(_vectors(states(x)))))(jnp.atleast_2d(start))


def _vectors(states: Any) -> Sequence[Array] | Array:
    """The states, if they are vectors."""
    stacked = isinstance(states, jax.Array)
    if any(jnp.ndim(x) != 1 + stacked for x in jax.tree.leaves(states)) or not jax.tree.leaves(states):
        shapes = [jnp.shape(x) for x in jax.tree.leaves(states)]
        raise ArgumentError(
            f"`states` of `jacobian_spectrum` must return vectors in a list, or one array [time, unit]. Got {shapes}. "
            "Return jnp.ravel of each state."
        )
    return states


def spectrum_of(jacobians: Sequence[np.ndarray]) -> JacobianSpectrum:
    """From the Jacobians of every state, on the host."""
    if len(jacobians) == 1 and np.ndim(jacobians[0]) == 4:  # [sample, time, unit, width]
        jacobians = list(np.moveaxis(jacobians[0], 1, 0))
    values = [
        np.linalg.svd(each, compute_uv=False)
        if np.isfinite(each).all()
        else np.full((len(each), min(each.shape[1:])), np.inf)
        for each in jacobians
    ]
    gains = [_gain(own, each.shape[-2]) for own, each in zip(values, jacobians, strict=True)]
    return JacobianSpectrum(values, np.asarray(gains))


def _gain(values: Float[np.ndarray, "sample value"], width: int) -> float:
    """√(mean over samples of Σ σ² / width), where σ² alone may overflow."""
    largest = float(values.max())
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.sqrt(np.square(values / largest).sum(-1).mean() / width))


def hidden_states(model: MLP, x: Float[Array, " inputs"]) -> list[Array]:
    """What a multi-layer perceptron makes of x: behind each hidden layer, and at last its outputs."""
    found = []
    for layer in model.layers[:-1]:
        x = model.hidden(layer, x)
        found.append(x)
    return [*found, model.layers[-1](x)]
