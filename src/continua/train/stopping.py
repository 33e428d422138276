"""When training has done enough: rules that read its history and say in words why it may end."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from continua.core import ArgumentError, count

Row = Mapping[str, float]  # of one epoch: "epoch", "step", "loss", "gradient", "seconds", "validation" and measures


class StoppingRule(ABC):
    """Decides from the history alone, so that a resumed run decides as one that never stopped."""

    @abstractmethod
    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None where it goes on.

        Args:
            history: a row for each epoch, at least one.
        """


@dataclass(frozen=True)
class GradientBelow(StoppingRule):
    """Ends where the mean norm of an epoch's gradients is small: with all rows in one batch, at a level place.

    Args:
        tolerance: what counts as small. With mini-batches their noise stays: use `LossLevel` or `Patience`.
    """

    tolerance: float

    def __post_init__(self) -> None:
        """Refuses a tolerance that is not positive."""
        _positive(self, "tolerance", self.tolerance)

    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None."""
        norm = history[-1]["gradient"]
        return f"the gradient's norm {norm:.2e} is below {self.tolerance:g}" if norm < self.tolerance else None


@dataclass(frozen=True)
class LossLevel(StoppingRule):
    """Ends where the loss of an epoch differs little from that of some epochs before.

    Args:
        tolerance: the change that counts as none, as a share of the loss.
        epochs: over how many it is taken.
    """

    tolerance: float
    epochs: int = 1

    def __post_init__(self) -> None:
        """Refuses a tolerance that is not positive, and no epochs."""
        _positive(self, "tolerance", self.tolerance)
        count("LossLevel", "epochs", self.epochs, most=2**31)

    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None."""
        if len(history) <= self.epochs:
            return None
        before, now = history[-1 - self.epochs]["loss"], history[-1]["loss"]
        if abs(before - now) > self.tolerance * abs(before):
            return None
        over = "one epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"the loss changed by {abs(before - now):.1e} in {over}, less than {self.tolerance:g} of itself"


@dataclass(frozen=True)
class Patience(StoppingRule):
    """Early stopping: ends where the lowest value was so many epochs ago.

    Args:
        epochs: how many may pass without a lower one.
        of: which column of the history; the validation loss unless given.
    """

    epochs: int
    of: str = "validation"

    def __post_init__(self) -> None:
        """Refuses no epochs."""
        count("Patience", "epochs", self.epochs, most=2**31)

    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None."""
        if self.of not in history[-1]:
            raise ArgumentError(
                f"`of` of `Patience` must be a column of the history ({', '.join(history[-1])}). Got {self.of!r}. "
                "Pass `validation` to `train`, or another column."
            )
        values = [row[self.of] if row[self.of] == row[self.of] else float("inf") for row in history]
        best = values.index(min(values))
        if len(values) - 1 - best < self.epochs:
            return None
        return f"the {self.of} loss has not fallen below {values[best]:.4g} for {self.epochs} epochs"


@dataclass(frozen=True)
class Budget(StoppingRule):
    """Ends when time or steps are spent; looked at after every epoch.

    Args:
        seconds: of training, over all resumed parts.
        steps: batches.
    """

    seconds: float = float("inf")
    steps: float = float("inf")

    def __post_init__(self) -> None:
        """Refuses what is not positive."""
        _positive(self, "seconds", self.seconds)
        _positive(self, "steps", self.steps)

    def says(self, history: Sequence[Row]) -> str | None:
        """Why training may end now, or None."""
        last = history[-1]
        if last["step"] >= self.steps:
            return f"the budget of {self.steps:g} steps is spent"
        return f"the budget of {self.seconds:g} s is spent" if last["seconds"] >= self.seconds else None


def _positive(rule: StoppingRule, name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ArgumentError(f"`{name}` of {type(rule).__name__} must be a positive number. Got {value!r}. Use 1e-4.")
