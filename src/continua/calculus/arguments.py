"""The door of this room: a function, and the floats at which it is looked at."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from continua.core import ArgumentError, ArgumentTypeError, floats, is_traced, short


def function(verb: str, f: Any, name: str = "f") -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(f):
        raise ArgumentTypeError(f"`{name}` of `{verb}` must be a function. Got {short(f)}. Use lambda x: x**2.")
    return f


def known(verb: str, tree: Any) -> Any:
    """A tree of numbers, none of which JAX is tracing."""
    if any(map(is_traced, jax.tree.leaves(tree))):
        raise ArgumentError(
            f"`{verb}` must be called with numbers. Got a value that JAX is tracing. Use it outside of jit and vmap."
        )
    return tree


def number(verb: str, value: Any, name: str = "x") -> jax.Array:
    """One finite float."""
    found = floats(verb, value, name)
    if jnp.shape(found) != () if isinstance(found, jax.Array) else True:
        raise ArgumentError(
            f"`{name}` of `{verb}` must be one number. Got {layout(value)}. Use jax.vmap for many points, "
            "`gradient` or `jacobian` for many variables."
        )
    return found


def vector(verb: str, value: Any, sizes: tuple[int, ...] | None = None, name: str = "x") -> jax.Array:
    """[axis] of finite floats; `sizes` are those that make sense."""
    found = floats(verb, value, name)
    if not isinstance(found, jax.Array) or found.ndim != 1 or (sizes and found.size not in sizes):
        wanted = " or ".join(f"[{size}]" for size in sizes) if sizes else "[axis]"
        raise ArgumentError(
            f"`{name}` of `{verb}` must be a point {wanted}. Got {layout(value)}. Use jax.vmap for many points."
        )
    return found


def like(verb: str, value: Any, other: Any, name: str = "v") -> Any:
    """Floats in the structure, shapes and dtypes of another tree."""
    found = floats(verb, value, name)
    if layout(found, dtypes=False) != layout(other, dtypes=False):
        raise ArgumentError(
            f"`{name}` of `{verb}` must have the structure and shapes of x, {layout(other)}. Got {layout(found)}. "
            "Use one number for each of x."
        )
    return jax.tree.map(lambda a, b: a.astype(b.dtype), found, other)


def checked(
    verb: str, f: Callable[..., Any], name: str = "f", *, scalar: bool = False, like: Any = None
) -> Callable[..., Any]:
    """The same function, whose output is looked at as it is traced: floats; one number; in the shapes of a tree."""

    def own(*inputs: Any) -> Any:
        try:
            found = f(*inputs)
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            raise ArgumentTypeError(
                f"`{name}` of `{verb}` must be made of jnp's operations. It asks for the value of what varies. "
                "Use jnp.where for `if`, and jnp.sin for np.sin."
            ) from None
        if not all(jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) for leaf in jax.tree.leaves(found)):
            raise ArgumentTypeError(
                f"`{name}` of `{verb}` must return floats. Got {layout(found)}. Use jnp's functions of x."
            )
        if scalar and layout(found, dtypes=False) != layout(0.0, dtypes=False):
            raise ArgumentError(
                f"`{name}` of `{verb}` must return one number. Got {layout(found)}. Use jnp.sum of it, or `jacobian`."
            )
        if like is not None and layout(found, dtypes=False) != layout(like, dtypes=False):
            raise ArgumentError(
                f"`{name}` of `{verb}` must return a vector like x, {layout(like)}. Got {layout(found)}. "
                "Use jnp.stack([…]), one component for each of x."
            )
        return found

    return own


def finite(verb: str, result: Any, x: Any, name: str = "f") -> Any:
    """What was computed, if it is finite or not known yet."""
    for leaf in jax.tree.leaves(result):
        if not is_traced(leaf) and not np.isfinite(leaf).all():
            raise ArgumentError(
                f"`{name}` of `{verb}` must have finite derivatives. Got {short(np.asarray(leaf).tolist())} at "
                f"{_values(x)}. Use another point, or jnp.where twice round a singular formula."
            )
    return result


def layout(tree: Any, dtypes: bool = True) -> str:
    """Dtypes and shapes in words."""
    shapes = jax.tree.map(lambda x: f"{jnp.result_type(x) if dtypes else ''}{list(jnp.shape(x))}", tree)
    return shapes if isinstance(shapes, str) else short(shapes).replace("'", "")


def _values(x: Any) -> str:
    plain = jax.tree.map(lambda leaf: "traced" if is_traced(leaf) else np.asarray(leaf).tolist(), x)
    return short(plain)
