"""An equation that a person wrote as text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.calculus import ARRAY_FUNCTIONS
from continua.core import Args, ArgumentError, ArgumentTypeError, Instant, nearest
from continua.equations.equation import Equation
from continua.equations.equation_lines import equation_lines, unnamed
from continua.show import (
    Expression,
    Symbol,
    evaluate,
    kinds_of,
    parse_from,
    printable,
    python_text,
    symbols_named,
    symbols_of,
)

STAND_IN = 1.0  # the value of a parameter to which none was given


def _arrays(values: Mapping[str, Any]) -> dict[str, Array]:
    return {name: _array(name, value) for name, value in values.items()}


def _array(name: str, value: Any) -> Array:
    """A floating scalar; whole numbers become floats."""
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentTypeError(
            f"`parameters` must map names to numbers. Got {type(value).__name__} for `{printable(name)}`. Use 1.0."
        ) from None
    if array.shape or jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise ArgumentError(
            f"`parameters` must be real scalars. Got {array.dtype}{list(array.shape)} for `{printable(name)}`. "
            "Use a name for each number."
        )
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)


class Written(Equation):
    r"""An equation from text.

    $$ y_i' = f_i(t, y, u(t); p), \qquad f_i \text{ as written} $$

    Use `Written.from_text`. The right-hand sides are trees; each call walks them with JAX, and no text is evaluated.

    Args:
        states: the names of the components of y, in their order.
        sides: one tree for each state, of its slope.
        parameters: values by name, scalars; the leaves of the PyTree, which `jax.grad` reaches.
        constants: pairs of name and number: parameters that stay as they are.
        inputs: names whose values come with every call: `args` is a mapping from each of them to a number or to a
            function of time. `solve` takes PyTrees only: there a function is `jax.tree_util.Partial(f)` or a module.
        free: the names of parameters to which no value was given; 1.0 stands in.

    Raises:
        ArgumentError: names clash, a name in a side is none of these, or a parameter occurs in no side.

    Good for: laws that have no class here, and laws that were found in data.
    """

    states: tuple[str, ...] = eqx.field(static=True)  # pyright: ignore[reportIncompatibleVariableOverride] # by instance
    sides: tuple[Expression, ...] = eqx.field(static=True)
    parameters: dict[str, Float[Array, ""]] = eqx.field(converter=_arrays, default_factory=dict)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True, default=())
    inputs: tuple[str, ...] = eqx.field(static=True, default=())
    free: tuple[str, ...] = eqx.field(static=True, default=())

    @staticmethod
    def from_text(
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        constants: Mapping[str, float] | None = None,
        inputs: Sequence[str] = (),
    ) -> "Written":
        r"""The equation of a text with a line for each state.

        Args:
            text: lines such as `dx/dt = a*x - b*x*y`; left of the sign also `d x/dt`, `d(x)/dt`, `x'`. Blank lines and
                what follows # are passed over. The grammar is that of `parse`; the time is `t`.
            parameters: their values by name; None leaves one free. Not given: every name that is no state, input,
                constant, number or time is a free parameter.
            constants: parameters that are never trained.
            inputs: names of what drives the system from outside.

        Raises:
            ArgumentError: a line is not in the grammar, or names do not fit; the message has line and column.

        Example:
            >>> import jax.numpy as jnp
            >>> hunt = Written.from_text("dx/dt = a*x - b*x*y\ny' = b*x*y - y", {"a": 2.0, "b": 0.5})
            >>> print(hunt(jnp.array(0.0), jnp.array([1.0, 2.0]), None))
            [ 1. -1.]
            >>> driven = Written.from_text("x' = u - k*x", inputs=["u"])
            >>> driven.free
            ('k',)
            >>> print(driven(jnp.array(0.0), jnp.array([1.0]), {"u": lambda t: 3.0 + t}))
            [2.]
        """
        lines = equation_lines(text)
        states = tuple(line.state for line in lines)
        known = [*states, *_several(inputs, "inputs"), *(constants or {})]
        if parameters is None:
            parameters = dict.fromkeys(unnamed(lines, known))
        symbols = symbols_named(kinds_of([*states, *inputs], [*(constants or {}), *parameters]))
        return Written(
            states=states,
            sides=tuple(line.side(partial(parse_from, symbols=symbols)) for line in lines),
            parameters={name: STAND_IN if value is None else value for name, value in parameters.items()},
            constants=tuple((name, float(value)) for name, value in (constants or {}).items()),
            inputs=tuple(inputs),
            free=tuple(name for name, value in parameters.items() if value is None),
        )

    def __check_init__(self) -> None:
        names = [*self.states, *self.parameters, *dict(self.constants), *self.inputs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ArgumentError(f"The names of `Written` must differ. Got `{printable(twice)}` twice. Use another.")
        if not self.states or len(self.states) != len(self.sides):
            counts = f"{len(self.states)} states and {len(self.sides)} right-hand sides"
            raise ArgumentError(f"`Written` must have one right-hand side for each state. Got {counts}. Use as many.")
        found = {symbol.name: symbol for symbol in self._symbols()}
        _check_known([s.name for s in found.values() if s.kind != "time"], names)
        unused = next((n for n in (*self.parameters, *dict(self.constants)) if n not in found), None)
        if unused is not None:
            meant = nearest(unused, found)
            raise ArgumentError(
                f"Each of `parameters` must occur in an equation. Got `{printable(unused)}`, which does not. "
                + (f"Did you mean `{meant}`?" if meant else "Leave it out.")
            )

    def _symbols(self) -> Iterable[Symbol]:
        return (symbol for side in self.sides for symbol in symbols_of(side))

    def __call__(self, t: Instant, y: Float[Array, " state"], args: Args) -> Float[Array, " state"]:
        """dy/dt of y [state]; `args` maps the name of each input to a number or a function of time."""
        if y.shape != (len(self.states),):
            raise ArgumentError(
                f"`y` must have one component for each of {', '.join(self.states)}. Got shape {list(y.shape)}. "
                f"Use an array of shape [{len(self.states)}]."
            )
        values: dict[str, Any] = {symbol.name: t for symbol in self._symbols() if symbol.kind == "time"}
        values |= dict(self.constants) | self.parameters | self._inputs(t, args)
        values |= {name: y[i] for i, name in enumerate(self.states)}
        slopes = [evaluate(side, values, ARRAY_FUNCTIONS) for side in self.sides]
        return jnp.stack([jnp.full((), s, y.dtype) if isinstance(s, float) else s for s in slopes])

    def _inputs(self, t: Instant, args: Args) -> dict[str, Any]:
        """The values of the inputs now."""
        if not self.inputs:
            return {}
        given = args if isinstance(args, Mapping) else {}
        missing = [name for name in self.inputs if name not in given]
        if missing:
            raise ArgumentError(
                f"`args` must map each input to a number or a function of time. Got none for `{missing[0]}`. "
                f'Use args={{"{missing[0]}": lambda t: 0.0}}.'
            )
        return {name: given[name](t) if callable(given[name]) else given[name] for name in self.inputs}

    def with_parameters(self, values: Mapping[str, Any]) -> "Written":
        """The same equation with some parameters replaced.

        Args:
            values: scalars by name.

        Raises:
            ArgumentError: a name is none of its parameters.
        """
        _check_known(values, self.parameters)
        free = tuple(name for name in self.free if name not in values)
        return Written(self.states, self.sides, {**self.parameters, **values}, self.constants, self.inputs, free)

    def __str__(self) -> str:
        """Its lines, which `from_text` reads again."""
        return "\n".join(f"d {s}/dt = {python_text(side)}" for s, side in zip(self.states, self.sides, strict=True))


def _several(names: Sequence[str], argument: str) -> Sequence[str]:
    if isinstance(names, str):
        raise ArgumentTypeError(f'`{argument}` must be several names. Got the text {names!r}. Use ["{names}"].')
    return names


def _check_known(names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            meant = nearest(name, known)
            raise ArgumentError(
                f"`{printable(name)}` is neither a state nor a parameter, constant or input of the equation. "
                + (f"Did you mean `{meant}`?" if meant else f"Use one of {', '.join(known[:12])}.")
            )
