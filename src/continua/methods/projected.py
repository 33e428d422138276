"""Steps that end where the state belongs: on an invariant, or in a range."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import Args, Instant, State, as_node
from continua.methods.method import Method, Part, Slope, Step, part_of


class Projected(Method):
    r"""Any method, with a projection after each of its steps.

    $$ y_{n+1} = P\big(t_{n+1}, \Phi_h(y_n)\big) $$

    Args:
        method: what steps.
        projection: `P(t, y, args)` gives the state that is meant, like y: the nearest one on an invariant, or one with
            `jnp.maximum(y, 0)` where nothing can be negative. Where P changes a state by no more than the error of a
            step, the order stays.

    Good for: energies and other invariants over long times; amounts that cannot be negative.

    Source: Hairer, Lubich & Wanner, Geometric Numerical Integration, IV.4.
    """

    method: Method
    projection: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)

    @property
    def order(self) -> int | float:  # type: ignore[override]
        """That of the method inside."""
        return self.method.order

    @property
    def error_order(self) -> int | float | None:  # type: ignore[override]
        """That of the method inside."""
        return self.method.error_order

    @property
    def adaptive(self) -> bool:  # type: ignore[override]
        """Whether the method inside estimates its error."""
        return self.method.adaptive

    @property
    def in_lanes(self) -> bool:  # type: ignore[override]
        """That of the method inside."""
        return self.method.in_lanes

    @property
    def evaluations(self) -> int | None:  # type: ignore[override]
        """Those of the method inside, and one more where a step begins with a slope of its own."""
        return None if self.method.evaluations is None else self.method.evaluations + 1

    def prepared(self, equation: Slope) -> Slope:
        """As the method inside is to see it."""
        return self.method.prepared(equation)

    def parts(self, equation: Slope) -> dict[str, Part]:
        """The projection, and what the method inside needs."""
        return {**self.method.parts(equation), "projection": Part(self.projection)}

    def unfit(self, equation: Slope, t: Instant, y: State, args: Args, adaptive: bool) -> str | None:
        """That of the method inside."""
        return self.method.unfit(equation, t, y, args, adaptive)

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> Any:
        """That of the method inside."""
        return self.method.start(equation, t, y, args)

    def memory(self, t: Instant) -> Array | None:
        """That of the method inside."""
        return self.method.memory(t)

    def recalling(self, memory: Array | None) -> Method:
        """With the method inside recalling it."""
        return replace(self, method=self.method.recalling(memory))

    def remember(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, memory: Array | None
    ) -> Array | None:
        """What the method inside does."""
        return self.method.remember(equation, t, h, y, args, memory)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the method inside, and the projection of its end."""
        step = self.method.step(equation, t, h, y, args, cache)
        end = self._put(equation, t + h, h, jax.tree.map(jnp.add, y, step.increment), y, args)
        increment = jax.tree.map(jnp.subtract, end, y)
        return Step(increment, step.error, self.method.start(equation, t + h, end, args))

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The projection of the dense output of the method inside."""
        inside = self.method.interpolate(equation, t, h, y, args, theta)
        return self._put(equation, t + theta * h, theta * h, inside, y, args)

    def _put(self, equation: Slope, t: Instant, h: Instant, end: State, y: State, args: Args) -> State:
        """The projection; a step of no length stays where it is."""
        put = part_of(equation, "projection", self.projection)(t, end, args)
        return jax.tree.map(lambda p, y: jnp.where(h != 0, p, y), put, y)
