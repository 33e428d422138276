"""Linear equations with constant coefficients are not stepped: every wave is multiplied by what becomes of it."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, is_traced
from continua.space.boundaries import Periodic
from continua.space.eigenbases import Basis, basis
from continua.space.evolution import Evolution
from continua.space.grid import Axis
from continua.space.modes import scaled_modes
from continua.space.stencil import Stencil


def propagate(equation: Evolution, field: Any, time: Any, growth: Callable[[Any], Any] | None = None) -> Array:
    r"""The field after a time, exactly: without steps, by the symbol of the stencil.

    $$ \hat u(t) = e^{t\, r \hat s}\, \hat u(0) $$

    Args:
        equation: u_t = r S u with a `Stencil` of constant weights and a number r, no source; on faces that are no
            mirrors for its waves there must be none: periodic, `Symmetric`, `Neumann(0)`, `Dirichlet(0)`.
        field: [*shape] or [..., *shape], real.
        time: how long, a number.
        growth: what becomes of a wave, a function of t r ŝ: exp unless given. With `lambda z: (1 + z / n) ** n` it is n
            explicit Euler steps at once, to the last digits.

    Returns:
        The field [..., *shape]; it can be differentiated in all that goes in.

    Good for: heat and blurs for any time, waves on periodic grids, many steps of a linear scheme at the price of two
    transforms.

    Example:
        >>> import jax.numpy as jnp
        >>> from continua.space import Evolution, Grid, Periodic, Stencil
        >>> heat = Evolution(Stencil.of("laplace", Grid.cells(8, upper=8.0), Periodic()))
        >>> wave = heat.operator.grid.sample(lambda x: jnp.cos(jnp.pi * x / 4))
        >>> round(float(propagate(heat, wave, 1.0)[0] / wave[0]), 4)  # exp(−4 sin²(π/8))
        0.5567
    """
    stencil, array = _stencil(equation), equation.operator.checked(field)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ArgumentTypeError(f"`field` of propagate must be real. Got {array.dtype}. Take both parts in turn.")
    shape = array.shape[-stencil.dimension :]
    pairs = stencil.boundaries.faces if stencil.boundaries is not None else ()
    if all(isinstance(side, Periodic) for pair in pairs for side in pair):
        return _by_waves(stencil, array, shape, _grown(equation, time, growth))
    if not stencil.ghosts_persist() or any(not _is_homogeneous(side) for pair in pairs for side in pair):
        raise ArgumentError(
            "`equation` of propagate must have boundaries under which waves stay waves: Periodic(), or for symmetric "
            f"weights Symmetric(), Neumann(0) and Dirichlet(0). Got {pairs}. Use `solve`."
        )
    return _by_bases(stencil, array, shape, _grown(equation, time, growth))


def _stencil(equation: Evolution) -> Stencil:
    if not isinstance(equation, Evolution) or not isinstance(equation.operator, Stencil):
        raise ArgumentTypeError(
            "`equation` of propagate must be an Evolution with a Stencil. Use `solve` for any other."
        )
    stencil = equation.operator
    if equation.source is not None or jnp.ndim(equation.rate) or stencil.fixed is None:
        raise ArgumentError(
            "`equation` of propagate must be the same everywhere and at all times: constant weights, one rate, no "
            "source. Use `solve` for any other."
        )
    return stencil


def _is_homogeneous(side: Any) -> bool:
    value = getattr(side, "value", 0)
    return isinstance(value, int | float) and value == 0


def _grown(equation: Evolution, time: Any, growth: Callable[[Any], Any] | None) -> Callable[[np.ndarray, Any], Any]:
    """From the symbol to the factors: numbers of numpy, in double precision, as long as nothing is traced."""
    known = not any(map(is_traced, (equation.rate, time)))

    def factors(symbol: np.ndarray, dtype: Any) -> Any:
        if known:
            return np.asarray((np.exp if growth is None else growth)(float(time) * float(equation.rate) * symbol))
        real = jnp.finfo(dtype).dtype
        z = jnp.asarray(time, real) * jnp.asarray(equation.rate, real) * jnp.asarray(symbol, dtype)
        return (jnp.exp if growth is None else growth)(z)

    return factors


def _by_waves(stencil: Stencil, field: Array, shape: tuple[int, ...], grown: Callable[[np.ndarray, Any], Any]) -> Array:
    """On a periodic grid, for any weights."""
    axes = tuple(range(-stencil.dimension, 0))
    angles = [2 * np.pi * np.fft.fftfreq(n) for n in shape[:-1]] + [2 * np.pi * np.fft.rfftfreq(shape[-1])]
    mesh = np.meshgrid(*angles, indexing="ij")
    symbol = np.zeros(mesh[0].shape, complex)
    for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
        symbol += weight * np.exp(1j * sum(o * angle for o, angle in zip(offset, mesh, strict=True)))
    waves = jnp.fft.rfftn(field, axes=axes)
    even = np.abs(np.imag(symbol)).max() <= 1e-12 * np.abs(symbol).max()
    factors = jnp.asarray(grown(np.real(symbol), field.dtype) if even else grown(symbol, waves.dtype), waves.dtype)
    return jnp.fft.irfftn(waves * factors.reshape((1,) * (waves.ndim - factors.ndim) + factors.shape), shape, axes)


def _by_bases(stencil: Stencil, field: Array, shape: tuple[int, ...], grown: Callable[[np.ndarray, Any], Any]) -> Array:
    """Between mirrors, for weights that are symmetric along each axis."""
    assert stencil.boundaries is not None
    bases: list[Basis] = []
    cosines: list[np.ndarray] = []
    for size, h, pair, (low, high) in zip(
        shape, stencil.spacing, stencil.boundaries.faces, stencil.faces(), strict=True
    ):
        found = basis(Axis(size, 0.0, h * (size - 1 + low.offset + high.offset), low.offset, high.offset), *pair)
        bases.append(found)
        cosines.append(np.arccos(np.clip(1 - found.eigenvalues * h**2 / 2, -1, 1)))
    symbol = np.zeros(shape)
    for offset, weight in zip(stencil.offsets, stencil.weights, strict=True):
        turns = [np.cos(o * angle) for o, angle in zip(offset, cosines, strict=True)]
        symbol += weight * functools.reduce(np.multiply.outer, turns)
    return scaled_modes(field, bases, grown(symbol, field.dtype))
