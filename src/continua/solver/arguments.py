"""The door of `solve`: every argument is looked at once, and a bad one is answered in one line."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import Args, ArgumentError, ArgumentTypeError, State, Times, as_node, is_traced, short
from continua.equations import ODE, Equation, Spatial, Stochastic
from continua.methods import (
    RK4,
    ExplicitRungeKutta,
    Method,
    StochasticMethod,
    Substeps,
    growth_factor,
    stability_limit,
)
from continua.solver.adjoints import Adjoint, Discrete
from continua.solver.events import Event
from continua.solver.functions import described, motions
from continua.solver.step_control import Adaptive, Fixed, StepControl

HARMLESS = 1e3  # how much waves may grow in a solve where no step of the method damps them
MOST_EVENTS = 20  # one number of a row says which happened: 2**20 is exact in float32 too


def equation(value: Any) -> Equation:
    """An Equation; a plain function becomes an ODE."""
    if isinstance(value, type):
        raise ArgumentTypeError(
            f"`equation` of `solve` must be an instance. Got the class {value.__name__}. Use {value.__name__}(…)."
        )
    if isinstance(value, Equation):
        return value
    if not callable(value):
        raise ArgumentTypeError(
            f"`equation` of `solve` must be an Equation or a function f(t, y, args). Got {short(value)}. "
            "Use a function that returns dy/dt."
        )
    _check_arity(value)
    return ODE(value)


def _check_arity(function: Callable) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(0.0, 0.0, None)
    except TypeError:
        raise ArgumentTypeError(
            f"`equation` of `solve` must take three arguments (t, y, args). Got {_name(function)}{signature}. "
            "Use f(t, y, args), and ignore what it does not need."
        ) from None


def state(value: Any, finite: bool = True) -> State:
    """The initial state as arrays, which must be `finite` or not; a list of plain numbers is one array."""
    if isinstance(value, list) and value and all(isinstance(v, int | float | np.generic) for v in value):
        value = np.asarray(value)
    try:
        leaves = jax.tree.leaves(value)
    except ValueError:
        raise ArgumentTypeError(
            f"`y0` of `solve` must have keys that can be sorted. Got {short(value)}. Use names only, or numbers only."
        ) from None
    if not leaves:
        raise ArgumentError(f"`y0` of `solve` must hold at least one number. Got {short(value)}. Use an array.")
    for leaf in leaves:
        _check_leaf(leaf)
    arrays = jax.tree.map(jnp.asarray, value)
    kinds = {jnp.finfo(x.dtype).dtype for x in jax.tree.leaves(arrays)}
    if len(kinds) > 1:
        raise ArgumentTypeError(
            f"`y0` of `solve` must have one precision. Got {', '.join(sorted(str(k) for k in kinds))}. "
            "Use y0 = jax.tree.map(lambda x: x.astype(float), y0)."
        )
    for leaf in jax.tree.leaves(arrays):
        if finite and not is_traced(leaf) and not np.isfinite(leaf).all():
            raise ArgumentError("`y0` of `solve` must be finite. Got NaN or infinity. Look at where it was computed.")
    return arrays


def _check_leaf(leaf: Any) -> None:
    kind = _kind(leaf)
    if kind is None:
        raise ArgumentTypeError(f"`y0` of `solve` must hold numbers. Got {short(leaf)}. Use a floating array.")
    if not jnp.issubdtype(kind, jnp.inexact):
        raise ArgumentTypeError(f"`y0` of `solve` must be floating. Got {kind}. Use y0 = jnp.asarray(y0, float).")
    if jnp.size(leaf) == 0:
        raise ArgumentError("`y0` of `solve` must hold at least one number. Got an empty array. Use a longer one.")


def _kind(leaf: Any) -> Any:
    """The dtype that JAX gives a number or an array, None where it takes no such thing."""
    if not hasattr(leaf, "dtype") and not isinstance(leaf, int | float | complex):
        return None
    try:
        return jnp.result_type(leaf)
    except (TypeError, OverflowError):
        return None


def times(value: Any, dtype: Any) -> Times:
    """The output times, at least two, strictly monotone, in the real dtype of the state."""
    if isinstance(value, list | tuple) and any(is_traced(v) for v in value):
        value = jnp.stack([jnp.asarray(v, dtype) for v in value])
    try:
        given = value if isinstance(value, jax.Array) else np.asarray(value)
    except ValueError:
        given = np.asarray(None)
    if not (jnp.issubdtype(given.dtype, jnp.floating) or jnp.issubdtype(given.dtype, jnp.integer)):
        raise ArgumentTypeError(
            f"`ts` of `solve` must be an array of times. Got {short(value)}. Use jnp.linspace(0, 1, 11)."
        )
    if given.ndim != 1 or len(given) < 2:
        raise ArgumentError(
            f"`ts` of `solve` must be [time] with at least the start and the end. Got shape {tuple(given.shape)}. "
            "Use jnp.array([t0, t1])."
        )
    with np.errstate(over="ignore"):
        cast = jnp.asarray(given, dtype)
        if not is_traced(cast):
            _check_monotone(np.asarray(given, float), np.asarray(cast))
    return cast


def _check_monotone(given: np.ndarray, cast: np.ndarray) -> None:
    if not np.isfinite(given).all():
        raise ArgumentError("`ts` of `solve` must be finite. Got NaN or infinity. Use finite times.")
    if not np.isfinite(np.append(cast, cast[-1] - cast[0])).all():
        raise ArgumentError(
            f"`ts` of `solve` must lie within {cast.dtype}. Got {given[0]:.6g} … {given[-1]:.6g}. "
            "Use a larger unit of time."
        )
    steps = np.diff(given)
    rising = given[-1] > given[0]
    wrong = np.flatnonzero(steps <= 0 if rising else steps >= 0)
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(
            f"`ts` of `solve` must be strictly {'increasing' if rising else 'decreasing'}. "
            f"Got ts[{i}]={given[i]:.6g}, ts[{i + 1}]={given[i + 1]:.6g}. Use np.unique(ts), reversed to go backward."
        )
    equal = np.flatnonzero(np.diff(cast) == 0)
    if equal.size:
        i = int(equal[0])
        raise ArgumentError(
            f"`ts` of `solve` must differ in {cast.dtype}. Got ts[{i}]={given[i]:.9g}, ts[{i + 1}]={given[i + 1]:.9g}. "
            "Use float64: jax.config.update('jax_enable_x64', True), or count time from a later origin."
        )


def stops(value: Any, dtype: Any) -> Array:
    """The times at which steps end: [stop], none in most solves."""
    try:
        given = jnp.asarray(value, dtype).reshape(-1)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`tstops` of `solve` must be times. Got {short(value)}. Use tstops=[1.0, 2.5]."
        ) from None
    if not is_traced(given) and not np.isfinite(given).all():
        raise ArgumentError("`tstops` of `solve` must be finite. Got NaN or infinity. Use finite times.")
    return given


def events(value: Any, most: Any) -> tuple[Event, ...]:
    """The events, as a tuple."""
    given = (value,) if isinstance(value, Event) else value
    if not isinstance(given, list | tuple) or not all(isinstance(event, Event) for event in given):
        raise ArgumentTypeError(
            f"`events` of `solve` must be an Event or a list of them. Got {short(value)}. "
            "Use Event(lambda t, y, args: y[0])."
        )
    for event in given:
        if event.direction not in (-1, 0, 1):
            raise ArgumentError(
                f"`direction` of `Event` must be -1, 0 or 1. Got {short(event.direction)}. Use 0 for both."
            )
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ArgumentError(f"`max_events` of `solve` must be a positive int. Got {short(most)}. Use 64.")
    if len(given) > MOST_EVENTS:
        raise ArgumentError(f"`events` of `solve` must be at most {MOST_EVENTS}. Got {len(given)}. Join some of them.")
    return tuple(given)


def numbers(value: Args) -> Args:
    """Python's floats as arrays, weakly typed as they were: a new value of one compiles nothing anew."""
    return jax.tree.map(lambda x: jnp.asarray(x) if isinstance(x, float) else x, value)


