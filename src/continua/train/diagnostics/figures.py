"""A training's findings over its steps, as figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from continua.show import PALETTE, new_figure
from continua.train.diagnostics.finding import Finding, noise_scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = PALETTE[5]


def history(findings: Sequence[Finding]) -> "Figure":
    """Edge; change of the loss and its bound; updates by layer; noise scale; and the last Jacobian spectrum."""
    figure, axes = new_figure(11.0, 6.4, 2, 3)
    draws = (_losses, _edge, _changes, _updates, _noise)
    for draw, one in zip(draws, axes.ravel(), strict=False):
        draw(one, findings)
        one.set(xlabel="step")
    spectrum = findings[-1].spectrum
    if spectrum is None:
        axes[1, 2].set_axis_off()
    else:
        spectrum.draw(axes[1, 2], spectrum.verdict)
        axes[1, 2].set(title=f"gradients at step {findings[-1].step}")
        axes[1, 2].legend()
    return figure


def _steps(findings: Sequence[Finding]) -> list[int]:
    return [f.step for f in findings]


def _losses(axes: Any, findings: Sequence[Finding]) -> None:
    axes.semilogy(_steps(findings), [f.loss for f in findings])
    axes.set(title="loss")


def _edge(axes: Any, findings: Sequence[Finding]) -> None:
    axes.plot(_steps(findings), [f.edge for f in findings], label="step · curvature / 2")
    axes.axhline(1, color=GREY, linewidth=0.8)
    axes.set(title="edge of stability: 1")


def _changes(axes: Any, findings: Sequence[Finding]) -> None:
    steps = _steps(findings)
    axes.plot(steps, [f.change for f in findings], ".", label="change of the loss in a step")
    axes.plot(steps, [f.bound for f in findings], color=PALETTE[1], label="at most, at this curvature")
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(title="Lyapunov decrease")
    axes.set_yscale("symlog", linthresh=float(np.median([abs(f.change) for f in findings])) or 1.0)
    axes.legend()


def _updates(axes: Any, findings: Sequence[Finding]) -> None:
    for name in findings[-1].updates:
        axes.semilogy(_steps(findings), [f.updates[name] for f in findings], label=name)
    axes.axhline(1e-3, color=GREY, linewidth=0.8)
    axes.set(title="step over weights, by layer")
    axes.legend(fontsize="small")


def _noise(axes: Any, findings: Sequence[Finding]) -> None:
    scales = [noise_scale(findings[: n + 1]) for n in range(len(findings))]
    axes.semilogy(_steps(findings), scales, label="noise scale")
    axes.semilogy(_steps(findings), [f.samples for f in findings], color=GREY, label="batch")
    axes.set(title="gradient noise, in samples")
    axes.legend()
