"""Several steps of a method as one: what the driver keeps, and what a field looks up beyond its faces, is paid once."""

from collections.abc import Sequence
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentError, Instant, State
from continua.equations import Spatial
from continua.methods.explicit_runge_kutta import ExplicitRungeKutta
from continua.methods.method import Method, Part, Slope, Step, part_of


class Substeps(Method):
    r"""`count` equal steps of a method as one step.

    $$ \Phi_h = \big(\phi_{h/m}\big)^m $$

    Fields with stencils take them on one wide halo where that is the same, tile by tile: a heat equation of 1024²
    points then takes a quarter of the time.

    Args:
        method: what steps.
        count: m, how many.
        devices: over which the first axis of a field is divided, for example `jax.devices()` (see
            `continua.configure`); one unless given. They exchange what lies at the cuts once for many steps.

    Good for: explicit steps on a grid. With `Fixed(h)`, `h` is that of all m steps together.
    """

    method: Method
    count: int = eqx.field(static=True)
    devices: Sequence[Any] = eqx.field(static=True, converter=tuple, default=())

    in_lanes = False

    def __check_init__(self) -> None:
        if self.count < 1:
            raise ArgumentError(f"`count` of Substeps must be at least 1. Got {self.count}.")

    @property
    def order(self) -> int | float:  # type: ignore[override]
        """That of the method inside."""
        return self.method.order

    @property
    def evaluations(self) -> int | None:  # type: ignore[override]
        """Those of all steps."""
        each = self.method.evaluations
        return None if each is None else each * self.count

    def prepared(self, equation: Slope) -> Slope:
        """As the method inside is to see it."""
        return self.method.prepared(equation)

    def unfit(self, equation: Slope, t: Instant, y: State, args: Args, adaptive: bool) -> str | None:
        """That of the method inside; only a field that repeats is divided over devices."""
        if len(self.devices) > 1 and not self._repeats(equation):
            return (
                "must have no `devices` where steps are taken in turn: only explicit Runge–Kutta steps can be divided, "
                "of fields whose ghosts go on by themselves. Use Substeps(method, count)"
            )
        return self.method.unfit(equation, t, y, args, adaptive)

    def parts(self, equation: Slope) -> dict[str, Part]:
        """What the method inside needs; of a field that repeats, all steps at once."""
        if self._repeats(equation):
            return {"steps": Part(self._at_once(cast(Spatial, equation)))}
        return self.method.parts(equation)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """All steps at once, or in turn."""
        if self._repeats(equation):
            end = self._at_once(cast(Spatial, equation))(h, y, args)
        elif "steps" in dict(getattr(equation, "flat_parts", ())):
            end = part_of(equation, "steps")(h, y, args)
        else:
            end, each = y, h / self.count
            for i in range(self.count):
                end = self.method.advance(equation, t + i * each, each, end, args)
        return Step(jax.tree.map(jnp.subtract, end, y), None, None, end)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """Shorter steps: of the method's order, and stable where the step is."""
        return self.advance(equation, t, theta * h, y, args)

    def _repeats(self, equation: Slope) -> bool:
        return isinstance(equation, Spatial) and isinstance(self.method, ExplicitRungeKutta) and equation.repeats()

    def _at_once(self, equation: Spatial) -> Slope:
        def one(equation: Slope, y: State, known: tuple[Instant, Args]) -> State:
            each, args = known
            return self.method.advance(equation, jnp.zeros_like(each), each, y, args)

        def steps(h: Instant, y: State, args: Args) -> State:
            known, stages = (h / self.count, args), self.method.evaluations or 1
            return equation.repeated(one, stages, self.count, y, known, self.devices)

        return steps
