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

from continua.core import Args, ArgumentError, ArgumentTypeError, Scalar, State, Times, as_node, is_traced
from continua.equations import ODE, Equation
from continua.methods import Method
from continua.solver.events import Event
from continua.solver.step_control import Adaptive, Fixed, StepControl

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
            f"`equation` of `solve` must be an Equation or a function f(t, y, args). Got {_short(value)}. "
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
            f"`y0` of `solve` must have keys that can be sorted. Got {_short(value)}. Use names only, or numbers only."
        ) from None
    if not leaves:
        raise ArgumentError(f"`y0` of `solve` must hold at least one number. Got {_short(value)}. Use an array.")
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
        raise ArgumentTypeError(f"`y0` of `solve` must hold numbers. Got {_short(leaf)}. Use a floating array.")
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
            f"`ts` of `solve` must be an array of times. Got {_short(value)}. Use jnp.linspace(0, 1, 11)."
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
            f"`tstops` of `solve` must be times. Got {_short(value)}. Use tstops=[1.0, 2.5]."
        ) from None
    if not is_traced(given) and not np.isfinite(given).all():
        raise ArgumentError("`tstops` of `solve` must be finite. Got NaN or infinity. Use finite times.")
    return given


def events(value: Any, most: Any) -> tuple[Event, ...]:
    """The events, as a tuple."""
    given = (value,) if isinstance(value, Event) else value
    if not isinstance(given, list | tuple) or not all(isinstance(event, Event) for event in given):
        raise ArgumentTypeError(
            f"`events` of `solve` must be an Event or a list of them. Got {_short(value)}. "
            "Use Event(lambda t, y, args: y[0])."
        )
    for event in given:
        if event.direction not in (-1, 0, 1):
            raise ArgumentError(
                f"`direction` of `Event` must be -1, 0 or 1. Got {_short(event.direction)}. Use 0 for both."
            )
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ArgumentError(f"`max_events` of `solve` must be a positive int. Got {_short(most)}. Use 64.")
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
            f"`t` of `solution(t)` must be a time or an array of times. Got {_short(t)}. Use 0.5."
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


def method(value: Any) -> Method:
    """A Method; a class that needs no arguments is instantiated."""
    if isinstance(value, type) and issubclass(value, Method):
        value = value() if hasattr(value, "order") else value
    if not isinstance(value, Method):
        raise ArgumentTypeError(
            f"`method` of `solve` must be a Method. Got {_short(value)}. Use continua.methods.Tsit5()."
        )
    return value


def step_control(method: Method, control: StepControl | None, rtol: Any, atol: Any, dtype: Any) -> StepControl:
    """The step control, from tolerances unless given."""
    if isinstance(control, type):
        raise ArgumentTypeError(
            f"`step_control` of `solve` must be an instance. Got the class {control.__name__}. Use Fixed(h=0.01)."
        )
    if control is not None and not isinstance(control, StepControl):
        raise ArgumentTypeError(
            f"`step_control` of `solve` must be a StepControl. Got {_short(control)}. Use Fixed(h=0.01)."
        )
    if control is not None and (rtol is not None or atol is not None):
        raise ArgumentError(
            "`rtol` and `atol` of `solve` exclude `step_control`. Got both. Use Adaptive(rtol, atol) or Fixed(h)."
        )
    if control is None:
        rtol = (1e-6 if jnp.finfo(dtype).bits == 64 else 1e-4) if rtol is None else rtol
        _check_tolerance("`rtol` of `solve`", rtol)
        control = Adaptive(rtol, rtol * 1e-3 if atol is None else atol)
    if isinstance(control, Adaptive):
        _check_tolerance("`rtol` of `solve`", control.rtol)
        for leaf in jax.tree.leaves(control.atol) or [None]:
            _check_tolerance("`atol` of `solve`", leaf)
        _check_reach(control.rtol, dtype)
        if not method.adaptive:
            name = type(method).__name__
            raise ArgumentError(
                f"`method` of `solve` must estimate its error to adapt its steps. Got {name}(). "
                "Use step_control=Fixed(h), or Tsit5()."
            )
    if isinstance(control, Fixed):
        _check_tolerance("`h` of `Fixed`", control.h)
        if jnp.ndim(control.h):
            raise ArgumentError(
                f"`h` of `Fixed` must be one number. Got shape {jnp.shape(control.h)}. Use Fixed(h=0.01)."
            )
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), control)


