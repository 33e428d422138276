"""How an equation is advanced: the contract of a method."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import Args, Instant, State
from continua.equations import Stochastic

Slope = Callable[[Any, Any, Any], Any]  # an Equation, or anything else that maps (t, y, args) to dy/dt


class Part(NamedTuple):
    """A function that a method needs besides the slope, of (t, y, args), or of (t, h, args) where `of_step`.

    `like_state` tells whether it gives a state; any other PyTree of arrays becomes one vector on flat states.
    """

    function: Slope
    like_state: bool = True
    of_step: bool = False


def part_of(equation: Slope, name: str, own: Slope | None = None) -> Slope:
    """The function of a `Part`: on flat states the driver's, else its own or the equation's."""
    flat = dict(getattr(equation, "flat_parts", ()))
    return flat[name] if name in flat else getattr(equation, name) if own is None else own


class Step(NamedTuple):
    """One step: `y + increment` is the new state; `error` estimates its local error (None: not known).

    A method that finds the new state itself gives it as `end`: of a large field, sums cost as much as steps.
    """

    increment: State
    error: State | None
    cache: Any
    end: State | None = None

    def after(self, y: State) -> State:
        """The new state."""
        return jax.tree.map(jnp.add, y, self.increment) if self.end is None else self.end


class Method(eqx.Module):
    """Advances one step, and knows nothing of loops, tolerances or batches.

    `t` and `h` are scalars for a PyTree `y`; inside the driver they are [1] for y [state] and [1, lane] for
    y [state, lane]: write `h * k`, and all of them work. `cache` only saves work: `step(…, cache)` must equal
    `step(…, start(t, y))`, so that a step is a function of (t, h, y, args) alone and can be recomputed in reverse.
    h = 0 gives increment 0. A new method writes `order` and `step`.
    """

    order: ClassVar[int | float]  # of a stochastic method, the strong one
    adaptive: ClassVar[bool] = False  # whether `step` estimates its error
    error_order: ClassVar[int | float | None] = None  # of that estimate in h, where it is not `order`
    evaluations: ClassVar[int | None] = 1  # of the equation, a step; None where it changes from step to step
    dense_order: ClassVar[int | float] = 3  # of `interpolate`, where `order` is not lower
    in_lanes: ClassVar[bool] = True  # whether it takes [1, lane]; what does not is mapped by JAX

    def parts(self, equation: Slope) -> dict[str, Part]:
        """Functions besides the slope, its own or the equation's, which it asks for by `part_of`."""
        return {}

    def unfit(self, equation: Slope, t: Instant, y: State, args: Args, adaptive: bool) -> str | None:
        """Why it cannot step this equation, and what can, as the end of an error message; None where it can."""
        if not isinstance(equation, Stochastic):
            return None
        name = type(self).__name__
        return f"must step an equation with noise. Got {name}(). Use EulerMaruyama(), or no `method` at all"

    def prepared(self, equation: Slope) -> Slope:
        """The equation as this method is to see it; whoever flattens it asks for that first."""
        return equation

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> Any:
        """The cache at the first point."""
        return None

    def memory(self, t: Instant) -> Array | None:
        """What it remembers of earlier attempts before the first: [number, …] like `t`, or None for nothing.

        It is kept beside the state in the record, so that every step is stepped again as it was; a constant.
        """
        return None

    def recalling(self, memory: Array | None) -> "Method":
        """The method as it steps with such a memory."""
        return self

    def phases(self) -> "tuple[Method, ...]":
        """The methods that it is where its memory is known, which begins with the number of the one that steps."""
        return ()

    def remember(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, memory: Array | None
    ) -> Array | None:
        """The memory behind an attempt of length `h`, 0 of none, that was kept or not and left the state at (t, y)."""
        return memory

    @abstractmethod
    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step from (t, y) to t + h."""

    def advance(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args) -> State:
        r"""The step map $y_n \mapsto y_{n+1}$, as a function of its inputs alone."""
        return self.step(equation, t, h, y, args, self.start(equation, t, y, args)).after(y)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        r"""The solution at $t + \theta h$, recomputed from the start of the step: cubic Hermite unless overridden."""
        end = self.advance(equation, t, h, y, args)
        first, last = equation(t, y, args), equation(t + h, end, args)
        past, left = theta, 1 - theta

        def hermite(y0: Any, y1: Any, f0: Any, f1: Any) -> Any:
            chord = y0 + past * past * (3 - 2 * past) * (y1 - y0)
            return chord + h * past * left * (left * f0 - past * f1)

        return jax.tree.map(hermite, y, end, first, last)

    def pullback(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cotangent: State
    ) -> tuple[State, Args]:
        r"""The transposed step $\lambda \mapsto (\partial_y \Phi^\top \lambda,\; \partial_{args} \Phi^\top \lambda)$.

        JAX transposes `advance` here; a method overrides this for speed, never for meaning.
        """
        _, transpose = jax.vjp(lambda y, args: self.advance(equation, t, h, y, args), y, args)
        return transpose(cotangent)
