"""How measurements scatter about the model."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Noise(ABC):
    """A distribution of measurements about the model, with a σ for each state."""

    title: ClassVar[str]

    @abstractmethod
    def fits(self, measured: Values) -> bool:
        """Whether such measurements are possible."""

    @abstractmethod
    def residuals(self, model: Values, measured: Values) -> tuple[Values, Values]:
        """(model − measured) on the scale on which the noise is normal, and its derivative by the model."""

    @abstractmethod
    def log_jacobian(self, measured: Values) -> float:
        """What the change of scale adds to −2 log L, so that likelihoods compare on the scale of the data."""

    @abstractmethod
    def quantile(self, model: Values, deviation: Values) -> Values:
        """The measurement `deviation` (in units of the normal scale) away from the model."""


@dataclass(frozen=True)
class Additive(Noise):
    r"""Normal noise: $y = m + \sigma \varepsilon$."""

    title = "additive"

    def fits(self, measured: Values) -> bool:
        """Always."""
        return True

    def residuals(self, model: Values, measured: Values) -> tuple[Values, Values]:
        """The plain difference."""
        return model - measured, np.ones_like(model)

    def log_jacobian(self, measured: Values) -> float:
        """Nothing: it is the scale of the data."""
        return 0.0

    def quantile(self, model: Values, deviation: Values) -> Values:
        """Added."""
        return model + deviation


@dataclass(frozen=True)
class LogNormal(Noise):
    r"""Log-normal noise: $\log y = \log m + \sigma \varepsilon$, for positive measurements."""

    title = "log-normal"

    def fits(self, measured: Values) -> bool:
        """Only positive measurements."""
        return bool((measured[np.isfinite(measured)] > 0).all())

    def residuals(self, model: Values, measured: Values) -> tuple[Values, Values]:
        """The difference of logarithms; non-finite where the model is not positive, which a search steps back from."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(model > 0, np.log(model), np.nan) - np.log(measured), 1 / model

    def log_jacobian(self, measured: Values) -> float:
        """2 Σ log y."""
        return 2 * float(np.log(measured[np.isfinite(measured)]).sum())

    def quantile(self, model: Values, deviation: Values) -> Values:
        """Multiplied by its exponential."""
        return model * np.exp(deviation)


NOISES: tuple[Noise, ...] = (Additive(), LogNormal())
