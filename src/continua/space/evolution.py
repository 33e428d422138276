"""Equations in space: a field moves by what its neighbours are."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import Args, Instant, as_node, is_traced
from continua.equations import Spatial
from continua.space.boundaries import extend
from continua.space.neighbours import surrounded
from continua.space.shards import on_devices, refuse_short_parts, shared
from continua.space.stencil import LocalOperator
from continua.space.tiles import MOST, tiled


class Evolution(Spatial):
    r"""A field that is changed by a local operator.

    $$ u_t = r\, S u + f(t, u, \text{args}) $$

    Args:
        operator: S: a `Stencil`, a `Flow`, or any other that looks at neighbours.
        rate: r, a number or a field: a diffusivity, for the Laplacian. It can be trained.
        source: f(t, u, args), a field; none unless given.

    Good for: heat, waves as a system, reaction and diffusion, filters as flows. Explicit steps longer than the spectrum
    allows are refused by `solve`, with the longest that is stable.

    Example:
        >>> import jax.numpy as jnp
        >>> from continua.space import Grid, Periodic, Stencil
        >>> heat = Evolution(Stencil.of("laplace", Grid.cells(8), Periodic()), rate=0.1)
        >>> heat(jnp.array(0.0), jnp.ones(8), None).tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """

    operator: LocalOperator
    rate: Any = 1.0
    source: Callable[[Any, Any, Any], Any] | None = eqx.field(default=None, converter=as_node)

    def __call__(self, t: Instant, y: Array, args: Args) -> Array:
        """The slope of y [*shape]."""
        slope = self.operator(y, t)
        if not (isinstance(self.rate, int | float) and self.rate == 1):
            slope = jnp.asarray(self.rate, slope.dtype) * slope
        return slope if self.source is None else slope + self.source(t, y, args)

    def spectrum(self) -> np.ndarray | None:
        """That of the operator, times the largest rate; a source is not in it."""
        if any(map(is_traced, jax.tree.leaves(self))):
            return None
        found = self.operator.spectrum()
        return None if found is None else float(np.max(np.asarray(self.rate))) * found

    def repeats(self) -> bool:
        """Without a source, for one rate everywhere, if the ghosts of the start go on as they would."""
        return self.source is None and jnp.ndim(self.rate) == 0 and self.operator.ghosts_persist()

    def repeated(
        self, step: Callable[..., Any], stages: int, count: int, y: Any, known: Any, devices: Sequence[Any] = ()
    ) -> Any:
        """By a halo wide enough for many steps, where the grid is, and tile by tile on a processor with caches."""
        if len(devices) < 2:
            return _repeated(step, stages, count, y, known, self)
        parts = eqx.tree_at(lambda one: one.operator, self, shared(self.operator, len(devices)))

        def steps(given: Any, y: Array) -> Array:
            equation, known = given
            return _repeated(step, stages, count, y, known, equation)

        return on_devices(steps, (parts, known), y, self.operator, devices)


def wide_halo(
    step: Callable[[Array], Array], operator: LocalOperator, count: int, stages: int = 1
) -> Callable[[Array], Array]:
    """`count` steps with one look beyond the faces.

    Args:
        step: any step map on a field that holds its own ghosts (of the `opened` operator); its rim may be anything.
        operator: how far a slope reaches, and what stands beyond the faces. It must be one whose ghosts persist.
        count: how many steps; the halo is `count * stages` times as wide as the operator's reach.
        stages: how many slopes each step asks for in turn.

    Returns:
        The map of `count` steps on a field without ghosts.
    """
    shrink = tuple((-stages * low, -stages * high) for low, high in operator.reach)
    width = tuple((count * stages * low, count * stages * high) for low, high in operator.reach)

    def steps(field: Array) -> Array:
        assert operator.boundaries is not None
        padded = extend(field, operator.faces(), operator.boundaries, width, operator.order)
        for _ in range(count):
            padded = surrounded(step(lax.optimization_barrier(padded)), shrink)
        return padded

    return steps


@eqx.filter_custom_jvp
def _repeated(step: Callable[..., Any], stages: int, count: int, y: Array, known: Any, equation: Evolution) -> Array:
    """Tile by tile, where that is to be had."""

    def at(operator: LocalOperator, y: Array) -> Array:
        return step(eqx.tree_at(lambda one: one.operator, equation, operator), y, known)

    found = tiled(at, equation.operator, stages, count, y) if jax.default_backend() == "cpu" else None
    return _field_by_field(step, stages, count, y, known, equation) if found is None else found


@_repeated.def_jvp
def _(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    """Through whole fields: tiles would hand on a cotangent as large as the field, each."""
    return eqx.filter_jvp(_field_by_field, primals, tangents)


def _field_by_field(
    step: Callable[..., Any], stages: int, count: int, y: Array, known: Any, equation: Evolution
) -> Array:
    """The same, field by field."""
    operator = equation.operator
    far = max(1, *(side for pair in operator.reach for side in pair)) * stages
    together = min(count, MOST, min(y.shape[-operator.dimension :]) // (2 * far))
    if not together:
        refuse_short_parts(operator, far, y)
        return functools.reduce(lambda y, _: step(equation, y, known), range(count), y)
    opened = eqx.tree_at(lambda one: one.operator, equation, operator.opened())

    def turn(y: Array, steps: int) -> Array:
        return wide_halo(lambda y: step(opened, y, known), operator, steps, stages)(y)

    turns, rest = divmod(count, together)
    y = turn(y, together) if turns == 1 else lax.scan(lambda y, _: (turn(y, together), None), y, None, turns)[0]
    return turn(y, rest) if rest else y
