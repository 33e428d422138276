r"""Minimisers that stay between bounds, by projection.

$$ x(t) = P(x + t\,\Delta), \qquad P \text{ onto } l \le x \le u $$

Parameters that are at a bound and pushed against it are held; the others take the step of a minimiser without bounds.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool

from continua.core import ArgumentError
from continua.optim.constraints import Constrained, Domain
from continua.optim.definite import positive
from continua.optim.line_search import LOWER, MOST, Found
from continua.optim.newton import LEAST
from continua.optim.objective import Objective, Point, Stand, Value, Vector
from continua.optim.quasi_newton import LBFGS, Pairs, learnt, with_pair

NEAR = 1e-3  # of the parameters: what is that near to a bound, and pushed against it, goes there at once


class Projected(Constrained):
    """A minimiser between bounds."""

    def within(self, domain: Domain) -> Constrained:
        """Itself, between these bounds."""
        if domain.sizes:
            raise ArgumentError(
                f"`method` {type(self).__name__} of `minimise` knows bounds alone. Leave it out, or use SQP()."
            )
        return super().within(domain)

    def slope(self, stand: Stand) -> Value:
        """The largest entry of the projected gradient: of all parameters that no bound holds."""
        here = stand.here
        return jnp.where(self.room.held(here.x, here.gradient), 0, jnp.abs(here.gradient)).max()

    def held(self, here: Point) -> Bool[Array, " n"]:
        """Which parameters are at a bound, or so near that this step takes them there."""
        apart = jnp.abs(here.x - self.room.clip(here.x - here.gradient)).max()
        return self.room.held(here.x, here.gradient, jnp.minimum(NEAR * (1 + jnp.abs(here.x).max()), apart))


class ProjectedNewton(Projected):
    r"""Newton's method between bounds, for up to some hundred parameters.

    $$ x(t) = P\big(x - t\, D\, \nabla f\big), \qquad D^{-1} = \begin{pmatrix} H_{FF} + \tfrac1h I & \\ & \sigma I
       \end{pmatrix} $$

    F are the parameters that are free. It finds out which these are after a few steps and converges quadratically then.

    Source: Bertsekas, SIAM J. Control Optim. 20 (1982) 221–246.
    """

    domain: Domain | None = None

    def start(self, x: Vector) -> Value:
        """1/h."""
        return jnp.zeros((), x.dtype)

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step."""
        here = stand.here
        hessian, held = objective.hessian(here.x), self.held(here)
        size = jnp.maximum(jnp.abs(jnp.diagonal(hessian)).mean(), jnp.finfo(here.x.dtype).tiny)
        free = ~held
        matrix = jnp.where(free[:, None] & free[None], hessian, jnp.diag(jnp.where(held, size, 0)))
        steep = jnp.linalg.norm(here.gradient) / (1e10 * (1 + jnp.abs(here.x).max()))
        solve, damping = positive(matrix, jnp.maximum(stand.own, jnp.maximum(LEAST * size, steep)))
        found = along_arc(self.room, objective, here, -solve(here.gradient), held, jnp.ones_like(size))
        own = jnp.select(
            [~found.good, found.length >= 1], [jnp.maximum(10 * damping, 1e-3 * size), damping / 10], damping
        )
        stuck = ~found.good & (damping > 1e8 * size)
        return Stand(found.point, own, stand.evaluations + found.evaluations + here.x.size, stuck)


