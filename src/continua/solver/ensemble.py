"""`solve_ensemble`: many trajectories of one equation, through few lanes, on all devices, chunk by chunk."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from continua.core import Args, ArgumentError, ArgumentTypeError, FailedSolve, State, is_traced
from continua.equations import Equation, Stochastic
from continua.methods import Method
from continua.solver import arguments, functions
from continua.solver.choice import by_its_noise, by_structure, once_for_all
from continua.solver.chunks import Plan, all_at_once, in_chunks
from continua.solver.driver import MAX_EVENTS, MAX_STEPS
from continua.solver.events import Happened
from continua.solver.integration import integrate
from continua.solver.lanes import lanes_for
from continua.solver.members import Member, Members, members
from continua.solver.post_mortem import component_name, explain
from continua.solver.solution import FINE, Solution, Stats
from continua.solver.step_control import Fixed, StepControl

CHUNK_BYTES = 2**26  # of states and outputs on the devices at once
BESIDE = 8  # states that each trajectory needs besides its outputs


class Ensemble(eqx.Module):
    """The trajectories at the asked times, how each ended, and what it cost.

    `ensemble[i]` is the `Solution` of one trajectory, solved again by itself: for its dense output, or to look into it.

    Attributes:
        ts: [time], or [trajectory, time] where each has its own.
        ys: the structure of a y0, each leaf [trajectory, time, …]; NaN past a failure.
        status: [trajectory], numbers of `Status`.
        reached: [trajectory], the times where they stopped.
        stats: [trajectory], counts.
        stiff: [trajectory], whether it was solved by `Rodas5P` because its steps proved it stiff.
        events: what happened, a `Happened` with [trajectory] in front, where `events` were asked for.
    """

    ts: Any
    ys: PyTree[Any]
    status: Any
    reached: Any
    stats: Stats
    stiff: Any
    events: Happened | None
    members: Members
    plan: Plan

    def __len__(self) -> int:
        return self.members.size

    def __getitem__(self, number: int) -> Solution:
        member = self.members.one(range(len(self))[number])
        plan = self.plan.for_stiff() if bool(self.stiff[number]) else self.plan
        member = member._replace(y0=arguments.state(member.y0, finite=False))
        ts, question = arguments.times(member.ts, _real(member.y0)), plan.question(member)
        ys, ending, happened = integrate(question, ts)
        return Solution(ts, ys, ending, question, happened)

    def check(self) -> "Ensemble":
        """Raise `FailedSolve` for the first failed trajectory, else return the ensemble itself."""
        if is_traced(self.status) or not (failed := np.flatnonzero(~np.isin(np.asarray(self.status), FINE))).size:
            return self
        number = int(failed[0])
        solution = self[number]
        ending = jax.tree.map(np.asarray, solution.ending)
        name = component_name(solution.question.equation, solution.question.y0, int(ending.component[0]))
        question = solution.question
        limits = question.max_steps, question.max_events
        raise FailedSolve(explain(ending, float(solution.ts[-1]), *limits, name, (number,)), self)


def solve_ensemble(
    equation: Equation | Callable[[Any, Any, Any], Any],
    y0: State,
    ts: Any,
    *,
    args: Args = None,
    in_axes: Any = None,
    method: Method | type[Method] | None = None,
    rtol: Any = None,
    atol: Any = None,
    step_control: StepControl | None = None,
    tstops: Any = (),
    events: Any = (),
    save: Any = None,
    key: Any = None,
    max_steps: int = MAX_STEPS,
    max_events: int = MAX_EVENTS,
    throw: bool = True,
    lanes: int | None = None,
    chunk: int | None = None,
    out: Any = None,
    progress: bool = True,
) -> Ensemble:
    r"""Solve many initial value problems of one equation, each with its own steps.

    $$ y_i'(t) = f(t, y_i, \text{args}_i), \qquad y_i(t_{0,i}) = y_{0,i}, \qquad i = 1 \dots N $$

    The numbers are those of `jax.vmap` over `solve`, sooner: a few lanes step at once, so that they stay in the
    cache, and one that has finished takes the next trajectory instead of waiting for the slowest. Trajectories are
    dealt to all devices of JAX (see `continua.configure`), and go there in chunks: arrays of the host, files mapped
    by numpy among them, need not fit into memory, and neither do the results.

    Args:
        equation: as in `solve`.
        y0: the states at the start, with an axis of trajectories where `in_axes` says so.
        ts: [time], or with an axis of trajectories.
        args: handed to the equation; any PyTree.
        in_axes: a dict that names, for `equation`, `y0`, `ts` and `args`, the axis of trajectories: an int, None for
            what all share, or a PyTree of both as in `jax.vmap`; for an equation also a dict of its fields. What it
            does not name is shared; `{"y0": 0}` unless given.
        method: as in `solve`; unless given, the trajectories that prove stiff are solved by `Rodas5P()`;
            under `jit` all by `Switching()`.
        rtol: relative tolerance, as in `solve`.
        atol: absolute tolerance, as in `solve`.
        step_control: `Adaptive(rtol, atol)` or `Fixed(h)` instead of the tolerances.
        tstops: times at which the equation or a derivative of it jumps, for all trajectories, as in `solve`.
        events: an `Event` or several, as in `solve`: each trajectory meets them, is reset and ends for itself. What in
            them differs from one to another is read from its `args`.
        save: `save(t, y, args)`, what is kept of a trajectory at `ts` instead of its state: any PyTree of arrays.
        key: for an equation with noise, a key of `jax.random`, of which trajectory i takes `split(key, N)[i]`; or
            [trajectory], a key for each.
        max_steps: how many steps each trajectory may attempt.
        max_events: how many events may happen to each; the memory of `events` grows with it.
        throw: whether a trajectory that ends early raises, when all are solved.
        lanes: how many trajectories a device steps at once; by the size of the state unless given, and with events one
            after another, since all lanes wait while one of them searches for its event.
        chunk: how many trajectories go to the devices at once; by the size of the result unless given.
        out: the structure of `ys` in writable arrays of the host, [trajectory, time, …], to be filled; such as
            `numpy.lib.format.open_memmap("ys.npy", "w+", float, shape)`.
        progress: whether a bar on standard error shows the chunks, where there are several and it is a terminal.

    Returns:
        An `Ensemble`: `ys` (the structure of a y0, or of what `save` gives, [trajectory, time, …]), `status`,
        `reached` and `stats` [trajectory], and `events` where some were asked for: `ts` [trajectory, happening], `ys`,
        `which` and `count`. Where a terminal event ended a trajectory its status says so, and its `ys` are NaN behind.

    Raises:
        ArgumentError: a value, shape or dtype cannot be used; the message names the argument and the remedy.
        ArgumentTypeError: a type or structure cannot be used.
        FailedSolve: trajectories failed; the first of them is explained.

    It can be jitted and differentiated like `solve`, in one chunk. The steps are made again for a derivative, so its
    memory grows with the results alone.

    Good for: initial states, parameters or noise drawn by the thousand; parameters over which the number of steps
    differs.

    Example:
        >>> import jax.numpy as jnp
        >>> rates = jnp.linspace(0.0, 2.0, 5)
        >>> decay = lambda t, y, rate: -rate * y
        >>> ensemble = solve_ensemble(decay, jnp.ones(1), jnp.array([0.0, 1.0]), args=rates, in_axes={"args": 0})
        >>> print(ensemble.ys[:, -1, 0].round(3), ensemble.status)
        [1.    0.607 0.368 0.223 0.135] [0 0 0 0 0]
    """
    everyone = _members(equation, y0, ts, args, in_axes, key)
    state, times = _checked(everyone)
    dtype = _real(state)
    first, fixed = everyone.one(0), isinstance(step_control, Fixed)
    law = first.equation
    watched = arguments.events(events, max_events)
    arguments.noise(law, first.key, state, arguments.times(first.ts, dtype), first.args, watched)
    if method is None and isinstance(law, Stochastic):
        method = by_its_noise(law, first.ts[0], state, first.args)
    states, automatic = sum(leaf.size for leaf in jax.tree.leaves(state)), method is None and not fixed
    stepper = by_structure(law, states, fixed) if method is None else arguments.method(method, law)
    if automatic and everyone.traced:
        stepper = once_for_all(stepper, states)
    control = arguments.step_control(stepper, step_control, rtol, atol, dtype)
    few = _positive("lanes", lanes) or (1 if watched else lanes_for(states * dtype.itemsize))
    devices = tuple(jax.local_devices())
    stops, kept = arguments.stops(tstops, dtype), arguments.save(save)
    limits = arguments.max_steps(max_steps), max_events, few, devices, states if automatic else 0
    plan = Plan(stepper, control, stops, kept, watched, *limits)
    if everyone.traced:
        _check_untraced(out=out, chunk=chunk)
        result = all_at_once(everyone, plan)
    else:
        like = state if kept is None else _like_kept(kept, jnp.asarray(first.ts, dtype)[0], state, first.args)
        _check_out(out, like, (everyone.size, times.shape[-1]))
        wide = max(states, sum(leaf.size for leaf in jax.tree.leaves(like)))
        happenings = max_events if watched else 0
        bytes_each = wide * dtype.itemsize * (times.shape[-1] + happenings + BESIDE)
        pieces = -(-everyone.size // (_positive("chunk", chunk) or max(1, CHUNK_BYTES // bytes_each)))
        each = -(-everyone.size // (pieces * len(devices))) * len(devices)
        result = in_chunks(everyone, plan, each, out, progress)
    ensemble = Ensemble(times, *result, everyone, plan)
    return ensemble.check() if throw else ensemble


def _members(equation: Any, y0: State, ts: Any, args: Args, in_axes: Any, key: Any) -> Members:
    """Who solves what, each with a key of its own; lists of numbers become arrays."""
    in_axes = {"y0": 0} if in_axes is None else in_axes
    own_states = isinstance(in_axes, dict) and in_axes.get("y0") is not None
    y0 = _array(y0) if own_states else arguments.state(y0)
    member = Member(arguments.equation(equation), y0, _array(ts), arguments.numbers(args), arguments.key(key))
    if member.key is None or member.key.ndim:
        return members(member, in_axes)
    size = members(member._replace(key=None), in_axes).size
    return members(member._replace(key=jax.random.split(member.key, size)), in_axes)


def _array(value: Any) -> Any:
    """A list of numbers, or of lists of them, as an array of the host; anything else as it is."""
    if not isinstance(value, list | tuple):
        return value
    if any(is_traced(leaf) for leaf in value):
        return jnp.stack([jnp.asarray(leaf) for leaf in value])
    try:
        array = np.asarray(value)
    except ValueError:  # ragged
        return value
    return array if array.dtype.kind in "fiub" else value


def _checked(everyone: Members) -> tuple[State, Any]:
    """The state of one trajectory, and the times of all; a bad argument of any is answered as `solve` does."""
    first, everything = everyone.one(0), everyone.join(everyone.own)
    state = arguments.state(first.y0, finite=False)
    dtype = _real(state)
    if not everyone.has_own("ts"):
        return state, arguments.times(first.ts, dtype)
    arguments.times(first.ts, dtype)
    if not everyone.traced:
        cast = np.asarray(everything.ts, dtype)
        steps = np.diff(cast) * np.sign(cast[:, -1:] - cast[:, :1])
        if wrong := np.flatnonzero(~(np.isfinite(cast).all(1) & (steps > 0).all(1))).tolist():
            arguments.times(everything.ts[wrong[0]], dtype)
    return state, everything.ts


def _like_kept(save: Callable, t: Any, state: State, args: Args) -> Any:
    """The shapes of what is kept of a trajectory at one time."""
    functions.check_save(save, t, state, args)
    return jax.eval_shape(save, t, state, args)


def _real(state: State) -> Any:
    """The dtype of times and tolerances."""
    return jnp.finfo(jax.tree.leaves(state)[0].dtype).dtype


def _positive(name: str, value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1):
        raise ArgumentError(f"`{name}` of `solve_ensemble` must be a positive int. Got {value!r}. Use 256.")
    return None if value is None else int(value)


def _check_untraced(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise ArgumentError(
                f"`{name}` of `solve_ensemble` is for arrays of the host. Got it under a transformation of JAX. "
                "Use it outside."
            )


def _check_out(out: Any, state: State, leading: tuple[int, int]) -> None:
    """It must be like the result, and writable in place."""
    if out is None:
        return
    wanted = jax.tree.map(lambda x: f"{x.dtype}{[*leading, *x.shape]}", state)
    if jax.tree.structure(out) != jax.tree.structure(state):
        raise ArgumentTypeError(
            f"`out` of `solve_ensemble` must have the structure of ys, {wanted}. Use such a PyTree."
        )
    for given, want in zip(jax.tree.leaves(out), jax.tree.leaves(wanted), strict=True):
        if not isinstance(given, np.ndarray) or not given.flags.writeable:
            raise ArgumentTypeError(
                f"`out` of `solve_ensemble` must be a writable array of numpy. Got {type(given).__name__}. "
                f"Use np.empty for {want}."
            )
        if f"{given.dtype}{list(given.shape)}" != want:
            raise ArgumentError(
                f"`out` of `solve_ensemble` must be {want}. Got {given.dtype}{list(given.shape)}. Use such an array."
            )
