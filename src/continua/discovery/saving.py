"""What a model with a law and one without have in common: they forecast, and go into a folder."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from continua.discovery.forecasting import Forecast
from continua.files import write_folder


class Saved(ABC):
    """What forecasts a record and can be written down."""

    time: NDArray[np.float64]
    time_name: str

    @abstractmethod
    def forecast(self, h: Any) -> Forecast:
        """The measurements to be expected after the last one."""

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write report.html, forecast.csv, model.json and figures into a new folder, whole or not at all.

        Args:
            folder: where; it must not exist unless `force`.
            force: replace a folder that an earlier fit wrote.

        Returns:
            The folder's path.
        """
        from continua.discovery.report import report_files
        from continua.discovery.storage import stored

        model: Any = self  # a Model or an Unexplained: there are no others
        forecast = self.forecast(horizon(len(self.time)))
        files = {
            **report_files(model, forecast),
            "forecast.csv": forecast.csv(self.time_name),
            "model.json": stored(model),
        }
        return write_folder(folder, files, force)


def horizon(rows: int) -> int:
    """How many steps ahead a report looks: a quarter of the record, at least five."""
    return max(5, min(rows // 4, 100))
