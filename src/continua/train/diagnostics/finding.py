"""What is seen of a training at one step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from continua.train.diagnostics.advice import Advice, for_edge, for_noise, for_updates
from continua.train.diagnostics.chains import JacobianSpectrum


@dataclass(frozen=True, eq=False)
class Finding:
    r"""One look at a training, on one batch.

    Args:
        step: how many steps were done.
        samples: how many samples of the batch were looked at.
        loss: on these.
        change: of the loss by the next step, on the same samples.
        bound: what a loss of constant curvature changes at most,
            $\nabla L \cdot \Delta + \text{edge}\, \Delta^\top D^{-1} \Delta$; for descent
            $-h |\nabla L|^2 (1 - h \lambda / 2)$.
        sharpness: λ, the largest curvature.
        edge: hλ/2 for descent, $\lambda_{\max}(D^{1/2} H D^{1/2}) / 2$ for others: from 1 on steps swing. NaN where the
            optimiser's step lengths cannot be told.
        signal, scatter: |G|² and tr Σ of the gradient's noise.
        gradients: the length of the gradient, by layer.
        updates: the length of the next step over that of the weights, by layer.
        spectrum: of the Jacobians over depth or time, where these are looked at.
    """

    step: int
    samples: int
    loss: float
    change: float
    bound: float
    sharpness: float
    edge: float
    signal: float
    scatter: float
    gradients: dict[str, float]
    updates: dict[str, float]
    spectrum: JacobianSpectrum | None

    @property
    def falls(self) -> bool:
        """Whether the next step lowers the loss of these samples."""
        return self.change < 0


# So many findings are averaged for the noise, whose quotient means little for one batch.
LATEST = 16


def noise_scale(findings: Sequence[Finding]) -> float:
    """The batch size at which noise and gradient are as long, from the latest findings; infinite where none is seen."""
    signal, scatter = (np.mean([getattr(f, name) for f in findings[-LATEST:]]) for name in ("signal", "scatter"))
    return float(scatter / signal) if signal > 0 else float("inf")


def share_that_falls(findings: Sequence[Finding]) -> float:
    """Of the findings, those whose step lowers the loss."""
    return float(np.mean([f.falls for f in findings]))


def scalars(findings: Sequence[Finding]) -> dict[str, float]:
    """The last finding, and what all tell together, by name; without what is not known."""
    last = findings[-1]
    found = {name: getattr(last, name) for name in ("loss", "change", "bound", "sharpness", "edge")}
    found |= {"falls": share_that_falls(findings), "noise_scale": noise_scale(findings)}
    found |= {f"gradient.{name}": norm for name, norm in last.gradients.items()}
    found |= {f"update_ratio.{name}": ratio for name, ratio in last.updates.items()}
    if last.spectrum is not None:
        found["gain"] = float(last.spectrum.gains[-1])
    return {name: value for name, value in found.items() if np.isfinite(value)}


def advice(findings: Sequence[Finding]) -> Iterator[Advice]:
    """What to do about the last finding, each with its reason."""
    last = findings[-1]
    yield from last.spectrum.advice() if last.spectrum is not None else []
    yield from for_edge(last.edge)
    yield from for_updates(last.updates)
    if len(findings) >= LATEST:
        yield from for_noise(noise_scale(findings), last.samples)
