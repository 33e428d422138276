r"""Sequential quadratic programming: Newton's method for the conditions of Karush, Kuhn and Tucker.

Each step solves a quadratic problem with linearised constraints whose violation costs ν a unit. It always has a
solution, even where the linearised constraints contradict each other, and its dual is a problem between bounds:

$$ \min_{|\lambda_E| \le \nu,\; 0 \le \lambda_I \le \nu}
   \tfrac12 \lambda^\top J H^{-1} J^\top \lambda - b \cdot \lambda, \qquad b = J H^{-1} \nabla f - c $$
"""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from continua.optim.constraints import Constrained, Domain
from continua.optim.definite import is_positive, positive
from continua.optim.objective import Objective, Point, Stand, Unknowns, Value, Vector

Rows = Float[Array, " row"]

FIRM = 1e-8  # of the mean curvature: the least 1/h, which directions without curvature need
SOFT = 1e-3  # of the mean curvature: a Hessian with less somewhere is not taken for positive
STIFF = 10.0  # how much stiffer than the function constraints are made where the Hessian alone is not positive
DEAREST = 1e10  # of the first price of a violation: dearer, no constraint can be mended
HOPELESS = 1 - 1e-3  # of a violation: what a step may leave before the constraints count as contradictory
LOWER = 1e-4  # of the predicted descent: what is asked for
HALVINGS = 25
DEPENDENCE = 1e-11  # added to the dual of unit diagonal: constraints that depend on each other share their multiplier
TURNS = 60  # of the search for the active constraints


class Course(NamedTuple):
    """What is known at a point besides the function, and what outlives it."""

    values: Rows  # of constraints, and behind them of bounds
    normals: Float[Array, "row n"]  # their gradients
    multipliers: Rows
    price: Value  # ν
    damping: Value  # 1/h
    residual: Value  # of the conditions
    hopeless: Bool[Array, ""]


