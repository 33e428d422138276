"""Back-propagation made visible: every step of a computation with its value and its adjoint."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from continua.calculus import arguments
from continua.core import CALLS, CUSTOM, ArgumentError, bound, numbers_in, walk
from continua.show import Box, layered_graph, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DRAWN = 150
MOST_SHOWN = 6  # entries of an array that are written out

# How an operation is written; inputs are numbered, {0} and so on.
WRITTEN = {
    "add": "{0} + {1}",
    "add_any": "{0} + {1}",
    "broadcast_in_dim": "spread {0}",
    "convert_element_type": "as {new_dtype} {0}",
    "div": "{0} / {1}",
    "dot_general": "{0} @ {1}",
    "exp": "exp {0}",
    "integer_pow": "{0}^{y}",
    "log": "log {0}",
    "logistic": "σ({0})",
    "mul": "{0} · {1}",
    "neg": "−{0}",
    "pow": "{0}^{1}",
    "reduce_sum": "Σ {0}",
    "square": "{0}²",
    "slice": "{0} from {start_indices} to {limit_indices}",
    "sqrt": "√{0}",
    "squeeze": "squeeze {0}",
    "sub": "{0} − {1}",
    "transpose": "{0}ᵀ",
}


class Node(NamedTuple):
    """One step of a computation.

    Args:
        name: of an argument its own, of a step v1, v2, … in the order of the computation.
        operation: how it comes from other nodes; empty for an argument.
        inputs: the numbers of those nodes.
        value: what it is.
        adjoint: ∂output/∂node, like the value; None where the value cannot vary (integers, truths).
    """

    name: str
    operation: str
    inputs: tuple[int, ...]
    value: np.ndarray
    adjoint: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Graph:
    """A computation with the value and the adjoint of every step: print it, or draw it.

    Args:
        nodes: in the order of the computation; the last one is the output.
    """

    nodes: tuple[Node, ...]

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node `{name}`. Got {', '.join(node.name for node in self.nodes)}")

    def __str__(self) -> str:
        rows = [("node", "is", "value", "∂output/∂node")]
        rows += [(n.name, n.operation or "argument", _shown(n.value), _shown(n.adjoint)) for n in self.nodes]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])

    def figure(self) -> "Figure":
        """The graph as a matplotlib figure: what a node is, its value, its adjoint.

        Raises:
            ArgumentError: it has more than 150 nodes.
        """
        if len(self.nodes) > MOST_DRAWN:
            raise ArgumentError(
                f"`graph` can be drawn up to {MOST_DRAWN} nodes. Got {len(self.nodes)}. Print it, or draw a part."
            )
        return layered_graph(
            [
                Box(
                    (f"{n.name} = {n.operation}" if n.operation else n.name, _shown(n.value), f"∂ {_shown(n.adjoint)}"),
                    n.inputs,
                    start=not n.operation,
                )
                for n in self.nodes
            ]
        )

    def svg(self) -> str:
        """The figure as an `<svg>` element."""
        return svg(self.figure(), interactive=False)

    def _repr_svg_(self) -> str:
        return self.svg()


class _Place(NamedTuple):
    """A value on its way: of a node, or a constant without one."""

    value: Any
    node: int | None = None


class _Step(NamedTuple):
    """An operation and what it was given."""

    equation: Any
    given: tuple[_Place, ...]


def graph(f: Callable[..., Any], *args: Any) -> Graph:
    r"""The graph of a computation with the value and the adjoint of every step.

    $$ \bar v = \frac{\partial f}{\partial v}, \qquad
       \bar v_j = \sum_{i\,\text{reads}\,j} \bar v_i\, \frac{\partial v_i}{\partial v_j} $$

    Forward the values are computed from the arguments to the output; backward the adjoints from the output, where it is
    1, to the arguments, where they are the gradient. They are those of JAX's reverse mode. Calls are opened, so that
    each elementary step shows; functions with a derivative of their own, such as `jax.nn.relu`, are one step.

    Args:
        f: `f(*args)` returns one number.
        args: arrays or trees of arrays, which keep the names that f gives them; those of floats get adjoints.

    Returns:
        `Graph`: `print` shows a table, `svg()` and `figure()` draw it, `graph["v3"]` is one node.

    Raises:
        ArgumentError: f returns more than one number, or JAX is tracing an argument.
        ArgumentTypeError: f is no function.

    Example:
        >>> print(graph(lambda w, x: jax.nn.sigmoid(w * x), 2.0, 0.5))
        node  is        value   ∂output/∂node
        ─────────────────────────────────────
        w     argument  2       0.09831
        x     argument  0.5     0.3932
        v1    w · x     1       0.1966
        v2    σ(v1)     0.7311  1
    """
    arguments.function("graph", f)
    leaves = [jnp.asarray(leaf) for _, leaf in numbers_in("graph", args, "args")]
    arguments.known("graph", leaves)
    program = jax.make_jaxpr(arguments.checked("graph", f, scalar=True))(*args)
    steps: list[_Step] = []
    output, values = _run(program, leaves, None, steps)
    shifts = [jnp.zeros_like(value) if jnp.issubdtype(value.dtype, jnp.inexact) else None for value in values]
    adjoints = jax.jit(jax.grad(lambda shifts: _run(program, leaves, shifts, [])[0].value))(shifts)

    inputs: list[tuple[int, ...]] = [()] * len(leaves)
    inputs += [tuple(place.node for place in step.given if place.node is not None) for step in steps]
    rank = {number: rank for rank, number in enumerate(_leading_to(output.node, inputs, len(leaves)))}
    labels = _names(f, args)
    labels += [f"v{rank.get(number, 0) - len(leaves) + 1}" for number in range(len(leaves), len(values))]
    formulas = [""] * len(leaves) + [_written(step, labels) for step in steps]
    host = [None if each is None else np.asarray(each) for each in adjoints]
    return Graph(
        tuple(
            Node(labels[n], formulas[n], tuple(rank[each] for each in inputs[n]), np.asarray(values[n]), host[n])
            for n in rank
        )
    )


def _run(
    program: Any, leaves: Sequence[Any], shifts: Sequence[Any] | None, steps: list[_Step]
) -> tuple[Any, list[Any]]:
    """The output and the values of all nodes; each is shifted where shifts are given, and its step is noted."""
    values: list[Any] = []

    def numbered(value: Any) -> _Place:
        shift = None if shifts is None else shifts[len(values)]
        values.append(value if shift is None else value + shift)
        return _Place(values[-1], len(values) - 1)

    def rule(equation: Any, given: list[_Place]) -> list[_Place]:
        found = bound(equation, [place.value for place in given])
        if all(place.node is None for place in given):
            return [_Place(value) for value in found]
        if equation.primitive.name == "convert_element_type" and found[0].dtype == given[0].value.dtype:
            return given
        steps.extend(_Step(equation, tuple(given)) for _ in found)
        return [numbered(value) for value in found]

    places = [numbered(leaf) for leaf in leaves]
    (output,) = walk(program, places, rule, _Place, CALLS - CUSTOM)
    return output, values


def _written(step: _Step, labels: Sequence[str]) -> str:
    """A step as a formula of the names of its inputs."""
    name = step.equation.primitive.name
    words = [_constant(place.value) if place.node is None else labels[place.node] for place in step.given]
    if name in WRITTEN:
        return WRITTEN[name].format(*words, **step.equation.params)
    body = step.equation.params.get("call_jaxpr")
    return f"{name if body is None else body.debug_info.func_name.split(' ')[0]}({', '.join(words)})"


def _leading_to(output: int | None, inputs: Sequence[tuple[int, ...]], arguments: int) -> list[int]:
    """The arguments, and the nodes that the output depends on."""
    wanted = {output}
    for number in range(len(inputs) - 1, -1, -1):
        if number in wanted:
            wanted.update(inputs[number])
    return [number for number in range(len(inputs)) if number < arguments or number in wanted]


def _names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """A name for each array that f is called with: that of the argument, and the way to it in a tree."""
    try:
        bound_arguments = inspect.signature(f).bind(*args).arguments.items()
    except (TypeError, ValueError):  # a builtin has no signature
        bound_arguments = [(f"x{number}", arg) for number, arg in enumerate(args)]
    return [
        ".".join(filter(None, [name, jax.tree_util.keystr(path, simple=True, separator=".")]))
        for name, value in bound_arguments
        for path, _ in jax.tree_util.tree_leaves_with_path(value)
    ]


def _constant(value: Any) -> str:
    """A number or a small array in a formula; of a large one its shape."""
    return _shown(value) if np.size(value) <= MOST_SHOWN else f"[{'×'.join(map(str, np.shape(value)))}]"


def _shown(value: Any) -> str:
    """A number in four digits, a small array row by row, of a large one its shape and its range."""
    if value is None:
        return ""
    array = np.asarray(value) + 0.0  # no −0
    if array.size > MOST_SHOWN or not array.size:
        ends = f": {array.min():.3g} … {array.max():.3g}" if array.size else ""
        return "×".join(map(str, array.shape)) + ends
    rows = [" ".join(f"{x:.4g}" for x in row) for row in array.reshape(-1, array.shape[-1] if array.ndim else 1)]
    return f"[{'; '.join(rows)}]" if array.ndim else rows[0]
