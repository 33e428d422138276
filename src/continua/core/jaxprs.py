"""A program of JAX, equation by equation: the one walk that every reading of it is made of."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from jax.extend.core import Literal

Known = TypeVar("Known")

INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
CUSTOM = frozenset(["custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"])
CALLS = frozenset(["pjit", "jit", "closed_call", "core_call", "checkpoint", "remat", "remat2", "custom_lin"]) | CUSTOM


def walk(
    program: Any,
    inputs: Sequence[Known],
    apply: Callable[[Any, list[Known]], Sequence[Known]],
    constant: Callable[[Any], Known],
    calls: Collection[str] = CALLS,
) -> list[Known]:
    """What is known of the outputs of a jaxpr, when `apply(equation, inputs)` tells it for the outputs of one equation.

    Args:
        program: a jaxpr with its constants, as `jax.make_jaxpr` gives it.
        inputs: what is known of its inputs.
        apply: the rule; it never sees a call, whose body is walked in its place.
        constant: what is known of a number that stands in the program.
        calls: the names of the primitives that count as calls; without `CUSTOM` ones, functions that bring a derivative
            of their own stay one equation.
    """
    jaxpr, consts = getattr(program, "jaxpr", program), getattr(program, "consts", ())
    known: dict[Any, Known] = dict(
        zip([*jaxpr.constvars, *jaxpr.invars], [*map(constant, consts), *inputs], strict=True)
    )

    def read(atom: Any) -> Known:
        return constant(atom.val) if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        given = [read(atom) for atom in equation.invars]
        body = _body(equation) if equation.primitive.name in calls else None
        found = apply(equation, given) if body is None else walk(body, given, apply, constant, calls)
        known.update(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _body(equation: Any) -> Any:
    """The program that a call holds; None where it holds none."""
    return next((equation.params[key] for key in INNER if key in equation.params), None)


def bound(equation: Any, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of one equation on values, which may be tracers."""
    params = equation.primitive.get_bind_params(equation.params)
    outputs = equation.primitive.bind(*inputs, **params)
    return list(outputs) if equation.primitive.multiple_results else [outputs]