class SQP(Constrained):
    r"""Sequential quadratic programming with exact second derivatives, for up to some hundred parameters.

    $$ \min_\Delta \nabla f \cdot \Delta + \tfrac12 \Delta^\top (\nabla^2 L + \tfrac1h I) \Delta
       + \nu\, |c + J \Delta|_{\text{missed}} $$

    It converges quadratically. Where ∇²L is not positive definite, active constraints are made stiff, which does not
    change where they hold, and 1/h is raised if that is not enough. A step must lower f + ν |c|; where the bend of a
    constraint spoils it, it is corrected to second order. ν grows until constraints hold.

    Source: Nocedal & Wright, Numerical Optimization (2006), chapter 18; Fletcher, Practical Methods of Optimization
    (1987), 14.3 (the price of violations); Bertsekas (1982) (the dual between its bounds).
    """

    monotone: ClassVar[bool] = False
    domain: Domain | None = None

    def start(self, x: Vector) -> Course:
        """No multipliers; the price of a violation comes with the first step."""
        zero = jnp.zeros((), x.dtype)
        values, normals = self.rows(x), jax.jacfwd(self.rows)(x)
        nothing = jnp.zeros_like(values)
        return Course(values, normals, nothing, zero, zero, jnp.full_like(zero, jnp.inf), jnp.asarray(False))

    def slope(self, stand: Stand) -> Value:
        """The largest entry of the conditions."""
        return stand.own.residual

    def unit(self, first: Value, value: Value) -> Value:
        """One: constraints are measured by themselves."""
        return jnp.ones_like(value)

    def infeasible(self, stand: Stand) -> Bool[Array, ""]:
        """Whether a step at the highest price left the violation as it was."""
        return stand.own.hopeless

    def unknowns(self, stand: Stand) -> Unknowns:
        """x, on the bounds that are active, and the multipliers of constraints."""
        return jnp.concatenate([stand.here.x, stand.own.multipliers[: sum(self.room.sizes)]])

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step."""
        here, own = stand.here, stand.own
        equal = self.equal
        model = _modelled(self._lagrangian(objective, own.multipliers).hessian(here.x), here, own, equal)
        price = jnp.where(own.price > 0, own.price, _first_price(here, own))
        multipliers, move = model.solved(own.values, own.multipliers, price, equal)
        left, missed = _missed(own.values + own.normals @ move, equal), _missed(own.values, equal)
        lost = missed - left
        # The price is what makes the step a descent of f + ν |c|: more than any multiplier.
        limit = DEAREST * _first_price(here, own)
        dear = jnp.minimum(jnp.maximum(price, 2 * jnp.abs(multipliers).max(initial=0)), limit)
        fall = dear * lost - here.gradient @ move
        trial = _searched(self, objective, here, own, move, model, multipliers, dear, fall)
        x = trial.x
        # What the quadratic problem holds at a bound is there, without round-off.
        n, at = x.size, trial.multipliers[sum(self.room.sizes) :]
        low, high = jnp.split(self._spread(at), 2)
        x = jnp.where(trial.whole & (low > 0), self.room.low, jnp.where(trial.whole & (high > 0), self.room.high, x))
        x = jnp.where(trial.good, x, here.x)
        point = objective.at(x)
        values, normals = self.rows(x), jax.jacfwd(self.rows)(x)
        settled = jnp.where(trial.good, trial.multipliers, multipliers)
        residual = _residual(point, values, normals, settled, equal)
        stubborn = (left > 0.5 * missed) & (left > 1e-6 * jnp.maximum(1, jnp.abs(own.values).max()))
        noise = jnp.finfo(x.dtype).eps * (jnp.abs(here.value) + dear * missed)
        over = (jnp.abs(fall) <= 100 * noise) & (residual > 0.5 * own.residual) & (own.residual < jnp.inf)
        hopeless = (left > HOPELESS * missed) & (dear >= limit) & (missed > 1e-5) & (model.damping < 1e3 * model.size)
        grown = jnp.where(stubborn, jnp.minimum(10 * dear, limit), dear)
        damping = jnp.where(
            trial.good,
            jnp.where(trial.whole, model.damping / 10, model.damping),
            jnp.maximum(10 * model.damping, 1e-3 * model.size),
        )
        stuck = hopeless | (~trial.good & (model.damping > 1e8 * model.size)) | (over & ~stubborn)
        # At the end, of two points within round-off the one closer to the conditions.
        better = ~(over & (residual > own.residual))
        course = Course(values, normals, settled, grown, damping, residual, hopeless)
        before = own._replace(price=grown, hopeless=hopeless)
        course = Course(*(jnp.where(better, new, old) for new, old in zip(course, before, strict=True)))
        point = Point(*(jnp.where(better, new, old) for new, old in zip(point, here, strict=True)))
        return Stand(point, course, stand.evaluations + trial.evaluations + 1 + n, stuck)

    def _lagrangian(self, objective: Objective, multipliers: Rows) -> Objective:
        """Bounds, which are linear, do not bend it."""
        return self.lagrangian(objective, multipliers[: sum(self.room.sizes)])

    @property
    def equal(self) -> np.ndarray:
        """Which rows must be zero: no bound."""
        return np.concatenate([self.room.equal, np.zeros(len(self.room.bounded), bool)])

    def rows(self, x: Vector) -> Rows:
        """All that is constrained, bounds too: zero, or not negative. A bound that is infinite is one away."""
        room = self.room
        apart = jnp.concatenate([x - room.low, room.high - x])[np.asarray(room.bounded, int)]
        return jnp.concatenate([room.values(x), jnp.where(jnp.isfinite(apart), apart, 1)])

    def _spread(self, of_bounds: Rows) -> Float[Array, " both"]:
        """The multipliers of all bounds, lower and upper, from those of the finite ones."""
        nothing = jnp.zeros(2 * self.room.low.size, of_bounds.dtype)
        return nothing.at[np.asarray(self.room.bounded, int)].set(of_bounds)


class Model(NamedTuple):
    """A quadratic problem: curvature, and what its constraints need of the inverse."""

    hessian: Float[Array, "n n"]  # of the Lagrangian, with damping
    gradient: Vector
    normals: Float[Array, "row n"]
    inverse: Float[Array, "n row+1"]  # H⁻¹ (Jᵀ, g), H with stiff constraints
    stiffness: Rows
    size: Value
    damping: Value

    def solved(self, values: Rows, start: Rows, price: Value, equal: np.ndarray) -> tuple[Rows, Vector]:
        """Multipliers and step for constraints with these values."""
        across, down = self.inverse[:, :-1], self.inverse[:, -1]
        pull = across @ (self.stiffness * values)
        matrix = self.normals @ across
        right = self.normals @ (down + pull) - values
        low = jnp.where(equal, -price, 0)
        dual = between(matrix, right, low, jnp.full_like(low, price), jnp.clip(start, low, price))
        move = across @ dual - down - pull
        felt = dual - self.stiffness * (values + self.normals @ move)
        return jnp.where(equal, felt, jnp.maximum(felt, 0)), move


def _modelled(bent: Float[Array, "n n"], here: Point, own: Course, equal: np.ndarray) -> Model:
    """The quadratic problem at a point."""
    eye = jnp.eye(here.x.size, dtype=here.x.dtype)
    gradient = here.gradient
    size = jnp.abs(jnp.diagonal(bent)).mean() + jnp.linalg.norm(gradient) / (1 + jnp.abs(here.x).max())
    size = jnp.maximum(size, jnp.sqrt(jnp.finfo(size.dtype).tiny))
    least = jnp.maximum(own.damping, FIRM * size)
    lengths = jnp.sum(own.normals**2, axis=1)
    active = equal | (own.multipliers > 0)
    bowl = is_positive(bent - SOFT * size * eye)
    stiff = jnp.where(active & ~bowl & (lengths > 0), STIFF * size / jnp.where(lengths > 0, lengths, 1), 0)
    solve, damping = positive(bent + own.normals.T @ (stiff[:, None] * own.normals), least)
    inverse = solve(jnp.concatenate([own.normals.T, gradient[:, None]], axis=1))
    return Model(bent + damping * eye, gradient, own.normals, inverse, stiff, size, damping)


def _missed(values: Rows, equal: np.ndarray) -> Value:
    return jnp.where(equal, jnp.abs(values), jnp.maximum(-values, 0)).sum()


def _first_price(here: Point, own: Course) -> Value:
    """Ten times what a multiplier of these gradients may be."""
    steepest = jnp.abs(own.normals).max(initial=0)
    return 10 * (1 + jnp.abs(here.gradient).max() / jnp.where(steepest > 0, steepest, 1))


def _residual(here: Point, values: Rows, normals: Array, multipliers: Rows, equal: np.ndarray) -> Value:
    """The largest entry of Karush, Kuhn and Tucker's conditions; a slope in units of the largest multiplier."""
    slope = jnp.abs(here.gradient - multipliers @ normals).max()
    missed = jnp.abs(jnp.where(equal, values, jnp.minimum(values, multipliers))).max(initial=0)
    return jnp.maximum(slope / jnp.maximum(1, jnp.abs(multipliers).max(initial=0)), missed)


