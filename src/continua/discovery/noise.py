"""How measurements scatter about the model."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, ndtr, stdtrit

Values = NDArray[np.float64]
LOG_TWO_PI = float(np.log(2 * np.pi))
FREEDOM = 4.0  # degrees, of Student's t
MOST_ROUNDS = 500


class Noise(ABC):
    """A distribution of measurements about the model, with a σ for each state.

    On a scale of its own the misfit, in units of σ, has a density that does not depend on the model: the normal one
    unless a class says otherwise.
    """

    title: ClassVar[str]
    information: ClassVar[float] = 1.0  # that one misfit in units of σ has about where the density lies
    heavy: ClassVar[bool] = False  # whether far more lies beyond a few σ than with normal noise

    @abstractmethod
    def fits(self, measured: Values) -> bool:
        """Whether such measurements are possible."""

    @abstractmethod
    def residuals(self, model: Values, measured: Values) -> tuple[Values, Values]:
        """(model − measured) on the scale of the density, and its derivative by the model."""

    @abstractmethod
    def log_jacobian(self, measured: Values) -> float:
        """What the change of scale adds to −2 log L, so that likelihoods compare on the scale of the data."""

    @abstractmethod
    def quantile(self, model: Values, deviation: Values) -> Values:
        """The measurement `deviation` (on the scale of the density) away from the model."""

    def minus_two_log(self, misfit: Values) -> Values:
        """−2 log of the density of a misfit in units of σ."""
        return misfit**2 + LOG_TWO_PI

    def rooted(self, misfit: Values) -> tuple[Values, Values]:
        """A number whose square is −2 log of the density, but for a constant, and its derivative by the misfit."""
        return misfit, np.ones_like(misfit)

    def sigma(self, residual: Values, known: NDArray[np.bool_]) -> Values:
        """[state]: the most likely σ at such residuals [row, state]; 0 where nothing is known."""
        squares = np.where(known, residual**2, 0).sum(0)
        return np.sqrt(squares / np.maximum(known.sum(0), 1))

    def from_normal(self, number: Values) -> Values:
        """The misfit in units of σ that is as unlikely as a standard normal number."""
        return number


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
class StudentT(Additive):
    r"""Noise with outliers: $y = m + \sigma \varepsilon$ with ε from Student's t with 4 degrees of freedom.

    $$ -2 \log p(r) = (\nu + 1) \log(1 + r^2/\nu) + \log \nu + 2 \log B(\nu/2, 1/2) $$

    Source: Lange, Little & Taylor, J. Am. Stat. Assoc. 84 (1989) 881–896.
    """

    title = "Student's t"
    information = (FREEDOM + 1) / (FREEDOM + 3)
    heavy = True

    def minus_two_log(self, misfit: Values) -> Values:
        """Of Student's t."""
        return (FREEDOM + 1) * np.log1p(misfit**2 / FREEDOM) + np.log(FREEDOM) + 2 * betaln(FREEDOM / 2, 0.5)

    def rooted(self, misfit: Values) -> tuple[Values, Values]:
        """It grows like the root of a logarithm: far measurements hardly pull."""
        size = np.maximum(np.abs(misfit), 1e-6)
        root = np.sqrt((FREEDOM + 1) * np.log1p(size**2 / FREEDOM))
        return np.copysign(root, misfit), (FREEDOM + 1) * size / (FREEDOM + size**2) / root

    def sigma(self, residual: Values, known: NDArray[np.bool_]) -> Values:
        """By expectation and maximisation: far residuals weigh little."""
        squares, counts = np.where(known, residual**2, 0), np.maximum(known.sum(0), 1)
        variance = squares.sum(0) / counts
        for _ in range(MOST_ROUNDS):
            before = np.maximum(variance, 1e-300)
            variance = (squares * (FREEDOM + 1) / (FREEDOM + squares / before)).sum(0) / counts
            if np.allclose(variance, before, rtol=1e-10, atol=0):
                break
        return np.sqrt(variance)

    def from_normal(self, number: Values) -> Values:
        """The quantile of Student's t."""
        return stdtrit(FREEDOM, ndtr(number))


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


NOISES: tuple[Noise, ...] = (Additive(), LogNormal(), StudentT())  # the heavy ones after those they begin with
