"""What a user hands in, looked at once at the door."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from continua.core.arrays import is_traced
from continua.core.errors import ArgumentError, ArgumentTypeError, short


def numbers_in(verb: str, tree: Any, name: str = "x") -> list[tuple[str, Any]]:
    """The leaves of a tree, which must be arrays or numbers, each with its place in words."""
    leaves = [(f"{name}{jax.tree_util.keystr(path)}", leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
    for place, leaf in leaves:
        try:
            jnp.result_type(leaf)
        except TypeError:
            raise ArgumentTypeError(
                f"`{name}` of `{verb}` must hold numbers. Got {short(leaf)} at {place}. Close over what is none."
            ) from None
    if not leaves:
        raise ArgumentError(f"`{name}` of `{verb}` must hold numbers. Got {short(tree)}. Use 1.0 or an array.")
    return leaves


def floats(verb: str, tree: Any, name: str = "x") -> Any:
    """A tree whose leaves are arrays of finite floats; tracers are believed."""
    for place, leaf in numbers_in(verb, tree, name):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ArgumentTypeError(
                f"`{name}` of `{verb}` must hold floats: only they can vary. Got {jnp.result_type(leaf)} at {place}. "
                "Use 1.0 for 1, and x.astype(float) for an array."
            )
        if not is_traced(leaf) and not np.isfinite(leaf).all():
            raise ArgumentError(f"`{name}` of `{verb}` must be finite. Got {short(leaf)} at {place}. Check it.")
    return jax.tree.map(jnp.asarray, tree)


def takes_args(function: Callable[..., Any], beyond: int = 1) -> bool:
    """Whether it is a function of x and args, and not of x alone: by its arguments without a default, more than one."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters) > beyond
