"""What the functions of a problem give, told from their shapes before anything is computed; a wrong one in one line."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentError, ArgumentTypeError, Scalar, State, short
from continua.equations import Equation, Stochastic
from continua.methods import Method
from continua.solver.events import Event
from continua.solver.step_control import Adaptive, StepControl


def check_field(equation: Equation, t: Scalar, y0: State, args: Args) -> None:
    """The equation must return the structure and shapes of the state."""
    slope = jax.eval_shape(equation, t, y0, args)
    asked, got = jax.tree.structure(y0), jax.tree.structure(slope)
    if asked != got:
        raise ArgumentTypeError(
            f"`equation` of `solve` must return the structure of y0, {described(y0)}. Got {described(slope)}. "
            "Use jnp.stack([…]) for a state that is one array."
        )
    for y, f in zip(jax.tree.leaves(y0), jax.tree.leaves(slope), strict=True):
        if y.shape != f.shape:
            raise ArgumentError(
                f"`equation` of `solve` must return the shape of y0, {described(y0)}. Got {described(slope)}. "
                "Check the indices; for a batch use jax.vmap over `solve`."
            )
        if jnp.issubdtype(f.dtype, jnp.complexfloating) and not jnp.issubdtype(y.dtype, jnp.complexfloating):
            raise ArgumentTypeError(
                f"`equation` of `solve` must return real slopes for a real y0. Got {f.dtype}. "
                "Use a complex y0, for example y0 + 0j."
            )


def check_parts(method: Method, equation: Equation, t: Scalar, y0: State, args: Args) -> None:
    """What a method needs besides the equation must give a state."""
    for name, part in method.parts(equation).items():
        if part.like_state and _layout(value := jax.eval_shape(part.function, t, y0, args)) != _layout(y0):
            raise ArgumentError(
                f"`{name}` of `{type(method).__name__}` must return a state like y0, {described(y0)}. "
                f"Got {described(value)}. Return every component, also those that stay."
            )


def motions(equation: Stochastic, t: Scalar, y0: State, args: Args) -> int:
    """How many Brownian motions drive the equation, whose diffusion must have the shape that its noise asks for."""
    value, noise = jax.eval_shape(equation.diffusion, t, y0, args), type(equation.noise).__name__
    found = equation.noise.motions(value, y0)
    wanted = equation.noise.shapes(y0, found)
    leaves = jax.tree.leaves(value)
    if jax.tree.structure(value) != jax.tree.structure(y0) or [leaf.shape for leaf in leaves] != wanted:
        shapes = ", ".join(str(list(shape)) for shape in wanted)
        general = len(leaves) == len(wanted) and [x.shape[:-1] for x in leaves] == [
            y.shape for y in jax.tree.leaves(y0)
        ]
        remedy = "Use noise=GeneralNoise()" if general else "Look at its last axis, or choose another noise"
        raise ArgumentError(
            f"`diffusion` of the equation must have the shape {shapes} for {noise}(). Got {described(value)}. {remedy}."
        )
    return found


def check_fit(method: Method, equation: Equation, t: Scalar, y0: State, args: Args, control: StepControl) -> None:
    """The method must be one for such an equation."""
    if words := method.unfit(equation, t, y0, args, isinstance(control, Adaptive)):
        raise ArgumentError(f"`method` of `solve` {words}.")


def check_events(events: Sequence[Event], t: Scalar, y0: State, args: Args) -> None:
    """A condition gives one real number, a reset a state."""
    for event in events:
        value = jax.eval_shape(event.condition, t, y0, args)
        shape = getattr(value, "shape", None)
        if shape is None or math.prod(shape) != 1:
            raise ArgumentError(
                f"`condition` of `Event` must return one number. Got shape {shape}. Use y[0], or a norm or minimum."
            )
        if jnp.issubdtype(value.dtype, jnp.complexfloating):
            raise ArgumentError("`condition` of `Event` must return one real number. Got a complex one. Use its size.")
        if event.reset is None:
            continue
        after = jax.eval_shape(event.reset, t, y0, args)
        if _layout(after) != _layout(y0):
            raise ArgumentError(
                f"`reset` of `Event` must return a state like y0, {described(y0)}. Got {described(after)}. "
                "Return every component, also those that stay."
            )


def check_save(function: Callable, t: Scalar, y0: State, args: Args) -> None:
    """What is kept must be arrays or numbers."""
    for leaf in jax.tree.leaves(jax.eval_shape(function, t, y0, args)) or [None]:
        if not hasattr(leaf, "shape"):
            raise ArgumentTypeError(
                f"`save` of `solve` must return arrays or numbers. Got {short(leaf)}. Use lambda t, y, args: y[0]."
            )


def _layout(tree: Any) -> Any:
    return jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]


def described(tree: Any) -> str:
    """The dtypes and shapes of a tree, in words."""
    shapes = jax.tree.map(lambda x: f"{jnp.result_type(x)}{list(jnp.shape(x))}", tree)
    return str(shapes).replace("'", "") if not isinstance(shapes, str) else shapes
