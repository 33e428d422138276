"""How a stencil is computed: chosen by what was measured, or by name."""

import functools
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.space.neighbours import surrounded, weighed

if TYPE_CHECKING:
    from continua.space.stencil import Stencil

MEDIUM = 40  # weights beyond which two passes beat one, where the kernel is a product (CPU, 1024² points, float32)
MANY = 256  # beyond which Fourier transforms beat sums of shifts there: 81 weights take 3.0 ms, transforms 11
SAMPLES = 5


@dataclass(frozen=True)
class Lowering:
    """From a padded field to the result; a lowering has no parameters."""

    @abstractmethod
    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """The weighted sums [*inside], of a field with its ghosts."""

    def serves(self, stencil: "Stencil") -> bool:
        """Whether it can compute such a stencil."""
        return stencil.weights.ndim == 1


class Shifts(Lowering):
    """A sum of shifted views: fastest for small stencils, weights that vary in space, and one kernel a channel."""

    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """With the transposes of `neighbours`."""
        weights = stencil.weights if stencil.free is None else stencil.free.astype(padded.dtype)
        return weighed(padded, weights, stencil.offsets, stencil.reach)

    def serves(self, stencil: "Stencil") -> bool:
        """Any."""
        del stencil
        return True


class Separable(Lowering):
    """Axis after axis, for a constant kernel that is a product: 2n weights instead of n²."""

    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """By a sum of shifts along each axis."""
        factors = _factors(stencil)
        assert factors is not None
        for axis, (factor, (low, high)) in enumerate(zip(factors, stencil.reach, strict=True)):
            places = [o for o in range(-low, high + 1) if factor[o + low]]
            offsets = tuple(tuple(o * (i == axis) for i in range(stencil.dimension)) for o in places)
            reach = tuple((low, high) if i == axis else (0, 0) for i in range(stencil.dimension))
            padded = lax.optimization_barrier(padded) if axis else padded
            padded = weighed(padded, np.array([factor[o + low] for o in places]), offsets, reach)
        return padded

    def serves(self, stencil: "Stencil") -> bool:
        """Constant kernels of rank one, in two dimensions or more."""
        return stencil.fixed is not None and stencil.dimension > 1 and _factors(stencil) is not None


class Convolution(Lowering):
    """XLA's convolution."""

    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """With one channel."""
        space = padded.shape[-stencil.dimension :]
        kernel = _dense(stencil, padded.dtype)
        flat = padded.reshape(-1, 1, *space)
        out = lax.conv_general_dilated(flat, kernel[None, None], (1,) * len(space), "VALID")
        return out.reshape(*padded.shape[: -stencil.dimension], *out.shape[2:])


class Spectral(Lowering):
    """By fast Fourier transforms: the time does not depend on how many weights there are."""

    def __call__(self, stencil: "Stencil", padded: Array) -> Array:
        """The circular sum over the padded field, whose rim is cut off."""
        axes = tuple(range(-stencil.dimension, 0))
        sizes = tuple(padded.shape[axis] for axis in axes)
        kernel = jnp.conj(jnp.fft.rfftn(_dense(stencil, padded.dtype), sizes, axes))
        wave = jnp.fft.rfftn(padded, axes=axes)
        circular = jnp.fft.irfftn(wave * kernel.reshape((1,) * (wave.ndim - kernel.ndim) + kernel.shape), sizes, axes)
        return surrounded(circular, tuple((0, -low - high) for low, high in stencil.reach))


def by_size(stencil: "Stencil") -> Lowering:
    """What is fastest for such weights, as measured on a CPU."""
    many = len(stencil.offsets)
    if stencil.weights.ndim > 1 or many <= MEDIUM:
        return Shifts()
    return Separable() if Separable().serves(stencil) else Shifts() if many <= MANY else Spectral()


def fastest(stencil: "Stencil", field: Array) -> Lowering:
    """What is fastest for this stencil on this field and device, by trying all that serve."""
    found: dict[Lowering, float] = {}
    for way in (Shifts(), Separable(), Convolution(), Spectral()):
        if way.serves(stencil):
            run = jax.jit(functools.partial(_through, stencil, way))
            found[way] = _seconds(run, field)
    return min(found, key=lambda way: found[way])


def _through(stencil: "Stencil", way: Lowering, field: Array) -> Array:
    return stencil.closed(way(stencil, stencil.padded(field)))


def _seconds(run: Callable[[Array], Any], field: Array) -> float:
    jax.block_until_ready(run(field))
    times = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        jax.block_until_ready(run(field))
        times.append(time.perf_counter() - start)
    return min(times)


def _dense(stencil: "Stencil", dtype: Any) -> Array:
    """[*kernel] from the lowest to the highest neighbour along each axis."""
    sizes = [low + high + 1 for low, high in stencil.reach]
    places = tuple(np.array(stencil.offsets).T + np.array(stencil.reach)[:, :1])
    return jnp.zeros(sizes, dtype).at[places].add(jnp.asarray(stencil.weights, dtype))


def _factors(stencil: "Stencil") -> list[np.ndarray] | None:
    """One factor for each axis, if the constant kernel is their product."""
    sizes = [low + high + 1 for low, high in stencil.reach]
    kernel = np.zeros(sizes)
    for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
        kernel[tuple(o + low for o, (low, _) in zip(offset, stencil.reach, strict=True))] += weight
    peak = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    factors = []
    for axis in range(kernel.ndim):
        line = kernel[tuple(slice(None) if i == axis else place for i, place in enumerate(peak))]
        factors.append(line if axis == 0 else line / kernel[peak])
    product = functools.reduce(np.multiply.outer, factors)
    return factors if np.allclose(product, kernel, rtol=1e-12, atol=1e-14 * np.abs(kernel).max()) else None
