"""How many problems `jax.vmap` makes of one, and what holds of any of them."""

import math
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool


@custom_vmap
def anywhere(happens: Bool[Array, ""]) -> Bool[Array, ""]:
    """Whether it happens in any entry of a batch: one answer for all, so that a `lax.cond` on it stays one.

    Under `jax.vmap` a condition of each entry makes it evaluate both branches. A branch that is skipped must not matter
    where nothing happens, since an entry's own answer may be no.
    """
    return happens


@anywhere.def_vmap
def _of_all(_: int, __: list[bool], happens: Bool[Array, " entry"]) -> tuple[Bool[Array, ""], bool]:
    return anywhere(jnp.any(happens)), False


def batch_size(tree: Any) -> int:
    """The product of the axes over which arrays of the tree, or those that its functions close over, are mapped.

    1 where none is, or where a `jit` between hides it. An estimate to choose a layout by: no result depends on it.
    """
    axes: dict[Any, int] = {}
    seen: set[int] = set()

    def look(value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, Tracer):  # JAX has no public names for what is inside
            axis, inside = getattr(value, "batch_dim", None), getattr(value, "val", getattr(value, "primal", None))
            if isinstance(axis, int):
                axes[value._trace] = cast(Any, inside).shape[axis]  # noqa: SLF001  (which of several maps it is)
            look(inside)
        elif isinstance(value, jax.tree_util.Partial):
            look(value.func)
            jax.tree.map(look, (value.args, value.keywords))
        else:
            for cell in getattr(value, "__closure__", None) or ():
                jax.tree.map(look, _content(cell), is_leaf=_closed)

    jax.tree.map(look, tree, is_leaf=_closed)
    return math.prod(axes.values())


def _closed(value: Any) -> bool:
    """A function as JAX holds it in a tree, where what it closes over is no leaf."""
    return isinstance(value, jax.tree_util.Partial)


def _content(cell: Any) -> Any:
    """What a closure holds there: nothing while a name is not yet bound."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
