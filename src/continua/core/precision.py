"""Double precision as a context: nothing here changes the user's setting of JAX for good."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def in_double_precision(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """The same function, computed with JAX's 64-bit types switched on while it runs."""

    @functools.wraps(function)
    def inside(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        with jax.enable_x64(True):
            return function(*args, **kwargs)

    return inside
