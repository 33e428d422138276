"""What was found, as a table for the terminal."""

from collections.abc import Sequence
from typing import Any

from continua.train.diagnostics.advice import Advice
from continua.train.diagnostics.finding import Finding, noise_scale, share_that_falls

LARGE, SMALL = 1e-1, 1e-6


def table(findings: Sequence[Finding], advice: Sequence[Advice]) -> Any:
    """The last finding: totals, layers, and what to do."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    last = findings[-1]
    totals = Table.grid(padding=(0, 2))
    for name, words in _totals(findings):
        totals.add_row(name, words)
    layers = Table("layer", "gradient", "step / weights", box=None, padding=(0, 2))
    for name, norm in last.gradients.items():
        ratio = last.updates[name]
        layers.add_row(name, f"{norm:.2e}", f"{ratio:.2e}")
    return Group(totals, layers, *(Text(f"→ {one}") for one in advice))


def _totals(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Names and words."""
    last = findings[-1]
    rows = [
        ("step", str(last.step)),
        ("loss", f"{last.loss:.4g}, next {last.change:+.1e} (at most {last.bound:+.1e})"),
        ("falls", f"in {share_that_falls(findings):.0%} of the steps looked at"),
        ("sharpness", f"{last.sharpness:.3g}; edge {last.edge:.2f} of 1"),
        ("noise", f"as long as the gradient for batches of {noise_scale(findings):.0f}; these have {last.samples}"),
    ]
    if last.spectrum is not None:
        words = f"{last.spectrum.gains[-1]:.1e} over {len(last.spectrum.gains)} states: {last.spectrum.verdict}"
        rows.append(("gain", words))
    return rows
