"""Equations whose state is a field: what a method may ask of them."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from continua.equations.equation import Equation


class Spatial(Equation):
    """A field that moves by looking at neighbours."""

    @abstractmethod
    def spectrum(self) -> np.ndarray | None:
        """Complex numbers [wave], in 1/time, that bound the eigenvalues of its slope; None where none are known."""

    @abstractmethod
    def repeats(self) -> bool:
        """Whether its slope does not change in time, and several steps at once are cheaper than one by one."""

    @abstractmethod
    def repeated(
        self, step: Callable[..., Any], stages: int, count: int, y: Any, known: Any, devices: Sequence[Any] = ()
    ) -> Any:
        """The state after `count` steps at once.

        Args:
            step: one step (equation, y, known) -> y, of which nothing is known but that it asks for `stages` slopes in
                turn, and that it depends on no other arrays.
            stages: how many.
            count: how many steps.
            y: the state.
            known: a PyTree, what the step needs besides.
            devices: over which the field is divided; it stays where it is unless given.
        """
