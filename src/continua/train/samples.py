"""A table as samples: numbers to predict from, a class or a number to predict, in units that a network likes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, instead
from continua.files import DataError, NumberColumn, RawTable, numbers, plain_texts, read_source
from continua.train.configuration import Configuration


@dataclass(frozen=True)
class Units:
    """The mean and the spread of columns: numbers are handed to the network as (x − mean) / spread.

    Attributes:
        mean: [column].
        spread: [column], 1 where a column does not vary.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @staticmethod
    def of(columns: NDArray[np.float64]) -> "Units":
        """Those of the columns of [row, column]."""
        spread = columns.std(axis=0)
        return Units(np.asarray(columns.mean(axis=0)), np.where(spread > 0, spread, 1.0))

    def into(self, columns: Any) -> NDArray[np.float32]:
        """Numbers in these units."""
        return ((np.asarray(columns, float) - self.mean) / self.spread).astype(np.float32)

    def out_of(self, columns: Any) -> NDArray[np.float64]:
        """Numbers as they were."""
        return np.asarray(columns, float) * self.spread + self.mean


@dataclass(frozen=True)
class Samples:
    """A table to learn from.

    Attributes:
        features: names of the columns of `inputs`.
        inputs: [row, feature], as they stand in the table.
        classes: their names; none where a number is predicted.
        targets: [row]: the number of the class, or the number.
    """

    features: tuple[str, ...]
    inputs: NDArray[np.float64]
    classes: tuple[str, ...]
    targets: NDArray[np.float64]

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.targets)

    def parted(self, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows to train on, and the share to validate with."""
        aside = round(share * self.rows)
        if not 0 < aside < self.rows:
            raise ArgumentError(f"`validation` must leave rows on both sides. Got {share:g} of {self.rows} rows.")
        order = np.random.default_rng([seed]).permutation(self.rows)
        return np.sort(order[aside:]), np.sort(order[:aside])


def read_samples(configuration: Configuration) -> Samples:
    """The samples that a configuration means.

    Raises:
        DataError: a column is not there, holds text where numbers are needed, or has a gap.
    """
    table = read_source(configuration.data)
    target = configuration.target
    features = configuration.features or tuple(name for name in table.names if name != target)
    for name in (target, *features):
        if name not in table.names:
            raise DataError(f"{table.source} has no column `{name}`. {instead(name, table.names)}")
    if not features or target in features:
        raise DataError(
            f"{table.source} needs columns besides `{target}` to predict it from. Name them: features = […]."
        )
    inputs = np.column_stack([_numbers(table, name) for name in features])
    found = numbers(table.cells(target))
    kind = configuration.kind or ("classification" if found.is_text else "regression")
    if kind == "regression":
        return Samples(features, inputs, (), _numbers(table, target))
    labels = plain_texts(table.cells(target))
    gap = next((row for row, label in enumerate(labels) if not label), None)
    if gap is not None:
        raise DataError(f"{table.where(gap)}: `{target}` has a gap. Fill it or drop the row.")
    classes = sorted(set(labels), key=lambda label: (len(label), label) if not found.is_text else (0, label))
    if len(classes) < 2:
        raise DataError(f"{table.source}: `{target}` has one class only, {classes[0]!r}. Use a column with several.")
    place = {label: number for number, label in enumerate(classes)}
    return Samples(features, inputs, tuple(classes), np.array([place[label] for label in labels], float))


def _numbers(table: RawTable, name: str) -> NDArray[np.float64]:
    """A column of finite numbers."""
    column: NumberColumn = numbers(table.cells(name))
    if column.text_rows.size:
        row = int(column.text_rows[0])
        raise DataError(f"{table.where(row)}: `{name}` is no number. Leave the column out: features = […].")
    bad = np.flatnonzero(~np.isfinite(column.values))
    if bad.size:
        raise DataError(f"{table.where(int(bad[0]))}: `{name}` has a gap. Fill it, or drop the row or the column.")
    return column.values
