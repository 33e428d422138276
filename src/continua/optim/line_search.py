"""How far to go along a direction: until the value has fallen enough, and the slope has flattened."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from continua.optim.objective import Objective, Point, Value, Vector

LOWER, FLATTER = 1e-4, 0.9  # of the first slope: what the value must fall by, and what may be left of the slope
MOST = 30  # evaluations


class Found(NamedTuple):
    """Where a search ended."""

    point: Point
    length: Value
    evaluations: Int[Array, ""]
    good: Bool[Array, ""]


class Trial(NamedTuple):
    """What is seen at a length."""

    length: Value
    point: Point
    rise: Value  # the slope there
    low: Bool[Array, ""]  # whether the value has fallen enough


class Bracket(NamedTuple):
    """The search between two ends; `right` is infinite until something too high or too steep was met."""

    left: Value
    right: Value
    values: tuple[Value, Value]  # at both ends
    slopes: tuple[Value, Value]
    best: Point  # at the left end
    trial: Value
    point: Point  # at the last trial
    length: Value  # of the last trial
    tried: Int[Array, ""]
    done: Bool[Array, ""]


def wolfe(
    objective: Objective,
    here: Point,
    direction: Vector,
    first: Value,
    flatter: float = FLATTER,
    twice: bool = False,
    likely: bool = False,
) -> Found:
    r"""A length t with the conditions of Wolfe, by bracketing and cubic interpolation.

    $$ f(x + t d) \le f(x) + c_1 t\, \nabla f \cdot d, \qquad
       |\nabla f(x + t d) \cdot d| \le c_2 |\nabla f(x) \cdot d| $$

    With `twice` the first trial is good only where it happens to be a minimum, so that the second one is the minimum
    of a quadratic function. Where the first trial is `likely` good, it stands before the loop of the others: quicker
    where the function takes no time, and compiled twice. Where round-off hides the first condition, the slope decides:
    $\nabla f(x + t d) \cdot d \le (2 c_1 - 1) \nabla f \cdot d$.

    Source: Nocedal & Wright, Numerical Optimization (2006), 3.5; Hager & Zhang, SIAM J. Optim. 16 (2005) 170–192.
    """
    slope = here.gradient @ direction
    noise = 10 * jnp.finfo(here.x.dtype).eps * jnp.abs(here.value)
    zero, infinite = jnp.zeros_like(slope), jnp.full_like(slope, jnp.inf)

    def tried(t: Value) -> Trial:
        point = objective.at(here.x + t * direction)
        rise = point.gradient @ direction
        finite = jnp.isfinite(point.value) & jnp.isfinite(rise)
        low = point.value <= here.value + LOWER * t * slope
        hidden = (point.value <= here.value + noise) & (rise <= (2 * LOWER - 1) * slope)
        return Trial(t, point, rise, finite & (low | hidden))

    def flat(trial: Trial, left: Array | float) -> Bool[Array, ""]:
        return trial.low & (jnp.abs(trial.rise) <= -left * slope)

    def judged(b: Bracket, trial: Trial) -> Bracket:
        t, point, rise, low = trial
        done = b.done | flat(trial, jnp.where(b.tried > 0, flatter, 1e-3 if twice else flatter))
        high = ~low | ((point.value > b.values[0] + noise) & (b.left > 0))
        closes = high | (rise >= 0)  # a minimum lies between the left end and here
        moves = ~closes
        left, right = jnp.where(moves, t, b.left), jnp.where(closes, t, b.right)
        values = jnp.where(moves, point.value, b.values[0]), jnp.where(closes, point.value, b.values[1])
        slopes = jnp.where(moves, rise, b.slopes[0]), jnp.where(closes, rise, b.slopes[1])
        best = Point(*(jnp.where(moves, new, old) for new, old in zip(point, b.best, strict=True)))
        after = Bracket(left, right, values, slopes, best, t, point, t, b.tried + 1, done)
        return after._replace(trial=_next(after, b))

    def searched(start: Bracket) -> Found:
        end = lax.while_loop(lambda b: ~b.done & (b.tried < MOST), lambda b: judged(b, tried(b.trial)), start)
        good = end.done & (slope < 0)
        # Out of evaluations, the lowest point with enough descent still serves.
        some = ~good & (end.left > 0)
        point = Point(
            *(jnp.where(good, a, jnp.where(some, b, c)) for a, b, c in zip(end.point, end.best, here, strict=True))
        )
        moved = (point.x != here.x).any()
        return Found(point, jnp.where(good, end.length, end.left), end.tried, (good | some) & moved)

    start = Bracket(
        zero, infinite, (here.value, here.value), (slope, zero), here, first, here, zero, jnp.zeros((), jnp.int32),
        slope >= 0,
    )  # fmt: skip
    if not likely:
        return searched(start)
    trial = tried(first)
    good = flat(trial, flatter) & (slope < 0) & (trial.point.x != here.x).any()
    return lax.cond(
        good, lambda: Found(trial.point, first, jnp.ones((), jnp.int32), good), lambda: searched(judged(start, trial))
    )


def _next(b: Bracket, before: Bracket) -> Value:
    """The next trial: by a cubic through both ends, kept inside them, or further out."""
    open_ended = jnp.isinf(b.right)
    far_value, far_slope = b.values[1], b.slopes[1]
    width = jnp.where(open_ended, 1, b.right - b.left)
    secant = (far_value - b.values[0]) / width
    theta = b.slopes[0] + far_slope - 3 * secant
    under = theta**2 - b.slopes[0] * far_slope
    root = jnp.sqrt(jnp.maximum(under, 0))
    share = 1 - (far_slope + root - theta) / (far_slope - b.slopes[0] + 2 * root)
    usable = jnp.isfinite(share) & jnp.isfinite(far_value) & (under >= 0)
    # The first interpolation is trusted nearly to the ends; later ones must shorten the bracket.
    edge = jnp.where(b.tried == 1, 1e-3, 0.1)
    guess = jnp.where(usable, share, jnp.where(jnp.isfinite(far_value), 0.5, 0.1))
    inside = b.left + width * jnp.clip(guess, edge, 1 - edge)
    # Outside, where the slope would vanish if it went on changing like this, but at most ten times as far.
    bend = (b.slopes[0] - before.slopes[0]) / jnp.where(b.left > before.left, b.left - before.left, 1)
    aim = b.left - b.slopes[0] / jnp.where(bend > 0, bend, 1)
    outside = jnp.clip(jnp.where(bend > 0, aim, jnp.inf), 1.01 * b.left, 10 * b.left)
    return jnp.where(open_ended, outside, inside)
