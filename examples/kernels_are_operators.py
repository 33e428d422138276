"""Kernels are operators, operators are kernels.

By Taylor's formula a kernel applied to a smooth field is a sum of derivatives: Sobel/8 = ∂x + h²/6 ∂xxx + h²/4 ∂xyy,
the four neighbours minus four times the middle = ∂xx + ∂yy + …, and a blur is the heat equation for a time t:
[1 2 1]ᵀ[1 2 1]/16 = 1 + h²/4 Δ + …, so t = h²/4, and as often as it is repeated.

The trap: a convolution with a kernel is no solution of Laplace's equation, and no solution of any other. It is one
explicit step of u_t = Σ c_α ∂^α u; sharpening is a step of the heat equation backwards, and repeated it explodes.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.space import KERNELS, Evolution, Grid, Periodic, Stencil, kernel_of, operator_of

jax.config.update("jax_enable_x64", True)
SIZE, TIMES = 64, 12


def field():
    """A disk and a bar, on pixels of width 1."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    return jnp.asarray(1.0 * (np.hypot(x - 22, y - 30) < 12) + 1.0 * ((abs(x - 48) < 4) & (abs(y - 32) < 22)))


def repeated(name, image, times):
    stencil = Stencil.from_kernel(KERNELS[name].weights, Periodic())
    for _ in range(times):
        image = stencil(image)
    return image


def heat(image, time):
    grid = Grid.cells((SIZE, SIZE), upper=(float(SIZE), float(SIZE)))
    flow = Evolution(Stencil.of("laplace", grid, Periodic()))
    return continua.solve(flow, image, jnp.array([0.0, time]), rtol=1e-8).ys[-1]


def main(path="kernels_are_operators.png"):
    for name in ("sobel", "laplace 5", "binomial 3", "sharpen"):
        print(f"{name}: {operator_of(KERNELS[name].weights).formula(2)}")
    back = kernel_of("laplace", order=4)[2]
    print("laplace to fourth order, along a row:", ", ".join(f"{12 * w:.0f}/12" for w in back))
    image = field()
    blurred, warm = repeated("binomial 3", image, TIMES), heat(image, TIMES / 4)
    print(
        f"{TIMES} blurs and the heat equation until t = {TIMES / 4:g} differ by at most {abs(blurred - warm).max():.3f}"
    )
    sharp = repeated("sharpen", image, 4)
    print(f"four times sharpened, the image runs from {sharp.min():.0f} to {sharp.max():.0f}")
    slopes = repeated("sobel", image, 1)
    print(f"Sobel's answer is signed: {slopes.min():.2f} to {slopes.max():.2f}")
    figure = Figure(figsize=(11, 6), layout="constrained")
    shown = {
        "image": image,
        "Sobel/8: ∂u/∂x": slopes,
        "Laplace: Δu": repeated("laplace 5", image, 1),
        f"{TIMES} blurs": blurred,
        f"heat, t = {TIMES / 4:g}": warm,
        "four times sharpened": sharp,
    }
    for axes, (title, picture) in zip(figure.subplots(2, 3).flat, shown.items(), strict=True):
        size = float(abs(picture).max())
        axes.imshow(picture, cmap="RdBu_r", vmin=-size, vmax=size)
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
