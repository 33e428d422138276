"""The compiled part of training: batch after batch without Python, up to the first number that is not finite."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from continua.core import ArgumentError, takes_args

Whole = Array | NDArray[np.int32]
Params = Any  # the model with None in place of all that is not trained


class State(NamedTuple):
    """What a step changes; with the order of the rows it decides all later steps, bit for bit."""

    params: Params
    optimiser: Any
    step: Int[Array, ""]  # batches seen


class Task(NamedTuple):
    """What is trained, and how; the same in every step.

    Attributes:
        loss: loss(model, batch) or loss(model, batch, key), one real number.
        rest: the model without its parameters.
        optimiser: a transformation as optax means it, or a module that makes one, as a
            `Minimiser` does: its arrays are no part of the compiled program.
        accumulate: batches whose mean gradient makes one step.
        precision: what model and batch are computed in; None for their own.
        key: what the loss draws from, folded with the number of the step.
    """

    loss: Callable[..., Any]
    rest: Any
    optimiser: Any
    accumulate: int
    precision: Any
    key: PRNGKeyArray

    def model(self, params: Params) -> Any:
        """The model as the user handed it in, with these parameters."""
        return eqx.combine(params, self.rest)

    def cost(self, params: Params, batch: Any, step: Int[Array, ""]) -> Float[Array, ""]:
        """The loss of a batch, in the precision of the parameters."""
        model, precise = self.model(params), jax.tree.leaves(params)[0].dtype
        if self.precision is not None:
            model, batch = _cast((model, batch), self.precision)
        drawn = (jax.random.fold_in(self.key, step),) if takes_args(self.loss, beyond=2) else ()
        return jnp.asarray(self.loss(model, batch, *drawn)).astype(precise)

    def transformation(self, params: Params) -> optax.GradientTransformationExtraArgs:
        """What is stepped: made here, so that runs with the same optimiser share a program."""
        one = self.optimiser.optimiser() if makes_one(self.optimiser) else self.optimiser
        if self.accumulate > 1:
            precise = jax.tree.leaves(params)[0].dtype
            one = optax.MultiSteps(one, self.accumulate, accumulator_dtype=precise).gradient_transformation()
        return optax.with_extra_args_support(one)

    def start(self, params: Params) -> State:
        """Before the first step."""
        own = jax.tree.map(jnp.asarray, self.transformation(params).init(params))
        return State(params, own, jnp.zeros((), jnp.int32))


def makes_one(optimiser: Any) -> bool:
    """Whether it makes a transformation, as a `Minimiser` does."""
    return isinstance(optimiser, eqx.Module) and hasattr(optimiser, "optimiser")


class Taken(NamedTuple):
    """What some steps came to."""

    state: State
    losses: Float[Array, " batch"]  # of each batch before its step
    slopes: Float[Array, " batch"]  # the norm of its gradient
    done: Int[Array, ""]  # steps taken; fewer than asked for where one met a number that is not finite
    good: Bool[Array, ""]


@eqx.filter_jit
def advance(task: Task, state: State, data: Any, order: Whole, number: Whole) -> Taken:
    """Step through the first `number` batches; `order` has the rows of each, [batch, row]."""
    precise = jax.tree.leaves(state.params)[0].dtype
    nothing, stepped = jnp.zeros(order.shape[0], precise), task.transformation(state.params)

    def step(taken: Taken) -> Taken:
        batch = _rows(data, order[taken.done])
        now = taken.state

        def cost(params: Params) -> Array:
            return task.cost(params, batch, now.step)

        value, gradient = jax.value_and_grad(cost)(now.params)
        more = {"value": value, "grad": gradient, "value_fn": cost}
        with jax.numpy_dtype_promotion("standard"):  # which optax relies on
            updates, own = stepped.update(gradient, now.optimiser, now.params, **more)
        params = optax.apply_updates(now.params, updates)
        return Taken(
            State(params, own, now.step + 1),
            taken.losses.at[taken.done].set(value),
            taken.slopes.at[taken.done].set(norm(gradient).astype(precise)),
            taken.done + 1,
            finite((value, gradient, params)),
        )

    first = Taken(state, nothing, nothing, jnp.zeros((), jnp.int32), jnp.asarray(True))
    return lax.while_loop(lambda taken: (taken.done < number) & taken.good, step, first)


@eqx.filter_jit
def measured(
    task: Task, measures: dict[str, Callable[..., Any]], params: Params, data: Any, order: Whole
) -> dict[str, Float[Array, " batch"]]:
    """The loss ("loss") and each measure of every batch, by a model that is only asked: without dropout."""
    asked = task._replace(rest=eqx.nn.inference_mode(task.rest))

    def of_batch(rows: Whole) -> dict[str, Array]:
        batch = _rows(data, rows)
        found = {name: jnp.asarray(measure(asked.model(params), batch)) for name, measure in measures.items()}
        return {"loss": asked.cost(params, batch, jnp.zeros((), jnp.int32)), **found}

    return lax.map(of_batch, order)


@eqx.filter_jit
def gradient_of(task: Task, state: State, data: Any, rows: Whole) -> tuple[Array, Params]:
    """The loss and the gradient of one batch."""
    batch = _rows(data, rows)
    return jax.value_and_grad(lambda params: task.cost(params, batch, state.step))(state.params)


def check_loss(verb: str, task: Task, params: Params, batch: Any) -> None:
    """Look at the loss without computing it: an error where it gives anything but one real number."""
    try:
        value = jax.eval_shape(lambda p, b: task.loss(*_arguments(task, p, b)), params, batch)
    except (TypeError, ValueError, IndexError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ArgumentError(
            f"`loss` of `{verb}` cannot be computed for a batch: {reason.rstrip('.')}. Try loss(model, rows of data)."
        ) from error
    leaves = jax.tree.leaves(value)
    if len(leaves) != 1 or leaves[0].shape != () or not jnp.issubdtype(leaves[0].dtype, jnp.floating):
        told = ", ".join(f"{leaf.dtype}{list(leaf.shape)}" for leaf in leaves) or "nothing"
        raise ArgumentError(f"`loss` of `{verb}` must be one real number. Got {told}. Take the mean over the samples.")


def _arguments(task: Task, params: Params, batch: Any) -> tuple[Any, ...]:
    drawn = (task.key,) if takes_args(task.loss, beyond=2) else ()
    return (task.model(params), batch, *drawn)


def _rows(data: Any, rows: Whole) -> Any:
    return jax.tree.map(lambda leaf: leaf[rows], data)


def _cast(tree: Any, precision: Any) -> Any:
    """Floats in that precision; whole numbers stay."""
    return jax.tree.map(lambda leaf: leaf.astype(precision) if eqx.is_inexact_array(leaf) else leaf, tree)


def norm(tree: Any) -> Float[Array, ""]:
    """The root of the sum of all squares."""
    return jnp.sqrt(sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(tree)))


def finite(tree: Any) -> Bool[Array, ""]:
    """Whether every number is."""
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))
