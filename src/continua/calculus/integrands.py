"""What a user's function gives, told from its shapes before anything is computed; a wrong one in one line."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from continua.core import ArgumentError, ArgumentTypeError


def result_of(f: Any, *like: Any, name: str, of: str, most_axes: Literal[0, 1] | None = 0) -> jax.ShapeDtypeStruct:
    """Shape and dtype of what the argument `name` of the function `of` gives for such arguments.

    Args:
        f: a function of as many arrays as there are `like`.
        like: arrays, or their shapes and dtypes.
        name: of the argument that f is.
        of: the public function that takes it.
        most_axes: of its result; any number where None.

    Raises:
        ArgumentTypeError: f is no function, or one that JAX cannot trace with such arguments.
        ArgumentError: it gives something else than real floating numbers, or an array of more axes.
    """
    if not callable(f):
        raise ArgumentTypeError(f"`{name}` of `{of}` must be a function. Got {type(f).__name__}. Use lambda x: x**2.")
    try:
        found = jax.eval_shape(f, *like)
    except (jax.errors.JAXTypeError, TypeError) as problem:
        takes = " and ".join(f"{x.dtype}{list(x.shape)}" for x in like)
        words = str(problem).splitlines()[0].rstrip(".")
        raise ArgumentTypeError(
            f"`{name}` of `{of}` must take {takes} and be made of functions of jax.numpy. Got: {words}. "
            "Use jnp.sin for math.sin."
        ) from None
    single = hasattr(found, "shape")
    if (
        not single
        or not jnp.issubdtype(found.dtype, jnp.floating)
        or (most_axes is not None and found.ndim > most_axes)
    ):
        got = f"{found.dtype}{list(found.shape)}" if single else type(found).__name__
        kinds = {None: "real numbers", 0: "one real number", 1: "a real number or a point [dim]"}
        wanted = kinds[most_axes]
        remedy = "Use one component at a time" if single and jnp.issubdtype(found.dtype, jnp.floating) else "Use floats"
        raise ArgumentError(f"`{name}` of `{of}` must give {wanted}. Got {got}. {remedy}.")
    return found
