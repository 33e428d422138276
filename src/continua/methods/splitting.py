"""Splitting: each part of a sum is stepped by a method of its own."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentTypeError, Instant, State
from continua.equations import SplitODE
from continua.methods.method import Method, Part, Slope, Step, part_of


class Half(NamedTuple):
    """A part of an equation as the method inside is to see it, with the functions that this needs besides."""

    slope: Slope
    flat_parts: tuple[tuple[str, Slope], ...]

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slope."""
        return self.slope(t, y, args)


def split_of(method: Method, equation: Slope) -> SplitODE:
    """The equation as a sum, or an error that says what `method` needs."""
    if not isinstance(equation, SplitODE):
        raise ArgumentTypeError(
            f"`equation` of `{type(method).__name__}` must be a SplitODE. Got {type(equation).__name__}. "
            "Use SplitODE(stiff, rest), or method=Tsit5() or Rodas5P()."
        )
    return equation


class Splitting(Method):
    """The step that both splittings share: `turns` of (which part, what share of the step)."""

    stiff: eqx.AbstractVar[Method]
    rest: eqx.AbstractVar[Method]

    turns: ClassVar[tuple[tuple[str, float], ...]]
    evaluations: ClassVar[int | None] = None

    def parts(self, equation: Slope) -> dict[str, Part]:
        """Both parts, and what the methods inside need for them."""
        split, found = split_of(self, equation), {}
        for name in ("stiff", "rest"):
            method, part = getattr(self, name), getattr(split, name)
            found |= {f"{name} {inner}": own for inner, own in method.parts(part).items()}
            found[name] = Part(method.prepared(part))
        return found

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of each method in turn, each part at its own time."""
        moved, times = y, {"stiff": t, "rest": t}
        for name, share in self.turns:
            method: Method = getattr(self, name)
            moved = method.advance(self._part(equation, name), times[name], share * h, moved, args)
            times[name] = times[name] + share * h
        return Step(jax.tree.map(jnp.subtract, moved, y), None, None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """A shorter step: slopes of a stiff part would make a polynomial overshoot."""
        return self.advance(equation, t, theta * h, y, args)

    def _part(self, equation: Slope, name: str) -> Slope:
        flat = getattr(equation, "flat_parts", ())
        if not flat:
            return getattr(equation, name)
        inner = tuple((key.removeprefix(f"{name} "), part) for key, part in flat if key.startswith(f"{name} "))
        return Half(part_of(equation, name), inner)


class Lie(Splitting):
    r"""Lie–Trotter splitting, order 1.

    $$ y_{n+1} = \Phi^{\text{rest}}_h \circ \Phi^{\text{stiff}}_h (y_n) $$

    Args:
        stiff: the method for the `stiff` part of a `SplitODE`.
        rest: the method for its `rest`.

    Good for: parts that must each keep a bound or an invariant, at low accuracy.

    Source: Trotter, Proc. Amer. Math. Soc. 10 (1959) 545–551; Hairer, Lubich & Wanner, II.5.
    """

    stiff: Method
    rest: Method

    order = 1
    dense_order = 1
    turns = (("stiff", 1.0), ("rest", 1.0))


class Strang(Splitting):
    r"""Strang splitting, order 2 (or that of the methods inside, if lower).

    $$ y_{n+1} = \Phi^{\text{stiff}}_{h/2} \circ \Phi^{\text{rest}}_h \circ \Phi^{\text{stiff}}_{h/2} (y_n) $$

    Args:
        stiff: the method for the `stiff` part of a `SplitODE`, which takes two half steps: `ETD1()` is exact for a
            linear one, `Rodas5P()` serves any other.
        rest: the method for its `rest`.

    Good for: parts that have good methods of their own: mechanics with friction, diffusion with reactions, a wave
    beside a nonlinearity. Where the stiff part is very fast and does not commute with the rest, the order sinks to one.

    Source: Strang, SIAM J. Numer. Anal. 5 (1968) 506–517; Hundsdorfer & Verwer, Numerical Solution of Time-Dependent
    Advection-Diffusion-Reaction Equations (2003), IV.
    """

    stiff: Method
    rest: Method

    turns = (("stiff", 0.5), ("rest", 1.0), ("stiff", 0.5))

    @property
    def order(self) -> int | float:  # type: ignore[override]
        """Two, if the methods inside have it."""
        return min(2, self.stiff.order, self.rest.order)

    @property
    def dense_order(self) -> int | float:  # type: ignore[override]
        """The same."""
        return self.order
