"""The trajectories of an ensemble: which arrays have a value for each of them, and which serve all."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from continua.core import Args, ArgumentError, ArgumentTypeError, State, is_traced
from continua.equations import Equation

NAMED = ("equation", "y0", "ts", "args")
PARTS = (*NAMED, "key")


class Member(NamedTuple):
    """What one trajectory solves."""

    equation: Equation
    y0: State
    ts: Any
    args: Args
    key: Any = None


class Members(eqx.Module):
    """All trajectories: `own` arrays have them along their first axis, `shared` leaves serve each.

    `own` may lie on the host or in a file; only what is taken is read.
    """

    own: list[Any]
    shared: list[Any]
    places: tuple[bool, ...] = eqx.field(static=True)  # of every leaf of a Member, whether it is an own one
    tree: Any = eqx.field(static=True)

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.own[0])

    @property
    def traced(self) -> bool:
        """Whether JAX transforms the ensemble as a whole: then it has no values yet."""
        return any(is_traced(leaf) for leaf in jax.tree.leaves((self.own, self.shared)))

    def has_own(self, part: str) -> bool:
        """Whether any array of this part is an own one."""
        flags = Member(*jax.tree.unflatten(self.tree, self.places))
        return any(jax.tree.leaves(getattr(flags, part)))

    def join(self, own: Sequence[Any]) -> Member:
        """The member with these values of its own."""
        given, shared = iter(own), iter(self.shared)
        return Member(*jax.tree.unflatten(self.tree, [next(given if has else shared) for has in self.places]))

    def one(self, number: int) -> Member:
        """The member of this number."""
        return self.join([leaf[number] for leaf in self.own])

    def take(self, numbers: np.ndarray, placing: Any = None) -> "Members":
        """Those of these numbers, on the device or where `placing` says; for numbers beyond the last, the last."""
        rows = np.minimum(numbers, self.size - 1)
        own = [jnp.asarray(leaf[rows]) for leaf in self.own]
        return Members(own if placing is None else jax.device_put(own, placing), self.shared, self.places, self.tree)


def members(member: Member, in_axes: Any) -> Members:
    """Tell own from shared leaves by `in_axes`: an axis, None, or a PyTree of them, for each part that is named."""
    axes = _axes_of_leaves(member, in_axes)
    with_paths, tree = jax.tree_util.tree_flatten_with_path(tuple(member))
    named = [(_name(path), leaf, axis) for (path, leaf), axis in zip(with_paths, axes, strict=True)]
    own = {name: _first(leaf, axis, name) for name, leaf, axis in named if axis is not None}
    shared = [_on_device(leaf) for _, leaf, axis in named if axis is None]
    if len({len(leaf) for leaf in own.values()}) > 1:
        found = ", ".join(f"{len(leaf)} of {name}" for name, leaf in own.items())
        raise ArgumentError(
            f"`in_axes` of `solve_ensemble` must name axes of one length. Got {found}. Use None for what all share."
        )
    if not own or not all(len(leaf) for leaf in own.values()):
        raise ArgumentError(
            "`in_axes` of `solve_ensemble` must name an axis with at least one trajectory. "
            f"Got {'an empty one' if own else 'none'}. Use in_axes={{'y0': 0}}."
        )
    return Members(list(own.values()), shared, tuple(axis is not None for axis in axes), tree)


def _axes_of_leaves(member: Member, in_axes: Any) -> list[int | None]:
    if not isinstance(in_axes, dict) or not set(in_axes) <= set(NAMED):
        raise ArgumentTypeError(
            "`in_axes` of `solve_ensemble` must be a dict with keys among equation, y0, ts and args. "
            f"Got {in_axes!r}. Use {{'y0': 0, 'args': 0}}."
        )
    found: list[int | None] = []
    for part, value in zip(PARTS, member, strict=True):
        prefix = 0 if part == "key" else _completed(in_axes.get(part), value)
        try:
            axes = jax.tree.map(
                lambda axis, below: [axis] * len(jax.tree.leaves(below)), prefix, value, is_leaf=_is_none
            )
        except ValueError:
            raise ArgumentTypeError(
                f"`in_axes` of `solve_ensemble` must be like `{part}` from its root on. Got {in_axes[part]!r}. "
                "Use 0 or None."
            ) from None
        found += jax.tree.leaves(axes, is_leaf=_is_none)
    if wrong := [axis for axis in found if axis is not None and (isinstance(axis, bool) or not isinstance(axis, int))]:
        raise ArgumentTypeError(f"`in_axes` of `solve_ensemble` must hold ints and None. Got {wrong[0]!r}. Use 0.")
    return found


def _completed(prefix: Any, value: Any) -> Any:
    """The same axes, and None for what a dict does not name."""
    if isinstance(prefix, dict) and isinstance(value, Equation):
        return _of_fields(prefix, value)
    if isinstance(prefix, dict) and isinstance(value, dict) and set(prefix) <= set(value):
        return {key: _completed(prefix.get(key), below) for key, below in value.items()}
    return prefix


def _of_fields(named: dict[str, Any], equation: Equation) -> Any:
    """Axes of an equation, from those of its fields."""
    fields = {field.name for field in dataclasses.fields(equation)}
    if unknown := sorted(set(named) - fields):
        raise ArgumentError(
            f"`in_axes` of `solve_ensemble` must name fields of the equation. Got {unknown[0]!r} for "
            f"{type(equation).__name__}. Use one of {', '.join(sorted(fields))}."
        )
    none = jax.tree.map(lambda _: None, equation)
    axes = [_completed(axis, getattr(equation, name)) for name, axis in named.items()]
    return eqx.tree_at(lambda found: [getattr(found, name) for name in named], none, axes, is_leaf=_is_none)


def _first(leaf: Any, axis: int, name: str) -> Any:
    """The leaf with the trajectories in front, still where it was."""
    array = leaf if hasattr(leaf, "ndim") else np.asarray(leaf)
    if not -array.ndim <= axis < array.ndim:
        raise ArgumentError(
            f"`in_axes` of `solve_ensemble` must name an axis that is there. Got {axis} for {name} of shape "
            f"{tuple(array.shape)}. Use None for what all share."
        )
    return jnp.moveaxis(array, axis, 0) if isinstance(array, jax.Array) else np.moveaxis(array, axis, 0)


def _on_device(leaf: Any) -> Any:
    """Shared numbers go to the device once."""
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind in "fiub" else leaf


def _name(path: Any) -> str:
    return PARTS[path[0].idx] + jax.tree_util.keystr(path[1:])


def _is_none(value: Any) -> bool:
    return value is None
