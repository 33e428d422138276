"""`solve`: from an equation, a start and times to a Solution."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from continua.core import Args, State, batch_size, is_traced
from continua.equations import Equation, Stochastic
from continua.methods import Method, Switching
from continua.solver import arguments
from continua.solver.adjoints import Adjoint
from continua.solver.choice import by_its_noise, by_its_steps, by_structure, once_for_all
from continua.solver.integration import Question, integrate
from continua.solver.lanes import FEWEST_LANES, lanes_for
from continua.solver.progress import over_time
from continua.solver.solution import Solution
from continua.solver.step_control import Fixed, StepControl

MAX_STEPS = 2**16
MAX_EVENTS = 64


def solve(
    equation: Equation | Callable[[Any, Any, Any], Any],
    y0: State,
    ts: Any,
    *,
    args: Args = None,
    method: Method | type[Method] | None = None,
    rtol: Any = None,
    atol: Any = None,
    step_control: StepControl | None = None,
    tstops: Any = (),
    events: Any = (),
    save: Any = None,
    adjoint: Adjoint | type[Adjoint] | None = None,
    key: Any = None,
    max_steps: int = MAX_STEPS,
    max_events: int = MAX_EVENTS,
    throw: bool = True,
    progress: bool = False,
) -> Solution:
    r"""Solve an initial value problem.

    $$ y'(t) = f(t, y, \text{args}), \qquad y(t_0) = y_0 $$

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt with the structure and shapes of y.
            Whatever arrays it holds or closes over can be differentiated.
        y0: the state at ts[0]: an array or any PyTree of real or complex arrays of one precision, that of the solve.
        ts: [time], strictly increasing or decreasing; the first is the start, the last the end.
        args: handed to the equation; any PyTree. Arrays and floats may change their values without a new compilation.
        method: how to step. Unless given, by the structure of the equation: `KenCarp4()` for a `SplitODE`, `ETDRK4()`
            where its stiff part is a `Diagonal`, `ETD1()`, which is exact, for a small `Linear`; `Verlet()` for a
            `SecondOrder` with fixed steps; `Tsit5()` for any other, and `Switching()`, which also takes stiff steps,
            where steps prove the equation stiff (for at most 512 states) or cannot be looked at, as under `jit` (for at
            most 32). With noise, the one of the highest strong order for it: `SRA1()`, `Milstein()`,
            `StochasticHeun()`, or `EulerMaruyama()` with `Fixed`.
        rtol: relative tolerance, positive; 1e-6 in float64 and 1e-4 in float32 unless given, 1e-3 with noise.
        atol: absolute tolerance in the units of the state, positive: a number, or a PyTree like y0 of numbers or
            arrays; rtol / 1000 unless given, rtol with noise.
        step_control: `Adaptive(rtol, atol)` or `Fixed(h)` instead of the tolerances.
        tstops: times at which the equation or a derivative of it jumps, in any order. Steps end just before one, and
            begin anew behind it; those outside of `ts` are passed over. No derivative is taken with respect to them.
        events: an `Event` or several: where a condition changes its sign, the step ends, the state may be set anew, and
            the solve may end. An output at the very time of an event is the state before it.
        save: `save(t, y, args)`, what is kept at `ts` instead of the state: any PyTree of arrays.
        adjoint: how to differentiate: `Discrete()`, exact on the steps, unless given; or `Forward()`, `Implicit()`,
            `Backsolve()`, `Reversible()`.
        key: of `jax.random`, for an equation with noise (`SDE`): equal keys, times and steps give equal paths.
        max_steps: how many steps may be attempted. Time and memory hardly depend on it.
        max_events: how many events may happen.
        throw: whether a solve that ends early raises. Under your own `jit` nothing can be raised: see `status`.
        progress: whether a bar on standard error shows how much of the time is done, for long solves: not under your
            own `jit` and other transformations, and only if it is a terminal.

    Returns:
        A `Solution`: `ts` [time], `ys` (the structure of y0, or of what `save` gives, with a leading [time]),
        `status`, `stats`, `solution(t)`, and `events` where some were asked for. Past a terminal event `ys` is NaN.

    Raises:
        ArgumentError: a value, shape or dtype cannot be used; the message names the argument and the remedy.
        ArgumentTypeError: a type or structure cannot be used.
        FailedSolve: step budget, suspected stiffness, blow-up, a non-finite field or too many events, with the place
            and what to try.

    The result can be jitted, mapped and differentiated forward, backward and forward over backward. Gradients are those
    of the computed numbers on the recorded steps, with respect to y0, args, the equation's arrays and ts; first
    derivatives are exact through events too. With noise they are taken along its path, with ts held where they are.

    Example:
        >>> import jax.numpy as jnp
        >>> solution = solve(lambda t, y, rate: -rate * y, jnp.array([1.0]), jnp.array([0.0, 1.0]), args=1.0)
        >>> print(f"{solution.ys[-1, 0]:.3f}", solution.status.name)
        0.368 SUCCESS
    """
    equation = arguments.equation(equation)
    y0 = arguments.state(y0)
    dtype = jnp.finfo(jax.tree.leaves(y0)[0].dtype).dtype  # the real one
    args, most, ts = arguments.numbers(args), arguments.max_steps(max_steps), arguments.times(ts, dtype)
    kept, way = arguments.save(save), arguments.adjoint(adjoint)
    stops, watched = arguments.stops(tstops, dtype), arguments.events(events, max_events)
    key = arguments.key(key)
    arguments.noise(equation, key, y0, ts, args, watched)
    size, bytes_each = (sum(getattr(leaf, of) for leaf in jax.tree.leaves(y0)) for of in ("size", "nbytes"))
    lanes = FEWEST_LANES if watched else lanes_for(bytes_each)  # all wait while one searches for its event
    large = batch_size((equation, y0, args, ts, key)) > lanes

    known = not any(map(is_traced, jax.tree.leaves((equation, y0, args, ts))))

    def run(method: Method, attempts: int = most) -> tuple[Solution, Any]:
        control = arguments.step_control(method, step_control, rtol, atol, dtype)
        arguments.check_stability(method, equation, step_control, ts)
        budget, few = jnp.asarray(attempts, jnp.int32), lanes if large else None
        with over_time(progress and known) as shown:
            how = (method, control, stops, watched, kept, way, key, budget, None, most, max_events, few)
            question = Question(equation, y0, args, *how)
            ys, ending, happened = integrate(replace(question, shown=shown), ts)
        return Solution(ts, ys, ending, question, happened), ending.status

    if method is None and isinstance(equation, Stochastic):
        method = by_its_noise(equation, ts[0], y0, args)
    fixed = isinstance(step_control, Fixed)
    first = by_structure(equation, size, fixed) if method is None else arguments.method(method, equation)
    if method is None and not fixed:  # fixed steps were asked for, and prove nothing
        first = first if known else once_for_all(first, size)
        solution = by_its_steps(run, size, first, Switching(), most if known else None)
    else:
        solution, _ = run(first)
    return solution.check() if throw else solution