class ProjectedLBFGS(Projected):
    r"""L-BFGS between bounds, for many parameters: the metric is learnt, and used, of those that are free.

    $$ x(t) = P\big(x - t\, P_k \nabla f\big) $$

    Source: Kim, Sra & Dhillon, SIAM J. Sci. Comput. 32 (2010) 3548–3563.
    """

    memory: int = 10
    domain: Domain | None = None

    def start(self, x: Vector) -> Pairs:
        """No pairs."""
        return LBFGS(self.memory).start(x)

    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step: a direction of the free parameters, a search along its projection, and one more pair."""
        here, pairs = stand.here, stand.own
        held = self.held(here)
        steep = jnp.where(held, 0, here.gradient)
        direction = -jnp.where(held, here.gradient, learnt(_of_free(pairs, held), steep))
        fresh = (pairs.number == 0) | (steep @ direction >= 0)
        direction = jnp.where(fresh, -here.gradient, direction)
        first = jnp.where(fresh, jnp.minimum(1, 1 / jnp.linalg.norm(here.gradient)), 1).astype(direction.dtype)
        found = along_arc(self.room, objective, here, direction, held, first)
        after = with_pair(pairs, found.point.x - here.x, found.point.gradient - here.gradient)
        nothing = self.start(here.x)
        own = Pairs(*(jnp.where(found.good, a, b) for a, b in zip(after, nothing, strict=True)))
        return Stand(found.point, own, stand.evaluations + found.evaluations, ~found.good & fresh)


def _of_free(pairs: Pairs, held: Bool[Array, " n"]) -> Pairs:
    """What the pairs tell of the parameters that are not held."""
    moves, changes = (jnp.where(held[None], 0, rows) for rows in (pairs.moves, pairs.changes))
    products, squares = jnp.sum(moves * changes, axis=1), jnp.sum(changes**2, axis=1)
    fine = (pairs.weights > 0) & (products > jnp.finfo(moves.dtype).eps * squares)
    weights = jnp.where(fine, 1 / jnp.where(fine, products, 1), 0)
    scale = jnp.where(fine[-1], products[-1] / jnp.where(fine[-1], squares[-1], 1), pairs.scale)
    return Pairs(moves, changes, weights, scale, pairs.number)


def along_arc(
    room: Domain, objective: Objective, here: Point, direction: Vector, held: Bool[Array, " n"], first: Value
) -> Found:
    r"""A length t whose projected step lowers the value enough, by halving.

    $$ f(x(t)) \le f(x) + c_1 \big( t\, \nabla f_F \cdot \Delta_F + \nabla f_A \cdot (x(t) - x)_A \big) $$

    Where round-off hides that, the projected gradient decides, which must shrink.

    Source: Bertsekas, SIAM J. Control Optim. 20 (1982) 221–246, (37).
    """
    noise = 10 * jnp.finfo(here.x.dtype).eps * jnp.abs(here.value)
    # A parameter that is held goes to its bound with the whole step.
    bound = jnp.where(here.gradient > 0, room.low, room.high)
    move = jnp.where(held, bound - here.x, direction)
    slope = here.gradient @ jnp.where(held, 0, direction)

    def steep(point: Point) -> Value:
        return jnp.where(room.held(point.x, point.gradient), 0, jnp.abs(point.gradient)).max()

    def at(length: Value) -> tuple[Point, Bool[Array, ""]]:
        x = room.clip(here.x + length * move)
        point = objective.at(x)
        fall = length * slope + jnp.where(held, here.gradient * (x - here.x), 0).sum()
        fine = jnp.isfinite(point.value) & jnp.isfinite(point.gradient).all()
        low = (point.value <= here.value + LOWER * fall) & (fall < -noise)
        hidden = (point.value <= here.value + noise) & (steep(point) < steep(here))
        return point, fine & (low | hidden) & (x != here.x).any()

    class Search(NamedTuple):
        length: Value
        point: Point
        good: Bool[Array, ""]
        tried: Array

    def halve(search: Search) -> Search:
        length = jnp.where(search.tried == 0, first, search.length / 2)
        return Search(length, *at(length), search.tried + 1)

    start = Search(first, here, jnp.asarray(False), jnp.zeros((), jnp.int32))
    end = lax.while_loop(lambda s: ~s.good & (s.tried < MOST), halve, start)
    point = Point(*(jnp.where(end.good, new, old) for new, old in zip(end.point, here, strict=True)))
    return Found(point, end.length, end.tried, end.good)
