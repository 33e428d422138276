"""Why a solve ended where it did: told apart in compiled code, explained in words after it."""

import enum
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import FlatState, State, Verdict
from continua.equations import Equation
from continua.methods import spectral_radius
from continua.solver.events import Watch
from continua.solver.field import Field
from continua.solver.loop import Problem, Stepper


class Status(enum.IntEnum):
    """How a solve ended. Compiled code returns it, `solve` raises after all but SUCCESS and EVENT, a terminal event."""

    SUCCESS = 0
    STEP_BUDGET = 1
    STIFF = 2
    BLOW_UP = 3
    NON_FINITE_FIELD = 4
    STEP_UNDERFLOW = 5
    EVENT = 6
    EVENT_FAILURE = 7
    STEP_FAILED = 8


class Ending(NamedTuple):
    """Where a loop stopped and why: times and counts are [1] or [1, lane].

    `component` is the one to look at, `radius` an estimate of the largest |∂f/∂y| (0 where the solve succeeded).
    """

    t: Array
    h: Array
    y: FlatState
    attempts: Array
    accepted: Array
    events: Array
    status: Array
    component: Array
    radius: Array


def examine(field: Field, watch: Watch | None, problem: Problem, last: Stepper) -> Ending:
    """The ending of a loop, from its last state alone."""
    t, y = last.t, last.y
    failed, ended, lost = problem.left(last), jnp.zeros_like(t, bool), jnp.zeros_like(t, bool)
    if watch is not None:
        mark = cast(Array, last.mark)
        lost = (mark < 0) | (last.counts[2:] > watch.most)
        ended = watch.ends(mark) & ~lost
        failed &= ~ended
    nothing = jnp.zeros_like(t)
    broken, bursting, component, radius = lax.cond(  # no successful solve pays for it
        jnp.any(failed),
        lambda: _suspects(field, problem, last),
        lambda: (nothing != 0, nothing != 0, jnp.zeros(t.shape, jnp.int32), nothing),
    )
    out_of_steps = last.counts[:1] >= problem.budget
    status = jnp.select(
        [
            ended,
            ~failed & ~lost,
            lost,
            broken,
            bursting,
            last.h == 0,  # what fixed steps leave behind where a step gives no finite state
            out_of_steps & (radius * jnp.abs(last.h) > 2),  # steps at the edge of stability, not of accuracy
            out_of_steps,
        ],
        [
            Status.EVENT,
            Status.SUCCESS,
            Status.EVENT_FAILURE,
            Status.NON_FINITE_FIELD,
            Status.BLOW_UP,
            Status.STEP_FAILED,
            Status.STIFF,
            Status.STEP_BUDGET,
        ],
        Status.STEP_UNDERFLOW,
    ).astype(jnp.int32)
    attempts, accepted = last.counts[:1], last.counts[1:2]
    events = jnp.zeros_like(attempts) if watch is None else last.counts[2:]
    return Ending(t, last.h, y, attempts, accepted, events, status, component, radius)


def _suspects(field: Field, problem: Problem, last: Stepper) -> tuple[Verdict, Verdict, Array, Array]:
    """Whether the field is broken, whether the state bursts, the component most suspect, and the spectral radius."""
    t, y, p = last.t, last.y, problem.parameters
    slope = field(t, y, p)
    broken = ~jnp.isfinite(slope)
    resolution = 1e4 * jnp.finfo(y.dtype).eps * jnp.maximum(jnp.abs(t), jnp.abs(problem.end - problem.start) * 1e-6)
    outward = (jnp.sign(slope) == jnp.sign(y * (problem.end - problem.start))) & (jnp.abs(y) > jnp.abs(problem.y))
    bursting = outward & (jnp.abs(y) <= resolution * jnp.abs(slope))
    bursting |= jnp.abs(y) > jnp.sqrt(jnp.finfo(y.dtype).max)
    bursting |= broken & (jnp.abs(y) > jnp.finfo(y.dtype).max ** 0.25)  # the state's size made it overflow
    broken &= ~jnp.any(bursting, 0, keepdims=True)
    suspect = jnp.where(broken, jnp.inf, jnp.where(bursting, jnp.abs(slope) + jnp.abs(y), jnp.abs(slope) * 1e-300))
    component = jnp.argmax(suspect, 0, keepdims=True).astype(jnp.int32)
    broken, bursting = jnp.any(broken, 0, keepdims=True), jnp.any(bursting, 0, keepdims=True)
    return broken, bursting, component, spectral_radius(field, t, y, p)


def explain(
    ending: Ending, end: float, max_steps: int, most_events: int, component: str, batch: tuple[int, ...]
) -> str:
    """One line for one failed trajectory: what happened, where, and what to try."""
    t, h, radius = float(ending.t[0]), abs(float(ending.h[0])), float(ending.radius[0])
    value = float(ending.y[int(ending.component[0])])
    where = f" in batch entry {', '.join(map(str, batch))}" if batch else ""
    budget = f"`solve` used its budget of max_steps={max_steps} at t={t:.6g} of {end:.6g}{where}"
    match Status(int(ending.status[0])):
        case Status.STEP_BUDGET:
            return f"{budget} (last step {h:.2g}). Raise `max_steps`, loosen `rtol`, or shorten `ts`."
        case Status.STIFF:
            return (
                f"{budget}, and the equation looks stiff: stability holds the step at {h:.2g} (|∂f/∂y| is about "
                f"{radius:.2g}). Use `method=continua.methods.Rodas5P()`, or rescale the fast part."
            )
        case Status.BLOW_UP:
            return (
                f"The solution blows up near t={t:.6g}{where}: {component} is {value:.3g} there and grows without "
                "bound. End `ts` before that time, check the signs of the equation, or shorten fixed steps."
            )
        case Status.NON_FINITE_FIELD:
            return (
                f"The equation gives NaN or infinity for {component} at t={t:.6g}{where}, where the state is finite. "
                "Look for a division by zero, or a log or root of a negative number."
            )
        case Status.EVENT_FAILURE if int(ending.events[0]) > most_events:
            return (
                f"More than max_events={most_events} events happened by t={t:.6g} of {end:.6g}{where}: they may "
                "accumulate. Raise `max_events`, or end the solve with a terminal event."
            )
        case Status.EVENT_FAILURE:
            return (
                f"A condition of `events` gives NaN or infinity near t={t:.6g}{where}, where the state is finite. "
                "Look for a division by zero, or a log or root of a negative number."
            )
        case Status.STEP_FAILED:
            return (
                f"The fixed step from t={t:.6g}{where} gives no finite state: the equation is undefined within it, or "
                "its implicit system is not solved (Newton's iteration fails, or its matrix is singular). Use a "
                "smaller `h` of `Fixed`, or tolerances."
            )
        case _:
            return (
                f"The step fell below round-off at t={t:.6g}{where} ({component} changes fastest, last step {h:.2g}). "
                "The equation is singular, undefined or jumps there: end `ts` before that point, or restart behind it."
            )


def component_name(equation: Equation, y0: State, component: int) -> str:
    """How a flat component is called: by the equation's names, else by its place in y0."""
    sizes = [np.size(y) * (1 + np.iscomplexobj(y)) for y in jax.tree.leaves(y0)]
    if len(equation.states) == sum(sizes):
        return equation.states[component]
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(y0)]
    for path, leaf, size in zip(paths, jax.tree.leaves(y0), sizes, strict=True):
        if component < size:
            index = np.unravel_index(component % np.size(leaf), np.shape(leaf))
            return f"y{path}" + (f"[{', '.join(str(int(i)) for i in index)}]" if index else "")
        component -= size
    return f"component {component}"
