"""What is solved: an equation is a PyTree, and its arrays are its parameters."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from continua.core import Args, Instant, State, as_node


class Equation(eqx.Module):
    r"""A differential equation in explicit form.

    $$ y' = f(t, y, \text{args}) $$

    A subclass is final and writes `__call__`; its fields are its parameters, which `jax.grad` reaches. `states` names
    the components of a flat state, for reports.
    """

    states: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slope dy/dt, with the structure and shapes of `y`."""


class ODE(Equation):
    r"""An equation from a plain function.

    $$ y' = \text{field}(t, y, \text{args}) $$

    Args:
        field: `field(t, y, args)` returns dy/dt with the structure and shapes of `y`. It may close over arrays, traced
            ones too. A new lambda in every call compiles anew: use a named function or an `Equation` class in loops.

    Example:
        >>> import jax.numpy as jnp
        >>> decay = ODE(lambda t, y, rate: -rate * y)
        >>> print(decay(jnp.array(0.0), jnp.array([2.0]), 0.5))
        [-1.]
    """

    field: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slope that the function gives."""
        return self.field(t, y, args)


@dataclasses.dataclass(frozen=True)
class ParameterInfo:
    """What a parameter of a named system means: its words, its unit in terms of the states and time, a good value."""

    name: str
    meaning: str
    unit: str
    good: float
    sign: str


def parameter(good: float, unit: str, meaning: str, *, sign: str = "positive") -> Any:
    """A field of a named system: an array with a default, a unit and a meaning.

    Args:
        good: a value with which the system shows its typical behaviour; the default.
        unit: in terms of `time` and the names of the states, for example `1/(predator·time)`.
        meaning: in a few words.
        sign: "positive" where only positive values make sense, else "any".
    """
    metadata = {"meaning": meaning, "unit": unit, "good": good, "sign": sign}
    return eqx.field(converter=jnp.asarray, default=good, metadata=metadata)


def parameters_of(system: type[Equation]) -> tuple[ParameterInfo, ...]:
    """The documented parameters of a named system, in the order of its fields."""
    return tuple(
        ParameterInfo(f.name, **{k: f.metadata[k] for k in ("meaning", "unit", "good", "sign")})
        for f in dataclasses.fields(system)
        if "unit" in f.metadata
    )


def parameter_values(equation: Equation) -> dict[str, Array]:
    """The documented parameters of an instance, by name."""
    return {info.name: getattr(equation, info.name) for info in parameters_of(type(equation))}