def inside(t: Any, ts: Times) -> Array:
    """Times at which a solution is asked, between its ends."""
    try:
        t = jnp.asarray(t, ts.dtype)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`t` of `solution(t)` must be a time or an array of times. Got {short(t)}. Use 0.5."
        ) from None
    if not is_traced(t) and not is_traced(ts) and ts.ndim == 1:
        low, high = sorted((float(ts[0]), float(ts[-1])))
        if t.size and not (low <= float(t.min()) and float(t.max()) <= high):
            raise ArgumentError(
                f"`t` of `solution(t)` must lie in [{low:.6g}, {high:.6g}]. "
                f"Got {float(t.min()):.6g} … {float(t.max()):.6g}. "
                "Use `solve` with a longer `ts`."
            )
    return t


def method(value: Any, equation: Equation) -> Method:
    """A Method that fits the equation; a class that needs no arguments is instantiated."""
    if isinstance(value, type) and issubclass(value, Method):
        value = value() if hasattr(value, "order") else value
    if not isinstance(value, Method):
        raise ArgumentTypeError(
            f"`method` of `solve` must be a Method. Got {short(value)}. Use continua.methods.Tsit5()."
        )
    value.parts(equation)  # says what it misses, before anything is traced
    return value


def adjoint(value: Any) -> Adjoint:
    """How to differentiate; a class is instantiated."""
    value = Discrete() if value is None else value
    value = value() if isinstance(value, type) and issubclass(value, Adjoint) else value
    if not isinstance(value, Adjoint):
        raise ArgumentTypeError(f"`adjoint` of `solve` must be an Adjoint. Got {short(value)}. Use Discrete().")
    return value


