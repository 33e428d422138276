"""From a question to numbers: flatten, step, read the outputs and the events."""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, State, Times, anywhere
from continua.equations import BrownianPath, Driven, Equation, Stochastic
from continua.methods import Method
from continua.solver import arguments, functions
from continua.solver.adjoints import Adjoint
from continua.solver.events import Event, Happened, Watch
from continua.solver.field import Field, Flat, flatten, in_state
from continua.solver.loop import Loop, Problem
from continua.solver.post_mortem import Ending
from continua.solver.progress import Shown
from continua.solver.record import Layout, layout_of
from continua.solver.step_control import Fixed, StepControl


class Question(eqx.Module):
    """What is solved, but for the times."""

    equation: Equation
    y0: State
    args: Args
    method: Method
    step_control: StepControl
    stops: Array
    events: tuple[Event, ...]
    save: Callable[[Any, Any, Any], Any] | None
    adjoint: Adjoint
    key: Any
    budget: Any  # of steps to attempt, at most `max_steps`
    shown: Shown | None
    max_steps: int = eqx.field(static=True)
    max_events: int = eqx.field(static=True)
    lanes: int | None = eqx.field(static=True, default=None)  # through how many a mapped question goes


@cast(Any, eqx.filter_jit)(inline=True)  # inside a user's jit a call of its own would hide which inputs are constant
def integrate(question: Question, ts: Times) -> tuple[State, Ending, Happened | None]:
    """The values at `ts`, which rise or fall, the ending and the events; times between the ends may repeat."""
    question, ts, flat, watch, problem = _posed(question, ts)
    field, method = flat.fields[0], question.method
    lanes = question.lanes if method.in_lanes else None
    run = question.adjoint.kernel(field, method, watch, question.max_steps, lanes)
    ending, drawn, _ = run(problem)
    inside, layout = len(ts) - 2, layout_of(watch, method, ts.dtype)

    def value(t: Array, y: Array) -> Any:
        state = flat.unravel(y)
        return state if question.save is None else question.save(t, state, question.args)

    read = [_read(field, method, drawn[:inside], layout, problem, value)] if inside else []
    ends = [jax.tree.map(lambda x: x[None], value(t, y)) for t, y in ((ts[0], flat.y), (ts[-1], ending.y))]
    reached = jnp.abs(ts - ts[0]) <= jnp.abs(ending.t - ts[0])
    there = [reached[:1], *([reached[1:-1]] if inside else []), reached[-1:]]

    def joined(*parts: Array) -> Array:  # masked first: whoever takes the last alone pays for no choice of parts
        return jnp.concatenate([_where(known, part) for known, part in zip(there, parts, strict=True)])

    ys = jax.tree.map(joined, ends[0], *read, ends[1])
    if watch is None:
        return ys, ending, None
    return ys, ending, _happened(flat, watch, method, drawn[inside:], ending)


@cast(Any, eqx.filter_jit)
def attempted(question: Question, ts: Times) -> tuple[Array, Array]:
    """The times with which all attempts began, and how far each went, 0 where it was rejected: [max_steps]."""
    question, _, flat, watch, problem = _posed(question, ts)
    loop = Loop(flat.fields[0], question.method, watch, problem, question.max_steps)
    times = jnp.zeros((question.max_steps, 2), ts.dtype)
    _, times, *_ = loop.fill(loop.begin(), times, None, None, question.budget)
    return cast(Array, times)[:, 0], cast(Array, times)[:, 1]


def _posed(question: Question, ts: Times) -> tuple[Question, Times, Flat, Watch | None, Problem]:
    """The question as the loop takes it."""
    functions.check_field(question.equation, ts[0], question.y0, question.args)
    question, ts = _along_a_path(question, ts)
    if question.save is not None:
        functions.check_save(question.save, ts[0], question.y0, question.args)
    functions.check_parts(question.method, question.equation, ts[0], question.y0, question.args)
    functions.check_events(question.events, ts[0], question.y0, question.args)
    flat, watch = _flatten(question, ts[0])
    control = arguments.flat_control(question.step_control, question.y0)
    stops = lax.stop_gradient(question.stops)
    run = ts[1:-1], stops, question.budget, question.shown
    problem = Problem(ts[:1], ts[-1:], flat.y, flat.parameters, control, *run)
    return question, ts, flat, watch, problem


