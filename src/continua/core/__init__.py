"""Ground floor: shapes, errors, precision, and the one primitive that derivatives end in."""

from continua.core.arguments import floats, numbers_in, takes_args
from continua.core.arrays import Args, Count, FlatState, Instant, Scalar, State, Times, Verdict, as_node, is_traced
from continua.core.batches import anywhere, batch_size
from continua.core.configuration import configure
from continua.core.errors import (
    ArgumentError,
    ArgumentTypeError,
    ContinuaError,
    FailedSolve,
    count,
    instead,
    nearest,
    one_of,
    short,
)
from continua.core.jaxprs import CALLS, CUSTOM, bound, walk
from continua.core.linear_maps import LinearMap, linear_map
from continua.core.precision import in_double_precision
from continua.core.programs import Given, kept

__all__ = [
    "CALLS",
    "CUSTOM",
    "Args",
    "ArgumentError",
    "ArgumentTypeError",
    "ContinuaError",
    "Count",
    "FailedSolve",
    "FlatState",
    "Given",
    "Instant",
    "LinearMap",
    "Scalar",
    "State",
    "Times",
    "Verdict",
    "anywhere",
    "as_node",
    "batch_size",
    "bound",
    "configure",
    "count",
    "floats",
    "in_double_precision",
    "instead",
    "is_traced",
    "kept",
    "linear_map",
    "nearest",
    "numbers_in",
    "one_of",
    "short",
    "takes_args",
    "walk",
]
