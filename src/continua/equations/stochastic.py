"""Equations driven by noise: a drift, a diffusion, which noise drives what, and which integral is meant."""

import enum
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from continua.calculus import sparsity
from continua.core import Args, Instant, Scalar, State, as_node
from continua.equations.equation import Equation, parameter

MOST_CHECKED = 4096  # components of which a diagonal diffusion is looked at pair by pair


class Interpretation(enum.Enum):
    r"""Which integral is meant: where in a short time dt the diffusion is taken.

    At its start (`ITO`), so that the noise to come is independent of the state, or in its middle (`STRATONOVICH`), so
    that the usual chain rule holds. They are the same where the diffusion does not depend on the state.
    """

    ITO = "Itô"
    STRATONOVICH = "Stratonovich"


class Noise(eqx.Module):
    """Which Brownian motions drive which components."""

    @abstractmethod
    def motions(self, diffusion: State, y0: State) -> int:
        """How many there are, from the shapes of what the diffusion gives."""

    @abstractmethod
    def shapes(self, y0: State, motions: int) -> list[tuple[int, ...]]:
        """Of what the diffusion must give, for the leaves of the state."""


class DiagonalNoise(Noise):
    r"""A Brownian motion for every component: the diffusion has the shape of the state.

    $$ dy_i = f_i\, dt + g_i\, dW_i $$
    """

    def motions(self, diffusion: State, y0: State) -> int:
        """As many as components."""
        return sum(leaf.size for leaf in jax.tree.leaves(y0))

    def shapes(self, y0: State, motions: int) -> list[tuple[int, ...]]:
        """Those of the state."""
        return [leaf.shape for leaf in jax.tree.leaves(y0)]


class ScalarNoise(Noise):
    r"""One Brownian motion for all components: the diffusion has the shape of the state.

    $$ dy_i = f_i\, dt + g_i\, dW $$
    """

    def motions(self, diffusion: State, y0: State) -> int:
        """One."""
        return 1

    def shapes(self, y0: State, motions: int) -> list[tuple[int, ...]]:
        """Those of the state."""
        return [leaf.shape for leaf in jax.tree.leaves(y0)]


class GeneralNoise(Noise):
    r"""Any number m of Brownian motions: the diffusion has the shape of the state and a last axis of length m.

    $$ dy_i = f_i\, dt + \sum_{j=1}^m g_{ij}\, dW_j $$
    """

    def motions(self, diffusion: State, y0: State) -> int:
        """The length of the last axis."""
        shapes = [leaf.shape for leaf in jax.tree.leaves(diffusion)]
        return shapes[0][-1] if shapes and shapes[0] else 1

    def shapes(self, y0: State, motions: int) -> list[tuple[int, ...]]:
        """Those of the state, and the motions."""
        return [(*leaf.shape, motions) for leaf in jax.tree.leaves(y0)]


class Stochastic(Equation):
    r"""An equation whose state is driven by Brownian motions W.

    $$ dy = f(t, y, \text{args})\, dt + g(t, y, \text{args})\, dW $$

    Calling it gives the drift f. A subclass is final and writes `__call__` and `diffusion`.
    """

    noise: eqx.AbstractVar[Noise]  # which motions drive which components
    interpretation: eqx.AbstractVar[Interpretation]

    @abstractmethod
    def diffusion(self, t: Instant, y: State, args: Args) -> State:
        """g, of the shape that `noise` tells."""

    def is_additive(self, t: Scalar, y0: State, args: Args) -> bool:
        """Whether the diffusion can be seen not to depend on the state."""
        flat, unravel = ravel_pytree(jax.tree.map(jnp.zeros_like, y0))

        def along(x: Array) -> Array:
            return ravel_pytree(self.diffusion(t, unravel(flat + x), args))[0]

        return not sparsity(along, flat[:1]).any()

    def is_commutative(self, t: Scalar, y0: State, args: Args) -> bool:
        """Whether areas between the motions play no part: one motion, or each for a component that alone it reads."""
        motions = self.noise.motions(jax.eval_shape(self.diffusion, t, y0, args), y0)
        if motions == 1 or not isinstance(self.noise, DiagonalNoise):
            return motions == 1
        flat, unravel = ravel_pytree(jax.tree.map(jnp.zeros_like, y0))
        if flat.size > MOST_CHECKED:
            return True  # as the noise is declared
        pattern = sparsity(lambda y: ravel_pytree(self.diffusion(t, unravel(y), args))[0], flat)
        return not (pattern & ~np.eye(flat.size, dtype=bool)).any()

    def noise_drift(self, t: Instant, y: State, args: Args) -> State:
        r"""By how much the drift differs in Stratonovich's sense from that in Itô's.

        $$ c_i = \tfrac12 \sum_{jk} g_{jk}\, \partial_{y_j} g_{ik} $$

        Diagonal noise must be commutative.
        """

        def bent(g: Callable[[State], State], direction: State) -> State:
            return jax.jvp(g, (y,), (direction,))[1]

        def whole(y: State) -> State:
            return jax.tree.map(lambda g, y: g.astype(y.dtype), self.diffusion(t, y, args), y)

        if not isinstance(self.noise, GeneralNoise):
            return jax.tree.map(lambda x: x / 2, bent(whole, whole(y)))

        def column(k: Array) -> State:
            def one(y: State) -> State:
                return jax.tree.map(lambda g: g[..., k], whole(y))

            return bent(one, one(y))

        columns = jnp.arange(self.noise.motions(jax.eval_shape(whole, y), y))
        return jax.tree.map(lambda x: x.sum(0) / 2, jax.vmap(column)(columns))


