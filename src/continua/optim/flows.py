"""An optimiser is a flow of the parameters, split into parts that are solved one after the other."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError
from continua.methods import Euler, Method

Params = Any  # a PyTree of arrays
Rate = float | Array | Callable[[Array], Any]  # a number, or a schedule: the number of steps done ↦ a number


class Now(NamedTuple):
    """What a step of an optimiser has found so far."""

    done: Array  # steps before this one
    params: Params | None
    gradient: Params  # of the loss at `params`, as the parts before have left it
    direction: Params  # q of x' = −q; behind the drift, the increment of x
    slope: Callable[[Params], Params] | None  # the gradient of the loss elsewhere, where the caller gave it
    extra: Mapping[str, Any] = MappingProxyType({})  # all that the caller gave by name

    @property
    def number(self) -> Array:
        """The number of this step, from 1; it stays at the largest integer."""
        return jnp.asarray(optax.safe_increment(self.done))


class Subflow(eqx.Module):
    """A part of a flow, which moves while all others stand still: its exact solution, or one step of it.

    Steps of all parts in turn are Lie and Trotter's splitting. A new part writes `step`; one that has a state of its
    own, like the velocity of a heavy ball, writes `start` too; one that asks how many steps there were says that it
    `counts`.
    """

    @property
    def counts(self) -> bool:
        """Whether it uses the number of the step."""
        return False

    @property
    def moves(self) -> bool:
        """Whether it turns the direction into an increment of the parameters."""
        return False

    def start(self, params: Params) -> Any:
        """Its own state at the first step."""
        return ()

    @abstractmethod
    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """What the next part is to see, and its own state at the next step."""


class FlowState(NamedTuple):
    """The state of a flow besides the parameters: how many steps are done, where a part counts, and what each keeps."""

    done: Array
    own: tuple[Any, ...]


def flow(*parts: Subflow) -> optax.GradientTransformationExtraArgs:
    r"""The optimiser that steps these parts of a flow in turn; the last must leave an increment of the parameters.

    It is a transformation as optax means it: `optim.chain`, `optim.apply_updates` and every loop for optax take it.
    `update` may be given `value_fn`, the loss as a function of the parameters, or `grad_fn`, its gradient: drifts of
    several stages need one of them.

    Args:
        parts: what happens to the gradient on its way to an increment.

    Raises:
        ArgumentError: where there is no drift, or where a part was given as a class.

    Example:
        >>> from continua.optim import Drift, RootMeanSquare, Relaxation, apply_updates, flow
        >>> adam = flow(Relaxation(0.9), RootMeanSquare(0.999), Drift(0.1))
        >>> x = jnp.asarray(1.0)
        >>> updates, state = adam.update(2 * x, adam.init(x), x)
        >>> print(f"{apply_updates(x, updates):.4f}")
        0.9000
    """
    for part in parts:
        if not isinstance(part, Subflow):
            shown = f"the class {part.__name__}" if isinstance(part, type) else type(part).__name__
            raise ArgumentTypeError(f"`parts` of `flow` must be subflows. Got {shown}. Write Drift(1e-3), for example.")
    staged = [part for part in parts[1:] if isinstance(part, Drift) and not isinstance(part.method, Euler)]
    if staged:
        name = type(staged[0].method).__name__
        raise ArgumentError(
            f"`parts` of `flow` must begin with a drift by {name}, whose stages look at the gradient themselves. "
            f"Got {type(parts[0]).__name__} before it. Use Euler() there."
        )
    if not any(part.moves for part in parts):
        raise ArgumentError("`parts` of `flow` must move the parameters. Got no Drift among them. Add Drift(1e-3).")

    counts = any(part.counts for part in parts)

    def init(params: Params) -> FlowState:
        return FlowState(jnp.zeros((), jnp.int32), tuple(part.start(params) for part in parts))

    def update(
        updates: Params,
        state: Any,
        params: Params | None = None,
        *,
        value_fn: Callable[[Params], Array] | None = None,
        grad_fn: Callable[[Params], Params] | None = None,
        **extra: Any,
    ) -> tuple[Params, FlowState]:
        slope = jax.grad(value_fn) if grad_fn is None and value_fn is not None else grad_fn
        functions = {"value_fn": value_fn, "grad_fn": grad_fn}
        extra |= {name: function for name, function in functions.items() if function is not None}
        now, own = Now(state.done, params, updates, updates, slope, extra), []
        for part, before in zip(parts, state.own, strict=True):
            now, after = part.step(now, before)
            own.append(after)
        return now.direction, FlowState(now.number if counts else state.done, tuple(own))

    return optax.GradientTransformationExtraArgs(init, update)


class Motion(Subflow):
    """A part that moves the parameters, by a step length or a schedule of it."""

    rate: eqx.AbstractVar[Rate]

    def __check_init__(self) -> None:
        """Refuses a rate that is not positive, where it is a plain number."""
        _check_rate(self.rate)

    @property
    def counts(self) -> bool:
        """Where there is a schedule."""
        return callable(self.rate)

    @property
    def moves(self) -> bool:
        """Always."""
        return True


class Drift(Motion):
    r"""The part that moves the parameters: $x' = -q$, one step of a method of `continua.methods`.

    With Euler, the direction q stands still during the step, and the increment is −h q. With a method of several
    stages, which must come first, $x' = -\nabla f(x)$ is stepped, and `update` needs `value_fn` or `grad_fn`.

    Args:
        rate: h, or a schedule that makes it from the number of steps done.
        method: a method of `continua.methods` for fixed steps.
    """

    rate: Rate
    method: Method = Euler()

    def __check_init__(self) -> None:
        """Refuses what is no method."""
        if not isinstance(self.method, Method):
            raise ArgumentTypeError(
                f"`method` of `Drift` must be a method. Got {type(self.method).__name__}. Write Drift(rate, RK4())."
            )

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The increment of the parameters."""
        straight = isinstance(self.method, Euler)
        return now._replace(direction=self._straight(now) if straight else self._staged(now)), own

    def _straight(self, now: Now) -> Params:
        """One step of Euler along the direction, each parameter in its own precision."""

        def moved(q: Params, like: Array) -> Params:
            length = at_step(self.rate, now.done, like)
            return self._increment(lambda t, x, q: jax.tree.map(jnp.negative, q), length, q, q)

        leaves = jax.tree.leaves(now.direction)
        if len({leaf.dtype for leaf in leaves}) == 1:
            return moved(now.direction, leaves[0])
        return jax.tree.map(lambda q: moved(q, q), now.direction)

    def _staged(self, now: Now) -> Params:
        """One step of the gradient flow by a method that looks at it in several places."""
        if now.slope is None or now.params is None:
            name = type(self.method).__name__
            raise ArgumentError(f"`update` of a drift by {name} needs `params` and `value_fn`. Pass value_fn=loss.")
        params, first, slope = now.params, now.direction, now.slope

        def gradient(x: Params) -> Params:
            # The first stage of every method stands at the start itself, whose gradient the caller has computed.
            return first if x is params else slope(x)

        length = at_step(self.rate, now.done, jax.tree.leaves(params)[0])
        return self._increment(lambda t, x, args: jax.tree.map(jnp.negative, gradient(x)), length, params, ())

    def _increment(self, slope: Callable[..., Any], length: Any, x: Params, args: Any) -> Params:
        """What one step of the method adds to x."""
        begin = jnp.zeros_like(jax.tree.leaves(x)[0], shape=())
        return self.method.step(slope, begin, length, x, args, self.method.start(slope, begin, x, args)).increment


def at_step(rate: Rate, done: Array, like: Array) -> Array:
    """A step length, or another number that may be scheduled, in the precision of what it acts on."""
    return jnp.asarray(rate(done) if callable(rate) else rate).astype(like.dtype)


def _check_rate(rate: Rate) -> None:
    """Refuses what cannot be a step length."""
    if callable(rate) or isinstance(rate, jax.Array):
        return
    if not isinstance(rate, int | float) or not 0 <= rate < float("inf"):
        raise ArgumentError(f"`learning_rate` must be a positive number or a schedule. Got {rate!r}. Use 1e-3.")
