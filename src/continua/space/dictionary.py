"""The kernels that everybody knows, under the names they are known by."""

from typing import NamedTuple

import numpy as np


class KnownKernel(NamedTuple):
    """A kernel as books print it: rows from top to bottom, correlated with an image; `scale` multiplies it.

    `operator` is what it approximates, for `kernel_of`; empty where it is more than a derivative.
    """

    kernel: np.ndarray
    words: str
    scale: float = 1.0
    operator: str = ""
    origin: tuple[int, int] | None = None

    @property
    def weights(self) -> np.ndarray:
        """The kernel times its scale."""
        return np.asarray(self.kernel, float) * self.scale


def _laplacian_of_gaussian(sigma: float, side: int) -> np.ndarray:
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    bell = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    bell /= bell.sum()
    kernel = (x**2 + y**2 - 2 * sigma**2) / sigma**4 * bell
    return kernel - kernel.mean()


_ROW = np.array([[-1, 0, 1]])
_BINOMIAL = np.array([[1, 4, 6, 4, 1]])

KERNELS: dict[str, KnownKernel] = {
    "central difference": KnownKernel(_ROW, "the slope along x, from two neighbours", 1 / 2, "dx"),
    "sobel": KnownKernel(np.array([[1], [2], [1]]) * _ROW, "the slope along x, smoothed along y", 1 / 8, "dx"),
    "scharr": KnownKernel(
        np.array([[3], [10], [3]]) * _ROW, "the slope along x, nearly alike in all directions", 1 / 32, "dx"
    ),
    "prewitt": KnownKernel(
        np.array([[1], [1], [1]]) * _ROW, "the slope along x, averaged over three rows", 1 / 6, "dx"
    ),
    "roberts": KnownKernel(
        np.array([[1, 0], [0, -1]]), "the slope along a diagonal, between four pixels", origin=(0, 0)
    ),
    "laplace 5": KnownKernel(
        np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]), "the Laplacian from five points", 1.0, "laplace"
    ),
    "laplace 9": KnownKernel(
        np.array([[1, 4, 1], [4, -20, 4], [1, 4, 1]]),
        "the Laplacian from nine points, its error alike in all directions",
        1 / 6,
        "laplace",
    ),
    "laplace 8": KnownKernel(
        np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1]]), "the Laplacian of edge filters", 1 / 3, "laplace"
    ),
    "laplacian of gaussian": KnownKernel(
        _laplacian_of_gaussian(1.4, 8), "the Laplacian of what a blur with σ = 1.4 leaves"
    ),
    "mean": KnownKernel(np.ones((3, 3)), "the mean of nine pixels", 1 / 9),
    "binomial 3": KnownKernel(np.outer([1, 2, 1], [1, 2, 1]), "the blur of heat for a time of ¼ h²", 1 / 16),
    "binomial 5": KnownKernel(_BINOMIAL.T * _BINOMIAL, "the same twice", 1 / 256),
    "sharpen": KnownKernel(np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]), "a step of the heat equation backwards"),
    "unsharp mask": KnownKernel(
        np.pad([[512]], 2) - _BINOMIAL.T * _BINOMIAL, "the image plus what a blur takes from it", 1 / 256
    ),
    "emboss": KnownKernel(np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]), "the image plus its slope along a diagonal"),
}
