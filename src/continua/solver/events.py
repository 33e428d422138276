r"""Events: where a condition changes its sign, steps end there, and the state may be set anew.

$$ g(t^*, y(t^*)) = 0, \qquad y(t^*_+) = R(t^*, y(t^*_-)) $$

The event is located on the step map itself: a step that crosses is taken again, shorter, until it ends on the event to
the last digits of t. So recorded steps stay steps of the method, and derivatives those of the computed numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import FlatState, Instant, State, Verdict, as_node
from continua.solver.field import Parameters

MOST_TRIALS = 64  # of ITP's root search: enough for the last digit of any bracket


class Event(eqx.Module):
    r"""Something that happens where $g(t, y, \text{args})$ changes its sign.

    Args:
        condition: `g(t, y, args)`, one number, smooth near its roots.
        direction: 1 for rising only, -1 for falling only, 0 for both.
        terminal: whether the solve ends there.
        reset: `reset(t, y, args)` gives the state behind the event, with the structure of y; None leaves it alone.

    Example:
        >>> import jax.numpy as jnp
        >>> from continua.solver import solve
        >>> ground = Event(lambda t, y, args: y[0], direction=-1, terminal=True)
        >>> fall = solve(
        ...     lambda t, y, g: jnp.stack([y[1], -g]),
        ...     jnp.array([1.0, 0.0]),
        ...     jnp.array([0.0, 9.0]),
        ...     args=2.0,
        ...     events=ground,
        ... )
        >>> print(f"{fall.events.ts[0]:.3f}", fall.status.name)
        1.000 EVENT
    """

    condition: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)
    direction: int = eqx.field(static=True, default=0)
    terminal: bool = eqx.field(static=True, default=False)
    reset: Callable[[Any, Any, Any], Any] | None = eqx.field(converter=as_node, default=None)


class Happened(eqx.Module):
    """The events of a solve, in order; what never happened is NaN. Those of a batch have its axis in front.

    Attributes:
        ts: [happening], when.
        ys: the structure of y0, each leaf [happening, …]: the state when it happened, before a reset.
        which: [happening, event], which of the events.
        count: how many happened.
    """

    ts: Array
    ys: State
    which: Array
    count: Array

    def of(self, number: int) -> tuple[Array, State]:
        """(times, states) of the event with this number, without what never happened; not under a transformation.

        Those of a batch follow each other, trajectory by trajectory.
        """
        chosen = self.which[..., number]
        return jax.tree.map(lambda x: jnp.asarray(x[chosen]), (self.ts, self.ys))


class Watch(NamedTuple):
    """The events as the loop sees them: on flat states, of one trajectory or of lanes.

    `conditions` gives [event], each of `resets` a flat state; a step's events are one number, the sum of their powers
    of two: 0 for none, -1 where a condition is not finite.
    """

    conditions: Any
    resets: tuple[Any, ...]
    directions: tuple[int, ...]
    terminal: tuple[bool, ...]
    most: int

    def in_lanes(self, mapped: Sequence[bool]) -> "Watch":
        """The same over lanes."""
        resets = tuple(None if reset is None else reset.in_lanes(mapped) for reset in self.resets)
        return self._replace(conditions=self.conditions.in_lanes(mapped), resets=resets)

    def of(self, moving: Sequence[int], parameters: Parameters) -> "Watch":
        """The same as functions of the `moving` parameters alone."""
        resets = tuple(None if reset is None else reset.of(moving, parameters) for reset in self.resets)
        return self._replace(conditions=self.conditions.of(moving, parameters), resets=resets)

    def ends(self, mark: Array) -> Verdict:
        """Whether a step's events end the solve."""
        return jnp.any(self.fired(mark) & self._column(self.terminal, mark), 0, keepdims=True) | (mark < 0)

    def fired(self, mark: Array) -> Array:
        """[event] or [event, lane]: the events of a mark."""
        powers = self._column([2.0**k for k in range(len(self.terminal))], mark).astype(mark.dtype)
        return jnp.floor(jnp.maximum(mark, 0) / powers) % 2 == 1

    def mark(self, fired: Array, dtype: Any) -> Array:
        """One number for the events that happened."""
        powers = self._column([2.0**k for k in range(len(self.terminal))], fired).astype(dtype)
        return jnp.sum(jnp.where(fired, powers, 0), 0, keepdims=True)

    def _column(self, values: Sequence[Any], like: Array) -> Array:
        return jnp.asarray(values).reshape(-1, *[1] * (like.ndim - 1))

    def crossed(self, before: Array, after: Array) -> Array:
        """[event]: which conditions changed their sign, in the direction asked for."""
        directions = self._column(self.directions, before)
        rising = (before < 0) & (after >= 0) & (directions >= 0)
        falling = (before > 0) & (after <= 0) & (directions <= 0)
        return rising | falling

    def at_start(self, field: Any, t: Instant, h: Instant, y: FlatState, p: Parameters, mark: Array) -> Array:
        """The conditions at the start of a step; of those that have just happened there, the side to which they go."""
        along = (jnp.ones_like(t), field(t, y, p))
        values, slopes = jax.jvp(lambda t, y: self.conditions(t, y, p), (t, y), along)
        change = h * slopes
        at_root = jnp.abs(values) <= jnp.sqrt(jnp.finfo(y.dtype).eps) * jnp.abs(change)
        return jnp.where((self.fired(mark) & at_root) | (values == 0), 1e-3 * change, values)

    def locate(
        self, state_at: Callable[[Array], FlatState], t: Instant, h: Instant, p: Parameters, values: Sequence[Array]
    ) -> tuple[Array, Array]:
        """(θ, which [event]): the part of the step up to its first event; 1 and nothing where it has none.

        `values` are the conditions at θ = 0, 1/2, 1. Where several happen in a step, the one whose chord crosses first
        leads the search, so that the smallest root is met unless conditions swing within half a step.
        Source: Oliveira & Takahashi, ACM TOMS 47 (2021) 5: the ITP method.
        """
        start, middle, end = values
        early = jnp.any(self.crossed(start, middle), 0, keepdims=True)
        happens = early | jnp.any(self.crossed(middle, end), 0, keepdims=True)
        a, b = jnp.where(early, 0.0, 0.5).astype(h.dtype), jnp.where(early, 0.5, 1.0).astype(h.dtype)
        ga, gb = jnp.where(early, start, middle), jnp.where(early, middle, end)
        grain = 2 * jnp.finfo(h.dtype).eps
        width = grain * jnp.maximum(1, jnp.abs(t) / jnp.maximum(jnp.abs(h), jnp.finfo(h.dtype).tiny))

        def wide(carry: tuple[Array, ...]) -> Array:
            a, b, _, _, n = carry
            return happens & (b - a > 2 * width) & (n < MOST_TRIALS)

        def trial(carry: tuple[Array, ...]) -> tuple[Array, ...]:
            a, b, ga, gb, n = carry
            on = wide(carry)
            theta = self._itp(a, b, ga, gb, width, n)
            g = self.conditions(t + theta * h, state_at(theta), p)
            left = jnp.any(self.crossed(ga, g), 0, keepdims=True)
            return (
                jnp.where(on & ~left, theta, a),
                jnp.where(on & left, theta, b),
                jnp.where(on & ~left, g, ga),
                jnp.where(on & left, g, gb),
                n + 1,
            )

        _, b, ga, gb, _ = lax.while_loop(lambda c: jnp.any(wide(c)), trial, (a, b, ga, gb, jnp.zeros((), jnp.int32)))
        soon = jnp.minimum(b + 8 * width, 1)  # what happens within rounding happens at the same time
        also = lax.cond(
            jnp.any(happens), lambda: self.conditions(t + soon * h, state_at(soon), p), lambda: jnp.zeros_like(gb)
        )
        return jnp.where(happens, b, 1), (self.crossed(ga, gb) | self.crossed(ga, also)) & happens

    def _itp(self, a: Array, b: Array, ga: Array, gb: Array, width: Array, n: Array) -> Array:
        """The next trial: the chord's root, moved towards the middle so that the search is no longer than bisection."""
        gap = jnp.where(ga == gb, 1, ga - gb)
        chord = jnp.where(self.crossed(ga, gb), a + (b - a) * jnp.clip(ga / gap, 0, 1), b)
        chord, middle = jnp.min(chord, 0, keepdims=True), (a + b) / 2
        toward = jnp.sign(middle - chord)
        shift = 0.4 * (b - a) ** 2
        truncated = jnp.where(shift <= jnp.abs(middle - chord), chord + toward * shift, middle)
        most = jnp.ceil(jnp.log2(0.5 / (2 * width))) + 1
        reach = jnp.maximum(width * 2.0 ** (most - n.astype(width.dtype)) - (b - a) / 2, 0)
        return jnp.where(jnp.abs(truncated - middle) <= reach, truncated, middle - toward * reach)

    def reset(self, t: Instant, y: FlatState, p: Parameters, mark: Array) -> FlatState:
        """The state behind the events of a mark."""
        for fired, reset in zip(self.fired(mark), self.resets, strict=True):
            y = y if reset is None else jnp.where(fired, reset(t, y, p), y)
        return y

    def delay(self, field: Any, t: Instant, y: FlatState, p: Parameters, mark: Array) -> Instant:
        r"""By how much later the first event of the mark happens: zero, with its derivative.

        $$ \delta t^* = -\frac{\partial_y g\, \delta y + \partial_p g\, \delta p}{\partial_t g + \partial_y g\, f} $$
        """
        leading = jnp.cumsum(self.fired(mark), 0) == 1
        leading &= self.fired(mark)

        def condition(t: Instant, y: FlatState, p: Parameters) -> Array:
            return jnp.sum(jnp.where(leading, self.conditions(t, y, p), 0), 0, keepdims=True)

        fixed_t, fixed_y, fixed_p = lax.stop_gradient((t, y, p))
        along = (jnp.ones_like(t), field(fixed_t, fixed_y, fixed_p))
        _, rate = jax.jvp(lambda t, y: condition(t, y, fixed_p), (fixed_t, fixed_y), lax.stop_gradient(along))
        value = condition(fixed_t, y, p)
        return jnp.where(rate != 0, -(value - lax.stop_gradient(value)) / jnp.where(rate != 0, rate, 1), 0)

    def passed(self, field: Any, t: Instant, y: FlatState, p: Parameters, mark: Array) -> FlatState:
        r"""The state behind the events, with its derivative at fixed t: the saltation map.

        $$ \delta y_+ = \partial_y R\, (\delta y_- + f_-\, \delta t^*) + (\partial_t R - f_+)\, \delta t^*
           + \partial_p R\, \delta p $$

        Source: Aizerman & Gantmakher, Q. J. Mech. Appl. Math. 11 (1958) 52-65.
        """
        later = self.delay(field, t, y, p, mark)
        speed = field(*lax.stop_gradient((t, y, p)))
        behind = self.reset(t + later, y + lax.stop_gradient(speed) * later, p, mark)
        after = lax.stop_gradient(field(*lax.stop_gradient((t, behind, p))))
        return jnp.where(self.ends(mark) | (mark == 0), y, behind - after * later)

    def when(self, field: Any, t: Instant, y: FlatState, p: Parameters, mark: Array) -> tuple[Instant, FlatState]:
        """Time and state of the events of a mark, before a reset, with their derivatives."""
        later = self.delay(field, t, y, p, mark)
        return t + later, y + lax.stop_gradient(field(*lax.stop_gradient((t, y, p)))) * later
