"""The door of this room: an equation of flat states, the states near which it is looked at, plain numbers."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from continua.core import Args, ArgumentError, ArgumentTypeError, short
from continua.equations import ODE, Equation

States = Float[np.ndarray, "point state"]
StateVector = Float[np.ndarray, " state"]


def system(verb: str, equation: Any, size: int, args: Args) -> tuple[Equation, Args]:
    """The equation and its args in double precision, for states of `size` components."""
    if isinstance(equation, type) or not callable(equation):
        got = f"the class {equation.__name__}" if isinstance(equation, type) else short(equation)
        raise ArgumentTypeError(
            f"`equation` of `{verb}` must be an Equation or a function f(t, y, args). Got {got}. Use an instance."
        )
    _check_arity(verb, equation)
    equation = equation if isinstance(equation, Equation) else ODE(equation)
    equation, args = jax.tree.map(_double, (equation, args))
    _check_shape(verb, equation, size, args)
    return equation, args


def _check_arity(verb: str, function: Callable) -> None:
    try:
        inspect.signature(function).bind(0.0, 0.0, None)
    except TypeError:
        raise ArgumentTypeError(
            f"`equation` of `{verb}` must take three arguments (t, y, args). Got {short(function)}. "
            "Use f(t, y, args), and ignore what it does not need."
        ) from None
    except ValueError:  # a builtin without a signature
        return


def _check_shape(verb: str, equation: Equation, size: int, args: Args) -> None:
    scalar, flat = jax.ShapeDtypeStruct((), jnp.float64), jax.ShapeDtypeStruct((size,), jnp.float64)
    slope = jax.eval_shape(equation, scalar, flat, args)
    got = [(x.shape, x.dtype) for x in jax.tree.leaves(slope)]
    if len(got) != 1 or got[0][0] != (size,) or jnp.issubdtype(got[0][1], jnp.complexfloating):
        raise ArgumentError(
            f"`equation` of `{verb}` must return real slopes [{size}], one for each state. "
            f"Got {', '.join(f'{dtype}{list(shape)}' for shape, dtype in got)}. Use jnp.stack([…]), and check indices."
        )


def _double(leaf: Any) -> Any:
    floating = isinstance(leaf, float) or (hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating))
    return jnp.asarray(leaf, jnp.float64) if floating else leaf


def states(verb: str, near: Any, name: str = "near") -> States:
    """One state [state] or several [point, state] as [point, state]; rows with gaps are left out."""
    rows = np.atleast_1d(_numbers(verb, near, name))
    if rows.ndim > 2 or rows.size == 0:
        raise ArgumentError(
            f"`{name}` of `{verb}` must be [state] or [point, state]. Got shape {rows.shape}. Use np.stack(states)."
        )
    rows = np.atleast_2d(rows)
    rows = rows[~np.isnan(rows).any(1)]
    if len(rows) == 0 or not np.isfinite(rows).all():
        raise ArgumentError(
            f"`{name}` of `{verb}` must hold finite states. Got {'infinity' if len(rows) else 'a gap in every row'}. "
            "Use measured states."
        )
    return rows


def one_state(verb: str, point: Any, name: str = "point") -> StateVector:
    """One finite state [state]."""
    state = np.atleast_1d(_numbers(verb, point, name))
    if state.ndim != 1 or state.size == 0:
        raise ArgumentError(f"`{name}` of `{verb}` must be one state [state]. Got shape {state.shape}. Use y[0].")
    if not np.isfinite(state).all():
        raise ArgumentError(f"`{name}` of `{verb}` must be finite. Got {short(state.tolist())}. Use another state.")
    return state


def _numbers(verb: str, value: Any, name: str) -> np.ndarray:
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind in "biuf":
            return numbers.astype(float)
    except (TypeError, ValueError):
        pass
    raise ArgumentTypeError(f"`{name}` of `{verb}` must hold real numbers. Got {short(value)}. Use a float array.")


def number(verb: str, name: str, value: Any, *, zero: bool = False, infinite: bool = False) -> float:
    """A positive number; with `zero` also 0, with `infinite` also infinity."""
    try:
        got = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        got = math.nan
    if not (got > 0 or (zero and got == 0)) or (math.isinf(got) and not infinite):
        raise ArgumentError(
            f"`{name}` of `{verb}` must be a {'number ≥ 0' if zero else 'positive number'}. Got {short(value)}. "
            "Use 1.0 or so, or leave it out."
        )
    return got
