"""Mini-batches: which rows are seen together, decided by the key and the number of the epoch alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from numpy.typing import NDArray

from continua.core import ArgumentError, count, numbers_in


@dataclass(frozen=True)
class Batches:
    """How the rows of a table are dealt into batches.

    Args:
        rows: how many there are.
        size: rows of a batch.
        drop_last: whether rows that fill no batch are left out of an epoch (others in each), rather than seen together
            in a shorter one.
    """

    rows: int
    size: int
    drop_last: bool = False

    @property
    def whole(self) -> int:
        """Batches of full size in an epoch."""
        return self.rows // self.size

    @property
    def number(self) -> int:
        """Batches in an epoch."""
        return self.whole + (self.rows % self.size > 0 and not self.drop_last)

    def order(self, key: PRNGKeyArray, epoch: int) -> NDArray[np.int32]:
        """The rows in the order of this epoch; as they stand where one batch holds them all."""
        if self.size == self.rows:
            return np.arange(self.rows, dtype=np.int32)
        words = np.asarray(jax.random.key_data(key)).ravel().tolist()
        return np.random.default_rng([*words, epoch]).permutation(self.rows).astype(np.int32)

    def chunks(
        self, order: NDArray[np.int32], longest: int, first: int = 0
    ) -> Iterator[tuple[NDArray[np.int32], int, int]]:
        """The batches from `first` on, up to `longest` at a time.

        Yields:
            Row numbers [chunk, row], of one shape for all batches of full size; how many of the batches count; and how
            many of the epoch are done after them.
        """
        length = min(longest, max(self.whole, 1))
        full = order[: self.whole * self.size].reshape(self.whole, self.size)
        for start in range(first, self.whole, length):
            part = full[start : start + length]
            filled = np.concatenate([part, np.zeros((length - len(part), self.size), np.int32)])
            yield filled, len(part), start + len(part)
        if self.number > self.whole:
            yield order[None, self.whole * self.size :], 1, self.number


def checked_rows(verb: str, data: Any, name: str = "data") -> tuple[Any, int]:
    """Arrays with as many rows as each other, finite, on the device; and how many rows."""
    leaves = numbers_in(verb, data, name)
    rows = {np.shape(leaf)[:1] for _, leaf in leaves}
    if rows == {()} or () in rows:
        raise ArgumentError(f"`{name}` of `{verb}` must have a row for each sample. Got a number. Use arrays.")
    if len(rows) > 1:
        told = ", ".join(f"{np.shape(leaf)} at {place}" for place, leaf in leaves)
        raise ArgumentError(f"`{name}` of `{verb}` must have as many rows everywhere. Got {told}. Pass one per sample.")
    number = rows.pop()[0]
    if number == 0:
        raise ArgumentError(f"`{name}` of `{verb}` must have rows. Got none. Check what was read.")
    for place, leaf in leaves:
        _refuse_gaps(verb, name, place, np.asarray(leaf))
    return jax.tree.map(jnp.asarray, data), number


def _refuse_gaps(verb: str, name: str, place: str, leaf: NDArray[Any]) -> None:
    """An error where a number is not finite, which says where the first one stands."""
    if not np.issubdtype(leaf.dtype, np.inexact) and leaf.dtype.kind != "V":  # V: bfloat16 and its like
        return
    good = np.isfinite(leaf)
    if not good.all():
        bad = tuple(int(i) for i in np.argwhere(~good)[0])
        raise ArgumentError(
            f"`{name}` of `{verb}` must be finite. Got {leaf[bad]} in row {bad[0]} of {place}: one of "
            f"{int((~good).sum())} such places. Drop those rows or fill them."
        )


def checked_size(verb: str, batch_size: int | None, rows: int) -> int:
    """Rows of a batch: all unless given."""
    return rows if batch_size is None else count(verb, "batch_size", batch_size, most=rows)