class Trial(NamedTuple):
    """Where a search ended."""

    x: Vector
    multipliers: Rows
    good: Bool[Array, ""]
    whole: Bool[Array, ""]  # whether the step was not shortened
    evaluations: Int[Array, ""]


class Way(NamedTuple):
    """A search so far."""

    x: Vector
    multipliers: Rows
    bent: Rows  # the constraints at x
    length: Value
    good: Bool[Array, ""]
    tried: Int[Array, ""]


def _searched(
    method: SQP,
    objective: Objective,
    here: Point,
    own: Course,
    move: Vector,
    model: Model,
    multipliers: Rows,
    price: Value,
    fall: Value,
) -> Trial:
    """A step that lowers f + ν |c| enough: the whole one, one corrected for the bend of constraints, or a part."""
    equal = method.equal

    before = here.value + price * _missed(own.values, equal)
    noise = 10 * jnp.finfo(before.dtype).eps * (jnp.abs(here.value) + price * _missed(own.values, equal))

    def trial(way: Way) -> Way:
        # The first is the whole step; the second is mended from there, for the constraints as they are at its end.
        second = (way.tried == 1) & jnp.isfinite(way.bent).all()
        mended = lambda: model.solved(way.bent - own.normals @ move, multipliers, price, equal)  # noqa: E731
        dual, step = lax.cond(second, mended, lambda: (multipliers, move))
        length = jnp.where(way.tried < 2, 1, way.length / 2).astype(before.dtype)
        x = here.x + length * step
        values = method.rows(x)
        height = objective.value(x) + price * _missed(values, equal)
        good = height <= before - LOWER * length * jnp.maximum(fall, 0) + noise
        return Way(x, dual, values, length, good, way.tried + 1)

    start = Way(here.x, multipliers, own.values, jnp.ones_like(before), jnp.asarray(False), jnp.zeros((), jnp.int32))
    end = lax.while_loop(lambda way: ~way.good & (way.tried < HALVINGS), trial, start)
    return Trial(end.x, end.multipliers, end.good, end.good & (end.length == 1), end.tried)


