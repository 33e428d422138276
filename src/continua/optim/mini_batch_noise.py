"""Stochastic gradient descent as a stochastic equation: what mini-batches do besides going down."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import Args, ArgumentError, Instant, State, count
from continua.equations import GeneralNoise, Interpretation, Noise, Stochastic

MOST = 2**31 - 1  # points of a batch


class StochasticGradientFlow(Stochastic):
    r"""The flow that gradient descent on mini-batches follows, with the noise of the batches.

    $$ dx = -\nabla f(x)\, dt + \sqrt{\tfrac hB}\; \Sigma(x)^{1/2}\, dW, \qquad f = \frac1N \sum_i \ell_i, \qquad
       \Sigma = \frac1N \sum_i (\nabla \ell_i - \nabla f)(\nabla \ell_i - \nabla f)^\top $$

    One step of descent takes the time h. Mean and covariance are those of descent up to the order of h: at a minimum
    with Hessian H the parameters spread by S with $H S + S H = \tfrac hB \Sigma$. The root of Σ is the table of the
    gradients' deviations, with a Brownian motion for each of the N points. `solve` steps it with `Fixed`; steps of
    Euler and Maruyama's method of length h have the very mean and covariance of steps of descent.

    Args:
        loss: `loss(x, point)`, of one data point, a real scalar; x is any PyTree of arrays.
        data: the points: a PyTree of arrays with a common first axis of length N.
        rate: h, the learning rate.
        batch_size: B, points drawn with replacement.

    Raises:
        ArgumentError: for data without points or of different lengths, a rate that is not positive, an empty batch.

    Example:
        >>> import continua
        >>> from continua.optim import StochasticGradientFlow
        >>> points = jnp.asarray([-1.0, 0.0, 4.0])
        >>> equation = StochasticGradientFlow(lambda x, p: (x - p) ** 2 / 2, points, rate=0.1, batch_size=1)
        >>> steps = continua.solver.Fixed(0.1)
        >>> path = continua.solve(equation, jnp.asarray(5.0), [0.0, 20.0], key=jax.random.key(0), step_control=steps)
        >>> bool(abs(path.ys[-1] - 1.0) < 2.0)  # the mean of the points, and a deviation of √(hΣ/2B) = .48
        True

    Source: Li, Tai & E, arXiv 1511.06251; Mandt, Hoffman & Blei, JMLR 18 (2017) 1–35.
    """

    loss: Callable[[Any, Any], Array]
    data: Any
    rate: float | Array
    batch_size: int = eqx.field(static=True)
    noise: Noise = GeneralNoise()
    interpretation: Interpretation = eqx.field(static=True, default=Interpretation.ITO)

    def __check_init__(self) -> None:
        """Refuses what no batch can be drawn from."""
        lengths = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(self.data)}
        if len(lengths) != 1 or lengths <= {(), (0,)}:
            raise ArgumentError(
                "`data` of `StochasticGradientFlow` must be arrays with a first axis of one length, above 0. "
                f"Got lengths {sorted(lengths)}."
            )
        if isinstance(self.rate, int | float) and not self.rate > 0:
            raise ArgumentError(f"`rate` of `StochasticGradientFlow` must be positive. Got {self.rate!r}. Use 1e-2.")
        count("StochasticGradientFlow", "batch_size", self.batch_size, MOST)

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slope −∇f."""
        return jax.tree.map(lambda g: -g.mean(0), self._gradients(y))

    def diffusion(self, t: Instant, y: State, args: Args) -> State:
        """√(h/BN) times the deviations of the gradients, [parameter, point]."""

        def deviations(g: Array) -> Array:
            scale = jnp.sqrt(jnp.asarray(self.rate / (self.batch_size * len(g)), g.dtype))
            return jnp.moveaxis(scale * (g - g.mean(0, keepdims=True)), 0, -1)

        return jax.tree.map(deviations, self._gradients(y))

    def _gradients(self, y: State) -> State:
        """Of every point, [point, parameter]."""
        return jax.vmap(jax.grad(self.loss), (None, 0))(y, self.data)