def _check_tolerance(words: str, value: Any) -> None:
    if is_traced(value):
        return
    kind = _kind(value)
    if kind is None or not (jnp.issubdtype(kind, jnp.floating) or jnp.issubdtype(kind, jnp.integer)):
        raise ArgumentTypeError(f"{words} must be a number. Got {_short(value)}. Use 1e-6.")
    if not (np.asarray(value) > 0).all() or not np.isfinite(value).all():
        raise ArgumentError(f"{words} must be positive. Got {_short(value)}. Use 1e-6 or so.")


def _check_reach(rtol: Any, dtype: Any) -> None:
    limit = 4 * float(jnp.finfo(dtype).eps)
    if is_traced(rtol) or (np.asarray(rtol) >= limit).all():
        return
    remedy = (
        "Switch to float64 with jax.config.update('jax_enable_x64', True) and a float64 y0, or loosen it"
        if jnp.finfo(dtype).bits < 64
        else "Loosen it"
    )
    raise ArgumentError(
        f"`rtol` of `solve` is beyond {dtype}, which reaches {limit:.1e}. Got {_short(rtol)}. {remedy}."
    )


def max_steps(value: Any) -> int:
    """The step budget, a positive int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value < 2**31:
        raise ArgumentError(
            f"`max_steps` of `solve` must be a positive int below 2**31. Got {_short(value)}. Use 65536."
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
                f"`{name}` of `solve` must be a number or like y0. Got {_describe(value)} for {_describe(y0)}. "
                "Use one number."
            ) from None
        return jnp.concatenate(leaves)

    fields = {field.name: field.metadata.get("static", False) for field in dataclasses.fields(control)}
    values = {name: getattr(control, name) for name in fields}
    return type(control)(**{k: v if fields[k] else flatten(k, v) for k, v in values.items()})


def check_field(equation: Equation, t: Scalar, y0: State, args: Args) -> None:
    """The equation must return the structure and shapes of the state."""
    slope = jax.eval_shape(equation, t, y0, args)
    asked, got = jax.tree.structure(y0), jax.tree.structure(slope)
    if asked != got:
        raise ArgumentTypeError(
            f"`equation` of `solve` must return the structure of y0, {_describe(y0)}. Got {_describe(slope)}. "
            "Use jnp.stack([…]) for a state that is one array."
        )
    for y, f in zip(jax.tree.leaves(y0), jax.tree.leaves(slope), strict=True):
        if y.shape != f.shape:
            raise ArgumentError(
                f"`equation` of `solve` must return the shape of y0, {_describe(y0)}. Got {_describe(slope)}. "
                "Check the indices; for a batch use jax.vmap over `solve`."
            )
        if jnp.issubdtype(f.dtype, jnp.complexfloating) and not jnp.issubdtype(y.dtype, jnp.complexfloating):
            raise ArgumentTypeError(
                f"`equation` of `solve` must return real slopes for a real y0. Got {f.dtype}. "
                "Use a complex y0, for example y0 + 0j."
            )


def check_parts(method: Method, t: Scalar, y0: State, args: Args) -> None:
    """What a method needs besides the equation must give a state."""
    for name, function in method.parts().items():
        value = jax.eval_shape(function, t, y0, args)
        if _layout(value) != _layout(y0):
            raise ArgumentError(
                f"`{name}` of `{type(method).__name__}` must return a state like y0, {_describe(y0)}. "
                f"Got {_describe(value)}. Return every component, also those that stay."
            )


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
                f"`reset` of `Event` must return a state like y0, {_describe(y0)}. Got {_describe(after)}. "
                "Return every component, also those that stay."
            )


def save(value: Any) -> Any:
    """The function of the state that is kept, or None."""
    if value is not None and not callable(value):
        raise ArgumentTypeError(
            f"`save` of `solve` must be a function of (t, y, args). Got {_short(value)}. Use lambda t, y, args: y[0]."
        )
    return as_node(value)


def check_save(function: Callable, t: Scalar, y0: State, args: Args) -> None:
    """What is kept must be arrays or numbers."""
    for leaf in jax.tree.leaves(jax.eval_shape(function, t, y0, args)) or [None]:
        if not hasattr(leaf, "shape"):
            raise ArgumentTypeError(
                f"`save` of `solve` must return arrays or numbers. Got {_short(leaf)}. Use lambda t, y, args: y[0]."
            )


def _layout(tree: Any) -> Any:
    return jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]


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


def _describe(tree: Any) -> str:
    shapes = jax.tree.map(lambda x: f"{jnp.result_type(x)}{list(jnp.shape(x))}", tree)
    return str(shapes).replace("'", "") if not isinstance(shapes, str) else shapes


def _name(function: Callable) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _short(value: Any) -> str:
    words = " ".join(repr(value).split())
    return words if len(words) <= 60 else words[:57] + "…"
