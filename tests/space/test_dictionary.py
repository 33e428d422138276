"""The page of kernels says what the kernels say, and they are those of the standard libraries."""

import importlib.util
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage as ndimage

from continua.space import KERNELS, Periodic, Stencil, Symmetric

DOCS = Path(__file__).parents[2] / "docs"
IMAGE = np.random.default_rng(0).normal(size=(12, 14))


def test_the_page_is_that_of_the_kernels():
    """After a change: python docs/make_kernels.py."""
    spec = importlib.util.spec_from_file_location("make_kernels", DOCS / "make_kernels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "kernels.md").read_text(encoding="utf-8") == module.page()
    assert "∂x + h²/6 ∂xxx + h²/4 ∂xyy + … | 2 | 1 | 2.828 (RK4) |" in module.page()
    assert "∂xx + ∂yy + h²/12 ∂xxxx + h²/12 ∂yyyy + … | 2 | 8 | 0.25 |" in module.page()


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("sobel", lambda image: ndimage.sobel(image, 1) / 8),
        ("prewitt", lambda image: ndimage.prewitt(image, 1) / 6),
        ("laplace 5", ndimage.laplace),
        ("mean", lambda image: ndimage.uniform_filter(image, 3)),
    ],
)
def test_they_equal_scipys_filters(name, standard):
    found = Stencil.from_kernel(KERNELS[name].weights, Symmetric())(jnp.asarray(IMAGE))
    assert np.abs(found - standard(IMAGE)).max() < 1e-14


@pytest.mark.parametrize("name", KERNELS)
def test_they_equal_opencvs_filter(name):
    cv2 = pytest.importorskip("cv2")
    known = KERNELS[name]
    stencil = Stencil.from_kernel(known.weights, Symmetric(), origin=known.origin)
    anchor = (-1, -1) if known.origin is None else known.origin[::-1]
    found = cv2.filter2D(IMAGE, cv2.CV_64F, known.weights, anchor=anchor, borderType=cv2.BORDER_REFLECT)
    assert np.abs(stencil(jnp.asarray(IMAGE)) - found).max() < 1e-14 * np.abs(found).max() + 1e-14


def test_the_nine_point_laplacian_errs_alike_in_all_directions():
    """Its leading error is h²/12 Δ²: on a wave it depends on the size of the wave vector alone."""
    stencil = Stencil.from_kernel(KERNELS["laplace 9"].weights, Periodic())
    turns, size = np.linspace(0, np.pi, 9), 0.2
    wrong = np.asarray(stencil.symbol(size * np.sin(turns), size * np.cos(turns)).real) + size**2
    assert np.allclose(wrong, size**4 / 12, rtol=2e-2)
    five = Stencil.from_kernel(KERNELS["laplace 5"].weights, Periodic())
    uneven = np.asarray(five.symbol(size * np.sin(turns), size * np.cos(turns)).real) + size**2
    assert uneven.max() > 1.9 * uneven.min()
