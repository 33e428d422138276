r"""Augmented Lagrangians: a sequence of problems between bounds alone, whose multipliers a controller moves."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from continua.optim.bounds import ProjectedLBFGS, ProjectedNewton
from continua.optim.constraints import Constrained, Domain
from continua.optim.objective import Objective, Point, Stand, Unknowns, Value, Vector

Rows = Float[Array, " row"]

STIFFER = 10.0  # times, where a violation has not fallen enough
ENOUGH = 0.25  # of the last violation
STIFFEST = 1e8
MISSED = 1e-5  # what counts as a violation that nothing mends
PLAIN = 500  # parameters: beyond, without a Hessian


class Controlled(NamedTuple):
    """The multipliers, and what moves them."""

    multipliers: Rows
    smoothed: Rows  # ξ, the violation
    stiffness: Value  # ρ
    tolerance: Value  # of the slope, at which multipliers are moved
    last: Value  # violation then
    residual: Value
    estimate: Rows  # the multipliers that it was found with
    stand: Stand  # of the minimiser between bounds


class AugmentedLagrangian(Constrained):
    r"""The method of multipliers, as a controller of the constraints.

    $$ \min_{l \le x \le u} f - \mu \cdot g + \tfrac{\rho}{2} |g|^2
       + \tfrac{1}{2\rho} \Big( |\max(0, \lambda - \rho h)|^2 - |\lambda|^2 \Big) $$
    $$ \mu \leftarrow \mu - \rho \big( g + \kappa (\xi_+ - \xi) \big),
       \quad \xi_+ = \nu \xi + (1 - \nu) g $$

    The violation of a constraint is integrated into its multiplier, and its change felt in proportion: κ = 0 is the
    classical method. ρ grows where violations do not shrink.

    Args:
        proportion: κ.
        smoothing: ν.

    Good for: many parameters or constraints, and where constraints depend on each other.

    Source: Hestenes, J. Optim. Theory Appl. 4 (1969) 303–320; Sohrabi et al., arXiv 2406.04558 (νPI).
    """

    monotone: ClassVar[bool] = False
    proportion: float = 0.1
    smoothing: float = 0.0
    domain: Domain | None = None

    def start(self, x: Vector) -> Controlled:
        """No multipliers; the stiffness comes with the first step."""
        nothing, zero = jnp.zeros_like(self.room.values(x)), jnp.zeros((), x.dtype)
        blank = Point(x, zero, jnp.zeros_like(x))
        endless = jnp.full_like(zero, jnp.inf)
        return Controlled(nothing, nothing, zero, zero + 0.1, endless, endless, nothing, self._inner(x).begin(blank))

    def slope(self, stand: Stand) -> Value:
        """The largest entry of the conditions."""
        return stand.own.residual

    def unit(self, first: Value, value: Value) -> Value:
        """One: constraints are measured by themselves."""
        return jnp.ones_like(value)

    def infeasible(self, stand: Stand) -> Bool[Array, ""]:
        """Whether the stiffest constraints are still missed."""
        own = stand.own
        return (own.stiffness >= STIFFEST) & (own.last > MISSED)

    def unknowns(self, stand: Stand) -> Unknowns:
        """x, and the multipliers that its violations amount to."""
        return jnp.concatenate([stand.here.x, stand.own.estimate])

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step between bounds; where it arrives, multipliers move."""
        here, own = stand.here, stand.own
        first = _first_stiffness(here.value, self.room, here.x)
        own = own._replace(stiffness=jnp.where(own.stiffness > 0, own.stiffness, first))
        augmented, inner = self._augmented(objective, own), self._inner(here.x)
        moved = inner.step(augmented, own.stand._replace(here=augmented.at(here.x)))
        x, slope = moved.here.x, inner.slope(moved)
        values = self.room.values(x)
        effect = self._effect(values, own)
        point = Point(x, objective.value(x), moved.here.gradient)
        estimate = own.multipliers - own.stiffness * effect
        residual = self.room.residual(point, values, estimate)
        arrived = (slope <= own.tolerance) | moved.stuck
        after = self._moved(own, effect)
        fresh = inner.begin(moved.here)._replace(evaluations=moved.evaluations)
        after = after._replace(stand=fresh)
        still = own._replace(stand=moved)
        kept = [jnp.where(arrived, a, b) for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(still), strict=True)]
        course = jax.tree.unflatten(jax.tree.structure(still), kept)._replace(residual=residual, estimate=estimate)
        change = jnp.abs(course.multipliers - own.multipliers).max(initial=0)
        resting = change <= jnp.finfo(x.dtype).eps * (1 + jnp.abs(own.multipliers).max(initial=0))
        hopeless = arrived & (course.stiffness >= STIFFEST) & (course.last > MISSED)
        return Stand(point, course, moved.evaluations + 2, (moved.stuck & resting) | hopeless)

    def _inner(self, x: Vector) -> ProjectedNewton | ProjectedLBFGS:
        """What goes down between bounds."""
        return ProjectedNewton(self.domain) if x.size <= PLAIN else ProjectedLBFGS(domain=self.domain)

    def _effect(self, values: Rows, own: Controlled) -> Rows:
        """What is integrated: the violation, and for constraints that let go what their multiplier still has."""
        stiffness = jnp.where(own.stiffness > 0, own.stiffness, 1)
        return jnp.where(self.room.equal, values, jnp.minimum(values, own.multipliers / stiffness))

    def _augmented(self, objective: Objective, own: Controlled) -> Objective:
        """The function with the price of violations."""
        equal = self.room.equal

        def value(x: Vector) -> Value:
            values = self.room.values(x)
            pushed = own.multipliers - own.stiffness * values
            pushed = jnp.where(equal, pushed, jnp.maximum(pushed, 0))
            return objective.value(x) + jnp.sum(pushed**2 - own.multipliers**2) / (2 * own.stiffness)

        return Objective(value)

    def _moved(self, own: Controlled, effect: Rows) -> Controlled:
        """The controller's move, and what the next problem is solved to."""
        smoothed = self.smoothing * own.smoothed + (1 - self.smoothing) * effect
        multipliers = own.multipliers - own.stiffness * (effect + self.proportion * (smoothed - own.smoothed))
        multipliers = jnp.where(self.room.equal, multipliers, jnp.maximum(multipliers, 0))
        missed = jnp.abs(effect).max(initial=0)
        floor = jnp.finfo(missed.dtype).eps ** 0.6
        stiffness = jnp.where(
            (missed > ENOUGH * own.last) & (missed > own.tolerance), STIFFER * own.stiffness, own.stiffness
        )
        stiffness = jnp.minimum(stiffness, STIFFEST)
        tolerance = jnp.maximum(0.1 * own.tolerance, floor)
        return own._replace(
            multipliers=multipliers, smoothed=smoothed, stiffness=stiffness, tolerance=tolerance, last=missed
        )


def _first_stiffness(value: Value, room: Domain, x: Vector) -> Value:
    """Where violations weigh about ten times as much as the function, for constraints with gradients of length one.

    Source: Birgin & Martínez, Practical Augmented Lagrangian Methods (2014), 12.4.
    """
    values, transpose = jax.vjp(room.values, x)
    (pulled,) = transpose(values)
    square = values @ values
    lengths = jnp.where(square > 0, pulled @ pulled / jnp.where(square > 0, square, 1), 1)
    return jnp.clip(
        10 * jnp.maximum(1, jnp.abs(value)) / jnp.maximum(1, square / 2) / jnp.maximum(1, lengths), 1e-6, 1e6
    )
