"""The dictionary of kernels, made from their weights; writes docs/kernels.md and docs/kernels.svg.

python docs/make_kernels.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from continua.methods import RK4, Euler, stability_limit
from continua.space import KERNELS, Stencil, kernel_of, operator_of

FOLDER = Path(__file__).parent
FIRST_LINES = """# Kernels are operators

Written by `python docs/make_kernels.py` from `continua.space.KERNELS`. A kernel applied to smooth data is a sum of
derivatives, by Taylor's formula: K u = Σ M_α ∂^α u with M_α = Σ_j k_j (jh)^α / α!. The lowest of them is what the
kernel discretises, the next is its leading error. h is the width of a pixel, x runs along rows and y from row to row;
kernels are correlated with the image, as by OpenCV's `filter2D`. The symbol is what a wave is multiplied by.

The stable step is the longest Δt for which explicit Euler steps of u_t = K u (of u_t = (K − 1) u, if K begins with 1:
the filter itself then is the step Δt = 1) let no wave grow; for slopes, whose waves only travel, that of RK4.

`Stencil.from_kernel(kernel).explain()` reads any other kernel so; `kernel_of("laplace", order=4)` goes back.

| kernel | weights | what it discretises, and its leading error | order | largest symbol | stable step |
|---|---|---|--:|--:|--:|
"""
LAST_LINES = """
![The symbols of all kernels](kernels.svg)

The size of the symbol over the angles a wave turns from pixel to pixel, from −π to π along both axes: 0 in the middle,
the checkerboard in the corners.

From operators to kernels, by `kernel_of(operator, order=…)`:

"""


def number(x: float) -> str:
    return f"{x:.4g}"


def matrix(weights: np.ndarray, scale: float) -> str:
    rows = "; ".join(" ".join(f"{x:.3g}" for x in row) for row in weights)
    share = f" / {1 / scale:.4g}" if scale != 1 else ""
    return f"[{rows}]{share}" if weights.size <= 25 else f"{weights.shape[0]} × {weights.shape[1]} weights"


def row(name: str) -> str:
    known = KERNELS[name]
    stencil = Stencil.from_kernel(known.weights, origin=known.origin)
    operator = stencil.operator()
    waves = stencil.spectrum()
    begins = abs(operator.terms.get((0, 0), 0.0) - 1) < 1e-9
    waves = waves - 1 if begins else waves
    limit = stability_limit(Euler(), waves) if np.real(waves).max() < 1e-6 * np.abs(waves).max() else 0.0
    if np.abs(np.real(waves)).max() < 1e-9 * np.abs(waves).max():
        step = f"{number(stability_limit(RK4(), waves))} (RK4)"
    else:
        step = number(limit) if limit else "none: waves grow"
    order = ""
    if known.operator:
        wanted = operator_of(kernel_of(known.operator)).terms
        leading = {powers: c for powers, c in wanted.items() if sum(powers) == operator.leading}
        order = str(operator.order_of(leading)[0])
    weights = matrix(np.asarray(known.kernel), known.scale)
    largest = number(np.abs(stencil.spectrum()).max())
    return f"| **{name}**: {known.words} | {weights} | {operator.formula(2)} | {order} | {largest} | {step} |"


def inverse() -> str:
    lines = ["| operator | order | along a row through the middle |", "|---|--:|---|"]
    for name in ("dx", "dxx", "dxxx", "laplace", "biharmonic"):
        for order in (2, 4):
            kernel = kernel_of(name, order=order)
            middle = ", ".join(f"{x:.6g}" for x in kernel[kernel.shape[0] // 2])
            lines.append(f"| {name} | {order} | {middle} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    return FIRST_LINES + "\n".join(map(row, KERNELS)) + "\n" + LAST_LINES + inverse()


def picture(path: Path) -> None:
    figure = Figure(figsize=(11, 7), layout="constrained")
    angles = np.linspace(-np.pi, np.pi, 49)
    y, x = np.meshgrid(angles, angles, indexing="ij")
    for axes, (name, known) in zip(figure.subplots(3, 5).flat, KERNELS.items(), strict=True):
        symbol = np.abs(Stencil.from_kernel(known.weights, origin=known.origin).symbol(y, x))
        shown = axes.imshow(symbol, extent=(-np.pi, np.pi, -np.pi, np.pi), cmap="viridis", vmin=0)
        axes.set_title(name, fontsize=9)
        axes.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"], fontsize=7)
        axes.set_yticks([-np.pi, 0, np.pi], ["−π", "0", "π"], fontsize=7)
        figure.colorbar(shown, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    (FOLDER / "kernels.md").write_text(page(), encoding="utf-8")
    picture(FOLDER / "kernels.svg")
