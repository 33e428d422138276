r"""Every mode of a field times its factor: what functions of a separable operator do.

Between mirrors half a point beyond both ends, the modes are cosines (or sines), and nothing has to be turned into their
amplitudes on the way. In Makhoul's order of the points (even ones, then odd ones backward) the Fourier coefficients
$V_k$ hold the amplitudes of two modes along each axis, and a mirror $k \to N - k$ with a turn parts them:

$$ w_k V_k = X_k - i X_{N-k}, \quad w_k = e^{-i \pi k / 2N}, \qquad
   \lambda X \;\leftrightarrow\; \lambda^+_k V_k + \lambda^-_k\, \bar w_k^2 V_{N-k}, \quad
   \lambda^\pm_k = \tfrac12 (\lambda_k \pm \lambda_{N-k}), $$

axis by axis. So a field takes one Fourier transform of all axes there and one back: on 1024² points in float32 that is
half the time of cosine transforms along each axis.

Source: the order is Makhoul's, IEEE Trans. ASSP 28 (1980) 27–34; parting the factors in place of the modes is ours.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import LinearMap, linear_map
from continua.space.eigenbases import Basis, FastBasis
from continua.space.transforms import even_then_odd, interleaved

SIGNS = {"dct2": 1, "dst2": -1}  # of the mirror images, where mirrors stand half a point beyond both ends


def scaled_modes(field: Array, bases: Sequence[Basis], factors: Any) -> Array:
    """Each mode times its factor.

    Args:
        field: [..., *shape], real.
        bases: of the last axes, in order.
        factors: real, [mode of each axis], an array of numpy or of JAX.

    Returns:
        The field [..., *shape].
    """
    first = field.ndim - len(bases)
    signs = [SIGNS.get(one.name, 0) if isinstance(one, FastBasis) else 0 for one in bases]
    if all(signs):
        parts = [jnp.asarray(part, field.dtype) for part in _parted(factors, signs)]
        return linear_map(_between_mirrors(tuple(signs), field.shape[first:], first), parts, [field], like=[field])[0]
    for axis, one in enumerate(bases):
        field = one.forward(field, first + axis)
    field = field * jnp.asarray(factors, field.dtype).reshape((1,) * first + factors.shape)
    for axis, one in reversed([*enumerate(bases)]):
        field = one.backward(field, first + axis)
    return field


def _parted(factors: Any, signs: Sequence[int]) -> list[Any]:
    """For each choice of axes, what changes its sign under the mirrors of those alone; the upper half is not needed."""
    library = np if isinstance(factors, np.ndarray) else jnp
    for axis, sign in enumerate(signs):
        if sign < 0:  # sines are cosines of the alternating field, counted from the other end
            factors = library.flip(factors, axis)
    parts = [factors]
    for axis in range(len(signs)):
        images = [_mirrored(part, axis, library) for part in parts]
        pairs = list(zip(parts, images, strict=True))
        parts = [(own + image) / 2 for own, image in pairs] + [(own - image) / 2 for own, image in pairs]
    return [part[..., : part.shape[-1] // 2 + 1] for part in parts]


def _mirrored(x: Any, axis: int, library: Any = jnp) -> Any:
    """Entry N − k at k, and entry 0 at 0."""
    return library.roll(library.flip(x, axis), 1, axis)


@lru_cache(maxsize=128)
def _between_mirrors(signs: tuple[int, ...], shape: tuple[int, ...], first: int) -> LinearMap:
    """The map of a field by the parts of its factors; it is its own transpose, for these modes are orthogonal."""
    axes = range(len(shape))
    last = axes[-1]
    choices = [tuple(axis for axis in axes if number >> axis & 1) for number in range(2 ** len(shape))]
    turns = [np.exp(1j * np.pi * np.arange(n // 2 + 1 if axis == last else n) / n) for axis, n in enumerate(shape)]

    def reflect(parts: Sequence[Array], fields: Sequence[Array]) -> list[Array]:
        v = fields[0]
        for axis, sign in zip(axes, signs, strict=True):
            v = even_then_odd(v, first + axis, sign)
        waves = lax.fft(lax.optimization_barrier(v), lax.FftType.RFFT, shape)
        images: dict[tuple[int, ...], Array] = {(): waves}
        for axis in axes[:-1]:
            images |= {(*key, axis): _mirrored(image, first + axis) for key, image in images.items()}
        total = jnp.zeros_like(waves)
        for chosen, part in zip(choices, parts, strict=True):  # of the last axis there is half: the other is conjugate
            turned = images[tuple(axis for axis in axes[:-1] if (axis in chosen) != (last in chosen))]
            turned = jnp.conj(turned) if last in chosen else turned
            for axis in chosen:
                turn = jnp.asarray(turns[axis], waves.dtype)
                turned = turned * turn.reshape([-1 if i == first + axis else 1 for i in range(v.ndim)])
            weight = part.reshape((1,) * first + part.shape)
            total = total + lax.complex(turned.real * weight, turned.imag * weight)
        v = lax.fft(lax.optimization_barrier(total), lax.FftType.IRFFT, shape)
        for axis, sign in zip(axes, signs, strict=True):
            v = interleaved(v, first + axis, sign)
        return [v]

    return LinearMap(reflect, reflect)
