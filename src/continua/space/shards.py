"""A field cut along its first axis over a row of devices: what lies beyond a cut is what the neighbour holds."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array

from continua.core import ArgumentError
from continua.space.boundaries import Boundaries, Boundary, Face, Periodic
from continua.space.stencil import LocalOperator

ROW = "row"


class Neighbour(Boundary):
    """What the next device of the row holds; at its ends, what stands beyond the whole field."""

    outer: Boundary
    devices: int = eqx.field(static=True)

    def persists(self, total: float) -> bool:
        """As at the ends."""
        return self.outer.persists(total)

    def beyond(self, face: Face, inside: Array, opposite: Array, count: int, order: int, t: Any) -> Array:
        """The values nearest to the cut: at one meeting all hand theirs to all, for it is meetings that take time."""
        last, way = self.devices - 1, 1 if face.upper else -1
        own = lax.axis_index(ROW)
        ends = (opposite, inside) if face.upper else (inside, opposite)
        everywhere = lax.all_gather(jnp.stack([end[:count] for end in ends]), ROW)
        neighbour = lax.dynamic_index_in_dim(everywhere, (own + way) % self.devices, keepdims=False)
        received = neighbour[0 if face.upper else 1]
        if isinstance(self.outer, Periodic):
            return received
        at_the_end = own == (last if face.upper else 0)
        return jnp.where(at_the_end, self.outer.beyond(face, inside, opposite, count, order, t), received)


def shared(operator: LocalOperator, devices: int) -> LocalOperator:
    """The operator on one device's part of the field."""
    assert operator.boundaries is not None
    (low, high), *others = operator.boundaries.faces
    cut = Boundaries(((Neighbour(low, devices), Neighbour(high, devices)), *others))
    return eqx.tree_at(lambda one: one.boundaries, operator, cut)


def refuse_short_parts(operator: LocalOperator, far: int, part: Array) -> None:
    """A part of a field that is cut must be long enough for one step."""
    sides = operator.boundaries
    if sides is not None and any(isinstance(side, Neighbour) for side in sides.faces[0]):
        raise ArgumentError(
            f"`devices` of Substeps leave too few points for steps that reach {far} far. Got {part.shape} on each. "
            "Use fewer devices."
        )


def on_devices(
    steps: Callable[[Any, Array], Array], known: Any, field: Array, operator: LocalOperator, devices: Sequence[Any]
) -> Array:
    """`steps(known, part)` of each part of a field [..., *shape], on its device.

    Args:
        steps: what is done with a part; its operator must be `shared`.
        known: a PyTree that all parts need.
        field: cut into as many parts as there are devices.
        operator: how far one turn of `steps` looks.
        devices: along the first axis of the grid.

    Raises:
        ArgumentError: the first axis cannot be cut into equal parts.
    """
    first = field.ndim - operator.dimension
    points = field.shape[first]
    if points % len(devices):
        most = max(d for d in range(1, len(devices)) if points % d == 0)
        raise ArgumentError(
            f"`devices` of Substeps must divide the {points} points of the field's first axis. Got {len(devices)}. "
            f"Use {most} of them."
        )
    cut = PartitionSpec(*[None] * first, ROW)
    arrays, rest = eqx.partition(known, eqx.is_array)
    mesh = Mesh(np.array(devices), (ROW,))

    def part(arrays: Any, field: Array) -> Array:
        return steps(eqx.combine(arrays, rest), field)

    run = jax.shard_map(part, mesh=mesh, in_specs=(PartitionSpec(), cut), out_specs=cut, check_vma=False)
    return run(arrays, field)
