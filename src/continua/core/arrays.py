"""Names for the shapes that the library speaks of.

A state is any PyTree of real floating arrays; inside the driver it is one flat vector, with a trailing axis of lanes
where a batch is solved at once.
"""

from typing import Any

import equinox as eqx
import jax
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PyTree

Scalar = Float[Array, ""]
State = PyTree[Any]
Args = PyTree[Any]
FlatState = Float[Array, " state"] | Float[Array, "state lane"]
Instant = Float[Array, ""] | Float[Array, "1"] | Float[Array, "1 lane"]
Verdict = Bool[Array, "1"] | Bool[Array, "1 lane"]
Count = Int[Array, ""]
Times = Float[Array, " time"]


def is_traced(value: Any) -> bool:
    """Whether JAX is tracing: the value is not known yet, and nothing can be raised about it."""
    return isinstance(value, Tracer)


def as_node(function: Any) -> Any:
    """A callable as a PyTree: a module keeps its arrays visible, a plain function becomes static; None stays None."""
    return function if function is None or isinstance(function, eqx.Module) else jax.tree_util.Partial(function)