def between(matrix: Float[Array, "row row"], right: Rows, low: Rows, high: Rows, start: Rows) -> Rows:
    r"""The least of ½ λᵀMλ − b·λ for l ≤ λ ≤ u, M not negative, by active sets.

    Multipliers that are free go towards the least of theirs, until the first of them meets a bound and stays there;
    arrived, the one at a bound that is pulled away hardest is freed. A start with the right ones free takes one turn.

    Source: Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23; Stark & Parker, Comput. Stat. 10 (1995)
    129–141 (two bounds).
    """
    diagonal = jnp.diagonal(matrix)
    some = diagonal > 0
    width = jnp.sqrt(jnp.where(some, diagonal, 1))
    eye = jnp.eye(right.size, dtype=right.dtype)
    scaled = matrix / (width[:, None] * width[None]) + DEPENDENCE * eye
    scaled = jnp.where(some[:, None] & some[None], scaled, eye)
    floor, ceiling = low * width, high * width
    pull = right / width + DEPENDENCE * jnp.where(some, start * width, 0)  # what is added vanishes with convergence

    class Turn(NamedTuple):
        place: Rows
        free: Bool[Array, " row"]
        number: Array
        over: Bool[Array, ""]

    def turn(now: Turn) -> Turn:
        place, free = now.place, now.free
        masked = jnp.where(free[:, None] & free[None], scaled, eye)
        step = jnp.linalg.solve(masked, jnp.where(free, pull - scaled @ place, 0))
        room = jnp.where(step > 0, ceiling - place, place - floor)
        reach = jnp.where(free & (step != 0), room / jnp.where(step != 0, jnp.abs(step), 1), jnp.inf)
        share = jnp.minimum(reach.min(initial=jnp.inf), 1)
        met = reach <= share
        after = jnp.where(met, jnp.where(step > 0, ceiling, floor), place + share * step)
        slope = scaled @ after - pull
        noise = 100 * jnp.finfo(slope.dtype).eps * (jnp.abs(pull) + jnp.abs(scaled) @ jnp.abs(after))
        still = free & ~met
        wish = jnp.where(~still & (after <= floor), -slope, 0) + jnp.where(~still & (after >= ceiling), slope, 0)
        wish = jnp.where(wish > noise, wish, 0)
        arrived = ~met.any()
        freed = arrived & (wish > 0) & (jnp.arange(wish.size) == jnp.argmax(wish))
        return Turn(after, still | freed, now.number + 1, arrived & ~(wish > 0).any())

    place = start * width
    first = Turn(place, (place > floor) & (place < ceiling), jnp.zeros((), jnp.int32), jnp.asarray(False))
    end = lax.while_loop(lambda now: ~now.over & (now.number < TURNS), turn, first)
    return end.place / width
