"""What is minimised, as a function of one vector, and the contract of those who do it."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from continua.core import ArgumentError, ArgumentTypeError, takes_args

Vector = Float[Array, " n"]
Unknowns = Float[Array, " unknown"]  # x, and behind it the multipliers of constraints
Value = Float[Array, ""]


class Point(NamedTuple):
    """A place, and what is known there."""

    x: Vector
    value: Value
    gradient: Vector


class Objective(NamedTuple):
    """A function of a vector [n], and its derivatives; `residual` where it is half of a sum of squares."""

    value: Callable[[Vector], Value]
    residual: Callable[[Vector], Array] | None = None

    def at(self, x: Vector) -> Point:
        """The value and the gradient at x."""
        return Point(x, *jax.value_and_grad(self.value)(x))

    def hessian(self, x: Vector) -> Float[Array, "n n"]:
        """All second derivatives."""
        return jax.hessian(self.value)(x)

    def curvature(self, x: Vector) -> Callable[[Vector], Vector]:
        """The product v ↦ H v at x, linearised once."""
        return jax.linearize(jax.grad(self.value), x)[1]


class HalfSquare(eqx.Module):
    """Half the sum of the squares of a residual, `function(x)` or `function(x, args)`, any PyTree of arrays."""

    function: Callable[..., Any]
    takes_args: bool = eqx.field(static=True)

    def __init__(self, function: Callable[..., Any]) -> None:
        """Checks how many arguments the function takes."""
        if not callable(function):
            raise ArgumentTypeError(
                "`residual` of `least_squares` must be a function of x, or of x and args. "
                f"Got {type(function).__name__}. Write lambda x: formula(x) - measured."
            )
        self.function, self.takes_args = function, takes_args(function)

    def residual(self, x: Any, args: Any) -> Array:
        """The residual as a vector."""
        return ravel_pytree(self.function(x, args) if self.takes_args else self.function(x))[0]

    def __call__(self, x: Any, args: Any) -> Array:
        """Half its square."""
        return jnp.sum(self.residual(x, args) ** 2) / 2


class Stand(NamedTuple):
    """Where a minimiser stands after some steps."""

    here: Point
    own: Any  # what it keeps for itself
    evaluations: Int[Array, ""]  # of the value, the gradient or a product with the Hessian, so far
    stuck: Bool[Array, ""]  # whether a step found nothing lower, in the precision of the numbers


class Minimiser(eqx.Module):
    """Goes down a function of one vector. A step that would go up is a step of zero, and the next one is shorter.

    One that stays within bounds and constraints overrides the last five methods.
    """

    monotone: ClassVar[bool] = True  # whether values never rise; one whose values do says itself when it is stuck

    @abstractmethod
    def start(self, x: Vector) -> Any:
        """What it keeps for itself before the first step."""

    @abstractmethod
    def step(self, objective: Objective, stand: Stand) -> Stand:
        """One step."""

    def slope(self, stand: Stand) -> Value:
        """How far from level it is: the certificate that must vanish."""
        return jnp.abs(stand.here.gradient).max()

    def unit(self, first: Value, value: Value) -> Value:
        """What it is measured by: the size of the values, where they are large from the start to the end."""
        return jnp.maximum(1, jnp.minimum(jnp.abs(first), jnp.abs(value)))

    def begin(self, here: Point) -> Stand:
        """Where it stands before the first step."""
        return Stand(here, self.start(here.x), jnp.ones((), jnp.int32), jnp.asarray(False))

    def within(self, domain: Any) -> "Minimiser":
        """Itself, staying where bounds and constraints allow."""
        raise ArgumentError(
            f"`method` of `minimise` must know bounds and constraints. Got {type(self).__name__}. Leave it out."
        )

    def unknowns(self, stand: Stand) -> Unknowns:
        """What `condition` determines."""
        return stand.here.x

    def condition(self, objective: Objective, unknowns: Unknowns) -> Unknowns:
        """What vanishes at a minimum, as many numbers as there are unknowns."""
        return jax.grad(objective.value)(unknowns)

    def bends(self, objective: Objective, unknowns: Unknowns) -> Float[Array, "n n"]:
        """The second derivatives along the ways that are open."""
        return objective.hessian(unknowns)

    def infeasible(self, stand: Stand) -> Bool[Array, ""]:
        """Whether constraints contradict each other as far as one sees from there."""
        return jnp.asarray(False)

    def optimiser(self) -> optax.GradientTransformationExtraArgs:
        """The same steps as a transformation for loops as optax means them.

        `update` must be given `value_fn`, the loss as a function of the parameters; `value`, where known, saves work.
        """

        def init(params: Any) -> Stand:
            flat, _ = ravel_pytree(params)
            return self.begin(Point(flat, jnp.full((), jnp.inf, flat.dtype), jnp.zeros_like(flat)))

        def update(
            updates: Any, state: Any, params: Any = None, *, value: Any = None, value_fn: Any = None, **_: Any
        ) -> tuple[Any, Stand]:
            if params is None or value_fn is None:
                raise ArgumentError(
                    f"`update` of {type(self).__name__} needs `params` and `value_fn`. "
                    "Pass update(gradient, state, params, value_fn=loss)."
                )
            flat, unravel = ravel_pytree(params)
            objective = Objective(lambda x: value_fn(unravel(x)))
            known = objective.value(flat) if value is None else jnp.asarray(value, flat.dtype)
            here = Point(flat, known, ravel_pytree(updates)[0])
            moved = self.step(objective, state._replace(here=here))
            return unravel(moved.here.x - flat), moved

        return optax.GradientTransformationExtraArgs(init, update)