def step_control(method: Method, control: StepControl | None, rtol: Any, atol: Any, dtype: Any) -> StepControl:
    """The step control, from tolerances unless given; noise is followed with larger ones."""
    if isinstance(control, type):
        raise ArgumentTypeError(
            f"`step_control` of `solve` must be an instance. Got the class {control.__name__}. Use Fixed(h=0.01)."
        )
    if control is not None and not isinstance(control, StepControl):
        raise ArgumentTypeError(
            f"`step_control` of `solve` must be a StepControl. Got {short(control)}. Use Fixed(h=0.01)."
        )
    if control is not None and (rtol is not None or atol is not None):
        raise ArgumentError(
            "`rtol` and `atol` of `solve` exclude `step_control`. Got both. Use Adaptive(rtol, atol) or Fixed(h)."
        )
    if control is None:
        noisy = isinstance(method, StochasticMethod)
        rtol = (1e-3 if noisy else 1e-6 if jnp.finfo(dtype).bits == 64 else 1e-4) if rtol is None else rtol
        _check_tolerance("`rtol` of `solve`", rtol)
        control = Adaptive(rtol, (rtol if noisy else rtol * 1e-3) if atol is None else atol)
    if isinstance(control, Adaptive):
        _check_tolerance("`rtol` of `solve`", control.rtol)
        for leaf in jax.tree.leaves(control.atol) or [None]:
            _check_tolerance("`atol` of `solve`", leaf)
        _check_reach(control.rtol, dtype)
        if not method.adaptive:
            name = type(method).__name__
            raise ArgumentError(
                f"`method` of `solve` must estimate its error to adapt its steps. Got {name}(). "
                f"Use step_control=Fixed(h), or {'Milstein' if isinstance(method, StochasticMethod) else 'Tsit5'}()."
            )
    if isinstance(control, Fixed):
        _check_tolerance("`h` of `Fixed`", control.h)
        if jnp.ndim(control.h):
            raise ArgumentError(
                f"`h` of `Fixed` must be one number. Got shape {jnp.shape(control.h)}. Use Fixed(h=0.01)."
            )
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), control)


def check_stability(method: Method, equation: Equation, control: StepControl | None, ts: Times) -> None:
    """Fixed explicit steps on a grid may not be longer than its sharpest wave allows."""
    inner = method.method if isinstance(method, Substeps) else method
    if not (isinstance(control, Fixed) and isinstance(equation, Spatial) and isinstance(inner, ExplicitRungeKutta)):
        return
    if is_traced(control.h) or is_traced(ts) or (spectrum := equation.spectrum()) is None:
        return
    times = np.asarray(ts)
    h, span, name = float(control.h), float(times[-1] - times[0]), type(inner).__name__
    if span <= 0:  # backward in time, all that falls grows
        return
    grows = growth_factor(method, h, spectrum)
    if grows <= 1 + 1e-6:
        return
    if limit := stability_limit(method, spectrum):
        raise ArgumentError(
            f"`h` of `Fixed` must be at most {limit:.4g} for {name}() on this grid: its sharpest wave grows "
            f"{grows:.3g}-fold in a step. Got {h:.4g}. Use Fixed({_just_below(limit)}), or RKC()."
        )
    if span / h * math.log(grows) > math.log(HARMLESS):
        raise ArgumentError(
            f"`method` of `solve` must damp waves that only travel, and no step of {name}() does: one grows "
            f"{grows:.4g}-fold in each of {span / h:.0f} steps. Use RK4(), stable up to "
            f"Fixed({_just_below(stability_limit(RK4(), spectrum))})."
        )


def _just_below(limit: float) -> str:
    """Four digits, rounded down."""
    unit = 10.0 ** (math.floor(math.log10(limit)) - 3)
    return f"{math.floor(limit / unit) * unit:.4g}"