def _along_a_path(question: Question, ts: Times) -> tuple[Question, Times]:
    """A stochastic equation with the noise that its key gives, drawn in cells as long as fixed steps, else in one.

    A path has no derivative in time, so its times are constants.
    """
    equation, control = question.equation, question.step_control
    functions.check_fit(question.method, equation, ts[0], question.y0, question.args, control)
    if not isinstance(equation, Stochastic):
        return question, ts
    ts = lax.stop_gradient(ts)
    motions = functions.motions(equation, ts[0], question.y0, question.args)
    width = control.h if isinstance(control, Fixed) else ts[-1] - ts[0]
    width = jnp.where(width > 0, width, 1)  # a solve that ends where it begins
    path = BrownianPath(question.key, motions, ts[0], width)
    return dataclasses.replace(question, equation=Driven(equation, path)), ts


def _where(reached: Array, values: Array) -> Array:
    """NaN past the end of the solve; what is no floating number has none, and is 0."""
    missing = jnp.nan if jnp.issubdtype(values.dtype, jnp.inexact) else 0
    return jnp.where(reached.reshape(-1, *[1] * (values.ndim - 1)), values, jnp.asarray(missing, values.dtype))


def _flatten(question: Question, t: Array) -> tuple[Flat, Watch | None]:
    """The equation and its events on a flat state, with the parameters they share."""
    events, parts = question.events, question.method.parts(question.equation)
    equation = question.method.prepared(question.equation)
    of_states = {name: part.function for name, part in parts.items() if not part.of_step}
    of_steps = {name: part.function for name, part in parts.items() if part.of_step}
    functions = [in_state(function) for function in (equation, *of_states.values())]
    if events:
        functions.append(lambda t, y, args: jnp.stack([jnp.reshape(e.condition(t, y, args), ()) for e in events]))
    functions += [in_state(event.reset) for event in events if event.reset is not None]
    flat = flatten(functions, t, question.y0, question.args, list(of_steps.values()))
    fields, steps = iter(flat.fields), flat.fields[len(functions) :]
    field = next(fields)
    flat_parts = [*((name, next(fields)) for name in of_states), *zip(of_steps, steps, strict=True)]
    field = field._replace(flat_parts=tuple(flat_parts))
    if not events:
        return flat._replace(fields=[field]), None
    watch = Watch(
        next(fields),
        tuple(None if event.reset is None else next(fields) for event in events),
        tuple(event.direction for event in events),
        tuple(event.terminal for event in events),
        question.max_events,
    )
    return flat._replace(fields=[field]), watch


def in_turn(read: Callable[[Any], Any], rows: Any) -> Any:
    """`read` of every row, one after another, and again so in reverse: no more than one of them in memory."""
    return lax.map(jax.checkpoint(read, prevent_cse=False), rows)


def _read(
    field: Field, method: Method, drawn: Array, layout: Layout, problem: Problem, value: Callable[[Array, Array], Any]
) -> Any:
    """The outputs inside, each by the method's dense output of the step that contains it."""

    def one(output: tuple[Array, Array]) -> Any:
        row, time = output
        t, h, y, lost, memory, _ = layout.unpack(row)
        t, h, late = lax.stop_gradient((t, h, 0 if lost is None else lost))
        theta = jnp.where(h != 0, (time - t + late) / jnp.where(h != 0, h, 1), 0)
        return value(time[0], method.recalling(memory).interpolate(field, t, h, y, problem.parameters, theta))

    return in_turn(one, (drawn, problem.outputs[:, None]))


def _happened(flat: Flat, watch: Watch, method: Method, drawn: Array, ending: Ending) -> Happened:
    """Times and states of the events, from the steps that end with them."""
    field, p = flat.fields[0], flat.parameters

    def one(row: Array) -> tuple[Array, Array, Array]:
        t, h, y, _, memory, mark = layout_of(watch, method, row.dtype).unpack(row)
        t, h, mark = lax.stop_gradient((t, h, cast(Array, mark)))

        def when() -> tuple[Array, Array]:
            return watch.when(field, t + h, method.recalling(memory).advance(field, t, h, y, p), p, mark)

        time, state = lax.cond(anywhere(mark[0] > 0), when, lambda: (t, y))  # few of those that may happen do
        return time[0], state, watch.fired(mark)

    ts, ys, which = in_turn(one, drawn)
    there = jnp.arange(len(ts), dtype=jnp.int32) < ending.events
    ts, ys = jnp.where(there, ts, jnp.nan), jnp.where(there[:, None], ys, jnp.nan)
    return Happened(ts, jax.vmap(flat.unravel)(ys), which & there[:, None], jnp.minimum(ending.events[0], len(ts)))
