"""From a question to numbers: flatten, step, read the outputs."""

from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, State, Times
from continua.equations import Equation
from continua.methods import Method
from continua.solver import arguments
from continua.solver.field import Field, flatten
from continua.solver.kernel import kernel
from continua.solver.loop import Problem, unpack
from continua.solver.post_mortem import Ending
from continua.solver.step_control import StepControl


class Question(eqx.Module):
    """What is solved, but for the times."""

    equation: Equation
    y0: State
    args: Args
    method: Method
    step_control: StepControl
    max_steps: int = eqx.field(static=True)


@cast(Any, eqx.filter_jit)(inline=True)  # inside a user's jit a call of its own would hide which inputs are constant
def integrate(question: Question, ts: Times) -> tuple[State, Ending]:
    """The values at `ts`, which rise or fall, and the ending; times between the ends may repeat."""
    arguments.check_field(question.equation, ts[0], question.y0, question.args)
    equation = question.method.prepared(question.equation)
    field, parameters, y, unravel = flatten(equation, ts[0], question.y0, question.args)
    control = arguments.flat_control(question.step_control, question.y0)
    problem = Problem(ts[:1], ts[-1:], y, parameters, control, ts[1:-1])
    ending, drawn, _ = kernel(field, question.method, question.max_steps)(problem)
    inside = [_read(field, question.method, drawn, problem)] if len(ts) > 2 else []
    rows = [y[None], *inside, ending.y[None]]
    reached = jnp.abs(ts - ts[0]) <= jnp.abs(ending.t - ts[0])
    ys = jnp.where(reached[:, None], jnp.concatenate(rows), jnp.nan)
    return jax.vmap(unravel)(ys), ending


def _read(field: Field, method: Method, drawn: Array, problem: Problem) -> Array:
    """The outputs inside, each by the method's dense output of the step that contains it."""

    def one(output: tuple[Array, Array]) -> Array:
        row, time = output
        t, h, y = unpack(row)
        t, h = lax.stop_gradient((t, h))
        theta = jnp.where(h != 0, (time - t) / jnp.where(h != 0, h, 1), 0)
        return method.interpolate(field, t, h, y, problem.parameters, theta)

    return lax.map(jax.checkpoint(one, prevent_cse=False), (drawn, problem.outputs[:, None]))