def _check_tolerance(words: str, value: Any) -> None:
    if is_traced(value):
        return
    kind = _kind(value)
    if kind is None or not (jnp.issubdtype(kind, jnp.floating) or jnp.issubdtype(kind, jnp.integer)):
        raise ArgumentTypeError(f"{words} must be a number. Got {short(value)}. Use 1e-6.")
    if not (np.asarray(value) > 0).all() or not np.isfinite(value).all():
        raise ArgumentError(f"{words} must be positive. Got {short(value)}. Use 1e-6 or so.")


def _check_reach(rtol: Any, dtype: Any) -> None:
    limit = 4 * float(jnp.finfo(dtype).eps)
    if is_traced(rtol) or (np.asarray(rtol) >= limit).all():
        return
    remedy = (
        "Switch to float64 with jax.config.update('jax_enable_x64', True) and a float64 y0, or loosen it"
        if jnp.finfo(dtype).bits < 64
        else "Loosen it"
    )
    raise ArgumentError(f"`rtol` of `solve` is beyond {dtype}, which reaches {limit:.1e}. Got {short(rtol)}. {remedy}.")


def max_steps(value: Any) -> int:
    """The step budget, a positive int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value < 2**31:
        raise ArgumentError(
            f"`max_steps` of `solve` must be a positive int below 2**31. Got {short(value)}. Use 65536."
        )
    return int(value)


def flat_control(control: StepControl, y0: State) -> StepControl:
    """The control's arrays with the state's axis first, of length 1 where one value serves all."""

    def spread(y: Array, value: Any) -> Array:
        twice = 1 + jnp.issubdtype(y.dtype, jnp.complexfloating)  # a complex number is two components
        return jnp.tile(jnp.broadcast_to(value, y.shape).reshape(-1), twice)

    def flatten(name: str, value: Any) -> Array:
        if len(jax.tree.leaves(value)) == 1 and jnp.size(jax.tree.leaves(value)[0]) == 1:
            return jnp.reshape(jax.tree.leaves(value)[0], (1,))
        try:
            leaves = jax.tree.leaves(jax.tree.map(spread, y0, value))
        except ValueError:
            raise ArgumentError(
                f"`{name}` of `solve` must be a number or like y0. Got {described(value)} for {described(y0)}. "
                "Use one number."
            ) from None
        return jnp.concatenate(leaves)

    fields = {field.name: field.metadata.get("static", False) for field in dataclasses.fields(control)}
    values = {name: getattr(control, name) for name in fields}
    return type(control)(**{k: v if fields[k] else flatten(k, v) for k, v in values.items()})


def noise(equation: Equation, key: Any, y0: State, ts: Any, args: Args, events: Sequence[Event] = ()) -> None:
    """A stochastic equation needs a key, a real state and a time that goes on; any other needs no key."""
    if not isinstance(equation, Stochastic):
        if key is not None:
            raise ArgumentError(
                f"`key` of `solve` is for equations with noise. Got one for {type(equation).__name__}. Leave it out."
            )
        return
    if key is None:
        raise ArgumentError(
            "`key` of `solve` must be given for an equation with noise. Got None. Use key=jax.random.key(0)."
        )
    if any(jnp.issubdtype(leaf.dtype, jnp.complexfloating) for leaf in jax.tree.leaves(y0)):
        raise ArgumentTypeError(
            "`y0` of `solve` must be real where there is noise. Got a complex one. Use real and imaginary parts."
        )
    first, last = (math.nan, math.nan) if is_traced(ts) else np.asarray(ts)[[0, -1]].tolist()
    if last < first:
        raise ArgumentError(
            f"`ts` of `solve` must increase where there is noise. Got {first:.6g} … {last:.6g}. Use times that go on."
        )
    if events:
        raise ArgumentError("`events` of `solve` must be none where there is noise. Got some. Look at `ys` afterwards.")
    motions(equation, ts[0], y0, args)


def key(value: Any) -> Any:
    """A key of `jax.random`, new style or old, or None."""
    if value is None:
        return None
    typed = hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
    if typed or (hasattr(value, "dtype") and value.dtype == jnp.uint32 and value.ndim):
        return value if typed else jax.random.wrap_key_data(value)
    raise ArgumentTypeError(f"`key` of `solve` must be a key of JAX. Got {short(value)}. Use jax.random.key(0).")


def save(value: Any) -> Any:
    """The function of the state that is kept, or None."""
    if value is not None and not callable(value):
        raise ArgumentTypeError(
            f"`save` of `solve` must be a function of (t, y, args). Got {short(value)}. Use lambda t, y, args: y[0]."
        )
    return as_node(value)


def _name(function: Callable) -> str:
    return getattr(function, "__name__", type(function).__name__)
