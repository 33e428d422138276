"""How a stencil is computed: chosen by what was measured, or by name."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from jaxtyping import Array

from continua.space.neighbours import weighed

if TYPE_CHECKING:
    from continua.space.stencil import Stencil


class Lowering:
    """From a padded field to the result; a lowering has no parameters."""

    @abstractmethod
    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """The weighted sums [*inside], of a field with its ghosts."""

    def __eq__(self, other: object) -> bool:
        """Lowerings are equal if they are of one kind."""
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Shifts(Lowering):
    """A sum of shifted views: fastest for small stencils, weights that vary in space, and one kernel a channel."""

    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """With the transposes of `neighbours`."""
        weights = stencil.weights if stencil.free is None else stencil.free.astype(padded.dtype)
        return weighed(padded, weights, stencil.offsets, stencil.reach)