class SDE(Stochastic):
    r"""A stochastic equation from plain functions.

    $$ dy = \text{drift}(t, y, \text{args})\, dt + \text{diffusion}(t, y, \text{args})\, dW $$

    Args:
        drift: `drift(t, y, args)` has the structure and shapes of y.
        diffusion: `diffusion(t, y, args)` has those of y, or with `GeneralNoise` a last axis of Brownian motions.
        noise: `DiagonalNoise()` (a motion for each component), `ScalarNoise()` (one for all) or `GeneralNoise()`.
            That a diffusion does not depend on the state (additive noise) is seen from its program.
        interpretation: `Interpretation.ITO` or `Interpretation.STRATONOVICH`.

    Example:
        >>> import jax
        >>> import continua
        >>> from continua.equations import SDE
        >>> growth = SDE(lambda t, y, args: 0.05 * y, lambda t, y, args: 0.2 * y)
        >>> path = continua.solve(growth, jax.numpy.ones(1), [0.0, 1.0], key=jax.random.key(0), rtol=1e-2)
        >>> print(path.ys.shape, path.status.name)
        (2, 1) SUCCESS
    """

    drift: Callable[[Any, Any, Any], Any]
    diffusion_of: Callable[[Any, Any, Any], Any]
    noise: Noise
    interpretation: Interpretation = eqx.field(static=True)

    def __init__(
        self,
        drift: Callable[[Any, Any, Any], Any],
        diffusion: Callable[[Any, Any, Any], Any],
        noise: Noise = DiagonalNoise(),  # noqa: B008  (it has no contents)
        interpretation: Interpretation = Interpretation.ITO,
    ) -> None:
        self.drift, self.diffusion_of = as_node(drift), as_node(diffusion)
        self.noise, self.interpretation = noise, interpretation

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The drift."""
        return self.drift(t, y, args)

    def diffusion(self, t: Instant, y: State, args: Args) -> State:
        """The diffusion."""
        return self.diffusion_of(t, y, args)


class Driven(Stochastic):
    """A stochastic equation along one path of its noise: what a method steps."""

    equation: Stochastic
    path: Any  # a `BrownianPath`, or what answers like one
    noise: Noise
    interpretation: Interpretation = eqx.field(static=True)

    def __init__(self, equation: Stochastic, path: Any) -> None:
        self.equation, self.path = equation, path
        self.noise, self.interpretation = equation.noise, equation.interpretation

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The drift."""
        return self.equation(t, y, args)

    def diffusion(self, t: Instant, y: State, args: Args) -> State:
        """That of the equation."""
        return self.equation.diffusion(t, y, args)


class Reinterpreted(Stochastic):
    """The same solutions, as an equation in the sense of the other integral: the drift takes the difference."""

    equation: Stochastic
    noise: Noise
    interpretation: Interpretation = eqx.field(static=True)

    def __init__(self, equation: Stochastic) -> None:
        ito = equation.interpretation is Interpretation.ITO
        self.equation, self.noise = equation, equation.noise
        self.interpretation = Interpretation.STRATONOVICH if ito else Interpretation.ITO

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The drift, and what the two integrals differ by."""
        sign = -1 if self.equation.interpretation is Interpretation.ITO else 1
        parts = self.equation(t, y, args), self.equation.noise_drift(t, y, args)
        return jax.tree.map(lambda f, c: f + sign * c.astype(f.dtype), *parts)

    def diffusion(self, t: Instant, y: State, args: Args) -> State:
        """That of the equation."""
        return self.equation.diffusion(t, y, args)


class GeometricBrownianMotion(Stochastic):
    r"""Growth at a rate that fluctuates, of any number of values, each with a Brownian motion of its own.

    $$ dy = \mu y\, dt + \sigma y\, dW, \qquad y(t) = y_0\, e^{(\mu - \sigma^2/2)\, t + \sigma W(t)} $$

    Source: Black & Scholes, J. Polit. Econ. 81 (1973) 637–654.
    """

    states = ("value",)
    mu: Float[Array, ""] = parameter(0.05, "1/time", "mean rate of growth", sign="any")
    sigma: Float[Array, ""] = parameter(0.2, "1/√time", "volatility")
    noise: Noise = DiagonalNoise()
    interpretation: Interpretation = eqx.field(static=True, default=Interpretation.ITO)

    def __call__(self, t: Instant, y: Array, args: Args) -> Array:
        """The drift."""
        return self.mu * y

    def diffusion(self, t: Instant, y: Array, args: Args) -> Array:
        """As large as the value."""
        return self.sigma * y


class OrnsteinUhlenbeck(Stochastic):
    r"""A state that is drawn back to a mean and shaken at a constant rate.

    $$ dy = \theta\, (\mu - y)\, dt + \sigma\, dW, \qquad y(\infty) \sim N\big(\mu, \tfrac{\sigma^2}{2\theta}\big) $$

    Source: Uhlenbeck & Ornstein, Phys. Rev. 36 (1930) 823–841.
    """

    states = ("value",)
    theta: Float[Array, ""] = parameter(1.0, "1/time", "rate of return")
    mu: Float[Array, ""] = parameter(0.0, "value", "mean", sign="any")
    sigma: Float[Array, ""] = parameter(0.5, "value/√time", "strength of the noise")
    noise: Noise = DiagonalNoise()
    interpretation: Interpretation = eqx.field(static=True, default=Interpretation.ITO)

    def __call__(self, t: Instant, y: Array, args: Args) -> Array:
        """The drift."""
        return self.theta * (self.mu - y)

    def diffusion(self, t: Instant, y: Array, args: Args) -> Array:
        """The same everywhere."""
        return jnp.broadcast_to(self.sigma, y.shape)
